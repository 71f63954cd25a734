"""Authorization codes that a client has sent."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Final, TypeVar

from ..errors import CallbackError, GenAuthError

_T = TypeVar("_T")
_REMEMBERED: Final = 4096


class SentCodes:
    """Remembers the newest codes, so that none is sent twice: a server may revoke the tokens of a code that is.

    Threads may share it.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._sent: dict[bytes, None] = {}

    async def send(self, code: str, state: str, exchange: Callable[[], Awaitable[_T]]) -> _T:
        """Exchange a code, unless an exchange of it is under way or has been sent.

        Args:
            code: the code.
            state: the state of its login attempt.
            exchange: sends the code.

        Raises:
            CallbackError: the code has been sent before.
        """
        name = sha256(f"{state} {code}".encode("utf-8", "replace")).digest()
        with self._guard:
            if name in self._sent:
                raise CallbackError("The callback came twice, and its code has been sent before: begin a new sign-in")
            self._sent[name] = None
            if len(self._sent) > _REMEMBERED:
                del self._sent[next(iter(self._sent))]
        try:
            return await exchange()
        except GenAuthError as error:
            if not getattr(error, "sent", True):
                with self._guard:
                    self._sent.pop(name, None)
            raise
