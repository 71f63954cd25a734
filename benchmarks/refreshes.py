"""Token refreshes per second (RFC 6749 section 6)."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from . import async_clients, blocking_clients
from .async_clients import context_of
from .lab import Lab
from .worker import Measure

_CONTESTANTS: Final = {
    "genauth_async": "refreshes:ours",
    "authlib's AsyncOAuth2Client": "refreshes:authlib_client",
    "genauth_sync": "refreshes:ours_blocking",
    "msal": "refreshes:msal_application",
}
_REFRESH_TOKEN: Final = "a refresh token"  # noqa: S105


def compared(lab: Lab) -> None:
    """Compare refreshes one at a time, over https, which is all that msal does."""
    common = {"target": lab.target, "url": lab.target["https"], "at_once": 1, "seconds": lab.effort.seconds}
    runners = {name: partial(lab.start(worker).measure, **common) for name, worker in _CONTESTANTS.items()}
    lab.take_turns("refreshes, https, one at a time", runners, "/s")


def ours() -> Measure:
    """Measure a session of genauth_async."""

    def opened(target: dict[str, str], url: str) -> async_clients.Call:
        from genauth_async import AuthenticationClient

        client = AuthenticationClient(target["app_id"], url, target["app_secret"], verify=target["ca"])
        return client.session(_tokens()).refresh

    return async_clients.measure_calls(opened)


def authlib_client() -> Measure:
    """Measure authlib."""

    def opened(target: dict[str, str], url: str) -> async_clients.Call:
        from authlib.integrations.httpx_client import AsyncOAuth2Client

        client: Any = AsyncOAuth2Client(target["app_id"], target["app_secret"], verify=context_of(target))
        return partial(client.refresh_token, f"{url}/oidc/token", refresh_token=_REFRESH_TOKEN)

    return async_clients.measure_calls(opened)


def ours_blocking() -> Measure:
    """Measure a session of genauth_sync."""

    def opened(target: dict[str, str], url: str) -> blocking_clients.Call:
        from genauth_sync import AuthenticationClient

        client = AuthenticationClient(target["app_id"], url, target["app_secret"], verify=target["ca"])
        return client.session(_tokens()).refresh

    return blocking_clients.measure_calls(opened)


def msal_application() -> Measure:
    """Measure msal."""

    def opened(target: dict[str, str], url: str) -> blocking_clients.Call:
        import msal

        ca: Any = target["ca"]  # passed on to requests, which takes a path
        application: Any = msal.ConfidentialClientApplication(
            target["app_id"], client_credential=target["app_secret"], oidc_authority=f"{url}/oidc", verify=ca
        )

        def call() -> object:
            answer = application.acquire_token_by_refresh_token(_REFRESH_TOKEN, scopes=["email"])
            return answer["access_token"]

        return call

    return blocking_clients.measure_calls(opened)


def _tokens() -> dict[str, object]:
    return {
        "access_token": "an access token",
        "refresh_token": _REFRESH_TOKEN,
        "token_type": "Bearer",
        "expires_in": 3600,
    }
