"""Where the user may be sent after signing in: to a path of this site, and nowhere else."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, unquote

_LONGEST: Final = 2048
# Quotation marks are quoted, so that the address is as long in JSON: it goes into a cookie, whose size has a limit.
_PRINTABLE: Final = "".join(chr(code) for code in range(0x21, 0x7F)).replace('"', "")
_DECODINGS: Final = 3  # proxies and frameworks between the browser and the application may each decode once


def safe_next(url: str | None, default: str = "/") -> str:
    """The address, if every browser takes it for a path of the site that it is on; else the default.

    Args:
        url: from a request, so anything at all.
        default: used instead of what could lead elsewhere.

    Returns:
        A path, perhaps with a query and a fragment, in ASCII, of 2048 characters at most.
    """
    if not isinstance(url, str) or not 0 < len(url) <= _LONGEST or not _is_plain(url) or any(map(str.isspace, url)):
        return default
    path = url.split("?", 1)[0].split("#", 1)[0]
    for _ in range(_DECODINGS):
        # An empty segment could become the first one, where dots are resolved; the rest would then be a host.
        if not path.startswith("/") or "//" in path or not _is_plain(path):
            return default
        path = unquote(path)
    try:
        quoted = quote(url, safe=_PRINTABLE)
    except UnicodeEncodeError:
        return default
    return quoted if len(quoted) <= _LONGEST else default


def _is_plain(text: str) -> bool:
    """Whether it has neither control characters, which browsers drop, nor backslashes, which they take for slashes."""
    return "\\" not in text and all(ord(char) >= 0x20 and not 0x7F <= ord(char) < 0xA0 for char in text)  # noqa: PLR2004
