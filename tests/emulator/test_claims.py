"""The claims of ID tokens, userinfo and CAS, beside the vendor's samples."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from base64 import urlsafe_b64decode
from typing import Any, Literal

import httpx
import pytest

from genauth_async import AuthenticationClient
from genauth_async.emulator import Emulator, User
from tests.emulator.emulator_types import Json
from tests.emulator.hosted_pages import PASSWORD, id_claims, log_in

SCOPES = "openid profile email phone address username external_id unionid"
SERVICE = "http://127.0.0.1:5000/cas"
PROFILE = {
    "birthdate",
    "family_name",
    "gender",
    "given_name",
    "locale",
    "middle_name",
    "name",
    "nickname",
    "picture",
    "preferred_username",
    "profile",
    "updated_at",
    "website",
    "zoneinfo",
}


@pytest.fixture
def stranger(emulator: Emulator) -> User:
    """A user of whom almost nothing is known."""
    return emulator.add_user(sam_account_name="n.n")


def user_info(http: httpx.Client, token: str) -> Json:
    info: Json = http.get("/oidc/me", headers={"authorization": f"Bearer {token}"}).json()
    return info


def test_claims_that_are_unset_are_null(emulator: Emulator, http: httpx.Client, stranger: User) -> None:
    issued = emulator.issue_tokens(stranger, scope=SCOPES)
    id_token = id_claims(emulator, issued["id_token"])
    protocol = {"iss", "aud", "exp", "iat", "at_hash"}
    info = user_info(http, issued["access_token"])
    assert {name: value for name, value in id_token.items() if name not in protocol} == info
    assert set(info) == {
        *PROFILE,
        *("sub", "username", "email", "email_verified", "phone_number", "phone_number_verified"),
        *("address", "external_id", "unionid"),
    }
    assert info.pop("address") == {"country": None, "formatted": None, "postal_code": None, "region": None}
    assert info.pop("picture").startswith("https://files.authing.co/")
    assert info.pop("updated_at").endswith("Z")
    known = {name: value for name, value in info.items() if value is not None}
    assert known == {"sub": stranger.id, "gender": "U", "email_verified": False, "phone_number_verified": False}


@pytest.mark.parametrize(
    ("scope", "names"),
    [
        ("openid", set()),
        ("openid profile", PROFILE),
        ("openid email", {"email", "email_verified"}),
        ("openid phone", {"phone_number", "phone_number_verified"}),
        ("openid address", {"address"}),
        ("openid username", {"username"}),
        ("openid external_id unionid", {"external_id", "unionid"}),
        ("openid extended_fields", set()),
    ],
)
def test_a_scope_opens_its_claims_only(
    emulator: Emulator, http: httpx.Client, stranger: User, scope: str, names: set[str]
) -> None:
    token = emulator.issue_tokens(stranger, scope=scope)["access_token"]
    assert set(user_info(http, token)) == names | {"sub"}


def test_what_is_known_is_told(emulator: Emulator, http: httpx.Client) -> None:
    profile = {"gender": "F", "photo": "https://a.example/p", "country": "CN", "externalId": "7", "postalCode": "1"}
    user = emulator.add_user(username="ada", email="ada@example.com", profile=profile)
    info = user_info(http, emulator.issue_tokens(user, scope=SCOPES)["access_token"])
    assert (info["gender"], info["picture"], info["external_id"]) == ("F", "https://a.example/p", "7")
    assert info["address"] == {"country": "CN", "formatted": None, "postal_code": "1", "region": None}
    assert (info["email"], info["email_verified"], info["preferred_username"]) == ("ada@example.com", True, "ada")


def test_custom_data_are_claims_of_their_own(emulator: Emulator, http: httpx.Client) -> None:
    user = emulator.add_user(username="ada", custom_data={"KEY": "VALUE", "sub": "other", "name": "x", "iss": "y"})
    issued = emulator.issue_tokens(user, scope="openid profile extended_fields")
    id_token = id_claims(emulator, issued["id_token"])
    for claims in (id_token, user_info(http, issued["access_token"])):
        assert (claims["KEY"], claims["sub"], claims["name"]) == ("VALUE", user.id, None)
    assert id_token["iss"] == emulator.issuer
    assert "KEY" not in user_info(http, emulator.issue_tokens(user)["access_token"])


@pytest.mark.anyio
@pytest.mark.parametrize("algorithm", ["HS256", "RS256"])
async def test_the_sdk_reads_null_claims(algorithm: Literal["HS256", "RS256"]) -> None:
    with Emulator(id_token_alg=algorithm) as emulator:
        user = emulator.add_user(sam_account_name="n.n")
        issued = emulator.issue_tokens(user, scope=SCOPES)
        header: dict[str, Any] = json.loads(urlsafe_b64decode(issued["id_token"].partition(".")[0] + "=="))
        assert ("kid" in header) == (algorithm == "RS256")
        async with AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret) as client:
            claims = await client.verify_id_token(issued["id_token"])
            info = await client.get_user_info_by_access_token(issued["access_token"])
        assert (claims.sub, claims.email, info.sub, info.email) == (user.id, None, user.id, None)


def test_discovery_names_every_claim(emulator: Emulator, http: httpx.Client, stranger: User) -> None:
    document = http.get("/oidc/.well-known/openid-configuration").json()
    supported = document["claims_supported"]
    assert len(supported) == len(set(supported))
    issued = emulator.issue_tokens(stranger, scope=" ".join(document["scopes_supported"]))
    assert set(id_claims(emulator, issued["id_token"])) | {"nonce", "auth_time"} == set(supported)


def ticket_of(emulator: Emulator, http: httpx.Client) -> dict[str, str]:
    page = http.get(f"/cas-idp/{emulator.app_id}", params={"service": SERVICE, "renew": "true"})
    location = httpx.URL(log_in(http, page).headers["location"])
    return {"ticket": location.params["ticket"], "service": SERVICE}


@pytest.mark.usefixtures("user")
def test_attributes_of_cas_are_the_claims(emulator: Emulator, http: httpx.Client) -> None:
    path = f"/cas-idp/{emulator.app_id}/serviceValidate"
    answer = http.get(path, params=ticket_of(emulator, http) | {"format": "JSON"}).json()
    attributes = answer["serviceResponse"]["authenticationSuccess"]["attributes"]
    assert (attributes["birthdate"], attributes["gender"], attributes["unionid"]) == (None, "U", None)
    text = http.get(path, params=ticket_of(emulator, http)).text
    assert "None" not in text
    in_xml = {element.tag.partition("}")[2]: element for element in ET.fromstring(text).iter()}
    assert set(attributes) <= set(in_xml)
    assert (in_xml["birthdate"].text, in_xml["username"].text, in_xml["email_verified"].text) == (None, "ada", "true")
    assert [child.tag.partition("}")[2] for child in in_xml["address"]] == list(attributes["address"])


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("${user.username}", "ada"),
        ("${user.email}", "ada@example.com"),
        ("${user.phone}@${user.username}", "13800000000@ada"),
        ("u-${user.name}", "u-Ada"),
        ("${user.givenName}", None),
        ("${user.password}", None),
        ("fixed", "fixed"),
    ],
)
def test_cas_names_users_by_a_template(
    emulator: Emulator, user: User, http: httpx.Client, template: str, name: str | None
) -> None:
    emulator.hosted_login.name_cas_users("wrong", app_id=emulator.add_app().app_id)
    emulator.hosted_login.name_cas_users(template)
    answer = http.get(f"/cas-idp/{emulator.app_id}/validate", params=ticket_of(emulator, http)).text
    assert answer == f"yes\n{name or user.id}\n"
    assert PASSWORD not in answer
