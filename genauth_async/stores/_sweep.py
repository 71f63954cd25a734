"""The file format of a FileStore, and the removal of expired files; all functions block."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from itertools import islice
from pathlib import Path
from typing import Final

from attrs import field, frozen

from ..errors import StoreError
from ._files import read_private
from ._process_locks import ProcessLock

_log: Final = logging.getLogger(__name__)

RECORD: Final = ".json"
LOCK: Final = ".lock"

_FORM: Final = 1
_STAMP: Final = "swept"
_HOUR: Final = 3600.0
_AT_ONCE: Final = 32
# Names that no other program gives: a digest and a suffix. Records that are not complete have tempfile's suffix.
_FORMS: Final = re.compile(r"[0-9a-f]{64}(?:(?P<record>\.json)|(?P<lock>\.lock)|\.[a-z0-9_]{8}\.tmp)")


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
    """Look at the next few files: remove expired records and the leftovers of killed processes.

    Each call continues where the last one of any process ended. Once all files have been looked at, the next round
    begins an hour later.

    Args:
        directory: the store's directory.
        now: seconds since the epoch.
        writing: locks a record for writing; raises if that is not possible at once.
    """
    stamp = directory / _STAMP
    try:
        if not _is_due(stamp, now):
            return
        begin = _position(stamp)
        with os.scandir(directory) as entries:
            names = [entry.name for entry in islice(entries, begin, begin + _AT_ONCE)]
        removed = sum(_removed(directory / name, now, writing) for name in names)
        if len(names) < _AT_ONCE:
            _mark(stamp, "", now)
        else:
            _mark(stamp, str(begin + len(names) - removed), 0.0)
    except OSError as error:
        # The caller, who writes a session, must not fail here.
        _log.debug("The session store in %s could not be swept: %s", directory, error)


def _is_due(stamp: Path, now: float) -> bool:
    try:
        # A clock set back must not delay the sweep for long.
        return abs(now - stamp.stat().st_mtime) >= _HOUR
    except FileNotFoundError:
        return True


def _position(stamp: Path) -> int:
    """Return the number of files that this round has looked at and kept."""
    with suppress(FileNotFoundError), stamp.open("rb") as file:
        content = file.read(10)
        return int(content) if re.fullmatch(rb"[0-9]{1,9}", content) else 0
    return 0


def _mark(stamp: Path, position: str, time: float) -> None:
    descriptor = os.open(stamp, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(position)
    os.utime(stamp, (time, time))


def _removed(path: Path, now: float, writing: Callable[[Path], AbstractContextManager[None]]) -> bool:
    """Remove a file that is no longer needed; return True if it was."""
    form = _FORMS.fullmatch(path.name)
    # Leave what is in use or cannot be read for the next round.
    with suppress(Exception):
        if form is None:
            return False
        if form["record"]:
            if not _has_expired(path, now):
                return False
            with writing(path):
                if _has_expired(path, now):
                    path.unlink()
        elif now - path.stat().st_mtime < _HOUR:
            return False
        elif form["lock"]:
            # Releasing the lock removes its file.
            lock = ProcessLock(path)
            try:
                lock.take()
            finally:
                lock.release()
        else:
            path.unlink()
        return not path.exists()
    return False


def _has_expired(path: Path, now: float) -> bool:
    try:
        content = read_private(path)
        expires_at = None if content is None else Stored.from_bytes(content).expires_at
    except (ValueError, StoreError):
        return False
    return expires_at is not None and expires_at < now
