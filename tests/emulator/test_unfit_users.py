from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from genauth_async.emulator import Emulator, User
from tests.emulator.emulator_types import Json, Refresh, SignIn
from tests.emulator.hosted_pages import authorize, exchange


def lock(emulator: Emulator, user: User) -> None:
    emulator.lock_user(user)


def lock_by_flag(_emulator: Emulator, user: User) -> None:
    user.locked = True


def lock_by_failures(_emulator: Emulator, user: User) -> None:
    user.locked_by_failures = True


def require_reset(_emulator: Emulator, user: User) -> None:
    user.password_reset_required = True


def require_second_factor(_emulator: Emulator, user: User) -> None:
    user.mfa_required = True


def remove(emulator: Emulator, user: User) -> None:
    emulator.remove_user(user)


def make_fit(user: User) -> None:
    user.locked = user.password_reset_required = user.mfa_required = False


Change = Callable[[Emulator, User], None]
FINAL: list[Change] = [lock, lock_by_flag, remove]
PASSING: list[Change] = [lock_by_failures, require_reset, require_second_factor]


@pytest.mark.parametrize("change", [*FINAL, *PASSING])
def test_a_user_who_cannot_sign_in_cannot_refresh(
    emulator: Emulator, user: User, refresh: Refresh, sign_in: SignIn, change: Change
) -> None:
    token = sign_in()["data"]["refresh_token"]
    change(emulator, user)
    answer = refresh(token)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert emulator.grants.revoked == (change in FINAL)
    make_fit(user)
    # The refresh token was not used up, unless its grant was revoked.
    assert refresh(token).status_code == (400 if change in FINAL else 200)
    assert emulator.grants.reused == 0


@pytest.mark.parametrize("change", [*FINAL, *PASSING])
def test_who_could_not_sign_in_now_gets_no_tokens_for_a_code(
    emulator: Emulator, user: User, http: httpx.Client, change: Change
) -> None:
    code = authorize(emulator, http)["code"]
    change(emulator, user)
    answer = exchange(emulator, http, code)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    make_fit(user)
    assert exchange(emulator, http, code).json()["error"] == "invalid_grant"  # it is used up in any case


def test_a_lock_ends_what_the_user_granted_before(
    emulator: Emulator, user: User, http: httpx.Client, sign_in: SignIn
) -> None:
    bob = emulator.issue_tokens(emulator.add_user(username="bob"))
    headers = {"authorization": f"Bearer {sign_in()['data']['access_token']}"}
    assert http.get("/oidc/me", headers=headers).status_code == 200
    emulator.lock_user(user)
    assert http.get("/oidc/me", headers=headers).status_code == 401
    assert http.get("/oidc/me", headers={"authorization": f"Bearer {bob['access_token']}"}).status_code == 200


@pytest.mark.parametrize("change", [lock, lock_by_flag, lock_by_failures])
def test_a_lock_holds_in_public_accounts_too(
    emulator: Emulator, user: User, http: httpx.Client, refresh: Refresh, change: Change
) -> None:
    press = emulator.add_user(username="press")
    emulator.public_accounts.allow(user, press)
    headers = {"authorization": emulator.issue_tokens(user)["access_token"]}
    answer = http.post("/api/v3/switch-login-by-user", json={"targetUserId": press.id}, headers=headers).json()
    token = answer["data"]["refresh_token"]
    change(emulator, user)
    assert refresh(token).json()["error"] == "invalid_grant"
    make_fit(user)
    assert refresh(token).status_code == (400 if change in FINAL else 200)


def test_who_has_passed_a_second_factor_stays_signed_in(emulator: Emulator, user: User, refresh: Refresh) -> None:
    user.mfa_required = True
    tokens = emulator.issue_tokens(user)
    assert refresh(tokens["refresh_token"]).status_code == 200


def _tokens_of(emulator: Emulator, http: httpx.Client, protocol: str) -> Json:
    emulator.hosted_login.consent(emulator.find_user(username="ada"), "user openid offline_access")
    scope = "user offline_access" if protocol == "oauth" else "openid offline_access"
    code = authorize(emulator, http, f"/{protocol}/auth", scope=scope)["code"]
    tokens: Json = exchange(emulator, http, code, f"/{protocol}/token").json()
    return tokens


@pytest.mark.usefixtures("user")
@pytest.mark.parametrize(("own", "other"), [("oidc", "oauth"), ("oauth", "oidc")])
def test_a_refresh_token_of_one_protocol_is_none_of_the_other(
    emulator: Emulator, http: httpx.Client, own: str, other: str
) -> None:
    token = _tokens_of(emulator, http, own)["refresh_token"]

    def redeem(protocol: str) -> httpx.Response:
        client = {"client_id": emulator.app_id, "client_secret": emulator.app_secret}
        form = {"grant_type": "refresh_token", "refresh_token": token}
        return http.post(f"/{protocol}/token", data=form | client)

    refused = redeem(other)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    answer = redeem(own)
    assert answer.status_code == 200
    assert ("id_token" in answer.json()) == (own == "oidc")
