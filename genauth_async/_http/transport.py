"""The only module that awaits HTTP: one call, retried where that is safe, under one deadline."""

from __future__ import annotations

import logging
import platform
import ssl
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from functools import lru_cache, partial
from secrets import SystemRandom
from time import perf_counter
from typing import Any, Final

import anyio

from .._arguments.timeouts import Deadline, deadline
from .._core.redaction import excerpt
from .._core.version import VERSION
from .._wire.request import Request
from .._wire.responses import Response, effective_status, retry_after
from ..errors import (
    ConfigurationError,
    GenAuthError,
    NotJSONError,
    RequestTimeoutError,
    ResponseTooLargeError,
    TransportError,
    TruncatedResponseError,
)
from ..settings import HeaderPrefix, Settings, Timeout
from .call_limiter import client_closed_error, pool_timeout_error
from .client_auth import authenticate
from .client_provider import ClientProvider
from .errors import to_sdk_error
from .retry import Outcome, wait_before_retry
from .types import AsyncHTTPClient

_log: Final = logging.getLogger(__name__)
_random: Final = SystemRandom()
_CONNECT_SHARE: Final = 0.8


class Transport:
    """Sends requests. A client and its copies share it."""

    def __init__(self, provider: ClientProvider) -> None:
        self._provider = provider

    async def send(self, request: Request, settings: Settings, timeout: Timeout | None = None) -> Response:
        """Send a request until it is answered, the attempts are used up, or the time is up.

        Args:
            request: the request.
            settings: the client's.
            timeout: for this call; None for the client's.

        Raises:
            TransportError: no complete answer arrived.
            ResponseTooLargeError, TruncatedResponseError: the answer's body could not be read.
        """
        limit = settings.timeout if timeout is None else deadline(timeout)
        request = authenticate(request, settings)
        attempt = 0
        # For the error when the time is up: an attempt so far may have reached the server; this one waits for a place.
        sent = waiting = False
        own_limit = limit.phases["pool"] < limit.total
        with anyio.move_on_after(limit.total) as scope:
            while True:
                attempt += 1
                client, calls = await self._provider.opened()
                began = perf_counter()
                answer: Response | GenAuthError
                try:
                    phases = _phases(limit, scope)
                    waiting = True
                    waited = await calls.acquire(request.name, phases["pool"] if own_limit else None)
                    waiting = False
                    try:
                        if waited:
                            phases = _phases(limit, scope)
                        self._provider.raise_if_closed()  # while the call waited
                        sent = True
                        answer = await calls.run(partial(_exchange, client, request, settings, phases), scope)
                    finally:
                        calls.release()
                    outcome = Outcome(status=effective_status(answer), retry_after=retry_after(answer))
                except TransportError as error:
                    answer, outcome = error, Outcome(sent=error.sent)
                except TruncatedResponseError as error:
                    answer, outcome = error, Outcome()
                _log_try(request, answer, perf_counter() - began)
                wait = wait_before_retry(settings.retry, request.idempotency, attempt, outcome, _random.random)
                if wait is None or anyio.current_time() + wait >= scope.deadline:
                    if isinstance(answer, Response):
                        return answer
                    raise answer
                sent = outcome.sent
                await anyio.sleep(wait)
        if anyio.current_time() < scope.deadline:
            raise client_closed_error()
        if waiting:
            raise pool_timeout_error(request.name)
        raise RequestTimeoutError(f"{request.name}: no answer within {limit.total:g} s", sent=sent)

    async def tls_context(self, *, secure: bool) -> ssl.SSLContext | None:
        """Return the TLS context for connections beside those of requests; None for plain ones.

        Raises:
            ClientClosedError: after `aclose`.
        """
        return await self._provider.tls_context(secure=secure)

    async def aclose(self) -> None:
        """Close the connections that the SDK opened on this event loop."""
        await self._provider.aclose()


def _log_try(request: Request, answer: Response | GenAuthError, seconds: float) -> None:
    if _log.isEnabledFor(logging.DEBUG):
        # Quoted, so that it contains no line break; without the query, which may hold a token.
        path = request.target.partition("?")[0]
        outcome = answer.status if isinstance(answer, Response) else type(answer).__name__
        _log.debug("%s %s: %s after %.0f ms", request.method, path, outcome, 1000 * seconds)


def _phases(limit: Deadline, scope: anyio.CancelScope) -> dict[str, float]:
    """Return the time limits of one attempt.

    Connecting gets less than all of the time left. An unreachable host is then reported as "no connection", and not as
    "no answer", after which a refresh token could have been used.
    """
    left = scope.deadline - anyio.current_time()
    phases = {name: min(seconds, left) for name, seconds in limit.phases.items()}
    return {**phases, "connect": min(phases["connect"], _CONNECT_SHARE * left)}


async def _exchange(
    client: AsyncHTTPClient, request: Request, settings: Settings, phases: Mapping[str, float]
) -> Response:
    """Make one attempt."""
    handled = sys.exc_info()[1]
    content, media_type = request.body()
    standing = _common_headers(
        settings.header_prefix, settings.app_id, settings.lang, settings.user_pool_id, settings.real_ip
    )
    headers = {**standing, **request.headers}
    if media_type is not None:
        headers["content-type"] = media_type
    if request.user_token is not None:
        headers["authorization"] = f"Bearer {request.user_token}"
    outgoing = _build_request(client, request, settings.app_host + request.target, content, headers, phases)
    failure: GenAuthError
    try:
        incoming = await client.send(outgoing, stream=True, follow_redirects=False)
    except Exception as error:
        translation = to_sdk_error(error, request.name, handled)
        if translation is None:
            raise
        failure = translation
    else:
        try:
            return await _read(incoming, settings.max_response_bytes, request.name, handled)
        finally:
            if not incoming.is_closed:
                with anyio.CancelScope(shield=True):
                    await incoming.aclose()
    raise failure


def _build_request(
    client: AsyncHTTPClient,
    request: Request,
    url: str,
    content: bytes | None,
    headers: Mapping[str, str],
    phases: Mapping[str, float],
) -> Any:
    """Build the library's request.

    Raises:
        ConfigurationError: the library cannot build one for this host.
    """
    try:
        return client.build_request(
            request.method, url, content=content, headers=headers, extensions={"timeout": dict(phases)}
        )
    except Exception as error:
        if type(error).__name__ != "InvalidURL" and not isinstance(error, UnicodeError):
            raise
    raise ConfigurationError("app_host", "must be a host that the HTTP library accepts")


async def _read(incoming: Any, limit: int, name: str, handled: BaseException | None) -> Response:
    """Read the body of an answer whose status and headers have arrived."""
    headers = _headers(incoming)
    about = {"http_status": incoming.status_code, "content_type": headers.get("content-type", "")}
    body = bytearray()
    failure: GenAuthError
    try:
        # A scope takes time, and is needed only if a body may exceed the limit.
        with nullcontext() if _fits(headers, limit) else anyio.CancelScope() as enough:
            async for chunk in incoming.aiter_bytes():
                body += chunk
                if enough is not None and len(body) > limit:
                    # Unwinds the libraries' nested generators; leaving the loop would abandon them.
                    enough.cancel()
        if len(body) <= limit:
            return Response(status=incoming.status_code, headers=headers, body=bytes(body))
        failure = ResponseTooLargeError(f"{name}: the answer is larger than max_response_bytes={limit}", **about)
    except Exception as error:
        translation = to_sdk_error(error, name, handled)
        if translation is None:
            raise
        failure = translation
        if type(error).__name__ == "DecodingError":
            failure = NotJSONError(f"{name}: the answer cannot be decompressed", **about)
        elif not isinstance(failure, RequestTimeoutError):
            failure = TruncatedResponseError(
                f"{name}: the answer was truncated after {len(body)} bytes", excerpt=excerpt(bytes(body)), **about
            )
    raise failure


def _headers(incoming: Any) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in incoming.headers.raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("utf-8", "replace")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _fits(headers: Mapping[str, str], limit: int) -> bool:
    """Return whether the headers promise a body within the limit; the size of a compressed one is unknown."""
    length = headers.get("content-length", "")
    return "content-encoding" not in headers and length.isascii() and length.isdecimal() and int(length) <= limit


@lru_cache
def _common_headers(
    prefix: HeaderPrefix, app_id: str, lang: str | None, user_pool_id: str | None, real_ip: str | None
) -> Mapping[str, str]:
    headers = {
        "user-agent": f"genauth-async/{VERSION} python/{platform.python_version()}",
        "accept": "application/json",
        f"{prefix}-app-id": app_id,
        f"{prefix}-request-from": "sdk",
        f"{prefix}-sdk-version": f"python:{VERSION}",
    }
    if lang is not None:
        headers[f"{prefix}-lang"] = lang
    if user_pool_id is not None:
        headers[f"{prefix}-userpool-id"] = user_pool_id
    if real_ip is not None:
        headers["x-real-ip"] = real_ip
    return headers
