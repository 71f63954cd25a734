"""Constants and helpers of the TokenSession tests."""

from __future__ import annotations

import anyio

from genauth_async import Clock, TokenSession
from genauth_async.emulator import Emulator

REFRESH = "/oidc/token"
REVOKE = "/oidc/token/revocation"
LIFE = 14 * 24 * 3600


def emulators_time(emulator: Emulator) -> Clock:
    """The emulator's clock for a client: advancing it expires tokens on both sides."""
    return Clock(monotonic=emulator.clock.now, wall=emulator.clock.now)


async def gathered(count: int, session: TokenSession) -> list[str]:
    """Return the access tokens of `count` concurrent callers."""
    got: list[str] = []

    async def one() -> None:
        got.append(await session.access_token())

    async with anyio.create_task_group() as group:
        for _ in range(count):
            group.start_soon(one)
    return got
