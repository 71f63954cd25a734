"""Login on the hosted page: the checks before and after the exchange of a code."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from attrs import evolve
from joserfc import jwt
from joserfc.jwk import OctKey

from genauth_async import (
    AuthenticationClient,
    CallbackError,
    ConfigurationError,
    GenAuthError,
    IssuerMismatchError,
    LoginAttempt,
    LoginExpiredError,
    OAuthError,
    StateMismatchError,
    TokenVerificationError,
)
from genauth_async.settings import Clock
from tests.recording import Answer, RecordingServer

pytestmark = pytest.mark.anyio
BACK = "https://app.example/back"
SECRET = "app-secret-canary-of-32-characters"


def client(recorder: RecordingServer, **options: Any) -> AuthenticationClient:
    return AuthenticationClient(
        **{"app_id": "app", "app_host": recorder.url, "app_secret": SECRET, "redirect_uri": BACK, **options}
    )


def callback(login: LoginAttempt, **changes: Any) -> str:
    parameters = {"code": "code-canary", "state": login.state, **changes}
    return f"{BACK}?{urlencode({name: value for name, value in parameters.items() if value is not None}, doseq=True)}"


def id_token(recorder: RecordingServer, login: LoginAttempt, **changes: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": f"{recorder.url}/oidc",
        "sub": "ada",
        "aud": "app",
        "iat": now,
        "exp": now + 600,
        "nonce": login.nonce,
        **changes,
    }
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET))


def answer(token: str | None) -> Answer:
    tokens: dict[str, object] = {"access_token": "a", "token_type": "Bearer", "expires_in": 3600}
    return Answer(tokens if token is None else {**tokens, "id_token": token})


def test_a_login_begins_with_everything_that_is_checked_later() -> None:
    now = 1_000_000.0
    ours = AuthenticationClient("app", "https://a.example", SECRET, redirect_uri=BACK, clock=Clock(wall=lambda: now))
    login = ours.begin_login(scope="openid offline_access", login_hint="ada", extra={"ui_locales": "en"})
    query = {name: values[0] for name, values in parse_qs(urlsplit(login.url).query).items()}
    assert query == {
        "client_id": "app",
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": "openid offline_access",
        "state": login.state,
        "nonce": login.nonce,
        "prompt": "consent",
        "login_hint": "ada",
        "ui_locales": "en",
        "code_challenge": ours.generate_code_challenge_digest(login.code_verifier),
        "code_challenge_method": "S256",
    }
    assert len({login.state, login.nonce, login.code_verifier}) == 3
    assert min(map(len, (login.state, login.nonce, login.code_verifier))) >= 43
    assert (login.redirect_uri, login.expires_at) == (BACK, now + 600)


@pytest.mark.parametrize(
    ("options", "arguments", "argument"),
    [
        ({"redirect_uri": None}, {}, "redirect_uri"),
        ({"protocol": "saml"}, {}, "protocol"),
        ({"protocol": "cas"}, {}, "protocol"),
        ({}, {"scope": "profile"}, "scope"),
        ({}, {"scope": ""}, "scope"),
        ({}, {"lifetime": 0}, "lifetime"),
        ({}, {"lifetime": float("inf")}, "lifetime"),
        ({}, {"lifetime": float("nan")}, "lifetime"),
        ({}, {"lifetime": True}, "lifetime"),
        ({}, {"extra": {"state": "mine"}}, "extra"),
        ({}, {"extra": {"code_challenge": "mine"}}, "extra"),
    ],
)
def test_a_login_that_cannot_be_right_does_not_begin(options: Any, arguments: Any, argument: str) -> None:
    ours = AuthenticationClient(
        **{"app_id": "app", "app_host": "https://a.example", "app_secret": SECRET, "redirect_uri": BACK, **options}
    )
    with pytest.raises(ConfigurationError) as caught:
        ours.begin_login(**arguments)
    assert caught.value.argument == argument


@pytest.mark.parametrize(
    ("changes", "raised"),
    [
        ({"state": "another"}, StateMismatchError),
        ({"state": None}, StateMismatchError),
        ({"state": ""}, StateMismatchError),
        ({"state": "\u00e9"}, StateMismatchError),
        ({"state": "another", "error": "access_denied"}, StateMismatchError),
        ({"iss": "https://evil.example/oidc"}, IssuerMismatchError),
        ({"iss": ""}, IssuerMismatchError),
        ({"iss": "https://evil.example/oidc", "error": "access_denied"}, IssuerMismatchError),
        ({"code": None}, CallbackError),
        ({"code": ""}, CallbackError),
        ({"code": ["code-canary", "code-canary"]}, CallbackError),
        ({"iss": ["one", "one"]}, CallbackError),
        ({"x": [str(number) for number in range(200)]}, CallbackError),
    ],
)
async def test_a_callback_that_is_not_good_sends_nothing(
    recorder: RecordingServer, changes: dict[str, Any], raised: type[GenAuthError]
) -> None:
    async with client(recorder) as ours:
        login = ours.begin_login()
        with pytest.raises(raised) as caught:
            await ours.finish_login(callback(login, **changes), login)
    assert type(caught.value) is raised
    assert recorder.requests == []
    for secret in ("code-canary", login.state, login.code_verifier):
        assert secret not in str(caught.value)


async def test_a_state_that_stands_twice_is_refused(recorder: RecordingServer) -> None:
    async with client(recorder) as ours:
        login = ours.begin_login()
        with pytest.raises(CallbackError, match="state more than once"):
            await ours.finish_login(callback(login) + f"&state={login.state}", login)


async def test_a_refusal_at_the_page_is_an_oauth_error(recorder: RecordingServer) -> None:
    async with client(recorder) as ours:
        login = ours.begin_login()
        url = callback(login, code=None, error="access_denied", error_description="the user said no")
        with pytest.raises(OAuthError) as caught:
            await ours.finish_login(url, login)
    assert (caught.value.error, caught.value.error_description) == ("access_denied", "the user said no")
    assert recorder.requests == []


async def test_a_user_who_comes_too_late_begins_again(recorder: RecordingServer) -> None:
    async with client(recorder) as ours:
        login = evolve(ours.begin_login(), expires_at=time.time() - 30)
        with pytest.raises(LoginExpiredError):
            await ours.finish_login(callback(login), login)
    assert recorder.requests == []


@pytest.mark.parametrize("form", ["url", "query"])
async def test_a_good_callback_gives_tokens(recorder: RecordingServer, form: str) -> None:
    async with client(recorder) as ours:
        login = ours.begin_login()
        recorder.default = answer(id_token(recorder, login))
        url = callback(login, iss=f"{recorder.url}/oidc")
        tokens = await ours.finish_login(url if form == "url" else url.partition("?")[2], login)
        assert tokens.access_token == "a"
        assert tokens.id_token is not None
        assert (await ours.verify_id_token(tokens.id_token)).sub == "ada"
    assert len(recorder.requests) == 1
    sent = parse_qs(recorder.last.body.decode())
    assert (sent["code"], sent["code_verifier"], sent["redirect_uri"]) == (
        ["code-canary"],
        [login.code_verifier],
        [BACK],
    )


async def test_a_code_is_exchanged_with_its_own_redirect_uri(recorder: RecordingServer) -> None:
    async with client(recorder) as ours:
        login = ours.begin_login(redirect_uri="https://other.example/back")
        recorder.default = answer(id_token(recorder, login))
        await ours.finish_login(callback(login), login)
    assert parse_qs(recorder.last.body.decode())["redirect_uri"] == ["https://other.example/back"]


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another"},
        {"iss": "https://evil.example/oidc"},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
        {"exp": 1},
    ],
)
async def test_an_id_token_that_is_not_good_ends_the_login(recorder: RecordingServer, changes: dict[str, Any]) -> None:
    async with client(recorder) as ours:
        login = ours.begin_login()
        recorder.default = answer(id_token(recorder, login, **changes))
        with pytest.raises(TokenVerificationError):
            await ours.finish_login(callback(login), login)


async def test_tokens_without_an_id_token_end_the_login(recorder: RecordingServer) -> None:
    async with client(recorder) as ours:
        login = ours.begin_login()
        recorder.default = answer(None)
        with pytest.raises(CallbackError, match="no ID token"):
            await ours.finish_login(callback(login), login)


async def test_oauth_knows_no_id_token(recorder: RecordingServer) -> None:
    async with client(recorder, protocol="oauth") as ours:
        login = ours.begin_login()
        recorder.default = answer(None)
        assert (await ours.finish_login(callback(login), login)).access_token == "a"
    assert recorder.last.target == "/oauth/token"
