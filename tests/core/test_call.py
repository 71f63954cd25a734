"""`call`: any endpoint of the client's server, and no other."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genauth_async import (
    ConfigurationError,
    ConflictError,
    InvalidGrantError,
    InvalidResponseError,
    NotSignedInError,
    RequestTimeoutError,
    RetryPolicy,
    ServerError,
    models,
)
from genauth_async._wire.request import Request
from genauth_async.api.call import _segments
from genauth_async.emulator import Emulator, User
from tests.conftest import MakeClient
from tests.recording import Answer, RecordingServer

pytestmark = pytest.mark.anyio

PROFILE = "/api/v3/get-profile"


async def test_an_answer_is_read_into_a_dto_or_a_mapping(face: Any, emulator: Emulator, user: User) -> None:
    token = emulator.issue_tokens(user)["access_token"]
    bare = await face.call("GET", PROFILE, access_token=token, into=models.UserDto)
    framed = await face.call("GET", PROFILE, access_token=token, into=models.UserSingleRespDto)
    plain = await face.call("GET", PROFILE, access_token=token)
    assert bare == framed.data
    assert isinstance(bare, models.UserDto)
    assert dict(plain) == {name: plain[name] for name in plain} == bare.to_dict()
    assert (plain["username"], plain.get("nothing", 7)) == ("ada", 7)
    changed = models.UpdateUserProfileDto(nickname="Countess")
    await face.call("POST", "/api/v3/update-profile", json=changed, access_token=token)
    assert (await face.get_profile(access_token=token)).data.nickname == "Countess"


async def test_oauth_endpoints_take_forms(face: Any, emulator: Emulator, user: User) -> None:
    tokens = emulator.issue_tokens(user)
    sent = {"client_id": emulator.app_id, "client_secret": emulator.app_secret, "token": tokens["access_token"]}
    found = await face.call("POST", "/oidc/token/introspection", form=sent, into=models.IntrospectionResponse)
    assert found.active is True
    answer = await face.call("GET", "/oidc/.well-known/openid-configuration")
    assert answer["issuer"] == f"{emulator.url}/oidc"
    form = {**sent, "grant_type": "refresh_token", "refresh_token": "wrong"}
    with pytest.raises(InvalidGrantError):
        await face.call("POST", "/oidc/token", form=form)
    assert dict(await face.call("POST", "/oidc/token/revocation", form=sent)) == {}


async def test_failures_are_those_of_every_call(face: Any, emulator: Emulator) -> None:
    with pytest.raises(NotSignedInError):
        await face.call("GET", PROFILE, access_token="a-wrong-token")
    emulator.faults.add(PROFILE, envelope={"statusCode": 409, "message": "taken", "apiCode": 2026})
    with pytest.raises(ConflictError):
        await face.call("GET", PROFILE)
    emulator.faults.add(PROFILE, status=200, body="<html>")
    with pytest.raises(InvalidResponseError):
        await face.call("GET", PROFILE)
    emulator.faults.add(PROFILE, status=200, body={"statusCode": 200, "data": {}})
    with pytest.raises(InvalidResponseError, match="user_id"):
        await face.call("GET", PROFILE, into=models.UserDto)


@pytest.mark.parametrize(("options", "requests"), [({}, 1), ({"retry": "unsafe"}, 1), ({"retry": "safe"}, 3)])
async def test_only_what_is_said_to_be_safe_is_sent_again(
    face: Any, emulator: Emulator, options: dict[str, Any], requests: int
) -> None:
    busy = {"statusCode": 503, "message": "busy"}
    emulator.faults.add(PROFILE, status=503, body=busy, times=9)
    with pytest.raises(ServerError):
        await face.call("POST", PROFILE, json={}, **options)
    assert emulator.requests[PROFILE] == requests


async def test_the_timeout_is_that_of_the_call(face: Any, emulator: Emulator) -> None:
    with emulator.faults.hold(PROFILE), pytest.raises(RequestTimeoutError):
        await face.call("GET", PROFILE, timeout=0.2)


async def test_a_request_is_as_it_was_given(make_client: MakeClient, recorder: RecordingServer) -> None:
    client = make_client(recorder.url)
    body = {"a": None, "user": models.UserDto(user_id="ü"), "list": [models.IsSuccessDto(success=True), 1.5]}
    await client.call("PATCH", "/api/v3/a b/ü%2F..", json=body, query={"x": "&", "n": 1, "flag": True, "none": None})
    assert (recorder.last.method, recorder.last.target) == (
        "PATCH",
        "/api/v3/a%20b/%C3%BC%252F..?x=%26&n=1&flag=true",
    )
    assert recorder.last.json == {"a": None, "user": {"userId": "ü"}, "list": [{"success": True}, 1.5]}
    assert "authorization" not in recorder.last.headers
    assert recorder.last.headers["x-genauth-app-id"] == client.settings.app_id
    await client.call("DELETE", "/api/v3/it/", form={"a": "b&c"}, access_token="one")
    assert (recorder.last.target, recorder.last.body) == ("/api/v3/it/", b"a=b%26c")
    assert recorder.last.headers["authorization"] == "Bearer one"
    await client.with_options(access_token="of-the-client").call("GET", "/x")
    assert (recorder.last.target, recorder.last.headers["authorization"]) == ("/x", "Bearer of-the-client")


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ({"statusCode": 200, "data": {"a": 1}}, {"a": 1}),
        ({"statusCode": "200", "data": [1], "requestId": "r"}, {"statusCode": "200", "data": [1], "requestId": "r"}),
        ({"statusCode": 200, "data": None}, {"statusCode": 200, "data": None}),
        ({"keys": []}, {"keys": []}),
        ({"data": {"a": 1}}, {"a": 1}),
        (b"[1, 2]", {"data": [1, 2]}),
        (b"", {}),
        (b" \n", {}),
    ],
)
async def test_an_undocumented_answer_is_a_mapping(
    make_client: MakeClient, recorder: RecordingServer, sent: Any, read: dict[str, object]
) -> None:
    recorder.default = Answer(sent)
    assert await make_client(recorder.url).call("GET", "/api/v3/new") == read


async def test_the_answer_shows_no_secret(make_client: MakeClient, recorder: RecordingServer) -> None:
    recorder.default = Answer({"statusCode": 200, "data": {"accessToken": "canary", "list": [{"password": "canary"}]}})
    client = make_client(recorder.url, retry=RetryPolicy(attempts=1))
    answer = await client.call("POST", "/api/v3/new", json={"password": "canary"})
    assert "canary" not in f"{answer!r} {answer} {[answer]}"
    assert json.dumps(dict(answer)).count("canary") == 2
    recorder.default = Answer({"statusCode": 400, "message": "no", "data": {"token": "canary"}})
    with pytest.raises(Exception, match="no") as caught:
        await client.call("POST", "/api/v3/new", json={"password": "canary"}, query={"code": "canary"})
    assert "canary" not in f"{caught.value!r} {caught.value} {vars(caught.value)}"


async def a_token() -> str:
    return "a-token"


@pytest.mark.parametrize(
    ("argument", "given", "message"),
    [
        ("method", {"method": "get"}, "GET"),
        ("method", {"method": "CONNECT"}, "must be one of"),
        ("method", {"method": "GET", "json": {}}, "query="),
        ("json", {"json": "{}"}, "mapping or a DTO, not str"),
        ("json", {"json": [1]}, "not list"),
        ("json", {"json": models.UserDto}, "the class UserDto"),
        ("form", {"json": {}, "form": {}}, "one body"),
        ("form", {"form": {"a": 1}}, "must have str by name, not int"),
        ("form", {"form": "a=b"}, "not str"),
        ("query", {"query": "a=b"}, "not str"),
        ("query", {"query": {"a": ["b"]}}, "not list"),
        ("query", {"query": {1: "b"}}, "by name"),
        ("into", {"into": dict}, "not dict"),
        ("into", {"into": models.UserDto(user_id="u")}, "not UserDto"),
        ("into", {"into": "UserDto"}, "not str"),
        ("retry", {"retry": 3}, "unsafe, safe"),
        ("retry", {"retry": True}, "unsafe, safe"),
        ("access_token", {"access_token": ""}, "must be a token"),
        ("access_token", {"access_token": "a\r\nb"}, "must be a token"),
        ("timeout", {"timeout": "1"}, "seconds"),
        ("path", {"path": b"/api"}, "not bytes"),
        ("an argument", {"json": {"a": object()}}, "cannot be sent as JSON"),
        ("an argument", {"json": {"a": float("nan")}}, "cannot be sent as JSON"),
    ],
)
async def test_wrong_arguments_are_named_before_anything_is_sent(
    make_client: MakeClient, recorder: RecordingServer, argument: str, given: dict[str, Any], message: str
) -> None:
    arguments: dict[str, Any] = {"method": "POST", "path": PROFILE, **given}
    with pytest.raises(ConfigurationError, match=re.escape(message)) as caught:
        await make_client(recorder.url).call(**arguments)
    assert caught.value.argument == argument
    assert recorder.requests == []


async def test_a_forgotten_await_is_named(make_client: MakeClient, recorder: RecordingServer) -> None:
    forgotten: Any = a_token()
    with pytest.raises(ConfigurationError, match="an `await` is missing"):
        await make_client(recorder.url).call("GET", PROFILE, access_token=forgotten)


PATHS = [
    "",
    "/",
    "api",
    "api/v3/x",
    "https://evil.example/api",
    "//evil.example/api",
    "/api//x",
    "/\\evil.example",
    "/api/../x",
    "/..",
    "/api/.",
    "/./api",
    "/api?x=1",
    "/api#x",
    "/api\r\nx: y",
    "/api\t",
    "/api\u2028",
    "/\ud800",
    "@evil.example",
    ":80/x",
    None,
    7,
    ("api", "v3"),
]


@pytest.mark.parametrize("path", PATHS)
async def test_a_path_that_may_leave_the_server_is_refused(
    make_client: MakeClient, recorder: RecordingServer, path: Any
) -> None:
    with pytest.raises(ConfigurationError, match="such as /api/v3/get-profile") as caught:
        await make_client(recorder.url).call("GET", path)
    assert "evil" not in str(caught.value)
    assert recorder.requests == []


@given(st.text() | st.lists(st.sampled_from([*"/.%\\@:?#a", "..", "%2e", "%2F", "//"])).map("".join))
def test_any_other_path_stays_as_it_is(path: str) -> None:
    with suppress(ConfigurationError):
        target = Request(method="GET", path=_segments(f"/{path}")).target
        parts = urlsplit(f"https://id.example{target}")
        assert (parts.hostname, parts.query, parts.fragment) == ("id.example", "", "")
        assert unquote(parts.path) == f"/{path}"
        assert not {".", ".."} & set(parts.path.split("/"))


async def test_cancelling_ends_the_call(make_client: MakeClient, emulator: Emulator) -> None:
    async def call() -> None:
        await make_client().call("GET", PROFILE)

    with emulator.faults.hold(PROFILE) as hold, anyio.move_on_after(60) as scope:
        async with anyio.create_task_group() as group:
            group.start_soon(call)
            await hold.wait_arrived()
            group.cancel_scope.cancel()
    assert not scope.cancelled_caught
