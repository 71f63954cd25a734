"""The head of the answer to the opening handshake, reduced to what the `websockets` package is to read."""

from __future__ import annotations

import re
from typing import Final

from .._http.attempt import MAX_HEAD_BYTES

MAX_HEADERS: Final = 1024  # as for calls
_HEAD_END: Final = re.compile(rb"\n\r?\n")
_INTERIM: Final = re.compile(rb"HTTP/1\.\d 1(?!01)\d\d[ \r\n]")
_FIELD: Final = re.compile(
    rb"(?mi)^(?:connection|upgrade|sec-websocket-\w+|content-\w+|transfer-encoding|retry-after|date|x-request-id):"
    rb"[^\r\n]*"
)


class HeadTooLargeError(Exception):
    """An answer has more headers than the limits of calls allow."""


class HandshakeHead:
    """Drops interim answers and unread headers: the package refuses the former, and headers that are long or many."""

    __slots__ = ("_head",)

    def __init__(self) -> None:
        self._head: bytes | None = b""  # None when it is over

    def feed(self, data: bytes) -> bytes:
        """Return the bytes for the package, given those from the server.

        Raises:
            HeadTooLargeError: a head exceeds MAX_HEAD_BYTES or MAX_HEADERS.
        """
        if self._head is None:
            return data
        seen = self._head + data
        while (head := seen[: _end_of_head(seen)]).startswith(b"HTTP/1."[: len(head)]):
            if len(head) > MAX_HEAD_BYTES or head.count(b"\n") > MAX_HEADERS + 2:
                raise HeadTooLargeError
            if _HEAD_END.search(head) is None:
                self._head = seen
                return b""
            seen = seen[len(head) :]
            if not _INTERIM.match(head):
                status_line = head.partition(b"\n")[0].strip()
                seen = b"\r\n".join([status_line, *_FIELD.findall(head), b"", seen])
                break
        self._head = None
        return seen


def _end_of_head(data: bytes) -> int | None:
    found = _HEAD_END.search(data)
    return None if found is None else found.end()
