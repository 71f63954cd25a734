"""aiohttp as the carrier of requests."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import aiohttp
from httpx_aiohttp import AiohttpTransport

from ..types import AsyncHTTPTransport


def aiohttp_transport(context: ssl.SSLContext | bool, keepalive_seconds: float) -> Callable[[], AsyncHTTPTransport]:
    """Prepare aiohttp's transport; the result makes it, on the event loop."""

    def make() -> AsyncHTTPTransport:
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context, limit=0, keepalive_timeout=keepalive_seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )
        # aiohttp sends GET, PUT and DELETE again by itself when a used connection breaks, whether or not the first try
        # was carried out. Trying again is decided in one place, and that is not here.
        session._retry_connection = False  # noqa: SLF001 - there is no public switch
        return AiohttpTransport(client=session, verify=context)

    return make
