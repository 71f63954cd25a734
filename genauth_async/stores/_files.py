"""Files of one user; all functions block."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from .._core.files import IS_WINDOWS, retry_on_windows, sync_directory
from ..errors import StoreError, StoreUnusableError

_IF_HARMLESS: Final = "if they cannot have misused it: chmod"
_PERMISSION: Final = "let this user read and write it, or choose another directory"
_NO_LOCKS: Final = "its filesystem has no file locks (flock); choose a local directory"
# All other errors may pass, as those of a full disk do.
_REMEDIES: Final = {
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.EROFS: "choose a directory on a filesystem that can be written",
    errno.ENOTDIR: "a file is in the place of a directory; remove that file, or choose another directory",
    errno.EISDIR: "a directory is in the place of a file in it; remove that directory",
    errno.ELOOP: "a symbolic link is in the place of a file in it; remove that link",
    errno.ENAMETOOLONG: "choose a directory with a shorter path",
    errno.ENOSYS: _NO_LOCKS,
    errno.ENOLCK: _NO_LOCKS,
    errno.ENOTSUP: _NO_LOCKS,
    errno.EOPNOTSUPP: _NO_LOCKS,
}


def store_error(directory: Path, error: OSError) -> StoreError:
    """Return the error of a store that could not use a file of its directory: one that passes, or the remedy."""
    reason = error.strerror or type(error).__name__
    remedy = None if error.errno is None or _is_open_elsewhere(error) else _REMEDIES.get(error.errno)
    if remedy is None:
        return StoreError(f"The session store in {directory} failed: {reason}")
    return StoreUnusableError(f"The session store in {directory} cannot be used ({reason}): {remedy}")


def prepare_directory(directory: Path) -> None:
    """Create the directory for this user only, or check an existing one.

    Raises:
        StoreUnusableError: the directory belongs to another user, other users may use it, or it cannot be created.
        OSError: it cannot be created or read.
    """
    try:
        directory.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        status = directory.stat()
        if not stat.S_ISDIR(status.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
        _check_private(directory, status, f"choose one of the store's own, or, {_IF_HARMLESS} 700 '{directory}'")
    except FileNotFoundError as error:
        raise StoreUnusableError(f"{directory} cannot be created there; choose another directory") from error


def read_private(path: Path) -> bytes | None:
    """Read the file, or return None if it does not exist.

    Raises:
        StoreUnusableError: the file belongs to another user, or other users may read or change it.
        OSError: it cannot be read.
    """
    try:
        descriptor = retry_on_windows(lambda: os.open(path, os.O_RDONLY | _flag("O_NOFOLLOW") | _flag("O_BINARY")))
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        _check_private(path, os.fstat(descriptor), f"{_IF_HARMLESS} 600 '{path}'")
        return file.read()


def remove(path: Path) -> None:
    """Remove the file, if it exists, and sync its directory."""
    with suppress(FileNotFoundError):
        retry_on_windows(path.unlink)
        sync_directory(path.parent)


def set_aside(path: Path, suffix: str) -> Path:
    """Rename the file and return its new path."""
    aside = path.with_suffix(suffix)
    return retry_on_windows(lambda: path.replace(aside))


def _check_private(path: Path, status: os.stat_result, remedy: str) -> None:
    # As ssh does: refuse what other users could have read or changed, and do not silently fix it. Windows gives the
    # contents of a user's directories to that user, and has no such modes.
    if IS_WINDOWS:
        return
    if status.st_uid != os.geteuid():
        raise StoreUnusableError(
            f"{path} must belong to this user (uid {os.geteuid()}), not to another user (uid {status.st_uid}); choose "
            "another directory, or run as that user"
        )
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise StoreUnusableError(
            f"{path} is open to other users (mode {stat.S_IMODE(status.st_mode):o}), so it is not used for sessions; "
            f"{remedy}"
        )


def _is_open_elsewhere(error: OSError) -> bool:
    # Windows: ERROR_SHARING_VIOLATION and ERROR_LOCK_VIOLATION.
    return getattr(error, "winerror", None) in {32, 33}


def _flag(name: str) -> int:
    return int(getattr(os, name, 0))
