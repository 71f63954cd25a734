"""Blocking calls in a thread that runs an event loop, as notebooks do: they work, with one warning or none."""

from __future__ import annotations

import asyncio
import builtins
import linecache
import sys
import warnings

from genauth_sync._bridge import Facade, bridge
from tests.sync.programs.say import say


class Core:
    async def answer(self) -> int:
        return 42


class Blocking(Facade[Core]):
    def answer(self) -> int:
        return bridge.run(self._async.answer)


async def main() -> None:
    blocking = Blocking(Core())
    say("first:", blocking.answer())  # the caller's line
    say("second:", blocking.answer())


if "ipython" in sys.argv:
    builtins.__IPYTHON__ = True  # type: ignore[attr-defined]  # what IPython sets
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    asyncio.run(main())
for warning in caught:
    say(warning.category.__name__, "at:", linecache.getline(warning.filename, warning.lineno).strip())
