"""The base class, and errors that are raised before a request is sent."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar, Final, Self, TypeVar

from .._core.redaction import plain_text

_E = TypeVar("_E", bound="GenAuthError")


def _rebuild(cls: type[_E], args: tuple[str, ...], state: Mapping[str, object]) -> _E:
    error = cls.__new__(cls, *args)
    error.args = args  # OSError, TimeoutError's base, sets it in __init__ only
    error.__dict__.update(state)
    return error


class GenAuthError(Exception):
    """The base class of this package's exceptions.

    Each class can be called with its `args` alone, as task queues do that keep no more of an error. The attributes that
    its text does not tell then have their defaults.

    Attributes:
        message: a description for people. Control characters are escaped, and long texts truncated.
    """

    def __init__(self, message: str) -> None:
        self.message = plain_text(str(message))
        super().__init__(self.message)

    @property
    def is_transient(self) -> bool:
        """Return True if the same call may succeed later, without a change to its arguments or to the setup.

        It does not tell that a repetition is harmless: after a TransportError, `sent` tells whether the server may have
        carried out the call.
        """
        return self._may_pass()

    def _may_pass(self) -> bool:
        return self._is_transient

    _is_transient: ClassVar[bool] = False
    # For _core.tracebacks, which imports nothing of ours.
    _hides_frames: ClassVar[bool] = True

    def __reduce__(self) -> tuple[object, ...]:
        # Exception.__reduce__ would restore the attributes, and secrets, from __dict__.
        return _rebuild, (type(self), self.args, self._public_state())

    def __copy__(self) -> Self:
        return _rebuild(type(self), self.args, self.__dict__)

    def __deepcopy__(self, memo: object) -> Self:
        return self.__copy__()

    def _public_state(self) -> dict[str, object]:
        return dict(self.__dict__)


class ConfigurationError(GenAuthError, ValueError):
    """An argument is invalid; the message names it and the remedy.

    Attributes:
        argument: the name of the argument.
    """

    def __init__(self, argument: str, problem: str = "") -> None:
        super().__init__(f"{argument}: {problem}" if problem else argument)
        self.argument = argument if problem else argument.partition(": ")[0]


class ClientClosedError(GenAuthError, RuntimeError):
    """The client was closed before this call, or during it.

    Attributes:
        sent: whether the request may have reached the server.
    """

    def __init__(self, message: str, *, sent: bool = False) -> None:
        super().__init__(message)
        self.sent = sent


class PasswordEncryptionError(GenAuthError, ValueError):
    """The password cannot be encrypted: it is too long for the key, or the key is invalid."""


class SyncBridgeError(GenAuthError, RuntimeError):
    """A blocking call was made where it would block for ever."""


class WaitTimeoutError(GenAuthError, TimeoutError):
    """The wait timed out; `__cause__` is the last failure during it, if there was one."""

    _is_transient = True


class ResponseError(GenAuthError):
    """The base class of the errors that an HTTP response caused.

    Attributes:
        http_status: the HTTP status code; 0 if unknown.
        retry_after: the seconds to wait that the server asked for, or None.
        request_id: the server's id of the request, for the vendor's support, or None.
        endpoint: the method and path of the call, such as POST /api/v3/signin; empty if unknown.
    """

    def __init__(
        self,
        message: str,
        *,
        http_status: int = 0,
        retry_after: float | None = None,
        request_id: str | None = None,
        endpoint: str = "",
    ) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.retry_after = retry_after
        self.request_id = None if request_id is None else plain_text(request_id, 200)
        self.endpoint = endpoint

    def _may_pass(self) -> bool:
        is_temporary = self.http_status in _TRANSIENT or self.http_status >= HTTPStatus.INTERNAL_SERVER_ERROR
        return self._is_transient or is_temporary


_TRANSIENT: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
