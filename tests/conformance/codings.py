"""Content codings, and bodies that grow when they are decompressed."""

from __future__ import annotations

import gzip
import zlib
from functools import cache
from typing import Final

from tests.conformance.case import Case
from tests.conformance.framing import dropped, kept
from tests.conformance.servers import Peer, Play, answer, answers, chunked, head

_JSON: Final = b'{"statusCode":200}'
_READ: Final = '200 {"statusCode":200}'
_REFUSED: Final = (
    "NotJSONError: the answer cannot be decompressed: it is not gzip or deflate (HTTP 200, application/json)"
)
_TOO_LARGE: Final = (
    "ResponseTooLargeError: the answer is larger than max_response_bytes=1000000 (HTTP 200, application/json)"
)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def coded(coding: str, body: bytes) -> bytes:
    return answer(body, f"Content-Encoding: {coding}")


def truncated(size: int) -> str:
    shown = _JSON[:size].decode()
    return f"TruncatedResponseError: the answer was truncated after {size} bytes (HTTP 200, application/json): {shown}"


@cache
def bomb(coding: str) -> bytes:
    """A body that decompresses to 100 MB."""
    packer = zlib.compressobj(1, wbits=zlib.MAX_WBITS | 16 if coding == "gzip" else zlib.MAX_WBITS)
    zeros = bytes(1_000_000)
    return b"".join([*(packer.compress(zeros) for _ in range(100)), packer.flush()])


def exploding(coding: str) -> Play:
    def play(peer: Peer) -> None:
        for _ in peer:
            peer.send(coded(coding, bomb(coding)))

    return play


_GZIP: Final = gzip.compress(_JSON)
_TEXT: Final = gzip.compress(b"x" * 1_000_000)


def refused(name: str, data: bytes, expect: str) -> Case:
    """The body is not what it should be; its connection may be kept or not."""
    return Case(name=name, play=answers(data), expect=(expect,) * 2)


BOMBS: Final = [
    Case(name=f"a {coding} bomb", play=exploding(coding), expect=(_TOO_LARGE,) * 2, connections=2, timeout=10)
    for coding in ("gzip", "deflate")
]
CASES: Final = [
    kept("gzip", coded("gzip", _GZIP), expect=_READ),
    kept("GZIP in capitals", coded("GZIP", _GZIP), expect=_READ),
    kept("x-gzip", coded("x-gzip", _GZIP), expect=_READ),
    kept("deflate with zlib's header", coded("deflate", zlib.compress(_JSON)), expect=_READ),
    kept("deflate without a header", coded("deflate", raw_deflate(_JSON)), expect=_READ),
    kept("identity", coded("identity", _JSON), expect=_READ),
    kept("an empty coding", coded("", _JSON), expect=_READ),
    kept(
        "gzip, chunked",
        head("Content-Type: application/json", "Content-Encoding: gzip", "Transfer-Encoding: chunked")
        + chunked(*[_GZIP[index : index + 1] for index in range(len(_GZIP))]),
        expect=_READ,
    ),
    kept("gzip up to the limit", coded("gzip", _TEXT), expect="200 1000000 bytes"),
    kept("gzip, an empty body", coded("gzip", b""), expect="200"),
    kept("gzip, cut off", coded("gzip", _GZIP[:-9]), expect=truncated(len(_JSON))),
    kept("gzip, its check sum cut off", coded("gzip", _GZIP[:-4]), expect=truncated(len(_JSON))),
    kept("gzip, then garbage", coded("gzip", _GZIP + b"garbage"), expect=_READ),
    refused("gzip that is garbage", coded("gzip", b"garbage garbage"), expect=_REFUSED),
    refused("gzip with a wrong check sum", coded("gzip", _GZIP[:-8] + bytes(4) + _GZIP[-4:]), expect=_REFUSED),
    refused("deflate that is garbage", coded("deflate", b"\xff\xffgarbage"), expect=_REFUSED),
    dropped("br unasked", coded("br", b"\x0b\x02\x80"), expect=_REFUSED),
    dropped("zstd unasked", coded("zstd", b"\x28\xb5\x2f\xfd"), expect=_REFUSED),
    dropped("an unknown coding", coded("x", b"\x28\xb5\x2f\xfd"), expect=_REFUSED),
    dropped("two codings", coded("gzip, gzip", gzip.compress(_GZIP)), expect=_REFUSED),
    dropped("identity and gzip", coded("identity, gzip", _GZIP), expect=_REFUSED),
    dropped(
        "two headers of codings",
        answer(gzip.compress(_GZIP), "Content-Encoding: gzip", "Content-Encoding: gzip"),
        expect=_REFUSED,
    ),
    refused("gzip just over the limit", coded("gzip", gzip.compress(b"x" * 1_000_001)), expect=_TOO_LARGE),
    *BOMBS,
]
