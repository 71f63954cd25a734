"""A user's token goes where user_tokens.py says, by the signatures and by what is sent."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from typing import Any, Literal, get_args, get_origin
from urllib.parse import parse_qs, urlsplit

import pytest

import genauth_sync
from genauth_async import AuthenticationClient, ConfigurationError, GenAuthError, Stream
from genauth_async.models import Dto
from tests.contract.annotations import alternatives, annotation
from tests.contract.answers import least_members
from tests.contract.document import DTOS
from tests.contract.user_tokens import AS_SUBJECT, NEEDED, NEVER, NO_CALLS, POSSIBLE, TAKEN
from tests.recording import Answer, Recorded, RecordingServer

pytestmark = pytest.mark.anyio

CALLS_TOKEN = "the-calls-token"
CLIENTS_TOKEN = "the-clients-token"
# What one of several payloads is needed for; the documents can only say that each is optional.
FURTHER: Mapping[str, Mapping[str, object]] = {
    "sign_in_by_credentials": {"password_payload": {"password": "text", "username": "text"}},
    "sign_in_by_mobile": {"wechat_payload": {"code": "text"}},
    "sign_up": {"password_payload": {"password": "text", "username": "text"}},
}
IN_THE_QUERY = {"iter_events", "sub_event"}  # a WebSocket's request, as the documents have it

MakeClient = Callable[..., AuthenticationClient]


@pytest.fixture
async def make_client(recorder: RecordingServer) -> AsyncIterator[MakeClient]:
    """Makes clients of a server that refuses whatever it is asked, so that each call asks once."""
    recorder.default = Answer({"statusCode": 404, "message": "there is none"}, status=404)
    made: list[AuthenticationClient] = []

    def make(**options: Any) -> AuthenticationClient:
        host = recorder.url.replace("http", "ws")
        made.append(
            AuthenticationClient(
                "an-app", recorder.url, "a-secret", websocket_host=host, redirect_uri="https://app.example/", **options
            )
        )
        return made[-1]

    yield make
    for client in made:
        await client.aclose()


def least_arguments(method: str) -> dict[str, object]:
    """Return arguments for the required parameters."""
    parameters = inspect.signature(getattr(AuthenticationClient, method)).parameters
    needed = [name for name, parameter in parameters.items() if parameter.default is parameter.empty][1:]
    given = {name: print if name == "callback" else least(annotation(method, name)) for name in needed}
    return {**given, **FURTHER.get(method, {})}


def least(hint: Any) -> object:
    first = next(kind for kind in alternatives(hint) if not (isinstance(kind, type) and issubclass(kind, Exception)))
    if get_origin(first) is Literal:
        return get_args(first)[0]
    if get_origin(first) is None and isinstance(first, type) and issubclass(first, Dto):  # list[str] is no class
        assert first.__name__ in DTOS
        return least_members(first.__name__)
    return {str: "text", int: 1, bool: True, object: "text"}[first] if first in {str, int, bool, object} else ["text"]


async def recorded_call(
    client: AuthenticationClient, recorder: RecordingServer, method: str, **further: str
) -> Recorded:
    """The one request of a call."""
    with suppress(GenAuthError):  # the refusal
        await called(client, method, **further)
    (recorded,) = recorder.requests
    recorder.requests.clear()
    return recorded


async def called(client: AuthenticationClient, method: str, **further: str) -> None:
    waiting = getattr(client, method)(**{**least_arguments(method), **further})
    await (waiting.__anext__() if isinstance(waiting, Stream) else waiting)


def users_token(method: str, recorded: Recorded) -> str | None:
    if method in IN_THE_QUERY:
        (token,) = parse_qs(urlsplit(recorded.target).query)["token"]
        return token
    header = recorded.headers.get("authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    assert scheme == "Bearer"
    return token


@pytest.mark.parametrize("client_class", [AuthenticationClient, genauth_sync.AuthenticationClient])
async def test_every_method_is_listed_and_has_the_right_parameter(client_class: type) -> None:
    closing = {"close"} if client_class is genauth_sync.AuthenticationClient else set()
    methods = {name: method for name, method in inspect.getmembers(client_class, inspect.isfunction) if name[0] != "_"}
    sets = [NEEDED, POSSIBLE, NEVER, AS_SUBJECT, NO_CALLS]
    assert sum(map(len, sets)) == len(frozenset().union(*sets)), "a method is in two of them"
    assert methods.keys() - closing == frozenset().union(*sets) - ({"aclose"} if closing else set())

    tokens = {name: inspect.signature(method).parameters.get("access_token") for name, method in methods.items()}
    taking = {name: token for name, token in tokens.items() if token is not None and name not in NO_CALLS}
    assert taking.keys() == TAKEN | {"get_user_info_by_access_token"}
    for name in TAKEN:
        assert (taking[name].kind, taking[name].default) == (inspect.Parameter.KEYWORD_ONLY, None), name
    for name, parameter in AS_SUBJECT.items():
        assert inspect.signature(methods[name]).parameters[parameter].default is inspect.Parameter.empty, name


@pytest.mark.parametrize("method", sorted(NEEDED))
async def test_without_a_token_that_is_needed_nothing_is_sent(
    method: str, make_client: MakeClient, recorder: RecordingServer
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        await called(make_client(), method)
    assert caught.value.argument == "access_token"
    assert recorder.requests == []


@pytest.mark.parametrize("method", sorted(TAKEN))
async def test_the_calls_token_is_sent_or_else_the_clients(
    method: str, make_client: MakeClient, recorder: RecordingServer
) -> None:
    plain, holding = make_client(), make_client(access_token=CLIENTS_TOKEN)
    for client in (plain, holding):
        recorded = await recorded_call(client, recorder, method, access_token=CALLS_TOKEN)
        assert users_token(method, recorded) == CALLS_TOKEN
        assert CLIENTS_TOKEN not in repr(recorded)
    assert users_token(method, await recorded_call(holding, recorder, method)) == CLIENTS_TOKEN


@pytest.mark.parametrize("method", sorted(POSSIBLE))
async def test_what_may_have_a_token_goes_without(
    method: str, make_client: MakeClient, recorder: RecordingServer
) -> None:
    assert "authorization" not in (await recorded_call(make_client(), recorder, method)).headers


@pytest.mark.parametrize("method", sorted(NEVER))
async def test_the_clients_token_does_not_go_where_no_user_is_meant(
    method: str, make_client: MakeClient, recorder: RecordingServer
) -> None:
    recorded = await recorded_call(make_client(access_token=CLIENTS_TOKEN), recorder, method)
    assert "authorization" not in recorded.headers
    assert CLIENTS_TOKEN not in repr(recorded)


@pytest.mark.parametrize(("method", "parameter"), AS_SUBJECT.items())
async def test_the_token_a_call_is_about_is_sent_not_the_clients(
    method: str, parameter: str, make_client: MakeClient, recorder: RecordingServer
) -> None:
    client = make_client(access_token=CLIENTS_TOKEN)
    recorded = await recorded_call(client, recorder, method, **{parameter: CALLS_TOKEN})
    assert users_token(method, recorded) == CALLS_TOKEN
    assert CLIENTS_TOKEN not in repr(recorded)
