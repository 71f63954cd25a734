"""Tokens with chosen claims: verified where they are good, refused for the reason that was asked for."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from genauth_async.emulator import Clock, Emulator
from genauth_async.errors import TokenExpiredError, TokenVerificationError
from genauth_sync import AuthenticationClient


def client_of(emulator: Emulator, **options: Any) -> AuthenticationClient:
    return AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret, **options)


def part(token: str, number: int) -> dict[str, Any]:
    text = token.split(".")[number]
    decoded: dict[str, Any] = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return decoded


@pytest.mark.parametrize("algorithm", ["HS256", "RS256"])
def test_chosen_claims_are_really_signed(algorithm: Any) -> None:
    with Emulator(id_token_alg=algorithm) as emulator, client_of(emulator) as client:
        ada = emulator.add_user(username="ada", name="Ada")
        chosen = {"roles": ["admin"], "tenant": {"id": 5}, "middle_name": None}
        tokens = emulator.mint(ada, claims=chosen)
        access, identity = (
            client.verify_access_token(tokens["access_token"]),
            client.verify_id_token(tokens["id_token"]),
        )
        assert (access.sub, identity.sub) == (ada.id, ada.id)
        assert part(tokens["id_token"], 0)["alg"] == algorithm
        for token in tokens.values():
            assert {name: part(str(token), 1)[name] for name in chosen} == chosen
        assert part(tokens["id_token"], 1)["name"] == "Ada"
        jwks = KeySet.import_key_set(httpx.get(f"{emulator.url}/oidc/.well-known/jwks.json", trust_env=False).json())
        assert jwt.decode(tokens["access_token"], jwks, algorithms=["RS256"]).claims["tenant"] == {"id": 5}


def test_without_changes_they_are_as_of_a_sign_in() -> None:
    emulator = Emulator(clock=Clock(lambda: 1_800_000_000))
    ada = emulator.add_user(username="ada")
    issued, minted = emulator.issue_tokens(ada), emulator.mint(ada)
    for name in ("access_token", "id_token"):
        one, other = part(issued[name], 1), part(minted[name], 1)
        apart = {"jti", "at_hash"} & set(one)
        assert apart
        assert {key: one[key] for key in one if key not in apart} == {k: other[k] for k in other if k not in apart}
        assert part(issued[name], 0) == part(minted[name], 0)


def test_a_minted_access_token_is_good_at_the_api() -> None:
    with Emulator() as emulator, client_of(emulator) as client:
        token = emulator.mint(emulator.add_user(username="ada"), claims={"scope": "openid username"})["access_token"]
        headers = {"authorization": f"Bearer {token}"}
        assert httpx.get(f"{emulator.url}/oidc/me", headers=headers, trust_env=False).json()["username"] == "ada"
        answer = client.introspect_token(token)
        assert answer.active
        assert answer.scope == "openid username"
        for refused in (
            emulator.mint(expires_in=-1)["access_token"],
            *(emulator.mint(signed_by=who)["access_token"] for who in ("stranger", "impostor", "none")),
        ):
            headers = {"authorization": f"Bearer {refused}"}
            assert httpx.get(f"{emulator.url}/oidc/me", headers=headers, trust_env=False).status_code == 401
            assert not client.introspect_token(refused).active


def test_expired_tokens_are_refused_as_such() -> None:
    with Emulator() as emulator, client_of(emulator) as client:
        tokens = emulator.mint(expires_in=-600)
        with pytest.raises(TokenExpiredError):
            client.verify_access_token(tokens["access_token"])
        with pytest.raises(TokenExpiredError):
            client.verify_id_token(tokens["id_token"])
        claims = part(tokens["access_token"], 1)
        assert claims["iat"] < claims["exp"]
        assert client.verify_access_token(emulator.mint(expires_in=600)["access_token"])


@pytest.mark.parametrize("algorithm", ["HS256", "RS256"])
@pytest.mark.parametrize("signed_by", ["stranger", "impostor", "none"])
def test_other_signatures_are_refused(algorithm: Any, signed_by: Any) -> None:
    with Emulator(id_token_alg=algorithm) as emulator, client_of(emulator) as client:
        client.verify_access_token(emulator.mint()["access_token"])  # it knows the keys
        tokens = emulator.mint(signed_by=signed_by)
        with pytest.raises(TokenVerificationError):
            client.verify_access_token(tokens["access_token"])
        with pytest.raises(TokenVerificationError):
            client.verify_id_token(tokens["id_token"])
        header, published = part(tokens["access_token"], 0), emulator._state.signing_keys.current.kid
        assert (header.get("kid") == published) is (signed_by == "impostor")
        assert (header["alg"] == "none") is (signed_by == "none")


@pytest.mark.parametrize(("name", "value"), [("iss", "https://other.test/oidc"), ("aud", "other")])
def test_another_issuer_and_audience_are_refused(name: str, value: str) -> None:
    with Emulator() as emulator, client_of(emulator) as client:
        tokens = emulator.mint(claims={name: value})
        with pytest.raises(TokenVerificationError):
            client.verify_id_token(tokens["id_token"])
        with pytest.raises(TokenVerificationError):
            client.verify_access_token(tokens["access_token"], audience=emulator.app_id)


def test_claims_can_be_left_out_and_be_of_any_kind() -> None:
    emulator = Emulator()
    tokens = emulator.mint(claims={"exp": "soon", "scope": None, "big": 10**30}, without=["sub", "jti", "unknown"])
    claims = part(tokens["access_token"], 1)
    assert not {"sub", "jti"} & set(claims)
    assert (claims["exp"], claims["scope"], claims["big"]) == ("soon", None, 10**30)


def test_the_scope_and_the_application_can_be_chosen() -> None:
    emulator = Emulator()
    phone = emulator.add_app(app_id="phone")
    tokens = emulator.mint(app=phone, scope="profile")
    assert part(tokens["access_token"], 1)["aud"] == "phone"
    assert "id_token" not in tokens


def test_an_unknown_signer_is_refused() -> None:
    with pytest.raises(ValueError, match="signed_by must be one of server, stranger, impostor, none, not 'me'"):
        Emulator().mint(signed_by="me")  # type: ignore[arg-type]
