"""The only module that awaits HTTP: one call, retried where that is safe, under one deadline."""

from __future__ import annotations

import logging
import platform
import ssl
import sys
from collections.abc import Mapping
from functools import lru_cache
from secrets import SystemRandom
from time import perf_counter
from typing import Final

import anyio

from .._arguments.timeouts import Deadline, deadline
from .._core.version import VERSION
from .._wire.request import Request
from .._wire.responses import Response, effective_status, retry_after
from ..errors import (
    ClientClosedError,
    ConfigurationError,
    GenAuthError,
    RateLimitedError,
    ServerError,
    TransportError,
    TruncatedResponseError,
)
from ..settings import HeaderPrefix, Settings, Timeout
from .attempt import Attempt, BeforeSend, Outgoing
from .client_auth import authenticate
from .client_provider import ClientProvider
from .errors import to_sdk_error
from .retry import Outcome, wait_before_retry

_log: Final = logging.getLogger(__name__)
_random: Final = SystemRandom()
_OK: Final = 200
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


class Transport:
    """Sends requests. A client and its copies share it."""

    def __init__(self, provider: ClientProvider) -> None:
        self._provider = provider

    async def send(
        self,
        request: Request,
        settings: Settings,
        timeout: Timeout | Deadline | None = None,
        before_send: BeforeSend | None = None,
    ) -> Response:
        """Send a request until it is answered, the attempts are used up, or the time is up.

        Args:
            request: the request.
            settings: the client's.
            timeout: for this call; None for the client's.
            before_send: awaited in each attempt once its connection is up, before the first byte leaves; what it raises
                ends the call.

        Raises:
            TransportError: no complete answer arrived.
            ResponseError: the answer's body could not be read.
            ClientClosedError: the client was closed before or meanwhile.
            ConfigurationError: the request cannot be sent as it is.
        """
        limits = settings.timeout if timeout is None else deadline(timeout)
        outgoing = _outgoing(authenticate(request, settings), settings)
        end = anyio.current_time() + limits.total if limits.end is None else limits.end
        number = 0
        while True:
            number += 1
            began = perf_counter()
            attempt = Attempt(outgoing.call, limits, end, settings.max_response_bytes, before_send)
            attempt.proves_client = request.client_auth is not None and request.user_token is None
            answer = await self._attempt(outgoing, attempt)
            if _log.isEnabledFor(logging.DEBUG):
                _log_try(request, answer, perf_counter() - began)
            if isinstance(answer, Response):
                status = effective_status(answer)
                if status == _OK:
                    return answer
                outcome = Outcome(status=status, retry_after=retry_after(answer))
            elif isinstance(answer, TransportError):
                outcome = Outcome(sent=answer.sent)
            elif isinstance(answer, RateLimitedError):
                outcome = Outcome(status=answer.http_status, retry_after=answer.retry_after)
            elif isinstance(answer, (TruncatedResponseError, ServerError)):
                outcome = Outcome(retry_after=answer.retry_after)
            else:
                raise answer
            wait = wait_before_retry(settings.retry, request.idempotency, number, outcome, _random.random)
            if wait is None or anyio.current_time() + wait >= end:
                if isinstance(answer, Response):
                    return answer
                raise answer
            await anyio.sleep(wait)

    async def _attempt(self, outgoing: Outgoing, attempt: Attempt) -> Response | GenAuthError:
        handled = sys.exc_info()[1]
        opened = self._provider.here()
        opened.attempts.add(attempt)
        failure: GenAuthError | None = None
        has_slot = False
        try:
            with attempt.scope:
                carrier = opened.carrier or await self._provider.open(opened)
                attempt.call += carrier.via
                if opened.slots is not None:
                    if opened.slots.value:
                        opened.slots.acquire_nowait()
                    else:
                        attempt.enter("pool")
                        await opened.slots.acquire()
                    has_slot = True
                await carrier.exchange(outgoing, attempt)
                return attempt.response()
        except Exception as error:
            if error is attempt.hook_failure:
                raise
            failure = to_sdk_error(error, attempt, handled)
            if failure is None and not attempt.is_closed:
                raise
        finally:
            opened.attempts.discard(attempt)
            if has_slot and opened.slots is not None:
                opened.slots.release()
        if attempt.is_closed:
            return ClientClosedError("the client was closed during this call", sent=attempt.sent)
        return failure or attempt.timed_out()

    async def tls_context(self, *, secure: bool) -> ssl.SSLContext | None:
        """Return the TLS context for connections beside those of requests; None for plain ones.

        Raises:
            ClientClosedError: after `aclose`.
        """
        return await self._provider.tls_context(secure=secure)

    async def aclose(self, *, for_good: bool = True) -> None:
        """Close the connections that the SDK opened on this event loop.

        Args:
            for_good: later calls raise ClientClosedError, rather than open connections anew.
        """
        await self._provider.aclose(for_good=for_good)


def _log_try(request: Request, answer: Response | GenAuthError, seconds: float) -> None:
    # Quoted, so that it contains no line break; without the query, which may hold a token.
    path = request.target.partition("?")[0]
    outcome = answer.status if isinstance(answer, Response) else type(answer).__name__
    _log.debug("%s %s: %s after %.0f ms", request.method, path, outcome, 1000 * seconds)


def _outgoing(request: Request, settings: Settings) -> Outgoing:
    """Build the request as it goes out.

    Raises:
        ConfigurationError: a header cannot be sent.
    """
    content, media_type = request.body()
    standing = _common_headers(
        settings.app_host,
        settings.header_prefix,
        settings.app_id,
        settings.lang,
        settings.user_pool_id,
        settings.real_ip,
    )
    headers = {**standing, **request.headers}
    if media_type is not None:
        headers["content-type"] = media_type
    if request.user_token is not None:
        headers["authorization"] = f"Bearer {request.user_token}"
    if content or request.method in _WITH_BODY:
        headers["content-length"] = str(len(content or b""))
    everything = "".join(headers.values())
    if not (everything.isascii() and everything.isprintable()):
        name = next(name for name, value in headers.items() if not (value.isascii() and value.isprintable()))
        raise ConfigurationError(name, "must be printable ASCII, since it is sent in a header")
    return Outgoing(
        call=f"{request.name} at {headers['host']}",
        method=request.method,
        origin=settings.app_host,
        target=request.target,
        headers=headers,
        content=content or b"",
        single_use=request.single_use,
    )


@lru_cache
def _common_headers(
    app_host: str, prefix: HeaderPrefix, app_id: str, lang: str | None, user_pool_id: str | None, real_ip: str | None
) -> Mapping[str, str]:
    headers = {
        "host": app_host.partition("://")[2],
        "user-agent": f"genauth-async/{VERSION} python/{platform.python_version()}",
        "accept": "application/json",
        "accept-encoding": "gzip, deflate",
        "connection": "keep-alive",
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
