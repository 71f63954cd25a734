"""What a client and its copies share: connections, keys, grants."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import anyio
from attrs import field, frozen

from .._core.shielding import finish
from .._core.worker_threads import Threads
from .._crypto.passwords import PasswordEncryptor
from .._http.transport import Transport
from .._jwt.key_cache import KeyCache
from .._jwt.token_cache import VerifiedTokens
from .._session.grants import Grants
from ..stream import Stream


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
