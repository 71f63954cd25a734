"""Login on the hosted page: the checks before and after the exchange of a code."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import anyio
import pytest
from attrs import evolve
from joserfc import jwt
from joserfc.jwk import OctKey

from genauth_async import (
    AlgorithmNotAllowedError,
    AuthenticationClient,
    CallbackError,
    ConfigurationError,
    ConnectionFailedError,
    GenAuthError,
    InsufficientAuthenticationError,
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
        ({}, {"max_age": -1}, "max_age"),
        ({}, {"max_age": 1.5}, "max_age"),
        ({}, {"max_age": True}, "max_age"),
        ({}, {"max_age": "soon"}, "max_age"),
        ({}, {"extra": {"max_age": "1e3"}}, "max_age"),
        ({}, {"extra": {"max_age": 60}}, "max_age"),
        ({}, {"extra": {"prompt": 7}}, "prompt"),
        ({}, {"max_age": 60, "extra": {"max_age": "90"}}, "extra"),
        ({}, {"acr_values": "a", "extra": {"acr_values": "b"}}, "extra"),
        ({}, {"acr_values": 7}, "acr_values"),
        ({"protocol": "oauth"}, {"max_age": 60}, "protocol"),
        ({"protocol": "oauth"}, {"extra": {"acr_values": "mfa"}}, "protocol"),
    ],
)
def test_a_login_that_cannot_be_right_does_not_begin(options: Any, arguments: Any, argument: str) -> None:
    ours = AuthenticationClient(
        **{"app_id": "app", "app_host": "https://a.example", "app_secret": SECRET, "redirect_uri": BACK, **options}
    )
    with pytest.raises(ConfigurationError) as caught:
        ours.begin_login(**arguments)
    assert caught.value.argument == argument


@pytest.mark.parametrize("other", [{"app_id": "other"}, {"issuer": "https://b.example/oidc"}])
async def test_another_client_cannot_finish_an_attempt(recorder: RecordingServer, other: dict[str, str]) -> None:
    async with client(recorder) as ours, client(recorder, **other) as another:
        login = another.begin_login()
        kept = LoginAttempt.unsealed(login.sealed(SECRET), SECRET, now=0)
        for attempt in (login, kept):
            with pytest.raises(StateMismatchError) as caught:
                await ours.finish_login(callback(login), attempt)
            for name in (login.app_id, login.issuer, ours.settings.app_id, ours.settings.issuer):
                assert repr(name) in str(caught.value)
    assert recorder.requests == []


@pytest.mark.parametrize("is_answered", [True, False])
async def test_a_code_is_sent_once(recorder: RecordingServer, is_answered: bool) -> None:
    async with client(recorder) as ours:
        login = ours.begin_login()
        recorder.default = answer(id_token(recorder, login)) if is_answered else Answer({}, 502)
        outcomes: list[object] = []

        async def finish(by: AuthenticationClient) -> None:
            try:
                outcomes.append((await by.finish_login(callback(login), login)).access_token)
            except GenAuthError as error:
                outcomes.append(type(error))

        async with anyio.create_task_group() as tasks:
            for by in (ours, ours.with_options(lang="en-US")):
                tasks.start_soon(finish, by)
        await finish(ours)
        assert outcomes.count(CallbackError) == 2
        assert ("a" in outcomes) is is_answered
        assert len(recorder.requests) == 1
        # Another code of the attempt, as of a form that the user sent again, is not that one.
        recorder.default = answer(id_token(recorder, login))
        assert (await ours.finish_login(callback(login, code="another"), login)).access_token == "a"


async def test_a_code_that_was_not_sent_may_be_sent_again(recorder: RecordingServer) -> None:
    async with client(recorder, app_host="http://127.0.0.1:9", issuer=f"{recorder.url}/oidc", retry=None) as ours:
        login = ours.begin_login()
        for _ in range(2):
            with pytest.raises(ConnectionFailedError):
                await ours.finish_login(callback(login), login)


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


@pytest.mark.parametrize(
    ("arguments", "earliest", "acr_values"),
    [
        ({}, None, None),
        ({"prompt": "consent"}, None, None),
        ({"max_age": 60}, -60, None),
        ({"max_age": 0}, 0, None),
        ({"extra": {"max_age": "60"}}, -60, None),
        ({"max_age": 60, "extra": {"max_age": "60"}}, -60, None),
        ({"prompt": "login"}, 0, None),
        ({"prompt": "login consent", "max_age": 60}, 0, None),
        ({"extra": {"prompt": "login"}}, 0, None),
        ({"scope": "openid offline_access", "extra": {"prompt": "login"}}, 0, None),
        ({"acr_values": "mfa pwd"}, None, "mfa pwd"),
        ({"extra": {"acr_values": "mfa"}}, None, "mfa"),
    ],
    ids=str,
)
def test_a_login_says_which_authentication_it_needs(
    arguments: dict[str, Any], earliest: float | None, acr_values: str | None
) -> None:
    now = 1_000_000.0
    ours = AuthenticationClient("app", "https://a.example", SECRET, redirect_uri=BACK, clock=Clock(wall=lambda: now))
    login = ours.begin_login(**arguments)
    assert login.earliest_auth_time == (None if earliest is None else now + earliest)
    assert login.acr_values == acr_values
    query = parse_qs(urlsplit(login.url).query)
    given = {**arguments, **arguments.get("extra", {})}
    for name in ("max_age", "acr_values", "prompt"):
        assert query.get(name) == ([str(given[name])] if name in given else None)


@pytest.mark.parametrize(
    ("arguments", "claims", "is_enough"),
    [
        ({"max_age": 60}, {"ago": 0}, True),
        ({"max_age": 600}, {"ago": 500}, True),
        ({"max_age": 600}, {"ago": 1000}, False),
        ({"max_age": 0}, {"ago": 300}, False),
        ({"prompt": "login"}, {"ago": 300}, False),
        ({"extra": {"max_age": "60"}}, {"auth_time": 1}, False),
        ({"extra": {"prompt": "login"}}, {"auth_time": 0}, False),
        ({"max_age": 0}, {}, True),
        ({"max_age": 0}, {"auth_time": None}, True),
        ({}, {"auth_time": 1, "acr": "0"}, True),
        ({"acr_values": "mfa pwd"}, {"acr": "pwd"}, True),
        ({"acr_values": "mfa pwd"}, {"acr": "mf"}, False),
        ({"acr_values": "mfa"}, {"acr": "mfa pwd"}, False),
        ({"extra": {"acr_values": "mfa"}}, {"acr": "0"}, False),
        ({"acr_values": "mfa"}, {"acr": ""}, True),
        ({"acr_values": "mfa"}, {}, True),
    ],
)
async def test_auth_time_and_acr_are_checked_where_they_are(
    recorder: RecordingServer, arguments: dict[str, Any], claims: dict[str, Any], is_enough: bool
) -> None:
    if "ago" in claims:
        claims = {"auth_time": int(time.time()) - claims["ago"]}
    async with client(recorder) as ours:
        login = ours.begin_login(**arguments)
        recorder.default = answer(id_token(recorder, login, **claims))
        if is_enough:
            assert (await ours.finish_login(callback(login), login)).access_token == "a"
        else:
            with pytest.raises(InsufficientAuthenticationError):
                await ours.finish_login(callback(login), login)


@pytest.mark.parametrize("changes", [{}, {"code": None, "error": "access_denied"}])
async def test_the_issuer_of_a_callback_can_be_required(recorder: RecordingServer, changes: dict[str, Any]) -> None:
    async with client(recorder, require_callback_iss=True) as ours:
        login = ours.begin_login()
        with pytest.raises(IssuerMismatchError, match="must name its issuer"):
            await ours.finish_login(callback(login, **changes), login)
        assert recorder.requests == []
        recorder.default = answer(id_token(recorder, login))
        assert await ours.finish_login(callback(login, iss=f"{recorder.url}/oidc"), login)


@pytest.mark.parametrize(("pinned", "is_good"), [(None, True), ("HS256", True), ("RS256", False)])
async def test_the_algorithm_of_id_tokens_can_be_pinned(recorder: RecordingServer, pinned: Any, is_good: bool) -> None:
    async with client(recorder, id_token_signed_response_alg=pinned) as ours:
        login = ours.begin_login()
        recorder.default = answer(id_token(recorder, login))
        if is_good:
            assert await ours.finish_login(callback(login), login)
        else:
            with pytest.raises(AlgorithmNotAllowedError, match="signed by RS256, not 'HS256'"):
                await ours.finish_login(callback(login), login)


def test_only_known_algorithms_can_be_pinned() -> None:
    wrongs: list[Any] = ["none", "ES256", "", ["RS256"]]
    for wrong in wrongs:
        with pytest.raises(ConfigurationError, match="id_token_signed_response_alg"):
            AuthenticationClient("app", "https://a.example", SECRET, id_token_signed_response_alg=wrong)
    none: Any = {f"{name}_endpoint_auth_method": "none" for name in ("token", "introspection", "revocation")}
    with pytest.raises(ConfigurationError, match="app_secret"):
        AuthenticationClient("app", "https://a.example", id_token_signed_response_alg="HS256", **none)
