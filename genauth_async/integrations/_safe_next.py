"""Safe redirect targets after a sign-in: paths of this site only."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, unquote

_LONGEST: Final = 2048
# Without quotation marks: the address goes into a cookie of limited size, as JSON, which would escape them.
_PRINTABLE: Final = "".join(chr(code) for code in range(0x21, 0x7F)).replace('"', "")
_DECODINGS: Final = 3  # proxies and frameworks between the browser and the application may each decode once


def safe_next(url: str | None, default: str = "/") -> str:
    """Return the address if every browser resolves it to a path of this site, else the default.

    Args:
        url: untrusted text from a request.
        default: the address to use instead.

    Returns:
        A path, perhaps with a query and a fragment, in ASCII, of at most 2048 characters.
    """
    if not isinstance(url, str) or not 0 < len(url) <= _LONGEST or not _is_plain(url) or any(map(str.isspace, url)):
        return default
    path = url.split("?", 1)[0].split("#", 1)[0]
    for _ in range(1 + _DECODINGS):
        # Resolving dots could make an empty segment the first one, and the rest a host.
        if not path.startswith("/") or "//" in path or not _is_plain(path):
            return default
        path = unquote(path)
    try:
        quoted = quote(url, safe=_PRINTABLE)
    except UnicodeEncodeError:
        return default
    return quoted if len(quoted) <= _LONGEST else default


def _is_plain(text: str) -> bool:
    """Return False for control characters, which browsers drop, and backslashes, which they read as slashes."""
    return "\\" not in text and all(ord(char) >= 0x20 and not 0x7F <= ord(char) < 0xA0 for char in text)  # noqa: PLR2004
