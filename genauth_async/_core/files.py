"""Atomic replacement of files; all functions block."""

from __future__ import annotations

import errno
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

_T = TypeVar("_T")

IS_WINDOWS: Final = os.name == "nt"
# Seconds between attempts on Windows, which refuses files that another process has open.
_PAUSES: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4)


def write_private(path: Path, content: bytes) -> None:
    """Replace the file atomically, for this user only; the old one stays intact if that fails."""
    descriptor, temporary = tempfile.mkstemp(prefix=path.stem + ".", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        retry_on_windows(lambda: Path(temporary).replace(path))
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make renames and removals in a directory durable."""
    # A rename is durable once its directory is synced. Windows has no such call.
    if IS_WINDOWS:
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some filesystems do not sync directories.
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:
            raise
    finally:
        os.close(descriptor)


def retry_on_windows(action: Callable[[], _T]) -> _T:
    """Repeat an action while Windows refuses it because another process has the file open."""
    for pause in _PAUSES:
        try:
            return action()
        except PermissionError:
            if not IS_WINDOWS:
                raise
            time.sleep(pause)
    return action()
