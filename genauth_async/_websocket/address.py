"""WebSocket addresses, and connections to them."""

from __future__ import annotations

import ssl
from typing import Final
from urllib.parse import urlsplit

import anyio
from anyio.abc import ByteStream
from attrs import field, frozen

from .._arguments.urls import DEFAULT_WEBSOCKET_HOST
from ..errors import ConnectionFailedError, RequestTimeoutError, TLSError

_SECURE_PORT: Final = 443
_PLAIN_PORT: Final = 80
_EVENT_SERVERS: Final = {"genauth.ai": DEFAULT_WEBSOCKET_HOST, "authing.cn": "wss://openevent.authing.cn"}


@frozen(kw_only=True)
class WebSocketAddress:
    """The address of a WebSocket.

    Attributes:
        origin: the server's base URL, ws:// or wss://.
        path: the path on the server.
        query: the encoded query: the event code and the access token.
    """

    origin: str
    path: str
    query: str = field(repr=False)

    @property
    def name(self) -> str:
        """The address for messages, without the query."""
        return f"WebSocket {self.origin}{self.path}"

    @property
    def host(self) -> str:
        return (urlsplit(self.origin).hostname or "").encode("idna").decode()

    @property
    def is_secure(self) -> bool:
        return urlsplit(self.origin).scheme != "ws"

    @property
    def port(self) -> int:
        return urlsplit(self.origin).port or (_SECURE_PORT if self.is_secure else _PLAIN_PORT)


def websocket_host_for(app_host: str) -> str | None:
    """Return the event server of the application's cloud, or None where none is published.

    None is published for the overseas region (us.authing.co), and the cloud must not receive the access tokens of a
    private deployment. The vendor moved its event servers from events. to openevent. in 2023.
    """
    name = (urlsplit(app_host).hostname or "").removesuffix(".")
    for domain, server in _EVENT_SERVERS.items():
        if name == domain or name.endswith(f".{domain}"):
            return server
    return None


async def connect_to(address: WebSocketAddress, context: ssl.SSLContext | None, seconds: float) -> ByteStream:
    """Connect to the server of a WebSocket.

    Args:
        address: the server's address.
        context: TLS settings, or None for no TLS.
        seconds: the time limit.

    Raises:
        ConnectionFailedError: the connection was not made.
        RequestTimeoutError: it was not made in time.
    """
    name = address.name
    try:
        with anyio.move_on_after(seconds):
            if context is None:
                return await anyio.connect_tcp(address.host, address.port)
            return await anyio.connect_tcp(
                address.host, address.port, ssl_context=context, tls_standard_compatible=False
            )
    except ssl.SSLError as error:
        hint = "pass verify= with your CA if the server's certificate comes from a private one"
        raise TLSError(f"{name}: the TLS handshake failed: {error}; {hint}", sent=False) from error
    except (OSError, anyio.EndOfStream, anyio.BrokenResourceError) as error:
        raise ConnectionFailedError(f"{name}: no connection: {error or type(error).__name__}", sent=False) from error
    raise RequestTimeoutError(f"{name}: no connection within {seconds:g} s", sent=False)
