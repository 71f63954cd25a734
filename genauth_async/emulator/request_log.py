"""The request log: one line for each request, with all secrets masked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from html import unescape
from time import perf_counter
from typing import Final, TypeAlias
from urllib.parse import parse_qsl, quote, unquote_plus, urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .http.client_auth import BasicCredentials
from .state.state import State

LogLine: TypeAlias = Callable[[str], object]
"""Takes a line of the log, such as `print` does; it is called in the server's thread."""

_MASK: Final = "***"
_SUCCESS: Final = 200
_MOST_BYTES: Final = 65536
_LONGEST_LINE: Final = 1000
_LONGEST_VALUE: Final = 120
_APP_HEADERS: Final = ("x-genauth-app-id", "x-authing-app-id")
# The values of all other parameters are masked: a parameter that is added later may be a secret.
_SHOWN: Final = frozenset(
    (
        *("account", "action", "appId", "app_id", "channel", "client_id", "code_challenge_method", "connection"),
        *("consent", "email", "eventType", "extIdpConnidentifier", "factorType", "format", "gateway", "grant_type"),
        *("limit", "login_hint", "logout", "max_age", "namespace", "page", "passwordEncryptType", "phone"),
        *("phoneCountryCode", "phoneNumber", "post_logout_redirect_uri", "prompt", "redirect_uri", "renew"),
        *("resourceType", "response_mode", "response_type", "sAMAccountName", "scope", "service", "targetUserId"),
        *("tenantId", "token_type_hint", "type", "username", "withCustomData", "withIdentities"),
    )
)
_URIS: Final = frozenset({"post_logout_redirect_uri", "redirect_uri", "service"})
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_]{1,60}")
_OPAQUE_SEGMENT: Final = re.compile(r"(?=[^/]*\d)[^/]{16,}")


class RequestLog:
    """An ASGI application that logs the requests to another one.

    Args:
        app: the other one.
        state: the emulator's, to find the application of a request.
        log: takes the lines.
    """

    def __init__(self, app: ASGIApp, state: State, log: LogLine) -> None:
        self._app = app
        self._state = state
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        entry = _Entry(scope)

        def log() -> None:
            if not entry.logged:
                entry.logged = True
                self._log(entry.line(self._state))

        async def receive_noted() -> Message:
            message = await receive()
            if message["type"] == "http.request" and len(entry.sent) <= _MOST_BYTES:
                entry.sent += message.get("body", b"")
            return message

        held: list[Message] = []

        async def send_noted(message: Message) -> None:
            held.append(message)
            is_last = entry.note_answer(message)
            if message["type"].endswith(".response.start"):
                return  # for a client, that can be the whole answer
            if is_last:
                log()  # before the client knows of the answer
            while held:
                await send(held.pop(0))

        try:
            await self._app(scope, receive_noted, send_noted)
        finally:
            log()


class _Entry:
    """A request and its answer."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._headers = Headers(scope=scope)
        self._began = perf_counter()
        self._masked: set[str] = set()
        self.sent = b""
        self.logged = False
        self.status = "no answer"
        self._answer = b""
        self._answer_headers = Headers()

    def note_answer(self, message: Message) -> bool:
        """Note a part of the answer; return True for the last one that matters."""
        kind = message["type"]
        if kind == "websocket.accept":
            self.status = "open"
        elif kind == "websocket.close" and self.status == "no answer":
            self.status = "403"
        elif kind.endswith(".response.start"):
            self.status, self._answer_headers = str(message["status"]), Headers(raw=message["headers"])
        elif kind.endswith(".response.body") and len(self._answer) < _MOST_BYTES:
            self._answer += message.get("body", b"")
        return kind.endswith((".accept", ".close", ".response.body")) and not message.get("more_body")

    def line(self, state: State) -> str:
        given = [*self._parameters()]
        parts = [
            self._scope.get("method", "WEBSOCKET"),
            self._path(),
            self.status,
            f"{(perf_counter() - self._began) * 1000:.1f} ms",
            f"app={_printable(self._app_name(state, given))}",
            *(f"{name}={self._shown(name, value)}" for name, value in given),
        ]
        if refusal := self._refusal():
            parts += ["|", _printable(self._without_secrets(refusal), quoted=False)]
        line = " ".join(parts)
        return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}..."

    def _path(self) -> str:
        path: str = self._scope["path"]
        for name, value in self._scope.get("path_params", {}).items():
            if name not in _SHOWN and value:
                path = path.replace(value, f"{{{name}}}")
                self._masked.add(value)
        return quote(_OPAQUE_SEGMENT.sub(_MASK, path), safe="/:*@{}~.-_")

    def _parameters(self) -> Iterator[tuple[str, object]]:
        yield from _pairs(self._scope["query_string"].decode("latin-1"))
        if not self.sent:
            return
        if len(self.sent) > _MOST_BYTES:
            yield "body", None
            return
        text = self.sent.decode("utf-8", "replace")
        if "form" in self._headers.get("content-type", ""):
            yield from _pairs(text)
            return
        try:
            yield from _flat("", json.loads(text))
        except (ValueError, RecursionError):
            yield "body", text

    def _shown(self, name: str, value: object) -> str:
        last = name.rpartition(".")[2]
        if value is None or isinstance(value, bool):
            return json.dumps(value)
        text = str(value)
        if last in _SHOWN and len(text) <= _LONGEST_VALUE:
            return _printable(_without_query(text) if last in _URIS else text)
        self._masked.add(text)
        return _MASK

    def _app_name(self, state: State, given: list[tuple[str, object]]) -> str:
        authorization = self._headers.get("authorization", "")
        basic = BasicCredentials.parse(authorization)
        app = None if basic is None else basic.app_among(state.apps)
        named = [value for name, value in given if name in {"client_id", "app_id"} and isinstance(value, str)]
        named += [self._headers[header] for header in _APP_HEADERS if header in self._headers]
        named += [str(self._scope.get("path_params", {}).get("app_id", ""))]
        tokens = [authorization.rpartition(" ")[2], *(str(value) for name, value in given if name.endswith("token"))]
        named += [grant.app_id for token in tokens if (grant := state.grants.find_by_token(token))]
        app = app or next((state.apps[app_id] for app_id in named if app_id in state.apps), None)
        return "-" if app is None else app.display_name

    def _refusal(self) -> str:
        """Return the reason of an error: of the API, of OAuth, or of a page."""
        kind = self._answer_headers.get("content-type", "")
        if "json" in kind:
            try:
                answer = json.loads(self._answer)
            except ValueError:
                return ""
            return _json_refusal(answer) if isinstance(answer, dict) else ""
        if location := self._answer_headers.get("location"):
            parts = urlsplit(location)
            given = dict([*parse_qsl(parts.query), *parse_qsl(parts.fragment)])
            return _json_refusal(given)
        if "xml" in kind and (found := re.search(rb'authenticationFailure code="(\w+)"', self._answer)):
            return found[1].decode()
        if "html" in kind and self.status >= "400":
            text = self._answer.decode("utf-8", "replace")
            body = re.sub(r"(?s).*<body[^>]*>|<(script|style|svg)\b.*?</\1>|<form\b.*?</form>", " ", text)
            return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())[:300]
        return ""

    def _without_secrets(self, text: str) -> str:
        for secret in sorted(self._masked, key=len, reverse=True):
            text = text.replace(secret, _MASK) if secret else text
        return text


def _json_refusal(answer: Mapping[str, object]) -> str:
    if answer.get("error"):
        return ": ".join(str(answer[name]) for name in ("error", "error_description") if name in answer)
    if answer.get("statusCode", _SUCCESS) == _SUCCESS:
        return ""
    codes = "/".join(str(answer[name]) for name in ("statusCode", "apiCode") if name in answer)
    return f"{codes} {answer.get('message', '')}"


def _pairs(query: str) -> Iterator[tuple[str, object]]:
    """Iterate over the pairs of a query or a form. A name is shown only if it is plain."""
    for pair in filter(None, query.split("&")):
        for name, value in parse_qsl(pair, keep_blank_values=True) if "=" in pair else [("", unquote_plus(pair))]:
            yield name if _PLAIN_KEY.fullmatch(name) else _MASK, value


def _flat(name: str, value: object) -> Iterator[tuple[str, object]]:
    """Iterate over the members of a JSON value by their paths."""
    if isinstance(value, dict):
        for key, member in value.items():
            plain = key if _PLAIN_KEY.fullmatch(key) else _MASK
            yield from _flat(f"{name}.{plain}" if name else plain, member)
    elif isinstance(value, list):
        for member in value:
            yield from _flat(name, member)
    else:
        yield name or "body", value


def _without_query(uri: str) -> str:
    return uri.partition("?")[0].partition("#")[0]


def _printable(text: str, *, quoted: bool = True) -> str:
    """Make a text one word, or at least one line without control characters."""
    if text.isprintable() and not (quoted and set(text) & set(' "=|')):
        return text or '""'
    return json.dumps(text, ensure_ascii=not text.isprintable())
