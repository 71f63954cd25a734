"""All interleavings of processes, callers and faults, for the state of a grant; and mutants that they catch."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Final

import pytest
from attrs import evolve

from genauth_async._session import grants, turn
from genauth_async._session.state import GrantState
from tests.session_model.world import Action, Script, Server, explore

LANES: Final[dict[str, dict[str, tuple[Action, ...]]]] = {
    "two processes refresh": {"P": ("sign in a", "refresh"), "Q": ("sign in a", "refresh")},
    "two users sign in": {"P": ("sign in a", "refresh"), "Q": ("sign in b", "refresh")},
    "two users in one process": {"P1": ("sign in a", "refresh"), "P2": ("sign in b", "refresh")},
    "one logs out": {"P": ("sign in a", "refresh", "log out"), "Q": ("sign in a", "refresh")},
    "an API refuses the token": {"P": ("sign in a", "refused"), "Q": ("sign in a", "refused")},
    "the store is restored": {"P": ("sign in a", "refresh"), "Q": ("sign in a", "refresh")},
    "one process": {"P": ("sign in a", "refresh", "refresh", "log out")},
    "one process, restored": {"P": ("sign in a", "refresh", "refresh")},
    "a kept sign-in": {"P": ("sign in a",), "Q": ("sign in b",), "R": ("sign in a",)},
    "three callers": {"P": ("sign in a", "refresh"), "Q1": ("refresh",), "Q2": ("sign in b",)},
}
SERVERS: Final[tuple[Server, ...]] = ("reuse revokes", "grace window", "same token")


def script(name: str, server: Server, faults: int) -> Script:
    return Script(LANES[name], server, faults, restores="restored" in name)


def check(tested: Script, most: int | None = None) -> int:
    """Run a script with all choices; return the number of runs."""
    runs = 0
    for choices, violation in explore(tested, most):
        runs += 1
        if violation is not None:
            raise AssertionError(f"{violation}; the choices: {choices}") from violation
    return runs


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("name", LANES)
def test_every_interleaving_without_faults(name: str, server: Server) -> None:
    assert check(script(name, server, 0)) > 50 * (len(LANES[name]) - 1)


@pytest.mark.parametrize("name", [name for name in LANES if len(LANES[name]) < 3])
def test_every_place_of_one_fault(name: str) -> None:
    assert check(script(name, "reuse revokes", 1)) > 1000 * (len(LANES[name]) - 1)


@pytest.mark.slow
@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("name", LANES)
def test_every_place_of_two_faults(name: str, server: Server) -> None:
    faults = 1 if name == "three callers" else 2
    assert check(script(name, server, faults)) > 1_000 * (len(LANES[name]) - 1)


# Mutants: each breaks one rule of the state, and some script has to notice.


def _ignore_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GrantState, "under_way", lambda *_: 0.0)


def _send_after_a_long_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GrantState, "is_over", lambda *_: False)


def _store_no_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    write = turn.Write

    def without_attempt(record: Any, over: Any) -> Any:
        return write(evolve(record, attempt=None), over)

    monkeypatch.setattr(turn, "Write", without_attempt)
    monkeypatch.setattr("tests.session_model.world.Write", write)


def _forget_new_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    learn = GrantState.learn

    def only_what_is_stored(self: GrantState, record: Any, *, is_stored: bool, is_refreshed: bool = False) -> None:
        if is_stored:
            learn(self, record, is_stored=is_stored, is_refreshed=is_refreshed)

    monkeypatch.setattr(GrantState, "learn", only_what_is_stored)


def _trust_a_restored_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "is_older", lambda *_: False)


def _take_any_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "is_same_grant", lambda *_: True)


def _keep_the_old_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grants, "relation", lambda *_: "same")


def _take_back_what_was_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "replacing", lambda old, new: evolve(new, generation=old.generation + 1))


def _end_on_a_lost_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def end(given: GrantState) -> Generator[Any, Any, None]:
        yield from ()
        raise given.end("lost_answer")

    monkeypatch.setattr(turn, "_end_attempt", end)


def _never_send_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GrantState, "lost", lambda self: 1 if self.known.attempt else 0)
    monkeypatch.setattr("tests.session_model.world.RESENDS", False)


def _keep_the_record_at_logout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "Remove", lambda _over: turn.Do.READ)


MUTANTS: Final[dict[Callable[[pytest.MonkeyPatch], None], str]] = {
    _ignore_attempts: "two processes refresh",
    _send_after_a_long_stop: "two processes refresh",
    _store_no_attempt: "two processes refresh",
    _forget_new_tokens: "one process",
    _trust_a_restored_store: "one process, restored",
    _take_any_record: "two users sign in",
    _keep_the_old_sign_in: "two users in one process",
    _take_back_what_was_replaced: "a kept sign-in",
    _end_on_a_lost_answer: "two processes refresh",
    _never_send_again: "two processes refresh",
    _keep_the_record_at_logout: "one process",
}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__.strip("_"))
def test_mutants_are_noticed(mutant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    def check_all() -> None:
        for faults in (0, 1, 2):
            for server in SERVERS:
                check(script(MUTANTS[mutant], server, faults), 30_000)

    mutant(monkeypatch)
    with pytest.raises(Exception):  # noqa: B017, PT011 - a broken rule may break the turn, too
        check_all()
