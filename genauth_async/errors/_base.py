"""The base class, and errors that are raised before a request is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self, TypeVar

_E = TypeVar("_E", bound="GenAuthError")


def _rebuild(cls: type[_E], message: str, state: Mapping[str, object]) -> _E:
    error = cls.__new__(cls, message)
    error.args = (message,)  # OSError, TimeoutError's base, sets it in __init__ only
    error.__dict__.update(state)
    return error


class GenAuthError(Exception):
    """The base class of this package's exceptions.

    Attributes:
        message: a description for people.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __reduce__(self) -> tuple[object, ...]:
        # Exception.__reduce__ calls the class with `args` alone, which fails for each class that needs more.
        return _rebuild, (type(self), self.message, self._public_state())

    def __copy__(self) -> Self:
        return _rebuild(type(self), self.message, self.__dict__)

    def _public_state(self) -> dict[str, object]:
        return dict(self.__dict__)


class ConfigurationError(GenAuthError, ValueError):
    """An argument is invalid; the message names it and the remedy.

    Attributes:
        argument: the name of the argument.
    """

    def __init__(self, argument: str, problem: str) -> None:
        super().__init__(f"{argument}: {problem}")
        self.argument = argument


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
