"""Comparable requests, and the known differences between those of the vendor's SDK and ours."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal
from urllib.parse import parse_qsl, quote_plus, unquote, urlsplit

from anyio.from_thread import BlockingPortal
from attrs import evolve, field, frozen

import genauth_sync
from genauth_async import AuthenticationClient
from tests.contract.arguments import Call, Fill
from tests.contract.user_tokens import TAKEN
from tests.recording import Recorded, RecordingServer

HEADERS = (
    "x-genauth-app-id",
    "x-genauth-request-from",
    "x-genauth-lang",
    "x-real-ip",
    "authorization",
    "content-type",
)
APP_ID = "an-app"
APP_SECRET = "a secret: 100%"
TOKEN = "a.users-token"
LANG = "en-US"
REAL_IP = "203.0.113.7"
_EACH_REQUEST = {"x-genauth-app-id": APP_ID, "x-genauth-request-from": "sdk"}
# With the client's own token goes everything else that a client can be told.
STANDING_HEADERS: Mapping[str, Mapping[str, str]] = {
    "call": _EACH_REQUEST,
    "client": {**_EACH_REQUEST, "x-genauth-lang": LANG, "x-real-ip": REAL_IP},
}
FORM = "application/x-www-form-urlencoded"


def _as_json(body: Any) -> str:
    """For comparing: in Python, True is 1."""
    return json.dumps(body, sort_keys=True)


@frozen
class Sent:
    """A request, in the parts that matter.

    Attributes:
        method: the HTTP method.
        path: its segments, decoded: libraries differ in what they quote without need.
        query: pairs in alphabetical order, decoded.
        headers: those that matter, content-type without parameters.
        body: the decoded JSON, or a form's pairs in alphabetical order; None without a body.
    """

    method: str
    path: list[str]
    query: list[tuple[str, str]]
    headers: Mapping[str, str]
    body: Any = field(eq=_as_json)


def sent(recorded: Recorded) -> Sent:
    """Return a recorded request in comparable form."""
    target = urlsplit(recorded.target)
    headers = {name: recorded.headers[name] for name in HEADERS if name in recorded.headers}
    if not recorded.body:
        # The type of nothing says nothing; some libraries give one.
        headers.pop("content-type", None)
    elif "content-type" in headers:
        headers["content-type"] = headers["content-type"].partition(";")[0].strip().lower()
    body: Any = None
    if headers.get("content-type") == FORM:
        body = sorted(parse_qsl(recorded.body.decode(), keep_blank_values=True, strict_parsing=True))
    elif recorded.body:
        body = recorded.json
    query = sorted(parse_qsl(target.query, keep_blank_values=True, strict_parsing=True)) if target.query else []
    path = [unquote(segment, errors="strict") for segment in target.path.split("/")]
    return Sent(recorded.method, path, query, headers, body)


@frozen
class Case:
    """Configuration of the clients, and the arguments that they are given.

    Attributes:
        fill: what is given for optional parameters.
        auth: the endpoints' authentication method.
        token_of: where our method takes the user's token from: the client, which has one for all calls; or the call.
    """

    fill: Fill
    auth: Literal["client_secret_post", "client_secret_basic", "none"]
    token_of: Literal["client", "call"]


@frozen
class Context:
    """All that a difference can depend on."""

    method: str
    case: Case
    call: Call


@frozen(eq=False)
class Faces:
    """The vendor's client and both of ours, configured alike, and the server that records what they send."""

    recorder: RecordingServer
    portal: BlockingPortal
    theirs: Any
    ours: AuthenticationClient
    blocking: genauth_sync.AuthenticationClient

    def requests(self, method: str, case: Case, call: Call) -> tuple[Sent, Sent, Sent]:
        """The one request that each sends: theirs, that of our async client, that of our blocking one."""
        own = dict(call.own)
        if case.token_of == "call" and method in TAKEN:
            own["access_token"] = TOKEN
        self.recorder.requests.clear()
        getattr(self.theirs, method)(*call.args, **call.kwargs)
        assert len(self.recorder.requests) == 1
        self.portal.call(partial(getattr(self.ours, method), *call.args, **call.kwargs, **own))
        assert len(self.recorder.requests) == 2
        getattr(self.blocking, method)(*call.args, **call.kwargs, **own)
        theirs, ours, blocking = map(sent, self.recorder.requests)
        return theirs, ours, blocking


Correction = Callable[[Sent, Context], Sent]
"""What the vendor's SDK should have sent instead of this; just this, when there is nothing to correct."""


@frozen(eq=False)
class Difference:
    """A way in which requests are known to differ.

    Attributes:
        defect: the name of the defect of the vendor's SDK; None: it is none, ours has another way.
        reason: why ours differs.
        methods: where.
        correct: makes what the vendor's SDK sends what ours has to send; it changes nothing else.
    """

    defect: str | None
    reason: str
    methods: frozenset[str]
    correct: Correction


def with_header(request: Sent, name: str, value: str | None) -> Sent:
    """With a header set, or left out."""
    others = {key: held for key, held in request.headers.items() if key != name}
    return evolve(request, headers=others if value is None else {**others, name: value})


def basic(app_id: str, secret: str) -> str:
    """An authorization header by RFC 6749 section 2.3.1."""
    return raw_basic(quote_plus(app_id), quote_plus(secret))


def raw_basic(app_id: str, secret: str) -> str:
    """An authorization header, with nothing quoted."""
    return f"Basic {b64encode(f'{app_id}:{secret}'.encode()).decode()}"
