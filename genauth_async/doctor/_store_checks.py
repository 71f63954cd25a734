"""Checks of a token store, with a test record."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio
from attrs import evolve

from ..errors import StoreError
from ..models.tokens import TokenSet
from ..stores import RefreshAttempt, SessionRecord, TokenStore
from ._findings import Report

if TYPE_CHECKING:
    from ..stores import RedisStore

_SECONDS: Final = 15.0
_SLOW_SECONDS: Final = 0.1
_EVICTS_NOTHING: Final = frozenset({"noeviction", "volatile-ttl"})


async def examine_store(store: TokenStore, report: Report) -> None:
    """Write, read and remove a test record under its lock, and check how the store keeps records.

    Args:
        store: the store.
        report: receives the findings.
    """
    subject = f"store {type(store).__name__}"
    try:
        with anyio.fail_after(_SECONDS):
            started = time.monotonic()
            fault = await _tried(store)
            seconds = time.monotonic() - started
    except StoreError as error:
        cause = "" if error.__cause__ is None else f": {error.__cause__}"
        report.wrong(subject, f"{error}{cause}")
        return
    except TimeoutError:
        report.wrong(subject, f"did not answer within {_SECONDS:.0f} s")
        return
    except Exception as error:  # noqa: BLE001 - a store of the user's own may raise anything
        report.wrong(subject, f"raises {type(error).__name__}: {error}")
        return
    if fault is not None:
        report.wrong(subject, fault)
        return
    verdict = report.note if seconds > _SLOW_SECONDS else report.ok
    verdict(subject, f"a record was written, read and removed under its lock in {seconds * 1000:.0f} ms")
    await _kept(store, subject, report)


async def _tried(store: TokenStore) -> str | None:
    """Return the store's first violation of the TokenStore protocol, or None."""
    key = f"doctor-{secrets.token_hex(8)}"
    tokens = TokenSet(access_token="none", obtained_at=time.time())  # noqa: S106 - no token
    record = SessionRecord(
        tokens=tokens,
        generation=1,
        app_id="doctor",
        app_host="https://doctor.invalid",
        attempt=RefreshAttempt(key, started_at=time.time(), seconds=60.0),
        predecessors=("one",),
        replaced=("another",),
        expires_at=time.time() + 60,
    )
    try:
        async with store.lock(key):
            if not await store.compare_and_set(key, record, expected=None):
                return "does not write a record where there is none"
            if await store.get(key) != record:
                return "returns another record than was written"
            if await store.compare_and_set(key, evolve(record, generation=3), expected=2):
                return "overwrites a record of another generation, so that a late process undoes the writes of others"
    finally:
        await store.delete(key)
    return "still has a record that was deleted" if await store.get(key) is not None else None


async def _kept(store: TokenStore, subject: str, report: Report) -> None:
    name = type(store).__name__
    directory = getattr(store, "directory", None)
    if isinstance(directory, Path):
        report.ok(subject, f"sessions are in {directory}, for this user only")
    if getattr(store, "is_in_clear", False):
        report.note(
            subject, "there is no usable keyring, so sessions are in clear; `keyring diagnose` shows which is used"
        )
    if name == "MemoryStore":
        report.note(subject, "sessions end with the process, and are not shared with others")
    if name == "RedisStore":
        await _kept_by_redis(store, subject, report)  # type: ignore[arg-type] # by name, without an import


async def _kept_by_redis(store: RedisStore, subject: str, report: Report) -> None:
    try:
        about = await store.server_info()
    except StoreError as error:
        report.note(subject, f"the server's persistence could not be checked: {error}")
        return
    if not about.get("aof_enabled"):
        report.note(subject, "the server has no append-only file: a restart loses the last refreshes")
    policy = about.get("maxmemory_policy")
    if about.get("maxmemory") and policy not in _EVICTS_NOTHING:
        report.wrong(subject, f"maxmemory-policy must be noeviction, not {policy}: the server evicts sessions")
