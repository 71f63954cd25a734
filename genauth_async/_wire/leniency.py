"""The leniency with which answers are read, in one table.

| documented | also read as such |
|---|---|
| statusCode, requestId, expires_in | under the names `code`; `uniqueId` and `request_id`; `expire_in` |
| an optional member | null, as absent; so is an empty text for a token or another secret, a scope and all but texts |
| an optional object | an empty list, as absent |
| an optional member | anything unreadable as None; it is kept in `extra` |
| text | a number |
| integer, of 64 bits | a decimal text; a fraction is cut off |
| number | a decimal text |
| boolean | `"true"`, `"false"`, `"1"` and `"0"`, in any case; 1 and 0 |
| scope | a list of texts |
| a required list | null, absent or an empty object, as empty; null among its items is dropped |
| a page: a required object of which lists alone are required | null, absent or an empty list, as an empty page |
| a list | a page `{totalCount, list}`, and the list alone where a page is documented |
| `{statusCode, data}` | `data` without that frame, if the HTTP status is one of success |
| an answer without a frame | the same in a frame |

Required are the members without which the answer is of no use: one that is missing or unreadable is an error, and so is
an unreadable item of a required list. Claims, of tokens and of userinfo, are kept as they come: a boolean is one only
if it is written as such. Arguments of callers are read exactly; `converter` has both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, Final

_DECIMAL: Final = re.compile(r"[+-]?\d{1,19}(\.\d{0,19})?([eE][+-]?\d{1,3})?", re.ASCII)
_LARGEST_INT: Final = 2**63
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}


class OddError(TypeError):
    """A value that cannot be read.

    Attributes:
        problems: the path from the value, and its problem, which quotes no value.
    """

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(problem for _, problem in problems))
        self.problems = problems


def mismatch(wanted: str, value: object) -> OddError:
    """Create the error of a value of another type."""
    return OddError([("", f"expected {wanted}, got {type(value).__name__}")])


def read_str(value: object) -> str:
    """Read a text, or a number as one.

    Raises:
        OddError: it is neither.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise mismatch("a string", value)


def read_scope(value: object) -> str:
    """Read a scope, or a list of scopes.

    Raises:
        OddError: it is neither.
    """
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return " ".join(value)
    return read_str(value)


def read_int(value: object) -> int:
    """Read an integer of 64 bits, also as a decimal text; a fraction is cut off.

    Raises:
        OddError: it is no number, or larger.
    """
    if type(value) is int:
        number = value
    else:
        given = _number(value)
        if given is None:
            raise mismatch("an integer", value)
        number = int(given // 1)
    if not is_int64(number):
        raise mismatch("an integer", value)
    return number


def is_int64(number: Any) -> bool:
    """Return True if an integer has 64 bits at most."""
    return bool(-_LARGEST_INT <= number < _LARGEST_INT)


def read_float(value: object) -> float:
    """Read a finite number, also as a decimal text.

    Raises:
        OddError: it is neither.
    """
    number = _number(value)
    if number is None:
        raise mismatch("a number", value)
    return float(number)


def _number(value: object) -> int | float | None:
    """Return a finite number that is given as such or as a decimal text; None for anything else."""
    try:
        if isinstance(value, str):
            text = value.strip()
            value = (int(text) if text.lstrip("+-").isdecimal() else float(text)) if _DECIMAL.fullmatch(text) else None
        if isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value):
            return value
    except OverflowError:  # an integer beyond all floats
        return None
    return None


def read_bool(value: object) -> bool:
    """Read a boolean, also as a text or as 1 and 0.

    Raises:
        OddError: it is none of these.
    """
    if isinstance(value, bool):
        return value
    found = _BOOLEANS.get(str(value).strip().lower()) if isinstance(value, (str, int)) else None
    if found is None:
        raise mismatch("a boolean", value)
    return found


LENIENT: Final[Mapping[type, Callable[[object], object]]] = {
    str: read_str,
    int: read_int,
    float: read_float,
    bool: read_bool,
}
