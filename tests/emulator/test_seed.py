"""Seed files: all of the example is loaded, and a mistake is named by file, table and key."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from attrs import fields

from genauth_async.emulator import Emulator, SeedError
from genauth_async.emulator import seed as seeds
from genauth_async.emulator.state.settings import AccountRules
from genauth_async.errors import AccountLockedError
from genauth_sync import AuthenticationClient

EXAMPLE = Path(__file__).parents[2] / "docs" / "emulator-seed.toml"


def test_the_example_shows_every_key() -> None:
    document: dict[str, Any] = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    assert set(document) == {*seeds._TABLES, "passcodes"}
    for kind, cls in seeds._TABLES.items():
        tables = document[kind] if isinstance(document[kind], list) else [document[kind]]
        shown = {key for table in tables for key in table}
        assert shown == set(get_type_hints(cls)), kind


def test_the_defaults_of_the_example_are_those_of_the_emulator() -> None:
    given = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    apart = {"show_users", "captcha_after_failures"}
    defaults = Emulator.__init__.__kwdefaults__
    settings = {key: value for key, value in given["settings"].items() if key not in apart}
    assert defaults is not None
    assert settings == {key: defaults[key] for key in settings}
    assert given["account_rules"] == {rule.name: rule.default for rule in fields(AccountRules)}


def test_the_example_is_loaded_whole() -> None:
    with Emulator.from_seed(EXAMPLE) as emulator:
        state, shop = emulator._state, "5ca765e393194d5891db1927"
        assert emulator.app_id == shop
        assert state.default_app.name == "My shop"
        assert state.default_app.introspection_endpoint_auth_method == "client_secret_basic"
        assert state.apps["6ca765e393194d5891db1928"].token_endpoint_auth_method == "none"
        assert state.hosted_login.redirects.allow("https://shop.example.com/callback", shop)
        assert not state.hosted_login.redirects.allow("http://localhost:3000/", shop)
        assert state.hosted_login.logout_redirects.allow("http://localhost:3000/", shop)
        ada = emulator.find_user(username="ada")
        assert (ada.id, ada.email, ada.phone) == ("6ca765e393194d5891db19aa", "ada@example.com", "13800000000")
        assert (ada.sam_account_name, ada.name, ada.nickname) == ("ada.l", "Ada Lovelace", "Ada")
        assert ada.profile["givenName"] == "Ada"
        assert ada.custom_data == {"plan": "gold", "seats": 3}
        assert ada.identities == [{"provider": "github", "userIdInIdp": "4711"}]
        assert [role.code for role in emulator.access.roles_of(ada)] == ["admin", "reader"]
        assert [group.code for group in emulator.access.groups_of(ada)] == ["staff"]
        assert [factor.type for factor in emulator.factors.of(ada)] == ["OTP", "SMS", "EMAIL"]
        assert emulator.factors.of(ada)[0].secret == "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
        assert emulator.factors.totp_for(ada).isdecimal()
        assert emulator.find_user(username="second-factor").mfa_required
        assert emulator.find_user(username="reset").password_reset_required
        assert emulator.find_user(username="expired").password_expired
        assert state.settings.show_users
        assert emulator.captchas.required_after == 3
        with AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret) as client:
            with pytest.raises(AccountLockedError):
                client.sign_in_by_username_password("locked", "passw0rd")
            client.send_email(email="ada@example.com", channel="CHANNEL_LOGIN")
            assert client.sign_in_by_email_passcode("ada@example.com", "123456").status_code == 200


def test_a_seed_may_be_a_mapping() -> None:
    emulator = Emulator.from_seed({"users": [{"username": "ada"}], "settings": {"access_token_lifetime": 7}})
    assert emulator.issue_tokens(emulator.find_user(username="ada"))["expires_in"] == 7


MISTAKES = {
    "user = 1": "unknown key 'user'; did you mean 'users'?",
    "[setings]": "unknown key 'setings'; did you mean 'settings'?",
    "[[settings]]": "settings must be a table, [settings], not several tables",
    "settings = 3": "settings must be a table, [settings], not a number",
    "[users]\nusername='ada'": "users must be tables, [[users]] each, not a table",
    "users = [1]": "[[users]] 1: must be a table, not a number",
    "[settings]\naccess_token_lifetme = 1": "[settings]: unknown key 'access_token_lifetme'; did you mean "
    "'access_token_lifetime'?",
    "[settings]\naccess_token_lifetime = '1h'": "[settings]: access_token_lifetime must be a whole number, not a text",
    "[settings]\naccess_token_lifetime = 1.5": "[settings]: access_token_lifetime must be a whole number, not a number",
    "[settings]\naccess_token_lifetime = true": "access_token_lifetime must be a whole number, not true or false",
    "[settings]\naccess_token_lifetime = 0": "[settings]: access_token_lifetime must be a whole number, at least 1",
    "[settings]\nid_token_alg = 'ES256'": "[settings]: id_token_alg must be 'HS256' or 'RS256', not 'ES256'",
    "[settings]\nrefresh_tokens = ['same']": "[settings]: refresh_tokens must be 'rotate' or",
    "[settings]\nshow_users = 1": "[settings]: show_users must be true or false, not a number",
    "[account_rules]\nmin_password_length = -1": "[account_rules]: min_password_length must be a whole number",
    "[account_rules]\nsign_up = true": "[account_rules]: unknown key 'sign_up'; did you mean 'sign_up_enabled'?",
    "[[applications]]\nname='Shop'\nauth_method = 'none'": "[[applications]] 1 (Shop): unknown key 'auth_method'; "
    "did you mean 'token_endpoint_auth_method'?",
    "[[applications]]\ntoken_endpoint_auth_method = 'basic'": "token_endpoint_auth_method must be 'client_secret_post'",
    "[[applications]]\nredirect_uris = 'http://a.b/'": "redirect_uris must be a list of texts, not a text",
    "[[applications]]\nredirect_uris = ['a.b']": "[[applications]] 1: redirect_uris: uri must be an absolute URI",
    "[[applications]]\nlogout_redirect_uris = [1]": "logout_redirect_uris must be a list of texts, not a list",
    "[[applications]]\nid='a'\n[[applications]]\nid='a'": "[[applications]] 2 (a): there is an application a already",
    "[[users]]\nusername='ada'\npasword='geheim'": "[[users]] 1 (ada): unknown key 'pasword'; did you mean 'password'?",
    "[[users]]\nusername='ada'\npassword=4711": "[[users]] 1 (ada): password must be a text in quotes, not a number",
    "[[users]]\nphone=13800000000": "phone must be a text in quotes, not a number",
    "[[users]]\npassword='geheim'": "[[users]] 1: a user needs a username",
    "[[users]]\nusername='ada'\nlocked='no'": "[[users]] 1 (ada): locked must be true or false, not a text",
    "[[users]]\nusername='ada'\nprofile={a='b'}": "[[users]] 1 (ada): the API has no profile field 'a'",
    "[[users]]\nusername='ada'\nprofile={gender=1}": "[[users]] 1 (ada): profile must be a table of texts, not a table",
    "[[users]]\nusername='ada'\ncustom_data={a=2020-01-01}": "[[users]] 1 (ada): custom_data has a value that JSON",
    "[[users]]\nusername='ada'\ncustom_data={a=nan}": "[[users]] 1 (ada): custom_data has a value that JSON",
    "[[users]]\nusername='ada'\nidentities=['x']": "[[users]] 1 (ada): identities must be a list of tables",
    "[[users]]\nusername='ada'\nroles=['admn']\n[[roles]]\ncode='admin'": "[[users]] 1 (ada): roles: there is no role "
    "'admn'; did you mean 'admin'?",
    "[[users]]\nusername='ada'\ngroups=['staff']": "[[users]] 1 (ada): groups: there is no group 'staff'; there are",
    "[[users]]\nusername='ada'\nsecond_factors=['TOTP']": "second_factors: there is no second factor 'TOTP'; did you "
    "mean 'OTP'?",
    "[[users]]\nusername='ada'\nsecond_factors=['SMS']": "[[users]] 1 (ada): second_factors: the user has no address",
    "[[users]]\nusername='ada'\nsecond_factors=['OTP', 'OTP']": "[[users]] 1 (ada): second_factors: a factor of type",
    "[[users]]\nusername='ada'\ntotp_secret='ABC'": "[[users]] 1 (ada): totp_secret is of use with second_factors",
    "[[users]]\nusername='ada'\nsecond_factors=['OTP']\ntotp_secret='1'": "totp_secret must be in base32",
    "[[users]]\nusername='ada'\n[[users]]\nusername='ada'": "[[users]] 2 (ada): there is a user with the username ada",
    "[[users]]\nemail='a@b.c'\n[[users]]\nemail='A@b.c'": "[[users]] 2 (A@b.c): there is a user with the email a@b.c",
    "[[users]]\nphone='1'\n[[users]]\nusername='1'": "[[users]] 2 (1): there is a user with the username 1 already",
    "[[users]]\nid='1'\nusername='a'\n[[users]]\nid='1'\nusername='b'": "[[users]] 2 (b): there is a user with the id",
    "[[roles]]\nname='Admin'": "[[roles]] 1 (Admin): code is missing",
    "[[roles]]\ncode='a'\n[[roles]]\ncode='a'": "[[roles]] 2 (a): there is a role a in default already",
    "[[roles]]\ncode='a/b'": "[[roles]] 1 (a/b): a code must be a text without a slash",
    "[[groups]]\ncode='a'\nroles=['b']": "[[groups]] 1 (a): roles: there is no role 'b'",
    "[passcodes]\n'a@b.c' = 123456": "[passcodes]: 'a@b.c' must be a text in quotes, not a number",
    "[passcodes]\n'a@b.c' = ''": "[passcodes]: 'a@b.c' must be a text in quotes, not an empty text",
    "[passcodes.ada]\ncode = '1'": "[passcodes]: 'ada' must be a text in quotes, not a table",
    "[users": "is not TOML: ",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_named_by_file_table_and_key(text: str, tmp_path: Path) -> None:
    path = tmp_path / "seed.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SeedError, match=re.escape(f"{path}: ")) as caught:
        Emulator.from_seed(path)
    message = str(caught.value).removeprefix(f"{path}: ")
    assert MISTAKES[text] in message
    assert message.startswith((MISTAKES[text][:8], "["))
    assert "geheim" not in message
    assert "4711" not in message


def test_a_seed_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "none.toml"
    with pytest.raises(SeedError, match=re.escape(f"{missing}: cannot be read: No such file")):
        Emulator.from_seed(missing)
    with pytest.raises(SeedError, match="cannot be read"):
        Emulator.from_seed(tmp_path)
    (tmp_path / "latin.toml").write_bytes("name = 'é'".encode("latin-1"))
    with pytest.raises(SeedError, match="UTF-8"):
        Emulator.from_seed(tmp_path / "latin.toml")
    with pytest.raises(SeedError, match=r"the seed: \[\[users\]\] 1: unknown key 'nme'"):
        Emulator.from_seed({"users": [{"nme": "x"}]})


@pytest.mark.parametrize("name", ["access_token_lifetime", "pass_code_attempts", "max_password_failures"])
@pytest.mark.parametrize("value", [0, -1, True, 1.5, "1", None])
def test_settings_are_checked_at_the_constructor_too(name: str, value: object) -> None:
    options: dict[str, Any] = {name: value}
    with pytest.raises(ValueError, match=f"{name} must be a whole number, at least 1, not"):
        Emulator(**options)
