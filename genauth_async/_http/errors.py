"""Translation of foreign exceptions to ours: the attempt knows whether the request was sent, not the exception."""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Iterator

from ..errors import ConnectionFailedError, ConnectionLostError, GenAuthError, TLSError
from .attempt import MAX_HEAD_BYTES, Attempt, BadHeadError

_HTTP_LIBRARIES = frozenset({"httpx", "httpx2", "httpcore", "httpcore2", "aiohttp", "anyio", "h11", "ssl"})
_NO_HTTP = (
    f"the answer is not HTTP, or has more than {MAX_HEAD_BYTES // 1024} KB of headers; does the port need https://?"
)
_ERRNO = re.compile(r"\[Errno (\d+)\]")


def to_sdk_error(error: Exception, attempt: Attempt, handled: BaseException | None) -> GenAuthError | None:
    """Translate an exception of an attempt; None for one of the caller's own transport, which is the caller's to see.

    Args:
        error: the exception raised.
        attempt: the attempt, with what was observed of it.
        handled: the exception that the caller was handling when it called. Python links it to exceptions raised
            meanwhile, but it is unrelated to this call.
    """
    if isinstance(error, GenAuthError):
        return error
    if attempt.is_foreign and not isinstance(error, (BadHeadError, OSError)) and _library(error) not in _HTTP_LIBRARIES:
        return None
    if any(cls.__name__ == "TimeoutException" for cls in type(error).__mro__):
        return attempt.timed_out()
    if attempt.status is not None:
        return attempt.truncated()
    chain = list(_chain(error, handled))
    refusal = next((link for link in chain if isinstance(link, ssl.SSLError)), None)
    if attempt.sent:
        # Protocol errors quote the bytes sent and received, so neither the message nor the cause has them.
        problem = _NO_HTTP if _is_no_http(error) else "the connection broke before the answer"
        alert = str(getattr(refusal, "reason", ""))
        if "ALERT" in alert:
            problem = f"the server refused the TLS connection: {alert}"
        return ConnectionLostError(f"{attempt.call}: {problem}", sent=True)
    if refusal is None:
        failure = ConnectionFailedError(f"{attempt.call}: no connection: {_problem(chain)}", sent=False)
    else:
        failure = TLSError(f"{attempt.call}: {_tls_problem(refusal)}", sent=False)
    failure.__cause__ = error
    return failure


def _problem(chain: list[BaseException]) -> str:
    """Describe a failed connection in the same words for all HTTP libraries."""
    for link in chain:
        if isinstance(link, socket.gaierror):
            return f"the host name cannot be resolved ({link.strerror})"
        if isinstance(link, OSError):
            several = _ERRNO.search(str(link))  # one text about several addresses
            number = link.errno if several is None else int(several[1])
            if number is not None:
                return os.strerror(number)
        if isinstance(link, RuntimeError):
            return str(link)
        if type(link).__name__ == "ProxyError":
            hint = "; proxy= needs its user and password" if "407" in str(link) else ""
            return f"the proxy refused: {link}{hint}"
        if _is_no_http(link):
            return "the proxy's answer is not HTTP"
    return "the connection was closed"


def _is_no_http(error: BaseException) -> bool:
    names_it = type(error).__name__ == "RemoteProtocolError" and "disconnected" not in str(error)
    return names_it or isinstance(error, BadHeadError)


def _tls_problem(refusal: ssl.SSLError) -> str:
    """Describe a failed TLS handshake, with the remedy."""
    if isinstance(refusal, ssl.SSLCertVerificationError):
        remedy = "pass verify= with your CA if the server's certificate comes from a private one"
        return f"the server's certificate was refused: {refusal.verify_message}; {remedy}"
    reason = getattr(refusal, "reason", None) or "EOF"  # one that Python code has made has none
    if reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"}:
        return "the server does not speak TLS at this port; is it http://, or another port?"
    return f"the TLS handshake failed: {'the server closed the connection' if 'EOF' in reason else reason}"


def _library(error: BaseException) -> str:
    return type(error).__module__.partition(".")[0]


def _chain(error: BaseException, handled: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and its causes, and those that a group holds."""
    links: list[BaseException | None] = [error]
    while links:
        link = links.pop()
        if link is None or link is handled:
            continue
        yield link
        if isinstance(link, BaseExceptionGroup):
            links.extend(link.exceptions)
        links.append(link.__cause__ or link.__context__)
