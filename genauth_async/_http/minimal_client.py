"""A minimal HTTP client over a transport: the extra work of httpx's own costs as much as sending."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from .types import AsyncHTTPTransport

_PATHS_KEPT: Final = 128
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


class MinimalClient:
    """Builds requests as the library's own client does, byte for byte, and passes them to a transport.

    It keeps no cookies, since it serves many users; it follows no redirects and reads nothing from the environment
    (.netrc).
    """

    def __init__(self, library: Any, transport: AsyncHTTPTransport) -> None:
        """Create a client from httpx or httpx2.

        Args:
            library: the transport's library.
            transport: sends the requests.
        """
        self._library = library
        self._transport = transport
        # The decompressors depend on the installed packages.
        usual = library.AsyncClient(transport=transport, trust_env=False).headers
        self._headers = {name: usual[name] for name in ("Accept-Encoding", "Connection")}
        self._url: Callable[[str], Any] = lru_cache(_PATHS_KEPT)(library.URL)

    def build_request(
        self, method: str, url: str, *, content: bytes | None, headers: Mapping[str, str], extensions: dict[str, Any]
    ) -> Any:
        """Build the library's request, with the headers that its own client adds."""
        # Not cached: a query may hold a token, and differs each time.
        parsed = self._library.URL(url) if "?" in url else self._url(url)
        every = [(b"Host", parsed.netloc)]
        if not content and method in _WITH_BODY:
            every.append((b"Content-Length", b"0"))
        every += [(name.encode(), value.encode("ascii")) for name, value in {**self._headers, **headers}.items()]
        if content:
            every.append((b"Content-Length", b"%d" % len(content)))
        body = self._library.ByteStream(content or b"")
        request = self._library.Request(method, parsed, headers=every, stream=body, extensions=extensions)
        request.read()  # as its own client does: a body that was read has a length
        return request

    async def send(self, request: Any, **_: Any) -> Any:
        """Send a request; return its response, of any status, once its status and headers have arrived."""
        return await self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the transport."""
        await self._transport.aclose()
