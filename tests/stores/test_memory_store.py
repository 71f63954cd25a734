"""Sweep of a MemoryStore: expired records do not pile up."""

from __future__ import annotations

import time

import pytest

from genauth_async import MemoryStore, SessionRecord, TokenSet

pytestmark = pytest.mark.anyio

TOKENS = TokenSet(access_token="a", obtained_at=0.0)


async def write(store: MemoryStore, key: str, expires_at: float | None) -> None:
    record = SessionRecord(tokens=TOKENS, generation=1, expires_at=expires_at)
    assert await store.compare_and_set(key, record, expected=None)


async def test_expired_records_are_swept_and_others_kept() -> None:
    store = MemoryStore()
    now = time.time()
    for number in range(1000):
        await write(store, f"expired {number}", now - 1)
        if number % 50 == 0:
            await write(store, f"valid {number}", now + 3600)
            await write(store, f"endless {number}", None)
    kept = [key for number in range(0, 1000, 50) for key in (f"valid {number}", f"endless {number}")]
    assert [key for key in kept if await store.get(key) is None] == []
    left = [key for number in range(1000) if await store.get(key := f"expired {number}") is not None]
    assert len(left) < 100


async def test_a_small_store_is_not_swept() -> None:
    store = MemoryStore()
    for number in range(10):
        await write(store, str(number), time.time() - 1)
    assert [key for key in map(str, range(10)) if await store.get(key) is None] == []
