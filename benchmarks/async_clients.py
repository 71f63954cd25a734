"""Asynchronous sign-in clients: this SDK and hand-written ones."""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from .load import rate
from .worker import Measure

if TYPE_CHECKING:
    import httpx

Call: TypeAlias = Callable[[], Awaitable[object]]
_SECONDS = 60.0  # limit of a call; only the slowest clients come near it


def ours_over_aiohttp() -> Measure:
    """Measure this SDK with the extra `aiohttp`."""
    return _measure(our_sign_in)


def ours_over_httpx() -> Measure:
    """Measure this SDK without that extra."""
    sys.modules["httpx_aiohttp"] = None  # type: ignore[assignment]
    return _measure(our_sign_in)


def httpx_client() -> Measure:
    """Measure a default httpx.AsyncClient."""
    import httpx

    return _measure(partial(_by_hand, lambda context: httpx.AsyncClient(verify=context, timeout=_SECONDS)))


def httpx_over_aiohttp() -> Measure:
    """Measure httpx.AsyncClient over httpx-aiohttp's transport: the hand-written equivalent."""
    import httpx
    from httpx_aiohttp import AiohttpTransport

    def client(context: ssl.SSLContext) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=AiohttpTransport(verify=context), timeout=_SECONDS)

    return _measure(partial(_by_hand, client))


def aiohttp_session() -> Measure:
    """Measure a default aiohttp.ClientSession."""
    import aiohttp

    def opened(target: dict[str, str], url: str) -> Call:
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context_of(target)))
        body = sign_in_body(target)

        async def call() -> object:
            async with session.post(f"{url}/api/v3/signin", json=body) as response:
                return json.loads(await response.read())["data"]["access_token"]

        return call

    return _measure(opened)


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


def _by_hand(opened: Callable[[ssl.SSLContext], httpx.AsyncClient], target: dict[str, str], url: str) -> Call:
    client = opened(context_of(target))
    body = sign_in_body(target)

    async def call() -> object:
        request = client.build_request("POST", f"{url}/api/v3/signin", json=body)
        response = await client.send(request, stream=True)
        try:
            return json.loads(await response.aread())["data"]["access_token"]
        finally:
            await response.aclose()

    return call


def _measure(opened: Callable[[dict[str, str], str], Call]) -> Measure:
    loop = asyncio.new_event_loop()
    calls: dict[str, Call] = {}

    def measure(target: dict[str, str], url: str, at_once: int, seconds: float) -> float:
        async def run() -> float:
            if url not in calls:
                calls[url] = opened(target, url)
            return await rate(calls[url], at_once, seconds)

        return loop.run_until_complete(run())

    return measure
