"""Verification of tokens: each refused token differs from a valid one in one property."""

from __future__ import annotations

import copy
import re
import time
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

import genauth_async
from genauth_async import AuthenticationClient, ConfigurationError, TokenVerificationError, errors
from genauth_async.emulator import Emulator
from genauth_async.settings import Clock
from tests.core.forging import GONE, Forge, half_hash, hs256
from tests.core.refused_tokens import CLAIMS, DEEPEST, FORM, HEADER, ID_TOKENS, Cases, K, Make, nested

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    """The emulator that all tests of this module share; none changes it."""
    with Emulator() as emulator:
        assert Forge(emulator).key  # created now, so that no test's pool owns it
        yield emulator


@pytest.fixture
def forge(server: Emulator) -> Forge:
    return Forge(server)


@pytest.fixture
async def client(server: Emulator) -> Any:
    async with AuthenticationClient(server.app_id, server.url, server.app_secret) as client:
        yield client


def parametrized(cases: Cases) -> Any:
    return pytest.mark.parametrize(("make", "error"), list(cases.values()), ids=list(cases))


def check_secrecy(error: TokenVerificationError, token: object) -> None:
    """Assert that neither the error nor the frames of the package show the token."""
    texts = [str(error), repr(error), repr(vars(error))]
    link: BaseException | None = error
    while link is not None:
        own = link.__traceback__
        while own is not None and not own.tb_frame.f_code.co_filename.startswith(genauth_async.__path__[0]):
            own = own.tb_next
        texts += traceback.TracebackException(type(link), link, own, capture_locals=True).format()
        link = link.__cause__ or link.__context__
    shown = "".join(texts)
    pieces = [piece for piece in str(token).split(".") if len(piece) > 20]
    assert [piece[:10] for piece in pieces if piece[:40] in shown] == []


@parametrized(FORM | HEADER | CLAIMS)
async def test_an_access_token_is_refused(
    make: Make, error: type[TokenVerificationError], forge: Forge, client: AuthenticationClient
) -> None:
    token = make(forge)
    assert (await client.verify_access_token(forge.access())).sub == "ada"
    for _ in range(2):
        with pytest.raises(TokenVerificationError) as caught:
            await client.verify_access_token(token)
        assert type(caught.value) is error
        check_secrecy(caught.value, token)


@parametrized(ID_TOKENS)
async def test_an_id_token_is_refused(
    make: Make, error: type[TokenVerificationError], forge: Forge, client: AuthenticationClient
) -> None:
    token = make(forge)
    assert (await client.verify_id_token(forge.id())).email == "ada@example.com"
    assert (await client.verify_id_token(forge.id_by_secret())).email == "ada@example.com"
    for _ in range(2):
        with pytest.raises(TokenVerificationError) as caught:
            await client.verify_id_token(token)
        assert type(caught.value) is error
        check_secrecy(caught.value, token)


ACCEPTED: dict[str, Make] = {
    "as it is": lambda f: f.access(),
    "at+jwt": lambda f: f.signed(f.access_claims(), typ="at+jwt"),
    "at+jwt without a scope": lambda f: f.signed(f.access_claims(scope=GONE), typ="application/at+jwt"),
    "no typ": lambda f: f.signed(f.access_claims(), typ=GONE),
    "no kid, while there is one key": lambda f: f.signed(f.access_claims(), kid=GONE),
    "unknown headers": lambda f: f.signed(f.access_claims(), x="y", x5t="z"),
    "a long header": lambda f: f.signed(f.access_claims(), x="y" * 2000),
    "a deep claim": lambda f: f.access(x={"y": nested(DEEPEST - 2)}),
    "several audiences": lambda f: f.access(aud=["another", f.emulator.app_id]),
    "scopes as a list": lambda f: f.access(scope=["openid", "profile"]),
    "expired a little ago": lambda f: f.access(exp=int(time.time()) - 30),
    "issued a little ahead": lambda f: f.access(iat=int(time.time()) + 30, nbf=int(time.time()) + 30),
    "times with fractions": lambda f: f.access(exp=time.time() + 600.5, iat=time.time() - 0.5),
    "no jti, no issue": lambda f: f.access(jti=GONE, iat=GONE),
}


@pytest.mark.parametrize("make", ACCEPTED.values(), ids=ACCEPTED)
async def test_what_differs_without_meaning_is_accepted(make: Make, forge: Forge, client: AuthenticationClient) -> None:
    token = make(forge)
    claims = await client.verify_access_token(token)
    assert claims.sub == "ada"
    assert isinstance(claims.exp, int)
    assert claims == await client.verify_access_token(token)


async def test_what_a_caller_does_to_claims_is_not_seen_by_another(forge: Forge, client: AuthenticationClient) -> None:
    token = forge.access(aud=[forge.emulator.app_id], roles=["reader"], address={"city": "x"})
    for _ in range(3):
        claims: Any = await client.verify_access_token(token)
        assert (claims.aud, claims["roles"]) == ([forge.emulator.app_id], ["reader"])
        assert claims["address"] == {"city": "x"}
        claims.aud.append("another")
        claims["roles"].append("admin")
        claims["address"].clear()
        claims.extra["sub"] = "eve"


async def test_messages_show_what_was_found_and_what_was_expected(forge: Forge, client: AuthenticationClient) -> None:
    async def message(**changes: Any) -> str:
        with pytest.raises(TokenVerificationError) as caught:
            await client.verify_access_token(forge.access(**changes))
        return str(caught.value)

    issuer = await message(iss="https://evil.example")
    assert "https://evil.example" in issuer
    assert forge.emulator.issuer in issuer
    audience = await message(aud=["one", "two"])
    assert all(text in audience for text in ("one", "two", forge.emulator.app_id))
    assert re.search(r" 1000\d s ago", await message(exp=time.time() - 10000))
    assert re.search(r" 999\d s too new", await message(nbf=time.time() + 9999 - 0.5))
    assert len(await message(iss="x" * 10000)) < 400


async def test_scopes_are_checked_each_time(forge: Forge, client: AuthenticationClient) -> None:
    token = forge.access(scope="openid profile")
    for _ in range(2):
        claims = await client.verify_access_token(token, scopes=["profile", "openid"])
        assert claims.scopes == {"openid", "profile"}
        with pytest.raises(errors.InsufficientScopeError, match="admin") as caught:
            await client.verify_access_token(token, scopes=("openid", "admin"))
        assert (caught.value.required, caught.value.granted) == (("openid", "admin"), ("openid", "profile"))
        assert copy.copy(caught.value).granted == ("openid", "profile")
    with pytest.raises(ConfigurationError, match="scopes"):
        await client.verify_access_token(token, scopes="openid")


async def test_audiences_are_checked_each_time(forge: Forge, client: AuthenticationClient) -> None:
    token = forge.access(aud=["api", "other"])
    for _ in range(2):
        assert await client.verify_access_token(token, audience="api")
        assert await client.verify_access_token(token, audience=["x", "other"])
        for wrong in (None, "ap", ["x", "y"]):
            with pytest.raises(errors.TokenAudienceError):
                await client.verify_access_token(token, audience=wrong)
    no_audiences: list[str] = []
    for empty in ("", no_audiences):
        with pytest.raises(ConfigurationError, match="audience"):
            await client.verify_access_token(token, audience=empty)


@pytest.mark.parametrize("leeway", [-1.0, 3601, 10**400, float("nan"), float("inf"), True, "60", None])
async def test_a_leeway_has_bounds(leeway: Any, forge: Forge, client: AuthenticationClient) -> None:
    with pytest.raises(ConfigurationError, match="leeway"):
        await client.verify_access_token(forge.access(), leeway=leeway)
    with pytest.raises(ConfigurationError, match="leeway"):
        await client.verify_id_token(forge.id(), leeway=leeway)


async def test_the_leeway_can_be_set(forge: Forge, client: AuthenticationClient) -> None:
    token = forge.access(exp=int(time.time()) - 30)
    assert await client.verify_access_token(token)
    with pytest.raises(errors.TokenExpiredError):
        await client.verify_access_token(token, leeway=0)


@pytest.mark.parametrize("leeway", [0, 60, 600])
@pytest.mark.parametrize("name", ["iat", "nbf"])
async def test_a_token_may_be_too_new_by_the_leeway_and_no_more(
    name: str, leeway: int, forge: Forge, server: Emulator
) -> None:
    now = int(time.time())
    clock = Clock(wall=lambda: float(now))
    claims = {"iat": now, "exp": now + 3600}
    async with AuthenticationClient(server.app_id, server.url, server.app_secret, clock=clock) as client:
        await client.verify_access_token(forge.access(**{**claims, name: now + leeway}), leeway=leeway)
        with pytest.raises(errors.TokenNotYetValidError):
            await client.verify_access_token(forge.access(**{**claims, name: now + leeway + 1}), leeway=leeway)


async def test_fractions_of_seconds_are_cut_off(forge: Forge, client: AuthenticationClient) -> None:
    now = int(time.time())
    claims = await client.verify_id_token(forge.id(iat=now + 0.5, exp=now + 600.5, auth_time=now - 9.5))
    assert (claims.iat, claims.exp, claims.auth_time) == (now, now + 600, now - 10)


async def test_the_nonce_is_the_login_attempts(forge: Forge, client: AuthenticationClient) -> None:
    for token in (forge.id(), forge.id_by_secret()):
        assert (await client.verify_id_token(token, nonce="a-nonce")).nonce == "a-nonce"
        for wrong in ("another", "a-nonce ", "é\ud800"):
            with pytest.raises(errors.NonceMismatchError) as caught:
                await client.verify_id_token(token, nonce=wrong)
            assert "a-nonce" not in str(caught.value)
    with pytest.raises(errors.NonceMismatchError):
        await client.verify_id_token(forge.id(nonce=GONE), nonce="a-nonce")
    with pytest.raises(ConfigurationError, match="nonce"):
        await client.verify_id_token(forge.id(), nonce="")


async def test_the_access_token_belongs_to_the_id_token(forge: Forge, client: AuthenticationClient) -> None:
    access = forge.access()
    assert await client.verify_id_token(forge.id(at_hash=half_hash(access)), access_token=access)
    assert await client.verify_id_token(forge.id(), access_token=access)
    for wrong in (half_hash("another"), half_hash(access)[:-1], "="):
        with pytest.raises(errors.AccessTokenHashError):
            await client.verify_id_token(forge.id(at_hash=wrong), access_token=access)


async def test_several_audiences_need_an_authorized_party(forge: Forge, client: AuthenticationClient) -> None:
    ours = forge.emulator.app_id
    assert (await client.verify_id_token(forge.id(aud=[ours, "another"], azp=ours))).azp == ours


async def test_a_client_without_a_secret_refuses_hmac_id_tokens(forge: Forge, server: Emulator) -> None:
    methods: Any = {f"{name}_endpoint_auth_method": "none" for name in ("token", "introspection", "revocation")}
    for secret in (None, ""):
        async with AuthenticationClient(server.app_id, server.url, secret, **methods) as client:
            for forged in (forge.id_by_secret(), forge.signed(forge.id_claims(), hs256(b""), alg="HS256")):
                with pytest.raises(errors.AlgorithmNotAllowedError, match="signed by RS256"):
                    await client.verify_id_token(forged)
            assert await client.verify_id_token(forge.id())


async def test_another_issuer_can_be_configured(forge: Forge, server: Emulator) -> None:
    async with AuthenticationClient(
        server.app_id, server.url, server.app_secret, issuer="https://login.test"
    ) as client:
        assert await client.verify_access_token(forge.access(iss="https://login.test"))
        with pytest.raises(errors.TokenIssuerError):
            await client.verify_access_token(forge.access())
    with pytest.raises(ConfigurationError, match="issuer"):
        AuthenticationClient(server.app_id, server.url, server.app_secret, issuer="")


async def test_the_vendors_names_verify_everything(forge: Forge, client: AuthenticationClient) -> None:
    keys = forge.emulator._state.signing_keys.jwks()
    for key_set in (None, keys):
        assert (await client.parse_access_token(forge.access(), key_set)).scopes == {"openid", "profile"}
        assert (await client.parse_id_token(forge.id(), key_set)).nonce == "a-nonce"
        assert isinstance(await client.introspect_token_offline(forge.access(), key_set), genauth_async.AccessToken)
        assert isinstance(await client.introspect_token_offline(forge.id_by_secret(), key_set), genauth_async.IDToken)
        for call in (client.parse_access_token, client.introspect_token_offline):
            for make, error in CLAIMS.values():
                if error is not K:
                    with pytest.raises(error):
                        await call(make(forge), key_set)
        for make, error in ID_TOKENS.values():
            with pytest.raises(error):
                await client.parse_id_token(make(forge), key_set)


async def test_a_key_set_that_is_given_is_the_only_one(forge: Forge, client: AuthenticationClient) -> None:
    token = forge.access()
    assert await client.verify_access_token(token)
    strangers = Emulator()._state.signing_keys.jwks()
    with pytest.raises(errors.UnknownKeyError):
        await client.parse_access_token(token, strangers)
    documents: list[dict[str, Any]] = [{}, {"keys": []}, {"keys": "x"}]
    for none in documents:
        with pytest.raises(errors.KeysUnavailableError):
            await client.parse_access_token(token, none)
