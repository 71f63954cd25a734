"""The base class of all areas of the API."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from functools import partial
from time import monotonic
from typing import Any, NoReturn, Self, TypeVar

import anyio
from attrs import evolve

from .. import models
from .._arguments.text import described, require_token
from .._arguments.timeouts import Deadline, Timeout, deadline
from .._core.tracebacks import ClearsTracebackFrames
from .._crypto.passwords import Encrypt
from .._http.attempt import BeforeSend
from .._wire.request import Request, get
from .._wire.responses import Response, read_envelope
from ..errors import ConfigurationError, RequestTimeoutError
from ..models._base import Dto
from ..settings import Settings
from ._shared import Shared

_T = TypeVar("_T")
_DtoT = TypeVar("_DtoT", bound=Dto)


class Api(ClearsTracebackFrames):
    """One configured application."""

    def __init__(self, settings: Settings, shared: Shared) -> None:
        self._settings = settings
        self._shared = shared

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"A {type(self).__name__} is not pickled; create one in each process")

    def _copied(self, **changes: Any) -> Self:
        """Return a copy with some settings changed, which shares the connections."""
        copied = type(self).__new__(type(self))
        Api.__init__(copied, evolve(self._settings, **changes), self._shared)
        return copied

    def _without_retries(self) -> Self:
        """Return a copy without retries, for callers that poll."""
        return self._copied(retry=evolve(self._settings.retry, attempts=1))

    async def _call(self, request: Request, answer: type[_DtoT], timeout: Timeout | Deadline | None) -> _DtoT:
        return await self._ask(request, partial(read_envelope, answer=answer), timeout)

    async def _ask(
        self,
        request: Request,
        read: Callable[[Response], _T],
        timeout: Timeout | Deadline | None,
        before_send: BeforeSend | None = None,
    ) -> _T:
        """Send a request and read its answer, in a worker thread if it is large: the event loop goes on meanwhile."""
        began = monotonic()
        response = await self._shared.transport.send(request, self._settings, timeout, before_send)
        if not response.is_large:
            return read(response)
        limit = self._settings.timeout if timeout is None else deadline(timeout)
        with anyio.move_on_after(limit.total - (monotonic() - began)):
            try:
                return await self._shared.readers.run(partial(_parsed, read, response), abandoned=True)
            except RuntimeError:  # no thread can be started; the answer must not be lost
                return read(response)
        raise RequestTimeoutError(f"{response.call}: the answer was not read in time", sent=True)

    async def _call_as_user(
        self, request: Request, answer: type[_DtoT], access_token: str | None, timeout: Timeout | Deadline | None
    ) -> _DtoT:
        return await self._call(evolve(request, user_token=self._user_token(access_token)), answer, timeout)

    def _user_token(self, access_token: str | None) -> str:
        token = self._settings.access_token if access_token is None else access_token
        if token is None:
            raise ConfigurationError(
                "access_token",
                "must be given: pass the user's (`await session.access_token()`), or set it for the whole client",
            )
        return require_token(token)

    async def _call_with_optional_user(
        self, request: Request, answer: type[_DtoT], access_token: str | None, timeout: Timeout | Deadline | None
    ) -> _DtoT:
        if access_token is None and self._settings.access_token is None:
            return await self._call(request, answer, timeout)
        return await self._call_as_user(request, answer, access_token, timeout)

    async def _send_with_password(
        self, encrypt_type: str | None, send: Callable[[Encrypt, Deadline], Awaitable[_T]], timeout: Timeout | None
    ) -> _T:
        """Send a request with a password; the timeout covers the fetch of the server's key, too."""
        limit = self._settings.timeout if timeout is None else deadline(timeout)
        passwords = self._shared.passwords
        if encrypt_type in {None, "none"}:
            # One request, with its own timeout.
            return await passwords.send_encrypted(encrypt_type, self._system_info, lambda encrypt: send(encrypt, limit))
        end = anyio.current_time() + limit.total
        within = evolve(limit, end=end)

        async def send_in_time(encrypt: Encrypt) -> _T:
            scope.deadline = math.inf  # the transport knows better whether the request was sent
            try:
                return await send(encrypt, within)
            finally:
                scope.deadline = end

        with anyio.CancelScope(deadline=end) as scope:
            return await passwords.send_encrypted(encrypt_type, partial(self._system_info, limit), send_in_time)
        raise RequestTimeoutError(f"No key of the server to encrypt the password with in {limit.total:g} s", sent=False)

    async def _system_info(self, timeout: Timeout | Deadline | None = None) -> models.SystemInfoResp:
        return await self._call(get("api", "v3", "system"), models.SystemInfoResp, timeout)


def _parsed(read: Callable[[Response], _T], response: Response) -> _T:
    response.parse()
    return read(response)


def parts_of(client: Api) -> tuple[Settings, Shared]:
    """Return a client's settings and the state that it shares with its copies, for this package's modules.

    Raises:
        ConfigurationError: it is no client of genauth_async.
    """
    if not isinstance(client, Api):
        raise ConfigurationError("client", f"must be an AuthenticationClient of genauth_async, not {described(client)}")
    return client._settings, client._shared  # noqa: SLF001 - the only access to them
