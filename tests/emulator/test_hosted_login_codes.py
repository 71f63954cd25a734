from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256

import httpx
import pytest

from genauth_async.emulator import Emulator, User
from tests.emulator.hosted_pages import CALLBACK, answer_of, authorize, exchange, log_in, request_of

pytestmark = pytest.mark.usefixtures("user")
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
DIGEST = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
S256 = {"code_challenge": DIGEST, "code_challenge_method": "S256"}


def _refused(response: httpx.Response, error: str = "invalid_grant") -> str:
    assert response.status_code == (401 if error == "invalid_client" else 400), response.text
    assert response.json()["error"] == error
    assert response.headers["cache-control"] == "no-store"
    return str(response.json()["error_description"])


@pytest.mark.parametrize(
    "challenge", [S256, {"code_challenge": VERIFIER, "code_challenge_method": "plain"}, {"code_challenge": VERIFIER}]
)
def test_the_right_verifier_redeems_the_code(emulator: Emulator, http: httpx.Client, challenge: dict[str, str]) -> None:
    code = authorize(emulator, http, **challenge)["code"]
    assert exchange(emulator, http, code, code_verifier=VERIFIER).status_code == 200


@pytest.mark.parametrize(
    ("challenge", "verifier", "reason"),
    [
        (S256, None, "missing"),
        (S256, "x" * 43, "does not fit"),
        (S256, DIGEST, "does not fit"),
        (S256, "short", "43 to 128"),
        (S256, "\N{SNOWMAN}" * 43, "43 to 128"),
        ({"code_challenge": VERIFIER}, DIGEST, "does not fit"),
        ({}, VERIFIER, "no code_challenge"),
    ],
)
def test_a_wrong_verifier_uses_the_code_up(
    emulator: Emulator, http: httpx.Client, challenge: dict[str, str], verifier: str | None, reason: str
) -> None:
    code = authorize(emulator, http, **challenge)["code"]
    assert reason in _refused(exchange(emulator, http, code, code_verifier=verifier))
    right = VERIFIER if challenge else None
    assert "used" in _refused(exchange(emulator, http, code, code_verifier=right))


def test_a_client_without_a_secret_needs_a_challenge(emulator: Emulator, http: httpx.Client) -> None:
    app = emulator.add_app(token_endpoint_auth_method="none")
    request = request_of(emulator, client_id=app.app_id)
    answer = answer_of(http.get("/oidc/auth", params=request))
    assert (answer["error"], "code_challenge" in answer["error_description"]) == ("invalid_request", True)
    code = authorize(emulator, http, client_id=app.app_id, **S256)["code"]
    changes: dict[str, str | None] = {"client_id": app.app_id, "client_secret": None, "code_verifier": VERIFIER}
    assert exchange(emulator, http, code, **changes).status_code == 200


def test_the_second_use_of_a_code_revokes_what_the_first_gave(emulator: Emulator, http: httpx.Client) -> None:
    bystander = exchange(emulator, http, authorize(emulator, http)["code"]).json()
    code = authorize(emulator, http, scope="openid offline_access")["code"]
    tokens = exchange(emulator, http, code).json()
    assert "revoked" in _refused(exchange(emulator, http, code))

    def me(token: str) -> int:
        return http.get("/oidc/me", headers={"authorization": f"Bearer {token}"}).status_code

    assert (me(tokens["access_token"]), me(bystander["access_token"])) == (401, 200)
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    client = {"client_id": emulator.app_id, "client_secret": emulator.app_secret}
    _refused(http.post("/oidc/token", data=form | client))


def test_a_code_is_good_for_ten_minutes(emulator: Emulator, http: httpx.Client) -> None:
    early, late = authorize(emulator, http)["code"], authorize(emulator, http)["code"]
    emulator.clock.advance(599)
    assert exchange(emulator, http, early).status_code == 200
    emulator.clock.advance(1)
    assert "expired" in _refused(exchange(emulator, http, late))


def test_a_code_is_of_no_use_to_another_application(emulator: Emulator, http: httpx.Client) -> None:
    other = emulator.add_app()
    code = authorize(emulator, http)["code"]
    stolen = exchange(emulator, http, code, client_id=other.app_id, client_secret=other.app_secret)
    assert "unknown" in _refused(stolen)
    _refused(exchange(emulator, http, code, client_secret="guess"), "invalid_client")
    assert exchange(emulator, http, code).status_code == 200


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"redirect_uri": f"{CALLBACK}/"}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"code": None}, "invalid_request"),
        ({"code": "guess"}, "invalid_grant"),
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_a_token_request_has_to_fit_the_code(
    emulator: Emulator, http: httpx.Client, changes: dict[str, str | None], error: str
) -> None:
    code = authorize(emulator, http)["code"]
    _refused(exchange(emulator, http, code, **changes), error)


def test_oauth_gives_the_same_without_id_tokens(emulator: Emulator, user: User, http: httpx.Client) -> None:
    page = http.get("/oauth/auth", params=request_of(emulator, scope=None))
    code = answer_of(log_in(http, page))["code"]
    tokens = exchange(emulator, http, code, "/oauth/token").json()
    assert set(tokens) == {"access_token", "token_type", "expires_in", "scope"}
    assert tokens["scope"] == "user"
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    assert http.post("/oauth/me", headers=bearer).json()["email"] == user.email
    assert http.post("/oidc/me", headers=bearer).status_code == 403
    client = {"client_id": emulator.app_id, "client_secret": emulator.app_secret}
    token = {"token": tokens["access_token"]} | client
    assert http.post("/oauth/token/introspection", data=token).json()["active"]
    assert http.post("/oauth/token/revocation", data=token).status_code == 200
    assert not http.post("/oauth/token/introspection", data=token).json()["active"]
    assert http.get("/oauth/me", headers=bearer).status_code == 401


def test_oauth_drops_the_scope_openid(emulator: Emulator, http: httpx.Client) -> None:
    for scope, left in (("openid", "user"), ("openid email", "email")):
        page = http.get("/oauth/auth", params=request_of(emulator, scope=scope, prompt="login"))
        tokens = exchange(emulator, http, answer_of(log_in(http, page))["code"], "/oauth/token").json()
        assert tokens["scope"] == left
        assert "id_token" not in tokens
        bearer = {"authorization": f"Bearer {tokens['access_token']}"}
        assert http.get("/oauth/me", headers=bearer).status_code == (200 if left == "user" else 403)


@pytest.mark.parametrize(("asked", "redeemed"), [("oidc", "oauth"), ("oauth", "oidc")])
def test_a_code_of_one_protocol_is_none_of_the_other(
    emulator: Emulator, http: httpx.Client, asked: str, redeemed: str
) -> None:
    code = answer_of(log_in(http, http.get(f"/{asked}/auth", params=request_of(emulator))))["code"]
    _refused(exchange(emulator, http, code, f"/{redeemed}/token"))
    assert exchange(emulator, http, code, f"/{asked}/token").status_code == 200


def test_discovery_tells_what_the_hosted_login_can_do(emulator: Emulator, http: httpx.Client) -> None:
    document = http.get("/oidc/.well-known/openid-configuration").json()
    assert document["grant_types_supported"] == ["authorization_code", "refresh_token", "client_credentials"]
    assert document["response_types_supported"] == ["code"]
    assert document["response_modes_supported"] == ["query", "fragment", "form_post", "web_message"]
    assert document["code_challenge_methods_supported"] == ["S256", "plain"]
    assert document["prompt_values_supported"] == ["none", "login", "consent", "select_account"]
    assert document["authorization_response_iss_parameter_supported"] is False
    assert http.get(document["authorization_endpoint"], params=request_of(emulator)).status_code == 200
    assert http.get(document["end_session_endpoint"]).status_code == 200
