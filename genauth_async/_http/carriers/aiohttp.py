"""aiohttp as the carrier of requests."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import aiohttp
from httpx_aiohttp import AiohttpTransport

from ..types import AsyncHTTPTransport


def aiohttp_transport(context: ssl.SSLContext | bool, keepalive_seconds: float) -> Callable[[], AsyncHTTPTransport]:
    """Prepare aiohttp's transport; the returned function makes it on the event loop."""

    def make() -> AsyncHTTPTransport:
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context, limit=0, keepalive_timeout=keepalive_seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )
        # aiohttp by itself repeats GET, PUT and DELETE when a reused connection breaks, even if the first request was
        # carried out. Only _http/retry.py decides about retries.
        session._retry_connection = False  # noqa: SLF001 - there is no public switch
        return AiohttpTransport(client=session, verify=context)

    return make
