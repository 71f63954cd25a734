from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Literal

import anyio
import httpx
import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet, OctKey

from genauth_async.emulator import Clock, Emulator, User
from tests.emulator.emulator_types import Json, Refresh, SignIn

pytestmark = pytest.mark.usefixtures("user")
DAY = 24 * 3600


def _client(emulator: Emulator) -> dict[str, str]:
    return {"client_id": emulator.app_id, "client_secret": emulator.app_secret}


def _header(token: str) -> Json:
    part = token.partition(".")[0]
    header: Json = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return header


def _key_set(http: httpx.Client) -> KeySet:
    keys: KeySet = KeySet.import_key_set(http.get("/oidc/.well-known/jwks.json").json())
    return keys


def _introspect(emulator: Emulator, http: httpx.Client, token: str) -> Json:
    response = http.post("/oidc/token/introspection", data={"token": token, **_client(emulator)})
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    answer: Json = response.json()
    return answer


def test_discovery_leads_to_the_endpoints(emulator: Emulator, http: httpx.Client) -> None:
    document = http.get("/oidc/.well-known/openid-configuration").json()
    assert document["issuer"] == emulator.issuer
    for endpoint in ("token", "userinfo", "revocation", "introspection"):
        assert http.post(document[f"{endpoint}_endpoint"]).status_code in {400, 401}
    assert http.get(document["jwks_uri"]).status_code == 200


def test_access_tokens_are_signed_and_the_keys_published(
    emulator: Emulator, http: httpx.Client, user: User, sign_in: SignIn
) -> None:
    token = sign_in()["data"]["access_token"]
    header = _header(token)
    assert (header["alg"], header["typ"]) == ("RS256", "JWT")
    (jwk,) = http.get("/oidc/.well-known/jwks.json").json()["keys"]
    assert jwk["kid"] == header["kid"]
    assert (jwk["kty"], jwk["use"], jwk["alg"]) == ("RSA", "sig", "RS256")
    assert not {"d", "p", "q"} & set(jwk)
    claims = jwt.decode(token, _key_set(http), algorithms=["RS256"]).claims
    assert claims["iss"] == emulator.issuer
    assert claims["sub"] == user.id
    assert claims["aud"] == emulator.app_id
    assert claims["exp"] - claims["iat"] == 14 * DAY
    assert "openid" in claims["scope"].split()
    assert claims["jti"]


@pytest.mark.parametrize("algorithm", ["HS256", "RS256"])
def test_id_tokens(algorithm: Literal["HS256", "RS256"]) -> None:
    with Emulator(id_token_alg=algorithm, id_token_lifetime=60, app_secret="short") as emulator:
        user = emulator.add_user(username="ada", email="ada@example.com", phone="138", profile={"givenName": "Ada"})
        tokens = emulator.issue_tokens(user)
        with httpx.Client(base_url=emulator.url, verify=False, trust_env=False) as http:
            key = OctKey(b"short", b"short") if algorithm == "HS256" else _key_set(http)
        id_token, access_token = tokens["id_token"], tokens["access_token"]
        claims = jwt.decode(id_token, key, algorithms=[algorithm]).claims
    assert (claims["iss"], claims["aud"], claims["sub"]) == (emulator.issuer, emulator.app_id, user.id)
    assert claims["exp"] - claims["iat"] == 60
    half = sha256(access_token.encode()).digest()[:16]
    assert claims["at_hash"] == urlsafe_b64encode(half).rstrip(b"=").decode()
    assert claims["preferred_username"] == "ada"
    assert claims["given_name"] == "Ada"
    assert claims["email"] == "ada@example.com"
    assert claims["phone_number"] == "138"


def test_refresh_rotates(emulator: Emulator, http: httpx.Client, sign_in: SignIn, refresh: Refresh) -> None:
    first = sign_in()["data"]
    response = refresh(first["refresh_token"])
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    second = response.json()
    assert set(second) == {"access_token", "id_token", "refresh_token", "token_type", "expires_in", "scope"}
    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    assert second["expires_in"] == 14 * DAY
    assert refresh(second["refresh_token"]).status_code == 200
    assert _introspect(emulator, http, first["access_token"])["active"]
    assert (len(emulator.grants), emulator.grants.alive, emulator.grants.revoked) == (1, 1, 0)


def test_using_a_refresh_token_twice_revokes_everything(
    emulator: Emulator, http: httpx.Client, sign_in: SignIn, refresh: Refresh
) -> None:
    bystander = sign_in()["data"]
    first = sign_in()["data"]
    second = refresh(first["refresh_token"]).json()
    reuse = refresh(first["refresh_token"])
    assert (reuse.status_code, reuse.json()["error"]) == (400, "invalid_grant")
    assert refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
    for token in (first["access_token"], second["access_token"], second["refresh_token"]):
        assert _introspect(emulator, http, token) == {"active": False}
    assert _introspect(emulator, http, bystander["access_token"])["active"]
    assert (emulator.grants.alive, emulator.grants.revoked) == (1, 1)


@pytest.mark.anyio
async def test_of_fifty_concurrent_uses_one_succeeds(emulator: Emulator, user: User, ahttp: httpx.AsyncClient) -> None:
    token = emulator.issue_tokens(user)["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": token, **_client(emulator)}
    hold = emulator.faults.hold("/oidc/token", times=None)
    answers: list[httpx.Response] = []

    async def use() -> None:
        answers.append(await ahttp.post("/oidc/token", data=form))

    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(use)
        await hold.wait_arrived(50)
        hold.release()

    (winner,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert [answer.json()["error"] for answer in answers if answer.status_code != 200] == ["invalid_grant"] * 49
    assert emulator.grants.revoked == 1
    emulator.faults.clear()
    introspection = await ahttp.post(
        "/oidc/token/introspection", data={"token": winner["access_token"], **_client(emulator)}
    )
    assert introspection.json() == {"active": False}


def test_refresh_tokens_expire(emulator: Emulator, sign_in: SignIn, refresh: Refresh) -> None:
    token = sign_in()["data"]["refresh_token"]
    emulator.clock.advance(29 * DAY)
    token = refresh(token).json()["refresh_token"]
    emulator.clock.advance(29 * DAY)
    token = refresh(token).json()["refresh_token"]  # each has a life of its own
    emulator.clock.advance(30 * DAY)
    expired = refresh(token).json()
    assert expired["error"] == "invalid_grant"
    assert "expired" in expired["error_description"]
    assert emulator.grants.revoked == 0


def test_a_refresh_token_of_another_client(emulator: Emulator, user: User, http: httpx.Client) -> None:
    tokens = emulator.issue_tokens(user)
    other = emulator.add_app()
    credentials = {"client_id": other.app_id, "client_secret": other.app_secret}
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], **credentials}
    assert http.post("/oidc/token", data=form).json()["error"] == "invalid_grant"
    revocation = http.post("/oidc/token/revocation", data={"token": tokens["access_token"], **credentials})
    assert (revocation.status_code, revocation.json()["error"]) == (400, "invalid_grant")
    introspection = http.post("/oidc/token/introspection", data={"token": tokens["access_token"], **credentials})
    assert introspection.json() == {"active": False}
    assert emulator.grants.alive == 1
    own = emulator.issue_tokens(user, app=other)
    assert http.post("/oidc/token", data={**form, "refresh_token": own["refresh_token"]}).status_code == 200


def test_the_scope_can_be_narrowed_but_not_widened(emulator: Emulator, user: User, http: httpx.Client) -> None:
    token = emulator.issue_tokens(user, scope="openid email offline_access")["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": token, **_client(emulator)}
    wider = http.post("/oidc/token", data={**form, "scope": "openid phone"})
    assert (wider.status_code, wider.json()["error"]) == (400, "invalid_scope")
    narrower = http.post("/oidc/token", data={**form, "scope": "email"}).json()
    assert narrower["scope"] == "email"
    assert "id_token" not in narrower
    assert _introspect(emulator, http, narrower["access_token"])["scope"] == "email"
    assert _introspect(emulator, http, narrower["refresh_token"])["scope"] == "openid email offline_access"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "invalid_request"),
        ({"refresh_token": ""}, "invalid_request"),
        ({"refresh_token": "unknown"}, "invalid_grant"),
        ({"refresh_token": ["a", "b"]}, "invalid_request"),
    ],
)
def test_wrong_token_requests(
    emulator: Emulator, http: httpx.Client, changes: dict[str, str | list[str]], error: str
) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "unknown", **_client(emulator)} | changes
    response = http.post("/oidc/token", data=form)
    assert (response.status_code, response.json()["error"]) == (400, error)
    assert response.json()["error_description"]


@pytest.mark.parametrize("path", ["/oidc/token", "/oidc/token/revocation", "/oidc/token/introspection"])
def test_bodies_that_are_no_forms(emulator: Emulator, http: httpx.Client, path: str) -> None:
    as_json = http.post(path, json=_client(emulator))
    not_utf8 = http.post(
        path, content=b"token=\xff", headers={"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    )
    without_token = http.post(path, data=_client(emulator))
    for response in (as_json, not_utf8, without_token):
        assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_revoking_either_token_ends_the_grant(
    emulator: Emulator, http: httpx.Client, sign_in: SignIn, refresh: Refresh, kind: str
) -> None:
    tokens = sign_in()["data"]
    form = {"token": tokens[kind], "token_type_hint": kind, **_client(emulator)}
    for _ in range(2):  # the second time it is revoked already
        response = http.post("/oidc/token/revocation", data=form)
        assert (response.status_code, response.content) == (200, b"")
    assert refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert _introspect(emulator, http, tokens["access_token"]) == {"active": False}
    assert http.post("/oidc/token/revocation", data={**form, "token": "unknown"}).status_code == 200


def test_introspection(emulator: Emulator, http: httpx.Client, user: User, sign_in: SignIn) -> None:
    tokens = sign_in()["data"]
    access = _introspect(emulator, http, tokens["access_token"])
    assert access["active"] is True
    assert (access["sub"], access["client_id"], access["iss"]) == (user.id, emulator.app_id, emulator.issuer)
    assert access["exp"] - access["iat"] == 14 * DAY
    refresh_token = _introspect(emulator, http, tokens["refresh_token"])
    for answer in (access, refresh_token):
        assert set(answer) == {"active", "sub", "client_id", "exp", "iat", "iss", "jti", "scope", "token_type"}
        assert answer["token_type"] == "Bearer"
    assert access["jti"] != refresh_token["jti"]
    assert refresh_token["exp"] - refresh_token["iat"] == 30 * DAY
    for token in ("unknown", tokens["id_token"]):
        assert _introspect(emulator, http, token) == {"active": False}
    emulator.clock.advance(14 * DAY)
    assert _introspect(emulator, http, tokens["access_token"]) == {"active": False}
    assert _introspect(emulator, http, tokens["refresh_token"])["active"]


def test_user_info_takes_the_token_wherever_it_may_be(http: httpx.Client, user: User, sign_in: SignIn) -> None:
    token = sign_in()["data"]["access_token"]
    headers = {"authorization": f"Bearer {token}"}
    for response in (
        http.get("/oidc/me", headers=headers),
        http.post("/oidc/me", headers=headers),
        http.get("/oidc/me", params={"access_token": token}),
        http.post("/oidc/me", data={"access_token": token}),
    ):
        assert response.status_code == 200
        assert response.json()["sub"] == user.id
        assert response.json()["name"] == "Ada"
        assert response.json()["email"] == "ada@example.com"


@pytest.mark.parametrize("path", ["/oidc/me", "/oauth/me"])
def test_user_info_challenges(emulator: Emulator, http: httpx.Client, user: User, path: str) -> None:
    revoked = emulator.issue_tokens(user)["access_token"]
    emulator.revoke_grant(revoked)
    for token in ("unknown", revoked):
        response = http.get(path, headers={"authorization": f"Bearer {token}"})
        assert (response.status_code, response.json()["error"]) == (401, "invalid_token")
        assert response.headers["www-authenticate"].startswith('Bearer realm="oidc", error="invalid_token"')
    narrow = emulator.issue_tokens(user, scope="profile")["access_token"]
    response = http.get(path, headers={"authorization": f"Bearer {narrow}"})
    assert (response.status_code, response.json()["error"]) == (403, "insufficient_scope")
    assert 'error="insufficient_scope"' in response.headers["www-authenticate"]


def test_a_challenge_without_a_token_names_no_error(http: httpx.Client) -> None:
    for response in (
        http.get("/oidc/me"),
        http.post("/oidc/me"),
        http.post("/oidc/me", json={"access_token": "x"}),
        http.post("/oidc/me", data={"other": "x"}),
        http.get("/oidc/me", headers={"authorization": "Basic eDp5"}),
        http.get("/oauth/me"),
    ):
        assert (response.status_code, response.content) == (401, b"")
        assert response.headers["www-authenticate"] == 'Bearer realm="oidc"'


def test_a_token_in_two_places_is_refused(http: httpx.Client, sign_in: SignIn) -> None:
    token = sign_in()["data"]["access_token"]
    header, field = {"authorization": f"Bearer {token}"}, {"access_token": token}
    for response in (
        http.get("/oidc/me", headers=header, params=field),
        http.post("/oidc/me", headers=header, data=field),
        http.post("/oidc/me", params=field, data=field),
        http.get("/oidc/me", params=[("access_token", token), ("access_token", token)]),
        http.post("/oidc/me", data={"access_token": [token, token]}),
    ):
        assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


def test_rotating_the_signing_key(emulator: Emulator, http: httpx.Client, user: User) -> None:
    old = emulator.issue_tokens(user)["access_token"]
    emulator.rotate_signing_key()
    new = emulator.issue_tokens(user)["access_token"]
    assert _header(old)["kid"] != _header(new)["kid"]
    for token in (old, new):
        jwt.decode(token, _key_set(http), algorithms=["RS256"])
    emulator.rotate_signing_key(keep_previous=False)
    newest = emulator.issue_tokens(user)["access_token"]
    keys = _key_set(http)
    assert [key.kid for key in keys.keys] == [_header(newest)["kid"]]
    jwt.decode(newest, keys, algorithms=["RS256"])
    with pytest.raises(BadSignatureError):
        jwt.decode(new, keys.keys[0], algorithms=["RS256"])
    # The server still knows whom it gave the older ones to.
    assert http.get("/oidc/me", headers={"authorization": f"Bearer {new}"}).status_code == 200


def test_tests_can_revoke_grants(emulator: Emulator, user: User) -> None:
    for _ in range(3):
        emulator.issue_tokens(user)
    tokens = emulator.issue_tokens(user)
    first, *_ = emulator.grants
    emulator.revoke_grant(first)
    emulator.revoke_grant(tokens["refresh_token"])
    assert repr(emulator.grants) == "<Grants 2 alive, 2 revoked>"
    with pytest.raises(LookupError):
        emulator.revoke_grant("unknown")


def test_time_is_the_clocks() -> None:
    clock = Clock(lambda: 1_000_000_000.0)
    with Emulator(clock=clock) as emulator, httpx.Client(base_url=emulator.url, verify=False, trust_env=False) as http:
        clock.advance(60)
        user = emulator.add_user(username="ada")
        token = emulator.issue_tokens(user)["access_token"]
        claims = jwt.decode(token, _key_set(http), algorithms=["RS256"]).claims
        assert claims["iat"] == 1_000_000_060
        assert http.get("/").headers["date"] == "Sun, 09 Sep 2001 01:47:40 GMT"
    assert repr(clock) == "<Clock 2001-09-09T01:47:40.000Z>"
