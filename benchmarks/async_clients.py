"""Asynchronous sign-in clients: this SDK and hand-written ones."""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from .load import rate
from .worker import Measure

Call: TypeAlias = Callable[[], Awaitable[object]]
_SECONDS = 60.0  # limit of a call; only the slowest clients come near it


def ours_over_aiohttp() -> Measure:
    """Measure this SDK with the extra `aiohttp`."""
    return _measure(_ours)


def ours_over_httpx() -> Measure:
    """Measure this SDK without that extra."""
    sys.modules["httpx_aiohttp"] = None  # type: ignore[assignment]
    return _measure(_ours)


def httpx_client() -> Measure:
    """Measure a default httpx.AsyncClient."""

    async def opened(target: dict[str, str], url: str) -> Call:
        import httpx

        client = httpx.AsyncClient(verify=_context(target, url), timeout=_SECONDS)
        return _by_hand(client, target, url)

    return _measure(opened)


def httpx2_client() -> Measure:
    """Measure a default httpx2.AsyncClient."""

    async def opened(target: dict[str, str], url: str) -> Call:
        import httpx2

        client = httpx2.AsyncClient(verify=_context(target, url), timeout=_SECONDS)
        return _by_hand(client, target, url)

    return _measure(opened)


def httpx_over_aiohttp() -> Measure:
    """Measure httpx.AsyncClient over httpx-aiohttp's transport: the hand-written equivalent."""
    return _measure(sign_in_over_aiohttp)


def aiohttp_transport() -> Measure:
    """Measure httpx-aiohttp's transport without an httpx client: the SDK's own base."""

    async def opened(target: dict[str, str], url: str) -> Call:
        import httpx
        from httpx_aiohttp import AiohttpTransport

        transport = AiohttpTransport(verify=_context(target, url))
        address = httpx.URL(f"{url}/api/v3/signin")
        body = sign_in_body(target)
        timeout = {"timeout": httpx.Timeout(_SECONDS).as_dict()}

        async def call() -> object:
            request = httpx.Request("POST", address, json=body, extensions=timeout)
            response = await transport.handle_async_request(request)
            try:
                return json.loads(await response.aread())["data"]["access_token"]
            finally:
                await response.aclose()

        return call

    return _measure(opened)


def aiohttp_session() -> Measure:
    """Measure a default aiohttp.ClientSession."""

    async def opened(target: dict[str, str], url: str) -> Call:
        import aiohttp

        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=_context(target, url)))
        body = sign_in_body(target)

        async def call() -> object:
            async with session.post(f"{url}/api/v3/signin", json=body) as response:
                return json.loads(await response.read())["data"]["access_token"]

        return call

    return _measure(opened)


def streams() -> Measure:
    """Measure asyncio's streams without an HTTP library, one call at a time: event loop, sockets and server."""

    async def opened(target: dict[str, str], url: str) -> Call:
        host, _, port = url.partition("://")[2].partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        body = json.dumps(sign_in_body(target)).encode()
        head = f"POST /api/v3/signin HTTP/1.1\r\nhost: {host}\r\ncontent-length: {len(body)}\r\n\r\n".encode()

        async def call() -> object:
            writer.write(head + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            return await reader.readexactly(int(answer.rpartition(b"content-length: ")[2]))

        return call

    return _measure(opened)


def sign_in_body(target: dict[str, str]) -> dict[str, object]:
    """Build the body that every client sends."""
    return {
        "connection": "PASSWORD",
        "passwordPayload": {"password": target["password"], "account": target["account"]},
        "client_id": target["app_id"],
        "client_secret": target["app_secret"],
    }


async def sign_in_over_aiohttp(target: dict[str, str], url: str) -> Call:
    """Open a hand-written client that signs in as the SDK does with the extra `aiohttp`."""
    import httpx
    from httpx_aiohttp import AiohttpTransport

    client = httpx.AsyncClient(transport=AiohttpTransport(verify=_context(target, url)), timeout=_SECONDS)
    return _by_hand(client, target, url)


def _by_hand(client: Any, target: dict[str, str], url: str) -> Call:
    body = sign_in_body(target)

    async def call() -> object:
        request = client.build_request("POST", f"{url}/api/v3/signin", json=body)
        response = await client.send(request, stream=True)
        try:
            return json.loads(await response.aread())["data"]["access_token"]
        finally:
            await response.aclose()

    return call


async def _ours(target: dict[str, str], url: str) -> Call:
    return our_sign_in(target, url)


def our_sign_in(target: dict[str, str], url: str, encrypt_type: str | None = None) -> Call:
    """Open a client of this SDK that signs in."""
    from genauth_async import AuthenticationClient

    client = AuthenticationClient(target["app_id"], url, target["app_secret"], verify=target["ca"], timeout=_SECONDS)
    options = None if encrypt_type is None else {"passwordEncryptType": encrypt_type}

    async def call() -> object:
        answer = await client.sign_in_by_account_password(target["account"], target["password"], options)
        return answer.data.access_token

    return call


def _context(target: dict[str, str], url: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=target["ca"]) if url.startswith("https:") else ssl.create_default_context()


def _measure(opened: Callable[[dict[str, str], str], Awaitable[Call]]) -> Measure:
    loop = asyncio.new_event_loop()
    calls: dict[str, Call] = {}

    def measure(target: dict[str, str], url: str, at_once: int, seconds: float) -> float:
        async def run() -> float:
            if url not in calls:
                calls[url] = await opened(target, url)
            return await rate(calls[url], at_once, seconds)

        return loop.run_until_complete(run())

    return measure
