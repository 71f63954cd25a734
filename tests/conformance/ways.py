"""The ways that a request can go: the carrier, on an event loop."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import AsyncIterator, Iterator
from ssl import SSLContext
from typing import Any, Final
from unittest.mock import patch

import httpx
import httpx2
from attrs import frozen

from genauth_async._http import client_provider
from genauth_async._http.client_provider import ClientProvider, ConnectionOptions


@frozen
class Way:
    """A carrier on an event loop.

    Attributes:
        carrier: aiohttp, httpcore or httpcore2, which the SDK chooses; or what the caller gives: client httpx,
            client httpx2, transport httpx.
        loop: asyncio, uvloop or trio.
    """

    carrier: str
    loop: str

    def __str__(self) -> str:
        return f"{self.carrier}-{self.loop}"

    @property
    def backend(self) -> tuple[str, dict[str, object]]:
        """For anyio."""
        return ("trio", {}) if self.loop == "trio" else ("asyncio", {"use_uvloop": self.loop == "uvloop"})

    @property
    def is_given(self) -> bool:
        """True if the caller gives it, and so its pool."""
        return " " in self.carrier


OWN: Final = ("aiohttp", "httpcore", "httpcore2")
GIVEN: Final = ("client httpx", "client httpx2", "transport httpx")
WAYS: Final = [
    Way(carrier, loop)
    for loop in ("asyncio", "uvloop", "trio")
    for carrier in OWN + GIVEN
    if (carrier, loop) != ("aiohttp", "trio")
]
QUICK: Final = [Way("aiohttp", "asyncio"), Way("httpcore2", "asyncio")]
# `python -m tests.conformance` goes all ways, in some ten minutes.
TESTED: Final = [
    *QUICK,
    Way("aiohttp", "uvloop"),
    Way("httpcore", "asyncio"),
    Way("httpcore", "trio"),
    Way("client httpx", "asyncio"),
]

_HIDDEN: Final = {"aiohttp": set(), "httpcore": {"aiohttp", "httpcore2"}, "httpcore2": {"aiohttp"}}


@contextlib.contextmanager
def only(carrier: str) -> Iterator[None]:
    """Have the SDK choose this carrier."""
    hidden = _HIDDEN.get(carrier, set())

    def find_spec(name: str) -> object:
        return None if name in hidden else importlib.util.find_spec(name)

    with patch.object(client_provider, "find_spec", find_spec):
        yield


@contextlib.asynccontextmanager
async def opened(
    way: Way, origin: str, *, verify: SSLContext | bool = True, proxy: str | None = None
) -> AsyncIterator[ClientProvider]:
    """Open a carrier for requests to this origin, and close it."""
    with only(way.carrier):
        if not way.is_given:
            provider = ClientProvider(ConnectionOptions(origin=origin, verify=verify, proxy=proxy))
            try:
                yield provider
            finally:
                await provider.aclose()
            return
        kind, _, name = way.carrier.partition(" ")
        library: Any = {"httpx": httpx, "httpx2": httpx2}[name]
        made = (library.AsyncClient if kind == "client" else library.AsyncHTTPTransport)(verify=verify, proxy=proxy)
        options: dict[str, Any] = {"http_client" if kind == "client" else "transport": made}
        provider = ClientProvider(ConnectionOptions(origin=origin, **options))
        try:
            yield provider
        finally:
            await provider.aclose()
            await made.aclose()
