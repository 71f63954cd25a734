"""Private files that are replaced as a whole; everything here blocks."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from ..errors import StoreError

_T = TypeVar("_T")

_IS_WINDOWS: Final = os.name == "nt"
# For so long, in seconds, Windows is asked again that refuses a file which somebody else has open.
_PAUSES: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4)

TEMPORARY: Final = ".tmp"


def prepare_directory(directory: Path) -> None:
    """Makes the directory for this user only, or sees that it is.

    Raises:
        StoreError: it is another user's, or others may use it.
        OSError: it cannot be made.
    """
    try:
        directory.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        _check_private(directory, directory.stat(), "700")


def read_private(path: Path) -> bytes | None:
    """What is in the file, None if there is none.

    Raises:
        StoreError: it is another user's, or others may read or change it.
        OSError: it cannot be read.
    """
    try:
        descriptor = _insisting(lambda: os.open(path, os.O_RDONLY | _flag("O_NOFOLLOW") | _flag("O_BINARY")))
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        _check_private(path, os.fstat(descriptor), "600")
        return file.read()


def write_private(path: Path, content: bytes) -> None:
    """Puts a file of this content in the place of the old one, which stays whole until then, whatever happens."""
    descriptor, temporary = tempfile.mkstemp(prefix=path.stem + ".", suffix=TEMPORARY, dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        _insisting(lambda: Path(temporary).replace(path))
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise
    _sync_directory(path.parent)


def remove(path: Path) -> None:
    """Removes the file, if there is one, and for good."""
    with suppress(FileNotFoundError):
        _insisting(path.unlink)
        _sync_directory(path.parent)


def set_aside(path: Path, suffix: str) -> Path:
    """Renames the file; tells what it is called now."""
    aside = path.with_suffix(suffix)
    return _insisting(lambda: path.replace(aside))


def _check_private(path: Path, status: os.stat_result, mode: str) -> None:
    # As ssh does: what others could have read or changed is not used, and not mended in silence. Windows gives what is
    # in a user's directories to that user, and has no such modes.
    if _IS_WINDOWS:
        return
    if status.st_uid != os.geteuid():
        raise StoreError(f"{path} belongs to another user (uid {status.st_uid}), so it is not used for sessions")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise StoreError(
            f"{path} is open to other users (mode {stat.S_IMODE(status.st_mode):o}), so it is not used for sessions; "
            f"if they cannot have misused it: chmod {mode} '{path}'"
        )


def _sync_directory(directory: Path) -> None:
    # A rename is on the disk when its directory is. Windows has no such call.
    if _IS_WINDOWS:
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


def _insisting(action: Callable[[], _T]) -> _T:
    for pause in _PAUSES:
        try:
            return action()
        except PermissionError:
            if not _IS_WINDOWS:
                raise
            time.sleep(pause)
    return action()


def _flag(name: str) -> int:
    return int(getattr(os, name, 0))
