"""Asynchronous sign-in clients: this SDK and hand-written ones."""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

from .load import rate
from .worker import Measure

if TYPE_CHECKING:
    import httpx
    import httpx2

Call: TypeAlias = Callable[[], Awaitable[object]]
_SECONDS = 60.0  # limit of a call; only the slowest clients come near it


def ours_over_aiohttp() -> Measure:
    """Measure this SDK with the extra `aiohttp`."""
    import aiohttp  # noqa: F401 - without it this would measure the other carrier

    return measure_calls(our_sign_in)


def ours_without_aiohttp() -> Measure:
    """Measure this SDK without that extra."""
    hide_aiohttp()
    return measure_calls(our_sign_in)


def hide_aiohttp() -> None:
    """Make aiohttp look uninstalled to this process; call this before genauth_async is imported."""
    sys.modules["aiohttp"] = None  # type: ignore[assignment]


def httpx_client() -> Measure:
    """Measure a default httpx.AsyncClient."""
    import httpx

    def opened(target: dict[str, str], url: str) -> Call:
        return _sign_in_by(httpx.AsyncClient(verify=context_of(target), timeout=_SECONDS), target, url)

    return measure_calls(opened)


def httpx2_client() -> Measure:
    """Measure a default httpx2.AsyncClient."""
    import httpx2

    def opened(target: dict[str, str], url: str) -> Call:
        return _sign_in_by(httpx2.AsyncClient(verify=context_of(target), timeout=_SECONDS), target, url)

    return measure_calls(opened)


def aiohttp_session() -> Measure:
    """Measure a default aiohttp.ClientSession."""
    return measure_calls(aiohttp_sign_in)


def context_of(target: dict[str, str]) -> ssl.SSLContext:
    """Build a hand-written client's TLS context."""
    return ssl.create_default_context(cafile=target["ca"])


def sign_in_body(target: dict[str, str]) -> dict[str, object]:
    """Build the body that every client sends."""
    return {
        "connection": "PASSWORD",
        "passwordPayload": {"password": target["password"], "account": target["account"]},
        "client_id": target["app_id"],
        "client_secret": target["app_secret"],
    }


def our_sign_in(target: dict[str, str], url: str, encrypt_type: str | None = None) -> Call:
    """Open a client of this SDK that signs in."""
    from genauth_async import AuthenticationClient

    client = AuthenticationClient(target["app_id"], url, target["app_secret"], verify=target["ca"], timeout=_SECONDS)
    options = None if encrypt_type is None else {"passwordEncryptType": encrypt_type}

    async def call() -> object:
        answer = await client.sign_in_by_account_password(target["account"], target["password"], options)
        return answer.data.access_token

    return call


def aiohttp_sign_in(target: dict[str, str], url: str) -> Call:
    """Open a session of aiohttp that signs in."""
    import aiohttp

    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context_of(target)))
    body = sign_in_body(target)

    async def call() -> object:
        async with session.post(f"{url}/api/v3/signin", json=body) as response:
            response.raise_for_status()
            return (await response.json())["data"]["access_token"]

    return call


def measure_calls(
    opened: Callable[[dict[str, str], str], Call], meter: Callable[[Call, int, float], Awaitable[object]] = rate
) -> Measure:
    """Return a measurement of concurrent calls.

    Args:
        opened: opens a client of the target at a URL, and returns its call.
        meter: measures the call, by that many tasks, for that many seconds.
    """
    loop = asyncio.new_event_loop()
    calls: dict[str, Call] = {}

    def measure(target: dict[str, str], url: str, at_once: int, seconds: float) -> object:
        async def run() -> object:
            if url not in calls:
                calls[url] = opened(target, url)
            return await meter(calls[url], at_once, seconds)

        return loop.run_until_complete(run())

    return measure


def _sign_in_by(client: httpx.AsyncClient | httpx2.AsyncClient, target: dict[str, str], url: str) -> Call:
    body = sign_in_body(target)

    async def call() -> object:
        response = await client.post(f"{url}/api/v3/signin", json=body)
        response.raise_for_status()
        return response.json()["data"]["access_token"]

    return call
