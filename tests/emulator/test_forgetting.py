from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256

import httpx
import pytest
from attrs import frozen
from starlette.requests import Request
from starlette.responses import Response

from genauth_async.emulator import Emulator, User
from genauth_async.emulator.http.request_context import use_origin_of
from genauth_async.emulator.state.clock import Sweep
from genauth_async.emulator.state.grants import Grant
from genauth_async.emulator.state.hosted.browser_sessions import BrowserSession
from genauth_async.emulator.state.hosted.interactions import Plan
from genauth_async.emulator.state.state import State
from tests.emulator.emulator_types import Refresh
from tests.emulator.hosted_pages import authorize, exchange

MANY = 1100
LONG = 40 * 24 * 3600


def _grant(state: State) -> Grant:
    return state.grants.open("ada", state.default_app.app_id, "openid")


def _session(state: State) -> BrowserSession:
    return state.hosted_login.sessions.open("ada", user_agent="")


@frozen
class Kept:
    """Something that the emulator keeps; one and the same session, device or user has all of it."""

    state: State
    user: User
    session: BrowserSession

    def ticket(self) -> Mapping[str, object]:
        self.state.tickets.issue("mfa")
        return self.state.tickets._tickets

    def service_ticket(self) -> Mapping[str, object]:
        tickets = self.state.hosted_login.service_tickets
        tickets.issue(self.session, app_id="", service="", from_password=True)
        return tickets._tickets

    def code(self) -> Mapping[str, object]:
        codes = self.state.hosted_login.codes
        codes.issue(_grant(self.state), redirect_uri="", nonce=None, challenge=None)
        return codes._codes

    def used_code(self) -> Mapping[str, object]:
        codes = self.state.hosted_login.codes
        code = codes.issue(_grant(self.state), redirect_uri="", nonce=None, challenge=None)
        codes.redeem({"code": code, "redirect_uri": ""}, self.state.default_app.app_id, "oidc")
        return codes._codes

    def browser_session(self) -> Mapping[str, object]:
        _session(self.state)
        return self.state.hosted_login.sessions._sessions

    def grant_of_a_session(self) -> Mapping[str, object]:
        self.state.hosted_login.sessions.note(self.session, _grant(self.state))
        return self.session.grants

    def interaction(self) -> Mapping[str, object]:
        interactions = self.state.hosted_login.interactions
        interactions.begin(Plan(app_id="", title="", complete=_no_answer, deny=_no_answer), "login", browser=None)
        return interactions._interactions

    def qr_code(self) -> Mapping[str, object]:
        self.state.qr_codes.add(app_id="", scope="")
        return self.state.qr_codes._codes

    def switched_session(self) -> Mapping[str, object]:
        self.state.public_accounts.note(_grant(self.state), self.user)
        return self.state.public_accounts._sessions

    def grant_of_a_device(self) -> Mapping[str, object]:
        with use_origin_of(Request({"type": "http", "path": "/", "headers": [], "client": None})):
            self.state.devices.note(self.user, _grant(self.state))
        [device] = self.state.devices.of(self.user)
        return device.grants

    def grant(self) -> Mapping[str, object]:
        _grant(self.state)
        return self.state.grants._grants

    def refresh_token(self) -> Mapping[str, object]:
        self.state.grants.new_refresh_token(_grant(self.state))
        return self.state.grants._refresh_tokens


def _no_answer(*_session: object) -> Response:
    raise AssertionError("no request gets an answer here")


@pytest.mark.parametrize(
    "keep", [name for name in vars(Kept) if not name.startswith("_") and callable(vars(Kept)[name])]
)
def test_what_is_over_is_forgotten_and_nothing_else(keep: str) -> None:
    emulator = Emulator()
    kept = Kept(emulator._state, emulator.add_user(username="ada"), _session(emulator._state))
    add: Callable[[], Mapping[str, object]] = getattr(kept, keep)
    stores = [add() for _ in range(MANY)]
    assert len(stores[-1]) >= MANY
    emulator.clock.advance(LONG)
    stores = [add() for _ in range(MANY)]
    assert len(stores[-1]) == MANY


def test_an_expired_qr_code_is_remembered_for_an_hour() -> None:
    emulator = Emulator()
    codes = emulator.qr_codes
    first = codes.add(app_id="", scope="")
    emulator.clock.advance(codes.lifetime + 3599)
    for _ in range(MANY):
        codes.add(app_id="", scope="")
    assert codes.status(first.id) == "EXPIRED"


def test_access_tokens_are_forgotten_when_they_expire() -> None:
    emulator = Emulator(access_token_lifetime=10)
    user = emulator.add_user(username="ada")
    for _ in range(2):
        for _ in range(MANY):
            emulator.issue_tokens(user)
        emulator.clock.advance(100)
    assert len(emulator._state.grants._access_tokens) == MANY
    assert emulator.grants.alive == 2 * MANY  # their refresh tokens are good


def test_the_second_use_is_seen_as_long_as_the_grant_lives(emulator: Emulator, user: User, refresh: Refresh) -> None:
    first = emulator.issue_tokens(user)["refresh_token"]
    latest = first
    for _ in range(3):  # in which the first one expires, while each rotation keeps the grant alive
        emulator.clock.advance(20 * 24 * 3600)
        latest = refresh(latest).json()["refresh_token"]
    for _ in range(2 * MANY):
        emulator.grants.new_refresh_token(_grant(emulator._state))
    assert "used before" in refresh(first).json()["error_description"]
    assert refresh(latest).json()["error"] == "invalid_grant"
    assert (emulator.grants.revoked, emulator.grants.reused) == (1, 1)


@pytest.mark.usefixtures("user")
def test_reuse_of_a_code_is_detected_while_its_grant_lives(emulator: Emulator, http: httpx.Client) -> None:
    code = authorize(emulator, http)["code"]
    assert exchange(emulator, http, code).status_code == 200
    emulator.clock.advance(3600)
    for _ in range(2 * MANY):
        emulator._state.hosted_login.codes.issue(_grant(emulator._state), redirect_uri="", nonce=None, challenge=None)
    assert "used before" in exchange(emulator, http, code).json()["error_description"]
    assert emulator.grants.reused == 1


def test_revoked_grants_are_forgotten_but_counted(emulator: Emulator, user: User, refresh: Refresh) -> None:
    token = emulator.issue_tokens(user)["refresh_token"]
    refresh(token)
    refresh(token)
    emulator.revoke_grant(emulator.issue_tokens(user)["refresh_token"])
    for _ in range(2 * MANY):
        _grant(emulator._state)
    assert (emulator.grants.revoked, emulator.grants.reused, emulator.grants.alive) == (2, 1, 2 * MANY)
    assert len(emulator.grants) == 2 * MANY
    assert refresh(token).json()["error"] == "invalid_grant"


def test_a_grant_lives_as_long_as_its_code() -> None:
    emulator = Emulator(authorization_code_lifetime=60)
    grant = _grant(emulator._state)
    emulator.clock.advance(30)
    emulator._state.hosted_login.codes.issue(grant, redirect_uri="", nonce=None, challenge=None)
    emulator.clock.advance(59)
    assert emulator.grants.alive == 1
    emulator.clock.advance(1)
    assert emulator.grants.alive == 0


def test_applications_of_long_ago_are_still_listed(emulator: Emulator, user: User, http: httpx.Client) -> None:
    other = emulator.add_app()
    emulator.issue_tokens(user, app=other)
    emulator.clock.advance(LONG)
    for _ in range(2 * MANY):
        _grant(emulator._state)
    left, kept = emulator.add_app(), emulator.add_app()
    emulator.issue_tokens(user, app=kept)
    for app in (left, kept):
        emulator.revoke_grant(emulator.issue_tokens(user, app=app)["access_token"])
    headers = {"authorization": emulator.issue_tokens(user)["access_token"]}

    def active(path: str) -> dict[str, bool]:
        return {app["appId"]: app["active"] for app in http.get(path, headers=headers).json()["data"]}

    assert active("/api/v3/get-my-logged-in-apps") == active("/api/v3/get-my-accessible-apps")
    assert active("/api/v3/get-my-logged-in-apps") == {
        other.app_id: False,
        kept.app_id: True,
        left.app_id: False,
        emulator.app_id: True,
    }


def test_a_sweep_looks_only_when_there_is_much() -> None:
    looked: list[int] = []

    def is_over(number: int) -> bool:
        looked.append(number)
        return number < 3

    sweep, things = Sweep(4), dict(enumerate(range(3)))
    assert sweep(things, is_over) == []
    things |= {3: 3, 4: 4}
    assert (sweep(things, is_over), things) == ([0, 1, 2], {3: 3, 4: 4})
    things[5] = 5
    looked.clear()
    assert (sweep(things, is_over), looked) == ([], [])
    things |= dict.fromkeys(range(6, 12), 9)
    assert (sweep(things, is_over), len(things)) == ([], 9)  # now it waits for twice as many
    looked.clear()
    things |= dict.fromkeys(range(12, 20), 9)
    assert (sweep(things, is_over), looked) == ([], [])


def test_of_the_login_history_the_latest_part_is_kept(emulator: Emulator, user: User) -> None:
    with use_origin_of(Request({"type": "http", "path": "/", "headers": [], "client": None})):
        for number in range(10_001):
            emulator.login_history.note(user, str(number))
    records = emulator.login_history.of(user)
    assert (len(records), records[0].app_id, records[-1].app_id) == (10_000, "10000", "1")


def test_the_grants_tell_how_often_a_refresh_token_was_sent(
    emulator: Emulator, user: User, http: httpx.Client, refresh: Refresh
) -> None:
    def digest(token: str) -> str:
        return sha256(token.encode()).hexdigest()

    first = emulator.issue_tokens(user)["refresh_token"]
    bystander = emulator.issue_tokens(user)["refresh_token"]
    [grant, other] = emulator.grants
    assert emulator.grants.presented() == {digest(first): 0, digest(bystander): 0}
    second = refresh(first).json()["refresh_token"]
    assert emulator.grants.presented(grant) == {digest(first): 1, digest(second): 0}
    stranger = emulator.add_app()
    form = {"grant_type": "refresh_token", "refresh_token": second}
    client = {"client_id": stranger.app_id, "client_secret": stranger.app_secret}
    assert http.post("/oidc/token", data=form | client).status_code == 400
    refresh("unknown")
    assert emulator.grants.presented(grant) == {digest(first): 1, digest(second): 0}
    refresh(first)  # reuse
    refresh(second)  # revoked by it
    assert emulator.grants.presented(grant) == {digest(first): 2, digest(second): 1}
    assert emulator.grants.presented(other) == {digest(bystander): 0}
    assert (grant.reused, other.reused, emulator.grants.reused) == (True, False, 1)


def test_a_revoked_grant_was_not_reused(emulator: Emulator, user: User, refresh: Refresh) -> None:
    token = emulator.issue_tokens(user)["refresh_token"]
    refresh(token)
    emulator.revoke_grant(token)
    refresh(token)
    assert (emulator.grants.revoked, emulator.grants.reused) == (1, 0)


@pytest.mark.usefixtures("user")
@pytest.mark.parametrize("revoked", [False, True])
def test_a_grant_is_reused_if_that_is_what_ended_it(emulator: Emulator, http: httpx.Client, revoked: bool) -> None:
    code = authorize(emulator, http)["code"]
    token = exchange(emulator, http, code).json()["access_token"]
    if revoked:
        emulator.revoke_grant(token)
    for _ in range(2):
        assert exchange(emulator, http, code).status_code == 400
    assert (emulator.grants.revoked, emulator.grants.reused) == (1, 0 if revoked else 1)
