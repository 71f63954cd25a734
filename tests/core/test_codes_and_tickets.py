"""Requests for codes and tickets, and the reading of their answers."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from genauth_async import (
    AuthenticationClient,
    ConfigurationError,
    ConnectionLostError,
    InvalidClientError,
    InvalidGrantError,
    InvalidResponseError,
    OAuthError,
)
from tests.recording import Answer, RecordingServer

pytestmark = pytest.mark.anyio
BACK = "https://app.example/back"
PUBLIC = dict.fromkeys([f"{name}_endpoint_auth_method" for name in ("token", "introspection", "revocation")], "none")
TOKENS = {"access_token": "a", "token_type": "Bearer", "expires_in": 3600}


def client(recorder: RecordingServer, **options: Any) -> AuthenticationClient:
    return AuthenticationClient(**{"app_id": "app", "app_host": recorder.url, "app_secret": "s3cret", **options})


def form(recorder: RecordingServer) -> dict[str, str]:
    pairs = parse_qsl(recorder.last.body.decode(), strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


@pytest.mark.parametrize("protocol", ["oidc", "oauth"])
@pytest.mark.parametrize(
    ("method", "credentials"),
    [
        ("client_secret_post", {"client_id": "app", "client_secret": "s3cret"}),
        ("client_secret_basic", {}),
        ("none", {"client_id": "app"}),
    ],
)
async def test_a_code_is_traded_in(recorder: RecordingServer, protocol: Any, method: Any, credentials: Any) -> None:
    recorder.default = Answer(TOKENS)
    async with client(recorder, protocol=protocol, token_endpoint_auth_method=method, redirect_uri=BACK) as ours:
        tokens = await ours.get_access_token_by_code("c+/ö", "v" * 43)
    assert tokens.access_token == "a"
    assert recorder.last.target == f"/{protocol}/token"
    expected = {"grant_type": "authorization_code", "code": "c+/ö", "code_verifier": "v" * 43, "redirect_uri": BACK}
    assert form(recorder) == {**expected, **credentials}
    basic = "Basic " + base64.b64encode(b"app:s3cret").decode()
    assert recorder.last.headers.get("authorization") == (basic if method == "client_secret_basic" else None)


async def test_the_calls_redirect_uri_goes_before_the_clients(recorder: RecordingServer) -> None:
    recorder.default = Answer(TOKENS)
    async with client(recorder, redirect_uri="https://other.example") as ours:
        await ours.get_access_token_by_code("c", redirect_uri=BACK)
    assert form(recorder)["redirect_uri"] == BACK
    assert "code_verifier" not in form(recorder)


async def test_a_code_whose_answer_was_lost_is_not_sent_again(recorder: RecordingServer) -> None:
    recorder.default = Answer(close=True)
    async with client(recorder, redirect_uri=BACK) as ours:
        with pytest.raises(ConnectionLostError):
            await ours.get_access_token_by_code("c")
    assert len(recorder.requests) == 1


@pytest.mark.parametrize(
    ("error", "raised"),
    [("invalid_grant", InvalidGrantError), ("invalid_client", InvalidClientError), ("slow_day", OAuthError)],
)
async def test_a_refusal_is_of_its_own_type(recorder: RecordingServer, error: str, raised: type[OAuthError]) -> None:
    recorder.default = Answer({"error": error, "error_description": "no"}, status=400)
    async with client(recorder, redirect_uri=BACK) as ours:
        with pytest.raises(raised) as caught:
            await ours.get_access_token_by_code("c")
    assert (type(caught.value), caught.value.error, caught.value.error_description) == (raised, error, "no")


@pytest.mark.parametrize(
    ("options", "code", "verifier", "argument"),
    [
        ({}, "c", None, "redirect_uri"),
        ({"redirect_uri": BACK}, "", None, "code"),
        ({"redirect_uri": BACK}, "c", "", "code_verifier"),
        ({"redirect_uri": BACK}, None, None, "code"),
        ({"redirect_uri": BACK, "protocol": "cas"}, "c", None, "protocol"),
        ({"redirect_uri": BACK, "protocol": "saml"}, "c", None, "protocol"),
    ],
)
async def test_what_a_code_lacks_is_named(
    recorder: RecordingServer, options: Any, code: Any, verifier: Any, argument: str
) -> None:
    async with client(recorder, **options) as ours:
        with pytest.raises(ConfigurationError) as caught:
            await ours.get_access_token_by_code(code, verifier)
    assert caught.value.argument == argument
    assert recorder.requests == []


@pytest.mark.parametrize("own", [("key", "key-secret"), ()])
@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic"])
async def test_a_program_signs_in_for_itself(recorder: RecordingServer, own: Any, method: Any) -> None:
    recorder.default = Answer(TOKENS)
    async with client(recorder, token_endpoint_auth_method=method) as ours:
        await ours.get_access_token_by_client_credentials("read write", *own)
    key, secret = own or ("app", "s3cret")
    assert form(recorder) == {
        "grant_type": "client_credentials",
        "scope": "read write",
        "client_id": key,
        "client_secret": secret,
    }
    assert "authorization" not in recorder.last.headers


@pytest.mark.parametrize(
    ("arguments", "options", "argument"),
    [
        (("",), {}, "scope"),
        (("read", "key"), {}, "access_secret"),
        (("read", None, "secret"), {}, "access_key"),
        (("read",), {"app_secret": None, **PUBLIC}, "access_secret"),
        (("read",), {"protocol": "cas"}, "protocol"),
    ],
)
async def test_half_of_a_programs_credentials_is_refused(
    recorder: RecordingServer, arguments: Any, options: Any, argument: str
) -> None:
    async with client(recorder, **options) as ours:
        with pytest.raises(ConfigurationError) as caught:
            await ours.get_access_token_by_client_credentials(*arguments)
    assert caught.value.argument == argument
    assert recorder.requests == []


@pytest.mark.parametrize(
    ("body", "valid", "username"),
    [
        (b"yes\nada\n", True, "ada"),
        (b"yes\r\nada b\xc3\xa9\r\n", True, "ada bé"),
        (b"yes\n", True, None),
        (b"no\n\n", False, None),
        (b"no\n", False, None),
    ],
)
async def test_a_ticket_is_looked_at_by_cas_1(
    recorder: RecordingServer, body: bytes, valid: bool, username: str | None
) -> None:
    recorder.default = Answer(body, content_type="text/plain")
    async with client(recorder, protocol="cas") as ours:
        found = await ours.validate_ticket_v1("ST-1&x", "https://app.example/?a=1&b=2")
    assert (found.valid, found.username) == (valid, username)
    target = urlsplit(recorder.last.target)
    assert target.path == "/cas-idp/app/validate"
    assert dict(parse_qsl(target.query)) == {"ticket": "ST-1&x", "service": "https://app.example/?a=1&b=2"}


async def test_a_ticket_is_looked_at_by_cas_2(recorder: RecordingServer) -> None:
    good = {"serviceResponse": {"authenticationSuccess": {"user": "ada", "attributes": {"email": "ada@example.com"}}}}
    bad: dict[str, object] = {"authenticationFailure": {"code": "INVALID_TICKET", "description": "used"}}
    recorder.answers = [
        Answer(good),
        Answer(bad),
        Answer({"serviceResponse": bad}),
        Answer(b"<cas:serviceResponse/>", content_type="text/xml"),
    ]
    async with client(recorder, protocol="cas") as ours:
        found = await ours.validate_ticket_v2("t", "s")
        assert (found.valid, found.failure) == (True, None)
        assert found.success is not None
        assert (found.success.user, found.success.attributes) == ("ada", {"email": "ada@example.com"})
        for _ in range(2):
            refused = await ours.validate_ticket_v2("t", "s", "JSON")
            assert (refused.valid, refused.success) == (False, None)
            assert refused.failure is not None
            assert (refused.failure.code, refused.failure.description) == ("INVALID_TICKET", "used")
        assert await ours.validate_ticket_v2("t", "s", "XML") == "<cas:serviceResponse/>"
    formats = [dict(parse_qsl(urlsplit(one.target).query))["format"] for one in recorder.requests]
    assert formats == ["JSON", "JSON", "JSON", "XML"]


@pytest.mark.parametrize("body", [b"<html>", b"", b"maybe\nada\n", b"yes", b'{"statusCode": 200}'])
async def test_what_is_no_answer_about_a_ticket_is_no_verdict(recorder: RecordingServer, body: bytes) -> None:
    recorder.default = Answer(body)
    async with client(recorder, protocol="cas") as ours:
        with pytest.raises(InvalidResponseError):
            await ours.validate_ticket_v1("t", "s")


@pytest.mark.parametrize("body", [b"{}", b'{"serviceResponse": {}}', b"<xml/>", b"[]"])
async def test_json_that_says_nothing_of_a_ticket_is_no_verdict(recorder: RecordingServer, body: bytes) -> None:
    recorder.default = Answer(body)
    async with client(recorder, protocol="cas") as ours:
        with pytest.raises(InvalidResponseError):
            await ours.validate_ticket_v2("t", "s")


async def test_a_ticket_whose_answer_was_lost_is_not_sent_again(recorder: RecordingServer) -> None:
    recorder.default = Answer(close=True)
    async with client(recorder, protocol="cas") as ours:
        with pytest.raises(ConnectionLostError):
            await ours.validate_ticket_v1("t", "s")
    assert len(recorder.requests) == 1


@pytest.mark.parametrize(("ticket", "service"), [("", "s"), ("t", ""), (None, "s"), ("t", 7)])
async def test_what_a_ticket_lacks_is_named(recorder: RecordingServer, ticket: Any, service: Any) -> None:
    async with client(recorder, protocol="cas") as ours:
        with pytest.raises(ConfigurationError):
            await ours.validate_ticket_v1(ticket, service)
        with pytest.raises(ConfigurationError):
            await ours.validate_ticket_v2(ticket, service)
        with pytest.raises(ConfigurationError, match="format"):
            await ours.validate_ticket_v2("t", "s", "YAML")  # type: ignore[call-overload]
    assert recorder.requests == []
