"""Constants and helpers of the TokenSession tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import parse_qs

import anyio

from genauth_async import Clock, SessionRecord, TokenSession
from genauth_async.emulator import Emulator
from tests.recording import Answer, RecordingServer

REFRESH = "/oidc/token"
REVOKE = "/oidc/token/revocation"
LIFE = 14 * 24 * 3600

SERVERS: Final = ("reuse detection", "grace window", "same token", "no token")
"""Kinds of servers, by what they do with refresh tokens."""


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


async def all_at_once(calls: Iterable[Callable[[], Any]]) -> None:
    """Carry out the calls concurrently."""
    async with anyio.create_task_group() as group:
        for call in calls:
            group.start_soon(call)


async def settled(session: TokenSession) -> None:
    """Wait for the refresh under way."""
    grant = session._grant
    if grant is not None and grant.flight is not None:
        with anyio.fail_after(60):
            await grant.flight.wait()


class Time:
    """Two clocks that a test moves: one by itself, or both."""

    def __init__(self) -> None:
        self.monotonic = 1000.0
        self.wall = 1_700_000_000.0

    @property
    def clock(self) -> Clock:
        return Clock(monotonic=lambda: self.monotonic, wall=lambda: self.wall)

    def advance(self, seconds: float) -> None:
        self.monotonic += seconds
        self.wall += seconds


class TokenServer:
    """A token endpoint of one of the SERVERS, with faults. Each access token lives for an hour.

    Attributes:
        faults: the answers to the next requests, and whether the server processes those requests.
        is_revoked: it has revoked the grant.
        spent: the numbers of the refresh tokens that were used.
    """

    FIRST: Final = {"access_token": "access-1", "refresh_token": "refresh-1", "expires_in": 3600}

    def __init__(self, recorder: RecordingServer, kind: str) -> None:
        assert kind in SERVERS
        self._recorder = recorder
        self._kind = kind
        self._number = 1
        self.faults: list[tuple[bool, Answer]] = []
        self.is_revoked = False
        recorder.next_answer = self._answer  # type: ignore[method-assign]

    @property
    def newest(self) -> str:
        """The newest access token."""
        return f"access-{self._number}"

    def _answer(self) -> Answer:
        processed, fault = self.faults.pop(0) if self.faults else (True, None)
        answer = self._process() if processed else Answer()
        return answer if fault is None else fault

    def _process(self) -> Answer:
        [sent] = parse_qs(self._recorder.last.body.decode())["refresh_token"]
        rotates = self._kind in {"reuse detection", "grace window"}
        accepted = {f"refresh-{self._number if rotates else 1}"}
        if self._kind == "grace window":
            accepted.add(f"refresh-{self._number - 1}")
        if self.is_revoked or sent not in accepted:
            self.is_revoked = True
            return Answer({"error": "invalid_grant"}, status=400)
        self._number += 1
        answer: dict[str, object] = {"access_token": self.newest, "expires_in": 3600, "token_type": "Bearer"}
        if self._kind != "no token":
            answer["refresh_token"] = f"refresh-{self._number if rotates else 1}"
        return Answer(answer)


def shown(record: SessionRecord | None) -> SessionRecord:
    """Return a record that must be there."""
    assert record is not None
    return record
