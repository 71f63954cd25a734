"""Public information: identity providers of applications, and countries."""

from __future__ import annotations

from typing import Any

import pytest

from genauth_async import AuthenticationClient
from genauth_async.emulator import Emulator
from genauth_async.errors import ApplicationNotFoundError
from tests.conftest import MakeClient

pytestmark = pytest.mark.anyio


async def test_connections_that_the_application_offers(emulator: Emulator, face: Any) -> None:
    other = emulator.add_app()
    github = emulator.ext_idps.add("my-github", type="github", name="GitHub")
    saml = emulator.ext_idps.add("work", type="saml", app_ids=[emulator.app_id])
    emulator.ext_idps.add("theirs", type="google", app_ids=[other.app_id])
    answer = await face.get_application_enabled_ext_idps()
    assert [(each.identifier, each.ext_idp_id, each.type, each.ext_idp_type, each.name) for each in answer.data] == [
        ("my-github", github.ext_idp_id, "github", "social", "GitHub"),
        ("work", saml.ext_idp_id, "saml", "enterprise", "work"),
    ]
    assert f"{emulator.url}/" in answer.data[0].bind_url
    assert "my-github" in answer.data[0].bind_url


async def test_an_unknown_application_offers_nothing(make_client: MakeClient) -> None:
    with pytest.raises(ApplicationNotFoundError):
        await make_client(app_id="unknown").get_application_enabled_ext_idps()


async def test_countries_have_codes_a_flag_and_names(face: Any) -> None:
    countries = (await face.get_country_list()).data
    by_code = {country.alpha2: country for country in countries}
    assert len(by_code) == len(countries) >= 30
    china = by_code["CN"]
    assert (china.alpha3, china.phone_country_code, china.flag) == ("CHN", "+86", "🇨🇳")
    assert {language: unit["value"] for language, unit in china["name"].items()} == {
        "zh-CN": "中国",
        "en-US": "China",
        "zh-TW": "中國",
        "ja-JP": "中国",
    }


async def test_country_codes_are_unique_and_names_complete(client: AuthenticationClient) -> None:
    countries: Any = (await client.get_country_list()).to_dict()["data"]
    assert len({country["alpha3"] for country in countries}) == len(countries)
    for country in countries:
        assert set(country) == {"alpha2", "alpha3", "phoneCountryCode", "flag", "name"}
        assert country["phoneCountryCode"].startswith("+")
        assert set(country["name"]) == {"zh-CN", "en-US", "zh-TW", "ja-JP"}
        assert all(unit["enabled"] is True and unit["value"] for unit in country["name"].values())
        assert len(country["flag"]) == 2
