from __future__ import annotations

import httpx
import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from genauth_async.emulator import Clock, Emulator, User
from tests.emulator.hosted_pages import (
    PASSWORD,
    Page,
    answer_of,
    ask,
    authorize,
    exchange,
    id_claims,
    log_in,
    send,
)

pytestmark = pytest.mark.usefixtures("user")


def test_the_page_reports_a_wrong_password_and_accepts_a_retry(
    emulator: Emulator, user: User, http: httpx.Client
) -> None:
    response = log_in(http, ask(emulator, http), password="wrong")
    assert response.status_code == 400
    page = Page(response.text)
    assert page.alert == "Account not exists or password is incorrect."
    assert page.form.fields["account"] == "ada"
    assert user.failed_passwords == 1
    stranger = send(http, response, account="unknown", password="wrong")
    assert Page(stranger.text).alert == page.alert
    assert answer_of(send(http, stranger, account="ada", password=PASSWORD))["code"]
    latest, failed = emulator.login_history.of(user)
    assert (latest.error_message, latest.login_method) == (None, "loginByAccount")
    assert failed.error_message is not None
    assert user.logins == 1


def test_too_many_wrong_passwords_lock_the_user(emulator: Emulator, user: User, http: httpx.Client) -> None:
    response = ask(emulator, http)
    for _ in range(5):
        response = send(http, response, account="ada", password="wrong")
    assert user.locked
    assert Page(send(http, response, account="ada", password=PASSWORD).text).alert == (
        "The user is locked after too many wrong passwords."
    )


@pytest.mark.parametrize("flag", ["mfa_required", "password_reset_required", "locked"])
def test_a_user_with_something_to_do_first_gets_no_further(
    emulator: Emulator, user: User, http: httpx.Client, flag: str
) -> None:
    authorize(emulator, http)
    setattr(user, flag, True)
    assert answer_of(ask(emulator, http, prompt="none"))["error"] == "interaction_required"
    response = log_in(http, ask(emulator, http))
    assert response.status_code == 400
    assert Page(response.text).alert
    assert len(emulator.grants) == 1


def test_a_captcha_that_is_needed_stops_the_page(emulator: Emulator, http: httpx.Client) -> None:
    emulator.captchas.required_after = 1
    response = log_in(http, ask(emulator, http), password="wrong")
    assert "captcha" in Page(send(http, response, account="ada", password=PASSWORD).text).alert


@pytest.mark.parametrize("step", ["login", "consent"])
def test_forms_of_other_sites_are_refused(emulator: Emulator, http: httpx.Client, step: str) -> None:
    response = ask(emulator, http, prompt="consent")
    if step == "consent":
        response = log_in(http, response)
    form = Page(response.text).form
    answers = {"account": "ada", "password": PASSWORD, "consent": "accept"}
    assert http.post(form.action, data=answers).status_code == 403
    assert http.post(form.action, data=answers | {"csrf_token": "guess"}).status_code == 403
    # The page of another browser, the attacker's own, is no better.
    with httpx.Client(base_url=emulator.url, verify=False, trust_env=False) as other:
        for send_it in (other.get(form.action), other.post(form.action, data=answers | form.fields)):
            assert send_it.status_code == 400
            assert "expired" in Page(send_it.text).alert
    assert len(emulator.grants) == 0


def test_pages_expire_and_answer_once(http: httpx.Client, emulator: Emulator) -> None:
    response = ask(emulator, http)
    assert Page(http.get(Page(response.text).form.action).text).form == Page(response.text).form
    log_in(http, response)
    assert log_in(http, response).status_code == 400
    late = ask(emulator, http, prompt="login")
    emulator.clock.advance(601)
    assert log_in(http, late).status_code == 400
    assert len(emulator.grants) == 1


def test_codes_of_one_sign_in_serve_further_applications(emulator: Emulator, user: User, http: httpx.Client) -> None:
    other = emulator.add_app()
    authorize(emulator, http)
    answer = answer_of(ask(emulator, http, client_id=other.app_id, prompt="none"))
    tokens = exchange(emulator, http, answer["code"], client_id=other.app_id, client_secret=other.app_secret).json()
    assert tokens["access_token"]
    assert (user.logins, emulator.hosted_login.signed_in(user)) == (1, 1)


@pytest.mark.parametrize("changes", [{"prompt": "login"}, {"prompt": "select_account"}, {"max_age": "60"}])
def test_a_request_may_want_the_user_to_sign_in_again(
    emulator: Emulator, user: User, http: httpx.Client, changes: dict[str, str]
) -> None:
    authorize(emulator, http)
    before = http.cookies["genauth_session"]
    emulator.clock.advance(60)
    answer = answer_of(log_in(http, ask(emulator, http, **changes)))
    claims = id_claims(emulator, exchange(emulator, http, answer["code"]).json()["id_token"])
    if "max_age" in changes:
        assert claims["auth_time"] == pytest.approx(emulator.clock.now(), abs=5)
    else:
        assert "auth_time" not in claims
    assert http.cookies["genauth_session"] != before
    assert emulator.hosted_login.signed_in(user) == 1
    if "max_age" in changes:
        emulator.clock.advance(60)
        assert answer_of(ask(emulator, http, **changes, prompt="none"))["error"] == "login_required"


def test_a_hint_for_another_user_asks_for_a_sign_in(emulator: Emulator, user: User, http: httpx.Client) -> None:
    bob = emulator.add_user(username="bob", password=PASSWORD)
    hint = emulator.issue_tokens(bob)["id_token"]
    authorize(emulator, http)
    own = emulator.issue_tokens(user)["id_token"]
    assert answer_of(ask(emulator, http, id_token_hint=own, prompt="none"))["code"]
    assert answer_of(ask(emulator, http, id_token_hint=hint, prompt="none"))["error"] == "login_required"
    again = log_in(http, ask(emulator, http, id_token_hint=hint))
    assert answer_of(again)["error"] == "login_required"
    assert answer_of(log_in(http, ask(emulator, http, id_token_hint=hint), account="bob"))["code"]


def test_offline_access_has_to_be_agreed_to_once(emulator: Emulator, http: httpx.Client) -> None:
    authorize(emulator, http)
    scope = "openid offline_access"
    assert answer_of(ask(emulator, http, scope=scope, prompt="none"))["error"] == "consent_required"
    page = ask(emulator, http, scope=scope)
    assert "offline_access" in page.text
    denied = answer_of(send(http, page, consent="deny"))
    assert (denied["error"], denied["state"]) == ("access_denied", "af0ifjsldkj")
    answer = answer_of(send(http, ask(emulator, http, scope=scope, max_age="100"), consent="accept"))
    tokens = exchange(emulator, http, answer["code"]).json()
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": emulator.app_id}
    refreshed = http.post("/oidc/token", data=form | {"client_secret": emulator.app_secret}).json()
    first, second = (id_claims(emulator, each["id_token"]) for each in (tokens, refreshed))
    assert first["auth_time"] == second["auth_time"]
    assert "nonce" not in second
    assert answer_of(ask(emulator, http, scope=scope, prompt="none"))["code"]
    assert ask(emulator, http, scope=scope, prompt="consent").status_code == 200


def test_a_test_can_agree_for_the_user(emulator: Emulator, http: httpx.Client, user: User) -> None:
    emulator.hosted_login.consent(user, "openid offline_access")
    response = log_in(http, ask(emulator, http, scope="openid offline_access"))
    assert answer_of(response)["code"]


@pytest.mark.parametrize("ending", ["password", "sign_out", "removal", "lifetime", "lock"])
def test_a_session_that_has_ended_gives_nothing(
    emulator: Emulator, user: User, http: httpx.Client, ending: str
) -> None:
    consent = log_in(http, ask(emulator, http, prompt="consent"))
    code = authorize(emulator, http)["code"]
    if ending == "password":
        token = emulator.issue_tokens(user)["access_token"]
        body = {"oldPassword": PASSWORD, "newPassword": "new-passw0rd"}
        changed = http.post("/api/v3/update-password", json=body, headers={"authorization": token}).json()
        assert changed["statusCode"] == 200, changed
    elif ending == "sign_out":
        emulator.hosted_login.sign_out(user)
    elif ending == "removal":
        emulator.remove_user(user)
    elif ending == "lifetime":
        emulator.clock.advance(15 * 24 * 3600)
    else:
        emulator.lock_user(user)
    refused = send(http, consent, consent="accept")
    assert refused.status_code in {400, 403}
    error = answer_of(ask(emulator, http, prompt="none"))["error"]
    assert error == "login_required"
    if ending in {"password", "removal", "lock"}:
        assert exchange(emulator, http, code).json()["error"] == "invalid_grant"


def test_id_tokens_follow_the_rotation_of_keys() -> None:
    with Emulator(id_token_alg="RS256", clock=Clock()) as emulator:
        emulator.add_user(username="ada", password=PASSWORD)
        with httpx.Client(base_url=emulator.url, verify=False, trust_env=False) as http:
            old = exchange(emulator, http, authorize(emulator, http)["code"]).json()["id_token"]
            emulator.rotate_signing_key(keep_previous=False)
            new = exchange(emulator, http, authorize(emulator, http, id_token_hint=None)["code"]).json()["id_token"]
            keys: KeySet = KeySet.import_key_set(http.get("/oidc/.well-known/jwks.json").json())
            assert jwt.decode(new, keys, algorithms=["RS256"]).claims["nonce"] == "n-0S6_WzA2Mj"
            with pytest.raises(JoseError):
                jwt.decode(old, keys, algorithms=["RS256"])
            assert answer_of(ask(emulator, http, id_token_hint=new, prompt="none"))["code"]
            assert answer_of(ask(emulator, http, id_token_hint=old))["error"] == "invalid_request"


@pytest.mark.parametrize("how", ["unbind", "revoke-session"])
def test_signing_a_device_out_ends_the_session_of_its_browser(
    emulator: Emulator, user: User, http: httpx.Client, how: str
) -> None:
    http.headers["user-agent"] = "Browser of Ada"
    authorize(emulator, http)
    [device] = emulator.devices.of(user)
    assert (device.user_agent, device.online) == ("Browser of Ada", True)
    with httpx.Client(base_url=emulator.url, verify=False, trust_env=False) as other:
        authorize(emulator, other)
        token = emulator.issue_tokens(user)["access_token"]
        ended = other.post(f"/api/v3/mydevices/{how}", json={"deviceId": device.id}, headers={"authorization": token})
        assert ended.json()["statusCode"] == 200
        assert answer_of(ask(emulator, http, prompt="none"))["error"] == "login_required"
        assert answer_of(ask(emulator, other, prompt="none"))["code"]
