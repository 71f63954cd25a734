"""The versions and public keys of the server, its identity providers, and countries."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..http.replies import success
from ..http.request_context import require_known_app
from ..http.routes import Routes
from ..state.countries import COUNTRIES, Country
from ..state.ext_idps import LINK_PATH
from ..state.state import State

_VERSION = {"server": "emulator", "console": "emulator", "login": "emulator"}


async def get_system_info(state: State, _request: Request) -> Response:
    """Return versions and keys: inside an envelope, or bare."""
    keys = await run_in_threadpool(state.password_keys.public)
    info = {
        "rsa": {"publicKey": keys["rsa"]},
        "sm2": {"publicKey": keys["sm2"]},
        "version": _VERSION,
        "publicIps": ["127.0.0.1"],
    }
    return success(info) if state.wrap_system else JSONResponse(info)


async def application_enabled_ext_idps(state: State, request: Request) -> Response:
    """List the connections to external identity providers that the calling application offers."""
    app_id = require_known_app(state, request) or state.default_app.app_id
    return success(
        [
            {
                "identifier": each.identifier,
                "extIdpId": each.ext_idp_id,
                "type": each.type,
                "extIdpType": each.kind,
                "bindUrl": _bind_url(state, each.identifier, app_id),
                "name": each.name,
            }
            for each in state.ext_idps.enabled_in(app_id)
        ]
    )


async def country_list(state: State, request: Request) -> Response:
    """List countries with their phone country codes."""
    require_known_app(state, request)
    return success([_country(country) for country in COUNTRIES])


def _bind_url(state: State, identifier: str, app_id: str) -> str:
    return f"{state.url}{LINK_PATH}?{urlencode({'ext_idp_conn_identifier': identifier, 'app_id': app_id})}"


def _country(country: Country) -> dict[str, object]:
    names = {"zh-CN": country.zh_cn, "en-US": country.en_us, "zh-TW": country.zh_tw, "ja-JP": country.ja_jp}
    return {
        "alpha2": country.alpha2,
        "alpha3": country.alpha3,
        "phoneCountryCode": country.phone_country_code,
        "flag": country.flag,
        "name": {language: {"enabled": True, "value": name} for language, name in names.items()},
    }


ROUTES: Routes = {
    "/api/v3/get-application-enabled-extidps": {"GET": application_enabled_ext_idps},
    "/api/v3/get-country-list": {"GET": country_list},
    "/api/v3/system": {"GET": get_system_info},
}
