"""What every area of the API stands on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NoReturn, TypeVar
from weakref import WeakKeyDictionary

import anyio
from attrs import evolve, field, frozen

from .. import models
from .._envelope import read_envelope
from .._grants import Grants
from .._guard import FramesCleared
from .._request import Repeat, Request
from .._shield import finish
from .._threads import Threads
from .._transport import Transport
from ..errors import ConfigurationError, RequestTimeoutError
from ..models._base import Dto, is_exactly, required_attributes, scalar_attributes, wire_names
from ..oidc._jwks import KeyCache
from ..oidc._verified import VerifiedTokens
from ..passwords import Encrypt, PasswordEncryptor
from ..settings import Settings, Timeout, deadline
from ..stream import Stream

_T = TypeVar("_T")
_DtoT = TypeVar("_DtoT", bound=Dto)
_ApiT = TypeVar("_ApiT", bound="Api")


@frozen(eq=False)
class Shared:
    """What a client and its copies have in common."""

    transport: Transport
    passwords: PasswordEncryptor = field(factory=PasswordEncryptor)
    grants: Grants = field(factory=Grants)
    keys: KeyCache = field(factory=KeyCache)
    verified: VerifiedTokens = field(factory=VerifiedTokens)
    threads: Threads = field(factory=lambda: Threads(1))
    _streams: WeakKeyDictionary[Stream[Any], None] = field(factory=WeakKeyDictionary, init=False)

    def end_with_client(self, stream: Stream[Any]) -> None:
        """Has a stream closed when the client is, if anybody has it then."""
        self._streams[stream] = None

    async def aclose(self) -> None:
        """Closes this event loop's connections, and ends the streams that hold one."""
        try:
            await self.transport.aclose()  # first, since from then on nothing connects any more
        finally:
            await finish(self._end_streams)

    async def _end_streams(self) -> None:
        async with anyio.create_task_group() as group:
            for reference in self._streams.keyrefs():  # a list, so that another thread may add one meanwhile
                stream = reference()
                if stream is not None:
                    group.start_soon(stream.aclose)


class Api(FramesCleared):
    """One application, as it was configured."""

    def __init__(self, settings: Settings, shared: Shared) -> None:
        self._settings = settings
        self._shared = shared

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"A {type(self).__name__} is not pickled; make one in each process")

    def _copied(self: _ApiT, **changes: Any) -> _ApiT:
        """A copy with some settings changed, which shares the connections."""
        copied = type(self).__new__(type(self))
        Api.__init__(copied, evolve(self._settings, **changes), self._shared)
        return copied

    def _asking_once(self: _ApiT) -> _ApiT:
        """A copy that tries no call again, for whoever asks again anyway, in a rhythm of their own."""
        return self._copied(retry=evolve(self._settings.retry, attempts=1))

    async def _call(self, request: Request, answer: type[_DtoT], timeout: Timeout | None) -> _DtoT:
        return read_envelope(await self._shared.transport.send(request, self._settings, timeout), answer)

    async def _call_as_user(
        self, request: Request, answer: type[_DtoT], access_token: str | None, timeout: Timeout | None
    ) -> _DtoT:
        return await self._call(evolve(request, user_token=self._user_token(access_token)), answer, timeout)

    def _user_token(self, access_token: str | None) -> str:
        token = self._settings.access_token if access_token is None else access_token
        if token is None:
            raise ConfigurationError(
                "access_token",
                "is needed: pass the signed-in user's (`await session.access_token()`), or set it for the whole client",
            )
        return checked_token(token)

    async def _call_maybe_as_user(
        self, request: Request, answer: type[_DtoT], access_token: str | None, timeout: Timeout | None
    ) -> _DtoT:
        if access_token is None and self._settings.access_token is None:
            return await self._call(request, answer, timeout)
        return await self._call_as_user(request, answer, access_token, timeout)

    async def _send_with_password(
        self, encrypt_type: str | None, send: Callable[[Encrypt], Awaitable[_T]], timeout: Timeout | None
    ) -> _T:
        """Sends something with a password in it; the timeout covers fetching the server's key as well."""
        limit = self._settings.timeout if timeout is None else deadline(timeout)
        sending = self._shared.passwords.sending(encrypt_type, partial(self._system_info, timeout), send)
        if encrypt_type in {None, "none"}:
            return await sending  # one request, which has its own limit
        with anyio.move_on_after(limit.total):
            return await sending
        raise RequestTimeoutError(f"No answer within {limit.total:g} s, the server's key included", sent=True)

    async def _system_info(self, timeout: Timeout | None = None) -> models.SystemInfoResp:
        return await self._call(get("api", "v3", "system"), models.SystemInfoResp, timeout)


def get(*path: str, **query: str | int | bool | None) -> Request:
    """A request that reads."""
    return Request(method="GET", path=path, query=query, repeat=Repeat.SAFE)


def post(*path: str, body: Dto, **options: Any) -> Request:
    """A request that does something, unless `repeat` says that it only reads."""
    return Request(method="POST", path=path, json=_checked(body).to_dict(), **options)


def put(*path: str, body: Dto) -> Request:
    """A request that changes something."""
    return Request(method="PUT", path=path, json=_checked(body).to_dict())


def _checked(body: Dto) -> Dto:
    """The body, if it has what it needs, of the right types."""
    required, scalars = required_attributes(type(body)), scalar_attributes(type(body))
    for attribute in wire_names(type(body)):
        value = getattr(body, attribute)
        if value is None:
            if attribute in required:
                raise ConfigurationError(attribute, "is needed, and is None")
        elif attribute in scalars:
            if not is_exactly(value, scalars[attribute]):
                problem = f"is {_KINDS[scalars[attribute]]}, not {type(value).__name__}"
                raise ConfigurationError(attribute, problem)
        elif isinstance(value, Dto):
            _checked(value)
    return body


_KINDS: Final[Mapping[type, str]] = {str: "text", int: "a whole number", bool: "True or False"}


def needed(argument: str, value: str | None) -> str:
    """A text that is not empty.

    Raises:
        ConfigurationError: it is empty, or no text.
    """
    if isinstance(value, str) and value:
        return value
    problem = "is needed, and is empty" if value is None or value == "" else f"is text, not {type(value).__name__}"
    raise ConfigurationError(argument, problem)


def segment(argument: str, value: str) -> str:
    """A text that can stand in a path.

    Raises:
        ConfigurationError: it is empty, or dots, which HTTP libraries would resolve to another path.
    """
    if value in {".", ".."}:
        raise ConfigurationError(argument, "cannot be dots")
    return needed(argument, value)


def texts(argument: str, value: Sequence[str]) -> list[str]:
    """A list of texts.

    Raises:
        ConfigurationError: it is one text, which would be taken for a list of letters, or no list of texts.
    """
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return list(value)
    raise ConfigurationError(argument, f"is a list of texts, not {type(value).__name__}")


def checked_token(token: str, argument: str = "access_token") -> str:
    """A token that can stand in a header.

    Raises:
        ConfigurationError: it cannot; without quoting it.
    """
    if isinstance(token, str) and token and token.isascii() and token.isprintable() and " " not in token:
        return token
    raise ConfigurationError(
        argument, "is not a token: it is empty, or has spaces, line breaks or non-ASCII characters"
    )
