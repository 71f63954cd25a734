"""Ctrl-C while a stream is waited for: the wait is cancelled, and the stream goes on afterwards."""

from __future__ import annotations

import anyio

from genauth_async.stream import Stream
from genauth_sync._bridge import Stream as BlockingStream
from tests.sync.programs.say import say


class Slow(Stream[int]):
    """Takes for ever over its second item, at the first try."""

    def __init__(self) -> None:
        super().__init__()
        self._given = 0
        self._tries = 0

    async def _next(self) -> int:
        if self._given == 3:
            raise StopAsyncIteration
        if self._given == 1:
            self._tries += 1
            if self._tries == 1:
                say("waiting")
                await anyio.sleep_forever()
        self._given += 1
        return self._given


stream = BlockingStream(Slow())
try:
    for item in stream:
        say("item:", item)
except KeyboardInterrupt:
    say("interrupted")
say("then:", list(stream), list(stream))
