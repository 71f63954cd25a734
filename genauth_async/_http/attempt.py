"""The port to the HTTP libraries: one attempt of a request, its limits, and what was observed of it."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, Protocol

import anyio
from anyio.lowlevel import checkpoint
from attrs import frozen

from .._arguments.timeouts import Deadline
from .._wire.responses import Response, unusable
from ..errors import (
    NotJSONError,
    RequestTimeoutError,
    ResponseError,
    ResponseTooLargeError,
    TruncatedResponseError,
)

MAX_HEAD_BYTES: Final = 96 * 1024
_MAX_HEADERS: Final = 1024
# Of one step of a decompressor, which holds the event loop for a millisecond or two.
_STEP_BYTES: Final = 256 * 1024
_CONNECT_SHARE: Final = 0.8
_ZLIB: Final = 8
_CODINGS: Final = {"gzip", "x-gzip", "deflate"}
_FIRST_FINAL: Final = 200

BeforeSend = Callable[[], Awaitable[None]]


@frozen(kw_only=True)
class Outgoing:
    """One request as it goes out; its text is printable ASCII.

    Attributes:
        call: the method, path and host, for messages.
        method: the HTTP method.
        origin: the scheme, host and port.
        target: the path and query.
        headers: all of them, Host and Content-Length included.
        content: the body.
        single_use: True if it spends a credential that works once. It never goes out on a connection that was used
            before, which the server may be closing just now.
    """

    call: str
    method: str
    origin: str
    target: str
    headers: Mapping[str, str]
    content: bytes
    single_use: bool


class Carrier(Protocol):
    """An HTTP library, as the transport uses it.

    Attributes:
        via: the proxy, for messages, or "".
    """

    via: str

    async def exchange(self, outgoing: Outgoing, attempt: Attempt) -> None:
        """Send a request and read its answer. It reports to the attempt, which ends it by cancelling its scope."""

    async def aclose(self) -> None:
        """Close the connections."""


class BadHeadError(Exception):
    """The answer's status line and headers are not HTTP, or larger than the limit."""


class Attempt:
    """One attempt: a carrier reports what happens, and it moves the time limit from phase to phase.

    Attributes:
        call: the method, path and host, and the proxy if there is one, for messages.
        scope: cancels the attempt.
        sent: whether the request may have left; False until its connection was there and the caller's hook had run.
        phase: the present one, by httpx's names, or "opening" before the first.
        is_closed: whether the client was closed meanwhile.
        is_foreign: whether the caller's own transport carries it.
        status: the answer's, once its head has arrived.
        headers: the answer's, by lower-case names.
        body: of the answer, decompressed, so far.
        proves_client: whether the request has the application's credentials, and no user's.
        hook_failure: the exception of the caller's hook.
    """

    __slots__ = (
        "_before_send",
        "_decompressor",
        "_end",
        "_limits",
        "_max_bytes",
        "body",
        "call",
        "headers",
        "hook_failure",
        "is_closed",
        "is_foreign",
        "phase",
        "proves_client",
        "scope",
        "sent",
        "status",
    )

    def __init__(
        self, call: str, limits: Deadline, end: float, max_bytes: int, before_send: BeforeSend | None = None
    ) -> None:
        """Start it.

        Args:
            call: the request's, for messages.
            limits: seconds for each phase.
            end: the time of the event loop's clock at which the whole call ends.
            max_bytes: the largest body.
            before_send: awaited once the connection is up, before the first byte leaves.
        """
        self.call = call
        self._limits = limits
        self._end = end
        self._max_bytes = max_bytes
        self._before_send = before_send
        self._decompressor: Any = None
        self.scope = anyio.CancelScope(deadline=end)
        self.sent = self.is_closed = self.is_foreign = self.proves_client = False
        self.phase = "opening"
        self.hook_failure: Exception | None = None
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.body = bytearray()

    def enter(self, phase: str, more: float = 0.0) -> None:
        """Begin a phase: pool, connect, write or read, which have limits of their own, or another.

        Args:
            phase: its name.
            more: seconds beyond its limit.
        """
        self.phase = phase
        total, end = self._limits.total, self._end
        limit = self._limits.phases.get(phase, total) + more
        if phase == "connect" or limit < total:
            now = anyio.current_time()
            # An unreachable host is reported as "no connection" while there is time for another attempt.
            end = now + min(limit, (end - now) * (_CONNECT_SHARE if phase == "connect" else 1.0))
        if self.scope.deadline != end:
            self.scope.deadline = end

    def limits(self) -> dict[str, float]:
        """Return the seconds for each phase, for a library that counts by itself."""
        left = max(0.001, self._end - anyio.current_time())
        return {
            phase: min(seconds, _CONNECT_SHARE * left if phase == "connect" else left)
            for phase, seconds in self._limits.phases.items()
        }

    async def connected(self) -> None:
        """Report a connection that is up: after this, the request counts as sent."""
        if not self.sent:
            if self._before_send is not None:
                self.enter("opening")
                try:
                    await self._before_send()
                except Exception as error:
                    self.hook_failure = error
                    raise
            self.sent = True
            self.enter("write")

    def receive_head(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Report the status and headers of the final answer.

        Raises:
            BadHeadError: there are too many, or the answer is not final.
            ResponseError: they announce a body that is not to be read.
        """
        count = size = 0
        for raw_name, raw_value in headers:
            count += 1
            size += len(raw_name) + len(raw_value) + 4
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("utf-8", "replace")
            self.headers[name] = f"{self.headers[name]}, {value}" if name in self.headers else value
        if status < _FIRST_FINAL or count > _MAX_HEADERS or size > MAX_HEAD_BYTES:
            raise BadHeadError
        self.status = status
        coding = self.headers.get("content-encoding", "").strip().lower()
        if coding in _CODINGS:
            self._decompressor = coding  # until the first byte has come
        elif coding not in {"", "identity"}:
            raise self._not_decompressed()
        length = self.headers.get("content-length", "")
        if length.isascii() and length.isdecimal() and float(length) > self._max_bytes:
            raise self._too_large()
        self.enter("read")

    async def receive(self, data: bytes) -> None:
        """Report a part of the body.

        Raises:
            ResponseError: the body has become larger than the limit, or cannot be decompressed.
        """
        if self._decompressor is None:
            self.body += data
        elif data:
            await self._decompress(data)
        if len(self.body) > self._max_bytes:
            raise self._too_large()
        self.enter("read")

    async def _decompress(self, data: bytes) -> None:
        if self._decompressor in _CODINGS:
            # Which of its two forms deflate has, the first byte tells.
            form = zlib.MAX_WBITS if data[0] & 15 == _ZLIB else -zlib.MAX_WBITS
            self._decompressor = zlib.decompressobj(form if self._decompressor == "deflate" else zlib.MAX_WBITS | 16)
        try:
            while len(self.body) <= self._max_bytes and not self._decompressor.eof:
                self.body += self._decompressor.decompress(data, _STEP_BYTES)
                data = self._decompressor.unconsumed_tail
                if not data:
                    return
                await checkpoint()
        except zlib.error:
            pass
        else:
            return
        raise self._not_decompressed()

    def response(self) -> Response:
        """Return the answer, which is complete.

        Raises:
            ResponseError: its compressed body is not.
        """
        if self._decompressor not in {None, *_CODINGS} and not self._decompressor.eof:
            raise self.truncated()
        return self._received()

    def _received(self) -> Response:
        assert self.status is not None  # noqa: S101 - a carrier that returns has reported the head
        return Response(
            status=self.status,
            headers=self.headers,
            body=self.body,
            call=self.call,
            proves_client=self.proves_client,
        )

    def timed_out(self) -> RequestTimeoutError:
        """Build the error of an attempt that ran out of time."""
        if self.sent:
            problem = "no answer in time" if self.status is None else "the answer was not complete in time"
        else:
            problem = "no connection in time; all are in use" if self.phase == "pool" else "no connection in time"
        return RequestTimeoutError(f"{self.call}: {problem}", sent=self.sent)

    def truncated(self) -> ResponseError:
        """Build the error of a body that broke off."""
        problem = f"the answer was truncated after {len(self.body)} bytes"
        return unusable(TruncatedResponseError, problem, self._received())

    def _not_decompressed(self) -> ResponseError:
        problem = "the answer cannot be decompressed: it is not gzip or deflate"
        return unusable(NotJSONError, problem, self._received(), quote=False)

    def _too_large(self) -> ResponseError:
        problem = f"the answer is larger than max_response_bytes={self._max_bytes}"
        return unusable(ResponseTooLargeError, problem, self._received(), quote=False)
