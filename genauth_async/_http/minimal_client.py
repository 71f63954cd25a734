"""A client that does no more than its transport needs: what httpx's own does besides costs as much as sending."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from .types import AsyncHTTPTransport

_PATHS_KEPT: Final = 128
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


class DirectClient:
    """Makes requests as the library's own client does, byte for byte, and hands them to a transport.

    It keeps no cookie, as it serves many users, follows no redirect, and reads nothing from the environment (.netrc).
    """

    def __init__(self, library: Any, transport: AsyncHTTPTransport) -> None:
        """Of httpx, or of httpx2.

        Args:
            library: the one that the transport is of.
            transport: what sends.
        """
        self._library = library
        self._transport = transport
        # What can be decompressed depends on what is installed.
        usual = library.AsyncClient(transport=transport, trust_env=False).headers
        self._headers = {name: usual[name] for name in ("Accept-Encoding", "Connection")}
        self._url: Callable[[str], Any] = lru_cache(_PATHS_KEPT)(library.URL)

    def build_request(
        self, method: str, url: str, *, content: bytes | None, headers: Mapping[str, str], extensions: dict[str, Any]
    ) -> Any:
        """The library's request, with the headers that its own client gives it."""
        # A query may hold a token, and is another one each time.
        parsed = self._library.URL(url) if "?" in url else self._url(url)
        every = [(b"Host", parsed.netloc)]
        if not content and method in _WITH_BODY:
            every.append((b"Content-Length", b"0"))
        every += [(name.encode(), value.encode("ascii")) for name, value in {**self._headers, **headers}.items()]
        if content:
            every.append((b"Content-Length", b"%d" % len(content)))
        body = self._library.ByteStream(content or b"")
        request = self._library.Request(method, parsed, headers=every, stream=body, extensions=extensions)
        request.read()  # as its own client has done, too: what has been read has a length
        return request

    async def send(self, request: Any, **_: Any) -> Any:
        """The answer, once its status and headers have arrived, and whatever the status is."""
        return await self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        """Closes the transport."""
        await self._transport.aclose()
