"""Refuses faults that could not happen, before a request waits for them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .faults import Fault

EVERY_PATH = "*"
BODILESS = frozenset({204, 304})
_LEAST_STATUS, _MOST_STATUS = 200, 599
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.1


def check_arguments(fault: Fault) -> None:
    """Look at each argument by itself.

    Raises:
        ValueError: one cannot be meant; the message names it.
    """
    if fault.path != EVERY_PATH and not fault.path.startswith("/"):
        raise ValueError(f"path begins with a slash, or is {EVERY_PATH!r} for all")
    _check_latency("latency", fault.latency)
    _check_latency("reply_latency", fault.reply_latency)
    _check_frequency(fault)
    if fault.status is not None and not _LEAST_STATUS <= fault.status <= _MOST_STATUS:
        raise ValueError(f"status is between {_LEAST_STATUS} and {_MOST_STATUS}")
    if fault.status in BODILESS and fault.body is not None:
        raise ValueError(f"body: the status {fault.status} has none")
    if fault.retry_after is not None and fault.retry_after < 0:
        raise ValueError("retry_after is a number of seconds, not negative")
    if fault.truncate not in (True, False, "json"):
        raise ValueError('truncate is True, False or "json"')
    _check_headers(fault.headers)
    if not _is_sendable(fault.body):
        raise ValueError("body is a mapping that JSON can hold, a text, or bytes")
    if fault.envelope is not None and not (isinstance(fault.envelope, Mapping) and _is_sendable(fault.envelope)):
        raise ValueError("envelope is a mapping that JSON can hold")


def _check_latency(name: str, seconds: float) -> None:
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError(f"{name} is a number of seconds, not negative")


def _check_frequency(fault: Fault) -> None:
    if fault.times is not None and fault.times < 1:
        raise ValueError("times is a number of requests, or None for all of them")
    if not 0 < fault.probability <= 1:
        raise ValueError("probability is above 0 and at most 1")
    if fault.seed is not None and fault.probability == 1:
        raise ValueError("seed goes with a probability below 1")


def _check_headers(headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        if _HEADER_NAME.fullmatch(name) is None:
            raise ValueError("headers: a name is made of letters, digits and hyphens")
        if {"\r", "\n", "\0"} & set(value):
            raise ValueError(f"headers: {name} has more than one line")
        try:
            value.encode("latin-1")
        except UnicodeEncodeError:
            raise ValueError(f"headers: {name} holds characters beyond Latin-1") from None


def _is_sendable(body: object) -> bool:
    if body is None or isinstance(body, bytes):
        return True
    if not isinstance(body, Mapping | str):
        return False
    try:
        text = body if isinstance(body, str) else json.dumps(body, allow_nan=False, ensure_ascii=False)
        text.encode()
    except (TypeError, ValueError, RecursionError):
        return False
    return True
