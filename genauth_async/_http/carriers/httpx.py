"""httpx as the carrier of requests, one transport per concurrent request: its pool slows down as requests and
connections increase.

A pool with idle connections also gives the same one to all requests that come at once; all but one of them have to try
again.
"""

from __future__ import annotations

import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import cast

import httpx
from anyio import CancelScope, current_time

from ..types import AsyncHTTPTransport


def httpx_transport(
    context: ssl.SSLContext | bool, proxy: str | None, keepalive_seconds: float
) -> Callable[[], AsyncHTTPTransport]:
    """Prepare httpx's transport; the returned function makes it on the event loop."""
    # One for all, even if unused: otherwise each transport would make its own.
    shared = context if isinstance(context, ssl.SSLContext) else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    limits = httpx.Limits(keepalive_expiry=keepalive_seconds)
    make = partial(httpx.AsyncHTTPTransport, verify=shared, limits=limits, proxy=proxy, trust_env=False)
    return partial(PerRequestTransport, make, keepalive_seconds)


class PerRequestTransport(httpx.AsyncBaseTransport):
    """Gives each concurrent request a transport of its own, and keeps idle transports.

    The caller limits the number of concurrent requests.
    """

    def __init__(self, make: Callable[[], httpx.AsyncBaseTransport], keepalive_seconds: float) -> None:
        """Start without transports.

        Args:
            make: makes a transport.
            keepalive_seconds: how long an idle transport is kept.
        """
        self._make = make
        self._keepalive_seconds = keepalive_seconds
        self._all: set[httpx.AsyncBaseTransport] = set()
        # With the time of its last use. The last used one is used next, so that surplus ones expire.
        self._idle: deque[tuple[float, httpx.AsyncBaseTransport]] = deque()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; return its response once its status and headers have arrived."""
        await self._drop_old()
        transport = self._idle.pop()[1] if self._idle else self._make()
        self._all.add(transport)
        try:
            response = await transport.handle_async_request(request)
        except BaseException:
            await self._drop(transport)
            raise
        response.stream = _Body(cast("httpx.AsyncByteStream", response.stream), lambda: self._give_back(transport))
        return response

    async def aclose(self) -> None:
        """Close all transports."""
        self._idle.clear()
        while self._all:
            await self._all.pop().aclose()

    def _give_back(self, transport: httpx.AsyncBaseTransport) -> None:
        if transport in self._all:
            self._idle.append((current_time(), transport))

    async def _drop_old(self) -> None:
        while self._idle and self._idle[0][0] + self._keepalive_seconds < current_time():
            await self._drop(self._idle.popleft()[1])

    async def _drop(self, transport: httpx.AsyncBaseTransport) -> None:
        self._all.discard(transport)
        with CancelScope(shield=True):
            await transport.aclose()


class _Body(httpx.AsyncByteStream):
    """A response's body; it calls back when it is closed."""

    def __init__(self, body: httpx.AsyncByteStream, closed: Callable[[], None]) -> None:
        self._body = body
        self._closed: Callable[[], None] | None = closed

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._body)

    async def aclose(self) -> None:
        """Close the body, and release its transport to the next request."""
        try:
            await self._body.aclose()
        finally:
            closed, self._closed = self._closed, None
            if closed is not None:
                closed()
