"""Translation of the HTTP libraries' exceptions to ours.

By class name, since httpx, httpx2 and (through httpx-aiohttp) aiohttp raise their own: what matters is whether anything
can have been sent. httpx-aiohttp 0.2 calls every lost connection a ConnectTimeout, so if there is an aiohttp exception
underneath, that decides.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator

from ..errors import ConnectionFailedError, ConnectionLostError, RequestTimeoutError, TLSError, TransportError

_HTTP_LIBRARIES = frozenset({"httpx", "httpx2", "httpcore", "httpcore2", "aiohttp", "anyio", "h11", "ssl"})


def to_sdk_error(error: Exception, name: str, handled: BaseException | None) -> TransportError | None:
    """Translate an HTTP library's exception to ours, which has it as cause; return None for any other exception.

    Args:
        error: the exception raised.
        name: the request's name, for the message.
        handled: the exception that the caller was handling when it called. Python links it to exceptions raised
            meanwhile, but it is unrelated to this call.
    """
    chain = list(_chain(error, handled))
    decisive = next((e for e in chain if _library(e) == "aiohttp"), error)
    names = {cls.__name__ for cls in type(decisive).__mro__}
    failure: TransportError
    if names & {"ConnectTimeout", "PoolTimeout", "ConnectionTimeoutError"}:
        failure = RequestTimeoutError(f"{name}: no connection in time", sent=False)
    elif names & {"TimeoutException", "ServerTimeoutError"}:
        failure = RequestTimeoutError(f"{name}: no answer in time", sent=True)
    elif names & {"ConnectError", "ClientConnectorError", "ProxyError", "UnsupportedProtocol"}:
        if any(isinstance(e, ssl.SSLError) for e in chain):
            hint = "pass verify= with your CA if the server's certificate comes from a private one"
            failure = TLSError(f"{name}: the TLS handshake failed: {error}; {hint}", sent=False)
        else:
            failure = ConnectionFailedError(f"{name}: no connection: {error}", sent=False)
    elif _library(decisive) in _HTTP_LIBRARIES or isinstance(decisive, OSError):
        # Protocol errors quote the bytes sent and received, so neither the message nor the cause has them.
        return ConnectionLostError(f"{name}: the connection broke ({type(decisive).__name__})", sent=True)
    else:
        return None
    failure.__cause__ = error
    return failure


def _library(error: BaseException) -> str:
    return type(error).__module__.partition(".")[0]


def _chain(error: BaseException, handled: BaseException | None) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None and link is not handled:
        yield link
        link = link.__cause__ or link.__context__
