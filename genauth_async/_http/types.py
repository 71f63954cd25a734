"""The SDK's protocol of an HTTP client, which httpx's and httpx2's both match; so neither stands in a signature."""

from __future__ import annotations

from typing import Any, Protocol


class AsyncHTTPClient(Protocol):
    """An httpx.AsyncClient or an httpx2.AsyncClient.

    Requests and responses are typed loosely: they are the library's own, and pass from one of its methods to another.
    """

    @property
    def build_request(self) -> Any: ...

    async def send(self, request: Any, *, stream: bool = False, follow_redirects: Any = ...) -> Any: ...

    async def aclose(self) -> None: ...


class AsyncHTTPTransport(Protocol):
    """An httpx or httpx2 transport, such as httpx.MockTransport or httpx.ASGITransport."""

    async def handle_async_request(self, request: Any) -> Any: ...

    async def aclose(self) -> None: ...
