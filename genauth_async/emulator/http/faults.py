"""Fault injection: a broken network or an overloaded server, one request at a time."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from random import Random
from threading import Lock
from typing import Literal

from attrs import define, field
from starlette.responses import HTMLResponse, JSONResponse, Response

from .hold import Hold
from .replies import envelope_response

_EVERY_PATH = "*"
_BODILESS = frozenset({204, 304})
_LEAST_STATUS, _MOST_STATUS = 200, 599
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.1


@define(eq=False, kw_only=True)
class Fault:
    """A fault at one path; `Faults.add` explains the fields."""

    path: str
    latency: float = 0
    reply_latency: float = 0
    status: int | None = None
    body: str | bytes | Mapping[str, object] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    envelope: Mapping[str, object] | None = field(default=None, repr=False)
    retry_after: int | None = None
    truncate: bool | Literal["json"] = False
    drop: bool = False
    lose_reply: bool = False
    hold: Hold | None = field(default=None, repr=False)
    hold_reply: Hold | None = field(default=None, repr=False)
    times: int | None = 1
    probability: float = 1
    seed: int | None = None
    hits: int = field(default=0, init=False)
    _random: Random = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        _check_arguments(self)
        answers = self._replaces_reply()
        if self.envelope is not None and not (self.status is None and self.body is None and self.retry_after is None):
            raise ValueError("envelope is a whole reply of its own: leave out status, body and retry_after")
        if sum((self.drop, self.lose_reply, bool(self.truncate))) > 1:
            raise ValueError("drop, lose_reply and truncate exclude each other")
        if answers and (self.drop or self.lose_reply):
            raise ValueError("a dropped connection or a lost reply carries no status, body or envelope")
        if self.drop and self.reply_latency:
            raise ValueError("a connection dropped before the processing has no reply: leave out reply_latency")
        rest = (self.latency, self.reply_latency, self.truncate, self.drop, self.lose_reply, self.hold, self.hold_reply)
        if not answers and not any(rest):
            raise ValueError("the fault must do something: give latency, status, drop, ...")
        self._random = Random(self.seed)  # noqa: S311 - no secret: a test wants to see the same again

    @property
    def exhausted(self) -> bool:
        """True once it has happened to as many requests as it was meant for."""
        return self.times is not None and self.hits >= self.times

    def applies(self) -> bool:
        """Decide by its probability whether it happens to the next request."""
        return self._random.random() < self.probability

    def reply(self) -> Response | None:
        """Make the reply that replaces the real one; None if the request is to be processed."""
        if not self._replaces_reply():
            return None
        if self.envelope is not None:
            return envelope_response(self.envelope, headers=self.headers)
        headers = dict(self.headers)
        if self.retry_after is not None:
            headers.setdefault("retry-after", str(self.retry_after))
        status = self.status or (200 if self.retry_after is None else 429)
        if isinstance(self.body, Mapping):
            return JSONResponse(self.body, status, headers)
        if status in _BODILESS:
            return Response(None, status, headers)
        return HTMLResponse(self.body, status, headers)

    def _replaces_reply(self) -> bool:
        return any(part is not None for part in (self.status, self.body, self.envelope, self.retry_after))


class Faults:
    """The faults that are still to happen, in the order in which they were added."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pending: list[Fault] = []

    def add(
        self,
        path: str,
        *,
        latency: float = 0,
        reply_latency: float = 0,
        status: int | None = None,
        body: str | bytes | Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        envelope: Mapping[str, object] | None = None,
        retry_after: int | None = None,
        truncate: bool | Literal["json"] = False,
        drop: bool = False,
        lose_reply: bool = False,
        hold: Hold | None = None,
        hold_reply: Hold | None = None,
        times: int | None = 1,
        probability: float = 1,
        seed: int | None = None,
    ) -> Fault:
        """Inject a fault into the next requests to a path.

        A path's faults are used up one after another: two of them mean that the first request meets the first, the
        second request the second, and the third request none.

        Args:
            path: the exact path, or "*" for all.
            latency: real seconds to wait before doing anything.
            reply_latency: real seconds to wait after the request was processed, before the reply is sent.
            status: answer with this HTTP status instead of processing the request.
            body: that answer's body: a mapping becomes JSON, a text HTML unless `headers` say otherwise. The statuses
                204 and 304 have none.
            headers: that answer's further headers.
            envelope: answer HTTP 200 with this as the API's body, {"statusCode": ..., "message": ...}.
            retry_after: the Retry-After header, in seconds; the status is 429 unless given.
            truncate: True announces the whole body, sends half of it and closes the connection; "json" sends half of
                it as though that were all. The request is processed unless another answer is given.
            drop: break the connection without processing the request.
            lose_reply: process the request, then break the connection without a reply.
            hold: keep the request waiting before it is processed, see `hold`.
            hold_reply: keep the reply waiting after the request was processed.
            times: the number of requests it happens to; None for all until it is removed.
            probability: of happening to each request, above 0 and at most 1. Those that it spares may meet a later
                fault.
            seed: of the random numbers for that, so that they are the same again.

        Returns:
            The fault; its `hits` counts how often it happened.

        Raises:
            ValueError: an argument is invalid, or two of them contradict each other; the message names it.
        """
        fault = Fault(
            path=path,
            latency=latency,
            reply_latency=reply_latency,
            status=status,
            body=body,
            headers=headers or {},
            envelope=envelope,
            retry_after=retry_after,
            truncate=truncate,
            drop=drop,
            lose_reply=lose_reply,
            hold=hold,
            hold_reply=hold_reply,
            times=times,
            probability=probability,
            seed=seed,
        )
        with self._lock:
            self._pending.append(fault)
        return fault

    def hold(self, path: str, *, after: bool = False, times: int | None = 1) -> Hold:
        """Keep the next requests to a path waiting, before (or after) they are processed, until `Hold.release`."""
        hold = Hold()
        self.add(path, hold=None if after else hold, hold_reply=hold if after else None, times=times)
        return hold

    def remove(self, fault: Fault) -> None:
        """Remove a fault, even if it is used up already."""
        with self._lock:
            self._pending = [pending for pending in self._pending if pending is not fault]

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._pending.clear()

    def take(self, path: str) -> Fault | None:
        """Return the fault that happens to a request to this path, and count it."""
        if not self._pending:
            return None
        with self._lock:
            for fault in self._pending:
                if fault.path in {path, _EVERY_PATH} and fault.applies():
                    fault.hits += 1
                    if fault.exhausted:
                        self._pending.remove(fault)
                    return fault
        return None

    def __len__(self) -> int:
        return len(self._pending)


def _check_arguments(fault: Fault) -> None:
    """Check each argument by itself."""
    if fault.path != _EVERY_PATH and not fault.path.startswith("/"):
        raise ValueError(f"path must begin with a slash, or be {_EVERY_PATH!r} for all, not {fault.path!r}")
    for name, seconds in (("latency", fault.latency), ("reply_latency", fault.reply_latency)):
        if not math.isfinite(seconds) or seconds < 0:
            raise ValueError(f"{name} must be a number of seconds, not {seconds}")
    _check_frequency(fault)
    if fault.status is not None and not _LEAST_STATUS <= fault.status <= _MOST_STATUS:
        raise ValueError(f"status must be between {_LEAST_STATUS} and {_MOST_STATUS}, not {fault.status}")
    if fault.status in _BODILESS and fault.body is not None:
        raise ValueError(f"body must be None for the status {fault.status}")
    if fault.retry_after is not None and fault.retry_after < 0:
        raise ValueError(f"retry_after must be a number of seconds, not {fault.retry_after}")
    if fault.truncate not in (True, False, "json"):
        raise ValueError(f'truncate must be True, False or "json", not {fault.truncate!r}')
    _check_headers(fault.headers)
    if not _is_sendable(fault.body):
        raise ValueError("body must be a mapping that JSON can hold, a text, or bytes")
    if fault.envelope is not None and not (isinstance(fault.envelope, Mapping) and _is_sendable(fault.envelope)):
        raise ValueError("envelope must be a mapping that JSON can hold")


def _check_frequency(fault: Fault) -> None:
    if fault.times is not None and fault.times < 1:
        raise ValueError(f"times must be at least 1, or None for all requests, not {fault.times}")
    if not 0 < fault.probability <= 1:
        raise ValueError(f"probability must be above 0 and at most 1, not {fault.probability}")
    if fault.seed is not None and fault.probability == 1:
        raise ValueError("seed must be None unless probability is below 1")


def _check_headers(headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        if _HEADER_NAME.fullmatch(name) is None:
            raise ValueError(f"headers: a name must consist of letters, digits and hyphens, not {name!r}")
        if {"\r", "\n", "\0"} & set(value):
            raise ValueError(f"headers: {name} must be one line")
        try:
            value.encode("latin-1")
        except UnicodeEncodeError:
            raise ValueError(f"headers: {name} must be Latin-1") from None


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
