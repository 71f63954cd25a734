"""Plans of a schedule: the steps of each process, their times, and the faults that may occur."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final

from attrs import evolve, frozen

from tests.simulation.world import HELD_UP, LIFE, LOST, REFUSED, SERVER_KINDS, STORE, ServerKind

ACTS: Final = ("access_token", "refresh", "invalidate", "sign in", "logout")
_USUAL: Final = (60, 25, 10, 0, 0)
_RARE: Final = (50, 25, 10, 10, 5)

# At once after the sign-in; when it is time for an early refresh; when the token has expired; and again.
_MOMENTS: Final = (0.0, 0.85 * LIFE, 1.05 * LIFE, 1.9 * LIFE, 2.1 * LIFE)
# What goes wrong in one schedule is of few kinds, so that what each of them excuses hides little.
_THEMES: Final = (
    REFUSED,
    LOST,
    LOST,
    STORE,
    ("store restored",),
    ("store forgets", "revoked"),
    HELD_UP,
    ("slow", "silence", "lock lost"),
    ("dies", "lock lost"),
)

LAST_MOMENT: Final = 2.2 * LIFE


@frozen(kw_only=True)
class Step:
    """One caller.

    Attributes:
        at: when.
        process: in which process.
        act: what it does, one of ACTS.
        session: which of the process's sessions it uses; None: it makes one for this call.
        made_from: what a session is made from, if it has to be made.
        leaves_after: after how many seconds the caller is cancelled, if it is.
        abruptly: cancelled with Task.cancel(), on asyncio.
    """

    at: float
    process: int
    act: str
    session: int | None
    made_from: str
    leaves_after: float | None
    abruptly: bool


@frozen(kw_only=True)
class Plan:
    """A schedule, as far as it is decided beforehand.

    Attributes:
        seed: decides the rest.
        server: what it does at the second use of a refresh token.
        resends: the clients' resend_refresh_token.
        named: how the sessions are found: by a key in the shared store, by their tokens there, or in memory.
        processes: how many.
        kinds: the kinds of fault that may strike.
        rate: how often one does, where it may.
        steps: the callers.
    """

    seed: int
    server: ServerKind
    resends: bool
    named: str
    processes: int
    kinds: frozenset[str]
    rate: float
    steps: tuple[Step, ...]

    def smaller(self) -> Iterator[Plan]:
        """The same with less in it, the greatest savings first."""
        size = len(self.steps) // 2
        while size:
            for start in range(0, len(self.steps), size):
                yield evolve(self, steps=self.steps[:start] + self.steps[start + size :])
            size //= 2
        for kind in sorted(self.kinds):
            yield evolve(self, kinds=self.kinds - {kind})
        for index, step in enumerate(self.steps):
            if step.leaves_after is not None:
                stays = evolve(step, leaves_after=None)
                yield evolve(self, steps=(*self.steps[:index], stays, *self.steps[index + 1 :]))


def plan_of(seed: int) -> Plan:
    """The plan that a number stands for."""
    rng = random.Random(seed)
    named = rng.choices(("key", "tokens", "memory"), (70, 15, 15))[0]
    processes = 1 if named == "memory" else rng.choice((1, 2, 2, 3))
    themes = rng.sample(_THEMES, rng.choice((0, 1, 2, 2, 3)))
    kinds = frozenset(rng.choice(theme) for theme in themes for _ in range(2))
    weights = rng.choice((_USUAL, _USUAL, _RARE)) if named == "key" else _USUAL
    hasty = rng.choice((0.0, 0.3, 0.7))
    moments = rng.sample(_MOMENTS, rng.choice((2, 3)))
    sessions = rng.choice(((0, 0, 1), (0, 0, 0, 1, None), (None,)))
    return Plan(
        seed=seed,
        server=rng.choice(SERVER_KINDS),
        resends=rng.random() < 0.9,
        named=named,
        processes=processes,
        kinds=kinds,
        rate=rng.choice((0.02, 0.1, 0.3)),
        steps=tuple(_step(rng, processes, weights, moments, sessions, hasty) for _ in range(rng.randint(3, 12))),
    )


def _step(
    rng: random.Random,
    processes: int,
    weights: tuple[int, ...],
    moments: list[float],
    sessions: tuple[int | None, ...],
    hasty: float,
) -> Step:
    return Step(
        at=rng.choice(moments) + rng.choice((0.0, 0.0, rng.uniform(0.0, 4.0))),
        process=rng.randrange(processes),
        act=rng.choices(ACTS, weights)[0],
        session=rng.choice(sessions),
        made_from=rng.choice(("key", "first tokens", "newest tokens")),
        leaves_after=rng.choice((0.0, rng.uniform(0.0, 0.2), rng.uniform(0.0, 5.0))) if rng.random() < hasty else None,
        abruptly=rng.random() < 0.5,
    )
