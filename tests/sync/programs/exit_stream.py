"""The main thread ends with a stream open: it is closed."""

from __future__ import annotations

from genauth_async.stream import Stream
from genauth_sync._bridge import Stream as BlockingStream
from tests.sync.programs.say import say


class Ones(Stream[int]):
    """Has no end."""

    async def _next(self) -> int:
        return 1

    async def _close(self) -> None:
        say("closed")


stream = BlockingStream(Ones())
say("item:", next(stream))
say("main ends")
