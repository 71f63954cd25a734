"""Values per event loop and process."""

from __future__ import annotations

import os

import pytest

from genauth_async._core.per_loop import PerLoop

pytestmark = [pytest.mark.anyio, pytest.mark.backends]


async def test_a_forked_child_neither_uses_nor_drops_what_it_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    values = PerLoop(object)
    other = PerLoop(object)
    of_the_parent = values.get(), other.get()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert values.pop() is None
    assert other.get() is not of_the_parent[1]


async def test_a_loop_has_one_value_until_it_is_removed() -> None:
    values = PerLoop(object)
    first = values.get()
    assert values.get() is first
    assert values.pop() is first
    assert values.pop() is None
    assert values.get() is not first
