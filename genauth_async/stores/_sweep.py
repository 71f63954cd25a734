"""The file format of a FileStore, and the removal of expired files; all functions block."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Final

from attrs import field, frozen

from ..errors import StoreError
from ._files import TEMPORARY, read_private, remove
from ._process_locks import ProcessLock

_log: Final = logging.getLogger(__name__)

RECORD: Final = ".json"
LOCK: Final = ".lock"

_FORM: Final = 1
_STAMP: Final = "swept"
_HOUR: Final = 3600.0
_DIGEST: Final = 64


@frozen
class Stored:
    """A record's file.

    Attributes:
        record: the encoded record, perhaps sealed.
        expires_at: the record's expires_at, readable without opening it.
    """

    record: str = field(repr=False)
    expires_at: float | None

    def to_bytes(self) -> bytes:
        """Encode the file's content."""
        return json.dumps({"form": _FORM, "expires_at": self.expires_at, "record": self.record}).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Stored:
        """Decode a file's content.

        Raises:
            ValueError: the content is not complete, or not a record's.
        """
        try:
            read = json.loads(content)
        except (ValueError, RecursionError):
            read = None
        if isinstance(read, dict) and read.get("form") == _FORM:
            record, expires_at = read.get("record"), read.get("expires_at")
            if isinstance(record, str) and (expires_at is None or type(expires_at) in {int, float}):
                return cls(record, expires_at)
        raise ValueError("this is not the file of a session's record")


def sweep(directory: Path, now: float, writing: Callable[[Path], AbstractContextManager[None]]) -> None:
    """Remove expired records and the leftovers of killed processes, at most once an hour.

    Args:
        directory: the store's directory.
        now: seconds since the epoch.
        writing: locks a record for writing; raises if that is not possible at once.
    """
    try:
        if not _is_due(directory / _STAMP, now):
            return
        with os.scandir(directory) as entries:
            paths = [Path(entry.path) for entry in entries]
        for path in paths:
            # Leave unreadable files for the next sweep: the caller, who writes a session, must not fail here.
            with suppress(Exception):
                _look_at(path, now, writing)
    except OSError as error:
        _log.debug("The session store in %s could not be swept: %s", directory, error)


def _is_due(stamp: Path, now: float) -> bool:
    with suppress(FileNotFoundError):
        # A clock set back must not delay the sweep for long.
        if abs(now - stamp.stat().st_mtime) < _HOUR:
            return False
    stamp.touch(mode=0o600)
    return True


def _look_at(path: Path, now: float, writing: Callable[[Path], AbstractContextManager[None]]) -> None:
    if path.suffix == RECORD:
        if _has_expired(path, now):
            with writing(path):
                if _has_expired(path, now):
                    remove(path)
        return
    if now - path.stat().st_mtime < _HOUR:
        return
    if path.suffix == TEMPORARY:
        path.unlink()
    elif path.suffix == LOCK and len(path.stem) == _DIGEST:
        # Releasing the lock removes its file.
        lock = ProcessLock(path)
        try:
            lock.take()
        finally:
            lock.release()


def _has_expired(path: Path, now: float) -> bool:
    try:
        content = read_private(path)
        expires_at = None if content is None else Stored.from_bytes(content).expires_at
    except (ValueError, StoreError):
        return False
    return expires_at is not None and expires_at < now
