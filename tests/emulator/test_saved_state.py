"""Saved states: an emulator that goes on where another one stopped."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import fields

from genauth_async.emulator import Emulator, SavedStateError, User
from genauth_async.errors import InvalidGrantError
from genauth_sync import AuthenticationClient

EXAMPLE = Path(__file__).parents[2] / "docs" / "emulator-seed.toml"


def client_of(emulator: Emulator) -> AuthenticationClient:
    return AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.json"


@pytest.mark.parametrize("algorithm", ["HS256", "RS256"])
def test_a_later_emulator_goes_on_with_the_tokens(path: Path, algorithm: Any) -> None:
    with Emulator(id_token_alg=algorithm) as first:
        ada = first.add_user(username="ada", password="passw0rd")
        old = first.issue_tokens(ada)
        first.save(path)
    with Emulator.load(path) as second, client_of(second) as client:
        assert (second.url, second.app_id, second.app_secret) == (first.url, first.app_id, first.app_secret)
        assert client.verify_access_token(old["access_token"]).sub == ada.id
        assert client.verify_id_token(old["id_token"]).sub == ada.id
        assert client.introspect_token(old["access_token"]).active
        headers = {"authorization": f"Bearer {old['access_token']}"}
        assert httpx.get(f"{second.url}/oidc/me", headers=headers, trust_env=False).json()["sub"] == ada.id
        refreshed = client.get_new_access_token_by_refresh_token(old["refresh_token"])
        assert refreshed.access_token != old["access_token"]
        with pytest.raises(InvalidGrantError, match="used before"):
            client.get_new_access_token_by_refresh_token(old["refresh_token"])
        assert second.grants.reused == 1
        assert client.sign_in_by_username_password("ada", "passw0rd").status_code == 200


def test_what_was_seeded_outlives_a_restart(path: Path) -> None:
    first = Emulator.from_seed(EXAMPLE)
    first.hosted_login.consent(first.find_user(username="ada"), "openid email")
    first.factors.offered = ("OTP", "EMAIL")
    first.hosted_login.name_cas_users("${user.email}")
    account = first.access_accounts.add(scopes=["book:*"], lifetime=60)
    first.save(path)
    second = Emulator.load(path)
    old, new = first._state, second._state
    assert old.settings == new.settings
    assert old.account_rules == new.account_rules
    assert old.apps == new.apps
    assert old.default_app == new.default_app
    assert old.captchas.required_after == new.captchas.required_after
    assert [describe(user) for user in old.users] == [describe(user) for user in new.users]
    assert old.hosted_login.redirects.by_app() == new.hosted_login.redirects.by_app()
    assert old.hosted_login.logout_redirects.by_app() == new.hosted_login.logout_redirects.by_app()
    assert new.access_accounts.find(account.access_key) == account
    assert new.hosted_login.cas_usernames() == {first.app_id: "${user.email}"}
    ada = second.find_user(username="ada")
    assert new.hosted_login.has_consented(ada.id, "email", app_id=second.app_id)
    assert [role.code for role in second.access.roles_of(ada)] == ["admin", "reader"]
    assert second.factors.totp_for(ada) == first.factors.totp_for(first.find_user(username="ada"))
    assert second.factors.offered == ("OTP", "EMAIL")
    assert second.inbox.fixed_codes() == first.inbox.fixed_codes()
    second.save(path.with_name("again.json"))
    assert json.loads(path.read_bytes()) == json.loads(path.with_name("again.json").read_bytes())


@pytest.mark.parametrize("refresh_tokens", ["rotate", "rotate_with_grace"])
def test_a_used_refresh_token_stays_used(path: Path, refresh_tokens: Any) -> None:
    with Emulator(refresh_tokens=refresh_tokens) as first, client_of(first) as client:
        old = first.issue_tokens(first.add_user(username="ada"))["refresh_token"]
        client.get_new_access_token_by_refresh_token(old)
        account = first.access_accounts.add()
        machine = client.get_access_token_by_client_credentials("read", account.access_key, account.access_secret)
        first.save(path)
    with Emulator.load(path) as second, client_of(second) as client:
        answer = client.introspect_token(machine.access_token)
        assert (answer.active, answer.sub) == (True, None)
        if refresh_tokens == "rotate_with_grace":
            client.get_new_access_token_by_refresh_token(old)
            second.clock.advance(60)
        with pytest.raises(InvalidGrantError, match="used before"):
            client.get_new_access_token_by_refresh_token(old)


def describe(user: User) -> dict[str, object]:
    return {attribute.name: getattr(user, attribute.name) for attribute in fields(User)}


def test_the_clock_and_the_keys_go_on(path: Path) -> None:
    first = Emulator(url="https://login.test")
    first.rotate_signing_key()
    first.rotate_signing_key(keep_previous=True)
    first.rotate_keys()
    first.clock.advance(3600)
    first.save(path)
    second = Emulator.load(path)
    assert second.url == "https://login.test"
    assert second._state.signing_keys.jwks() == first._state.signing_keys.jwks()
    assert second._state.password_keys.public() == first._state.password_keys.public()
    assert abs(second.clock.now() - first.clock.now()) < 3000
    assert Emulator.load(path, url="http://other.test", port=1).url == "http://other.test"


def test_a_fresh_emulator_can_be_saved(path: Path) -> None:
    Emulator().save(path)
    with Emulator.load(path) as emulator:
        assert emulator.issue_tokens(emulator.add_user(username="ada"))["access_token"]


def test_a_removed_user_stays_removed(path: Path) -> None:
    with Emulator() as first:
        token = first.issue_tokens(user := first.add_user(username="ada"))["access_token"]
        first.hosted_login.consent(user, "openid")
        first.remove_user(user)
        first.save(path)
    with Emulator.load(path) as second:
        headers = {"authorization": f"Bearer {token}"}
        assert httpx.get(f"{second.url}/oidc/me", headers=headers, trust_env=False).status_code == 401


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_only_its_owner_may_read_the_file(path: Path) -> None:
    path.write_text("old", encoding="utf-8")
    path.chmod(0o644)
    Emulator().save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["state.json"]


def test_a_link_stays_and_leads_to_the_new_state(path: Path) -> None:
    link = path.with_name("link.json")
    path.write_text("old", encoding="utf-8")
    link.symlink_to(path)
    Emulator().save(link)
    assert link.is_symlink()
    Emulator.load(path)


def test_a_failed_save_keeps_the_file(path: Path) -> None:
    emulator = Emulator()
    emulator.save(path)
    before = path.read_bytes()
    emulator.add_user(username="ada", custom_data={"when": object()})
    with pytest.raises(SavedStateError, match=r"state\.json: the state cannot be written, as JSON cannot hold it"):
        emulator.save(path)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["state.json"]
    with pytest.raises(SavedStateError, match="cannot be written: No such file"):
        Emulator().save(path.parent / "missing" / "state.json")


DAMAGES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another format": (lambda d: d.update(format="other"), "is no state of an emulator"),
    "a list": (lambda d: d, "is no state of an emulator"),
    "a newer version": (lambda d: d.update(version=2), "of version 2, and this emulator reads version 1"),
    "no version": (lambda d: d.pop("version"), "of version None"),
    "no users": (lambda d: d.pop("users"), "damaged"),
    "a further table": (lambda d: d.update(more=1), "damaged"),
    "a user without a name": (lambda d: d["users"][0].update(username=None, email=None, phone=None), "damaged"),
    "a user twice": (lambda d: d["users"].append(d["users"][0]), "damaged"),
    "a user of another type": (lambda d: d["users"][0].update(username=5), "damaged"),
    "a flag of another type": (lambda d: d["users"][0].update(mfa_required="no"), "damaged"),
    "a setting that is unknown": (lambda d: d["settings"].update(colour=1), "damaged"),
    "a setting out of range": (lambda d: d["settings"].update(access_token_lifetime=0), "damaged"),
    "a grant of another application": (lambda d: d["grants"][0].update(app_id="x"), "damaged"),
    "a token of another grant": (lambda d: next(iter(d["access_tokens"].values())).update(grant="x"), "damaged"),
    "no applications": (lambda d: d.update(apps=[]), "damaged"),
    "a role of another user": (lambda d: d["memberships"].update(assigned=[["x", "y"]]), "damaged"),
    "a broken signing key": (lambda d: d["signing_keys"][0].update(n="x"), "damaged"),
    "a public signing key": (lambda d: d["signing_keys"][0].pop("d"), "damaged"),
    "a broken password key": (lambda d: d.update(password_keys={"rsa": "x"}), "damaged"),
    "a broken address": (lambda d: d.update(redirects={"x": ["y"]}), "damaged"),
    "null": (lambda d: d.update(grants=None), "damaged"),
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> str:
    emulator = Emulator()
    emulator.issue_tokens(emulator.add_user(username="ada", password="geheim"))
    path = tmp_path_factory.mktemp("state") / "state.json"
    emulator.save(path)
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_file_is_refused_by_name(name: str, path: Path, saved: str) -> None:
    damage, message = DAMAGES[name]
    document = json.loads(saved)
    damage(document)
    path.write_text(json.dumps([document] if name == "a list" else document), encoding="utf-8")
    with pytest.raises(SavedStateError, match=message) as caught:
        Emulator.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "another file" in str(caught.value)
    assert "geheim" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("share", [0, 0.3, 0.99])
def test_a_file_that_was_cut_off_is_damaged(share: float, path: Path, saved: str) -> None:
    path.write_text(saved[: int(len(saved) * share)], encoding="utf-8")
    with pytest.raises(SavedStateError, match="damaged"):
        Emulator.load(path)


def test_bytes_that_are_no_text_are_damaged(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SavedStateError, match="damaged"):
        Emulator.load(path)


def test_a_missing_file_is_named(path: Path) -> None:
    with pytest.raises(SavedStateError, match=r"state\.json: the state cannot be read: No such file"):
        Emulator.load(path)
