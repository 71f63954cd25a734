"""The end of an answer among the bytes of a connection (RFC 9112): bytes after it are never parsed as the next one."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from ..attempt import MAX_HEAD_BYTES, BadHeadError

_HEAD_END: Final = re.compile(rb"\n\r?\n")
_HEAD: Final = re.compile(
    rb"HTTP/1\.([01]) (\d{3})(?: [^\r\n]*+)?+\r?\n(?:(?:[!#$%&'*+.^_`|~0-9A-Za-z-]++:|[ \t])[^\r\n]*+\r?\n)*+\r?\n"
)
_FIELD: Final = re.compile(rb"(?mi)^(content-length|transfer-encoding):[ \t]*([^\r\n]*?)[ \t]*\r?\n")
_AFTER_EMPTY_LINE: Final = re.compile(rb"(?<=\n\n)|(?<=\n\r\n)")
_WITHOUT_BODY: Final = {b"204", b"304"}


class Framing:
    """Splits what arrives for one request: interim answers are dropped, the answer's head comes alone, then its body.

    Attributes:
        is_kept: whether the answer allows another request on the connection.
        is_chunked: whether the body comes in chunks; the parser then finds its end.
        left: the bytes of the body that are to come; None if only the parser, or the end of the connection, will tell.
    """

    __slots__ = ("_head", "_is_head_over", "_tail", "_without_body", "is_chunked", "is_kept", "left")

    def __init__(self, method: str) -> None:
        self._head = self._tail = b""
        self._is_head_over = False
        self._without_body = method == "HEAD"
        self.is_kept = True
        self.is_chunked = False
        self.left: int | None = None

    def feed(self, data: bytes) -> list[bytes]:
        """Return the parts of a segment that belong to the answer.

        Raises:
            BadHeadError: the head is not HTTP/1.1's, or too large.
        """
        parts = []
        if not self._is_head_over:
            seen, begin = self._head + data, 0
            while True:
                found = _HEAD_END.search(seen, begin)
                end = len(seen) if found is None else found.end()
                if not seen.startswith(b"HTTP/1."[: end - begin], begin) or end - begin > MAX_HEAD_BYTES:
                    raise BadHeadError
                if found is None:
                    self._head = seen[begin:]
                    return []
                head = _HEAD.fullmatch(seen, begin, end)
                if head is None or head[2] == b"101":
                    raise BadHeadError
                begin = end
                if head[2] >= b"200":
                    break
            parts.append(self._framed(head[0], head[2]))
            self.is_kept &= head[1] == b"1"
            self._is_head_over, self._head, data = True, b"", seen[end:]
        if self.left is not None:
            self.is_kept &= len(data) <= self.left
            parts.append(data[: self.left])
            self.left -= len(parts[-1])
        elif self.is_chunked:
            parts += self._chunked(data)
        else:
            parts.append(data)
        return [part for part in parts if part]

    def _chunked(self, data: bytes) -> list[bytes]:
        """Split after each empty line, since the last chunk ends with one: the parser then stops where a part ends."""
        seen = self._tail + data
        ends = [match.end() - len(self._tail) for match in _AFTER_EMPTY_LINE.finditer(seen)]
        self._tail = seen[-2:]
        cuts = [0, *(end for end in ends if end > 0), len(data)]
        return [data[begin:end] for begin, end in pairwise(cuts)]

    def _framed(self, head: bytes, status: bytes) -> bytes:
        """Return the head with its length said once: some gateways say it twice, or beside chunks (RFC 9112 6.3)."""
        fields = _FIELD.findall(head)
        codings = {value.lower() for name, value in fields if name[:1] in b"tT"}
        lengths = {part.strip() for name, value in fields if name[:1] in b"cC" for part in value.split(b",")}
        if codings - {b"chunked"} or len(lengths) > 1 or not all(_is_number(length) for length in lengths):
            raise BadHeadError
        self.is_chunked = bool(codings)
        if self._without_body or status in _WITHOUT_BODY:
            self.left, self.is_chunked = 0, False
        elif lengths and not codings:
            self.left = int(next(iter(lengths)))
        elif not codings:
            self.is_kept = False
        if len(fields) > 1 or (lengths and b"," in fields[0][1]):
            field = b"Transfer-Encoding: chunked" if codings else b"Content-Length: " + next(iter(lengths))
            head = _FIELD.sub(b"", head).replace(b"\n", b"\n" + field + b"\r\n", 1)
        return head


def _is_number(text: bytes) -> bool:
    return text.isdigit() and len(text) <= 18  # noqa: PLR2004 - of a number that fits 64 bits
