"""The state shared by a client and its copies: connections, keys, grants."""

from __future__ import annotations

from typing import Any, Final
from weakref import WeakKeyDictionary

import anyio
from attrs import field, frozen

from .._core.shielding import run_shielded
from .._core.worker_threads import Threads
from .._crypto.passwords import PasswordEncryptor
from .._http.transport import Transport
from .._jwt.key_cache import KeyCache
from .._jwt.token_cache import TokenCache
from .._session.codes import SentCodes
from .._session.grants import Grants
from ..stream import Stream

_FINISH_SECONDS: Final = 5.0
"""For refreshes under way; a longer one is interrupted, and its answer lost."""
_READERS: Final = 2
"""More would only wait for the GIL."""


@frozen(eq=False)
class Shared:
    """The state shared by a client and its copies."""

    transport: Transport
    passwords: PasswordEncryptor = field(factory=PasswordEncryptor)
    grants: Grants = field(factory=Grants)
    codes: SentCodes = field(factory=SentCodes)
    keys: KeyCache = field(factory=KeyCache)
    verified: TokenCache = field(factory=TokenCache)
    threads: Threads = field(factory=lambda: Threads(1))
    readers: Threads = field(factory=lambda: Threads(_READERS))
    _streams: WeakKeyDictionary[Stream[Any], None] = field(factory=WeakKeyDictionary, init=False)

    def end_with_client(self, stream: Stream[Any]) -> None:
        """Register a stream, to be closed with the client if it still exists."""
        self._streams[stream] = None

    async def aclose(self, *, for_good: bool = True) -> None:
        """Close this event loop's connections and the streams that hold one, after refreshes under way.

        Args:
            for_good: later calls raise ClientClosedError, rather than open connections anew.
        """
        with anyio.move_on_after(_FINISH_SECONDS):
            await self.grants.finish()
        try:
            await self.transport.aclose(for_good=for_good)  # first, since it prevents new connections
        finally:
            await run_shielded(self._end_streams)

    async def _end_streams(self) -> None:
        async with anyio.create_task_group() as group:
            for reference in self._streams.keyrefs():  # a list, so that another thread may add one meanwhile
                stream = reference()
                if stream is not None:
                    group.start_soon(stream.aclose)
