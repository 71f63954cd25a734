"""What every area of the API stands on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NoReturn, TypeVar

import anyio
from attrs import evolve, field, frozen

from .._envelope import read_envelope
from .._grants import Grants
from .._guard import FramesCleared
from .._request import Repeat, Request
from .._transport import Transport
from ..errors import ConfigurationError, RequestTimeoutError
from ..models._base import Dto, required_attributes
from ..models.system import SystemInfoResp
from ..passwords import Encrypt, PasswordEncryptor
from ..settings import Settings, Timeout, deadline

_T = TypeVar("_T")
_DtoT = TypeVar("_DtoT", bound=Dto)


@frozen(eq=False)
class Shared:
    """What a client and its copies have in common."""

    transport: Transport
    passwords: PasswordEncryptor = field(factory=PasswordEncryptor)
    grants: Grants = field(factory=Grants)


class Api(FramesCleared):
    """One application, as it was configured."""

    def __init__(self, settings: Settings, shared: Shared) -> None:
        self._settings = settings
        self._shared = shared

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"A {type(self).__name__} is not pickled; make one in each process")

    async def _call(self, request: Request, answer: type[_DtoT], timeout: Timeout | None) -> _DtoT:
        return read_envelope(await self._shared.transport.send(request, self._settings, timeout), answer)

    async def _call_as_user(
        self, request: Request, answer: type[_DtoT], access_token: str | None, timeout: Timeout | None
    ) -> _DtoT:
        return await self._call(evolve(request, user_token=self._user_token(access_token)), answer, timeout)

    def _user_token(self, access_token: str | None) -> str:
        token = access_token or self._settings.access_token
        if not token:
            raise ConfigurationError(
                "access_token",
                "is needed: pass the signed-in user's (`await session.access_token()`), or set it for the whole client",
            )
        return checked_token(token)

    async def _call_maybe_as_user(
        self, request: Request, answer: type[_DtoT], access_token: str | None, timeout: Timeout | None
    ) -> _DtoT:
        token = access_token or self._settings.access_token
        return await self._call(evolve(request, user_token=token and checked_token(token)), answer, timeout)

    async def _send_with_password(
        self, encrypt_type: str | None, send: Callable[[Encrypt], Awaitable[_T]], timeout: Timeout | None
    ) -> _T:
        """Sends something with a password in it; the timeout covers fetching the server's key as well."""

        async def fetch_keys() -> SystemInfoResp:
            return await self._system_info(timeout)

        limit = self._settings.timeout if timeout is None else deadline(timeout)
        sending = self._shared.passwords.sending(encrypt_type, fetch_keys, send)
        if encrypt_type in {None, "none"}:
            return await sending  # one request, which has its own limit
        with anyio.move_on_after(limit.total):
            return await sending
        raise RequestTimeoutError(f"No answer within {limit.total:g} s, the server's key included", sent=True)

    async def _system_info(self, timeout: Timeout | None = None) -> SystemInfoResp:
        return await self._call(get("api", "v3", "system"), SystemInfoResp, timeout)


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
    for attribute in required_attributes(type(body)):
        if getattr(body, attribute) is None:
            raise ConfigurationError(attribute, "is needed, and is None")
    return body


def needed(argument: str, value: str) -> str:
    """A text that is not empty.

    Raises:
        ConfigurationError: it is empty, or no text.
    """
    if isinstance(value, str) and value:
        return value
    raise ConfigurationError(argument, "is needed, as a text that is not empty")


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


def checked_token(token: str) -> str:
    """A token that can stand in a header.

    Raises:
        ConfigurationError: it cannot; without quoting it.
    """
    if isinstance(token, str) and token.isascii() and token.isprintable() and " " not in token:
        return token
    raise ConfigurationError("access_token", "is not a token: it has spaces, line breaks or non-ASCII characters")
