"""JSON of a server (RFC 8259), decoded within bounds of depth, number of values and time without the GIL."""

from __future__ import annotations

import json
import re
from json.decoder import JSONArray, JSONDecoder, JSONObject  # type: ignore[attr-defined] # not in typeshed
from json.scanner import py_make_scanner  # type: ignore[attr-defined] # not in typeshed
from typing import Any, Final, NoReturn

from attrs import frozen

MOST_LEVELS: Final = 100
MOST_CONTAINERS: Final = 100_000
_LARGE_BYTES: Final = 256 * 1024
# Decoding and converting this many values takes some 20 ms.
_MANY_VALUES: Final = 20_000
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_ESCAPE: Final = re.compile(r"\\(?:(u[dD][89abAB]..\\u[dD][c-fC-F]..)|u[dD][89a-fA-F]..|.)", re.DOTALL)


@frozen
class Unreadable:
    """The result for a body that is not decoded.

    Attributes:
        problem: the reason, for messages; None if the body is not JSON.
    """

    problem: str | None = None


NOT_JSON: Final = Unreadable()
_TOO_DEEP: Final = Unreadable(f"JSON nested deeper than {MOST_LEVELS} levels")
_TOO_MANY: Final = Unreadable(f"JSON of more than {MOST_CONTAINERS} objects and arrays")


def is_large(body: bytes | bytearray) -> bool:
    """Return True if decoding the body could hold the event loop for too long."""
    if len(body) <= _MANY_VALUES:
        return False
    return len(body) > _LARGE_BYTES or sum(map(body.count, (b",", b"[", b"{"))) > _MANY_VALUES


def decode_json(body: bytes | bytearray, *, yielding: bool = False) -> object:
    """Decode JSON in UTF-8, UTF-16 or UTF-32.

    An escaped lone surrogate, which no encoding can carry, becomes U+FFFD. NaN, Infinity and integers of more digits
    than `int` takes are not JSON. Copying, printing and pickling the result recurses, and a garbage collection visits
    each object and array: so both are bounded.

    Args:
        body: the bytes.
        yielding: True to let other threads run meanwhile, which takes ten times as long: C's scanner holds the GIL.

    Returns:
        The value, or an Unreadable.
    """
    try:
        text = body.decode(json.detect_encoding(body))
        containers = text.count("{") + (text.count("[") if "[" in text else 0)  # `in` takes a tenth of the time
        if containers > MOST_CONTAINERS:
            return _TOO_MANY
        if "\\" in text and _SURROGATE.search(text):
            text = _ESCAPE.sub(_whole, text)
        value: object = (_YIELDING if yielding else _FAST).decode(text)
    except ValueError:
        return NOT_JSON
    except RecursionError:
        return _TOO_DEEP
    return _TOO_DEEP if containers > MOST_LEVELS and _is_too_deep(value) else value


def _whole(escape: re.Match[str]) -> str:
    """Return an escape sequence, or that of U+FFFD for a lone surrogate."""
    text = escape[0]
    return "\\ufffd" if escape[1] is None and text[1] == "u" and len(text) > len("\\u") else text


def _is_too_deep(value: object) -> bool:
    """Return True if objects and arrays are nested on too many levels; go level by level, without recursion."""
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(MOST_LEVELS):
        level = [
            item
            for container in level
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, (dict, list))
        ]
    return bool(level)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # In Python, since `dict(pairs)` would hold the GIL.
    members = {}
    for name, value in pairs:
        members[name] = value  # noqa: PERF403 - see above
    return members


class _YieldingDecoder(JSONDecoder):
    """Decodes without C, except for single values."""

    def __init__(self) -> None:
        super().__init__(parse_constant=_refuse_constant, object_pairs_hook=_members)
        self.parse_object = JSONObject
        self.parse_array = JSONArray
        self.scan_once = py_make_scanner(self)


_FAST: Final = JSONDecoder(parse_constant=_refuse_constant)
_YIELDING: Final = _YieldingDecoder()
