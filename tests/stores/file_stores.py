"""Helpers that tests of FileStores share."""

from __future__ import annotations

from pathlib import Path

import anyio

from genauth_async import FileStore, SessionRecord
from tests.stores.conformance import record


def session_locks(directory: Path) -> list[Path]:
    return [path for path in directory.iterdir() if path.suffix == ".lock" and len(path.stem) == 64]


def names(directory: Path, suffix: str) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if suffix in path.name)


async def written(store: FileStore, key: str = "k", record: SessionRecord = record()) -> Path:  # noqa: B008
    """The file of a record that was written now."""
    before = set(names(store.directory, ".json")) if await anyio.Path(store.directory).exists() else set()
    assert await store.compare_and_set(key, record, expected=None)
    (name,) = set(names(store.directory, ".json")) - before
    return store.directory / name
