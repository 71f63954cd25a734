"""Random HTTP answers, by a seed: mutations of good ones, odd headers, bodies, codings and framing."""

from __future__ import annotations

import gzip
import json
import zlib
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha1
from random import Random
from typing import Any

from attrs import frozen

_STATUSES = [*[200] * 40, 201, 204, 302, 304, 400, 401, 403, 404, 409, 413, 422, 429, 429, 499, 500, 502, 503, 503, 601]
_NUMBERS = ["0", "-1", "1e999", "-1e999", "NaN", "Infinity", "9" * 400, "9" * 5000, "200", "200.0", "1e308", "2333"]
_NUMBERS += ["1.5", "-0", "1e-999", "1635", "0.1e1", str(2**63), "4" + "0" * 300 + ".0"]
_TEXTS = ["", " ", "200", "9" * 400, "9" * 5000, "null", "x" * 70_000, "\u0000", "\u2028", "😀", "\u202e", "http://["]
_TEXTS += ["https://[::1", "1e999", "inf", "nan", "٣", "a b", "RS256", "-----BEGIN PUBLIC KEY-----\nAAAA\n", "04" * 65]
_RAW = [*_NUMBERS, "null", "true", "false", "[]", "{}", r'"\ud800"', r'"\udfff\ud800"', r'"\\ud800"', r'"\ud83d\ude00"']
_RAW += ["[" * depth + "]" * depth for depth in (3, 100, 101, 700, 5000)]
_RAW += ['{"a":' * depth + "1" + "}" * depth for depth in (99, 102, 900)]
_DATES = [
    "Fri, 31 Dec 99999999999 23:59:59 GMT",
    "Fri, 31 Dec 9999 23:59:59 -2359",
    "Sun Nov  6 08:49:37 99999999999999999999",
    "Sunday, 06-Nov-94 08:49:37 GMT",
    "Mon, 99 Foo 2035 99:99:99 GMT",
    "Mon, 01 Jan 2035 00:00:00 GMT",
    "Mon, 01 Jan 0001 00:00:00 +9999",
    "Mon, 01 Jan 0000 00:00:00 GMT",
    "9" * 400,
    "9" * 5000,
    "0",
    "-1",
    "1e999",
    "NaN",
    "inf",
    "120, 120",
    "1 Jan",
    ",",
    "Mon,",
    "2035-01-01T00:00:00Z",
]
_HEADERS = ["Retry-After", "Date", "Content-Type", "WWW-Authenticate", "Location", "Set-Cookie", "X-Request-Id"]
_HEADERS += ["Cache-Control", "Content-Encoding", "X-Odd", "Link", "Age", "Connection", "Content-Language"]
_VALUES = [*_DATES, "", "application/json", "text/html; charset=utf-16", "charset=", 'Bearer error="x', "\xff\xfe", "é"]
_VALUES += ["max-age=99999999999999", "max-age=-1", "no-store", "/x", "http://[", "a=b; Domain=.", "x" * 3000, "\t\x7f"]
_VALUES += ["gzip", "br", "zstd", "identity", "deflate, gzip", "close", "keep-alive", "upgrade"]
_GARBAGE = [
    b"",
    b" \r\n",
    b"null",
    b"[]",
    b'"x"',
    b"ok",
    b"yes\nada\n",
    b"no\n",
    b"<x>",
    b"<html>502 token=canary</html>",
]
_GARBAGE += [
    b"\xff" * 50,
    b"\xed\xa0\x80",
    b"[" * 3000,
    b'{"a":' * 3000,
    b"[]," * 3000,
    b"{",
    b"\0" * 9,
    b"\xef\xbb\xbf",
]
_MARK = "\ue000"


@frozen
class OddAnswer:
    """One answer.

    Attributes:
        content: the bytes to send.
        keeps: whether the connection can be used for another request.
    """

    content: bytes
    keeps: bool


def odd_answer(random: Random, good: object) -> OddAnswer:
    """Draw an answer for a call that `good` would answer."""
    body = _body(random, good)
    status = random.choice(_STATUSES) if random.random() < 0.97 else random.randint(100, 999)
    headers = _headers(random)
    kind = random.random()
    if kind < 0.06:
        coding, body = _coded(random, body)
        headers.append(("Content-Encoding", coding))
    head = f"HTTP/1.1 {status} {random.choice(['OK', '', 'x' * 200])}\r\n".encode("latin-1")
    head += b"".join(f"{name}: {value}\r\n".encode("latin-1", "replace") for name, value in headers)
    framing = random.random()
    if framing < 0.9:
        keeps = status not in {204, 304} and status >= 200 and "close" not in dict(headers).values()
        return OddAnswer(head + f"Content-Length: {len(body)}\r\n\r\n".encode() + body, keeps)
    if framing < 0.94:
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:9], body[9:]) if part)
        return OddAnswer(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n", keeps=False)
    if framing < 0.96:
        return OddAnswer(head + f"Content-Length: {len(body) + 9}\r\n\r\n".encode() + body, keeps=False)
    if framing < 0.98:
        return OddAnswer(head + b"Connection: close\r\n\r\n" + body, keeps=False)
    whole = head + f"Content-Length: {len(body)}\r\n\r\n".encode() + body
    line, _, rest = whole.partition(b"\r\n")
    return OddAnswer(line + b"\r\n" + _flipped(random, rest, 3)[: random.randrange(len(rest) + 1)], keeps=False)


def odd_socket(random: Random, key: bytes) -> bytes:
    """Draw what a server answers to the opening handshake of a WebSocket, frames included."""
    accept = b64encode(sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11", usedforsecurity=False).digest())
    head = b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n"
    extension = random.choice([b""] * 9 + [b"Sec-WebSocket-Extensions: permessage-deflate; x=\xff\r\n"])
    frames = b"".join(_frame(random) for _ in range(random.randint(0, 4)))
    content = head + extension + b"\r\n" + frames
    if random.random() < 0.3:
        content = _flipped(random, content, random.choice([1, 1, 4]))
    return content[: random.randrange(len(content) + 1)] if random.random() < 0.1 else content


def _frame(random: Random) -> bytes:
    codes = [b"\x03\xe8", b"\x03\xf0", b"\x11\x31", b"\x00\x00", b"\xff\xff", b"\x03", b""]
    payload = random.choice(
        [b"", b"x", b"\xff\xfe", "é".encode(), b"y" * 200, *(code + b"reason \xff" for code in codes)]
    )
    kind = random.choice([0x81, 0x81, 0x82, 0x88, 0x88, 0x89, 0x8A, 0x01, 0x80, 0xC1, 0xF1, 0x83])
    length = random.choice([None] * 9 + [b"\x7f" + b"\xff" * 8, b"\x7e\x00\x01", b"\xff"])
    size = bytes([len(payload)]) if len(payload) < 126 else b"\x7e" + len(payload).to_bytes(2, "big")
    return bytes([kind]) + (size if length is None else length) + payload


def _headers(random: Random) -> list[tuple[str, str]]:
    headers = [("Content-Type", "application/json")] if random.random() < 0.8 else []
    if random.random() < 0.3:
        headers.append(("Retry-After", random.choice(_DATES)))
    if random.random() < 0.2:
        headers.append(("Date", random.choice(_DATES)))
    if random.random() < 0.1:
        headers += [(random.choice(_HEADERS), random.choice(_VALUES)) for _ in range(random.randint(1, 4))]
    if random.random() < 0.01:
        headers += [(f"X-{number}", "y" * random.randint(0, 60)) for number in range(80)]
    return headers


def _coded(random: Random, body: bytes) -> tuple[str, bytes]:
    codings: list[tuple[str, Callable[[bytes], bytes]]] = [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("gzip", lambda content: gzip.compress(content)[:-3]),
        ("gzip", lambda content: content),
        ("gzip", lambda _: gzip.compress(b"[" * 3_000_000)),
        ("deflate", gzip.compress),
        ("gzip, gzip", lambda content: gzip.compress(gzip.compress(content))),
        ("br", lambda content: content),
        ("unheard-of", lambda content: content),
    ]
    coding, code = random.choice(codings)
    return coding, code(body)


def _body(random: Random, good: object) -> bytes:
    kind = random.random()
    if kind < 0.06:
        return random.choice(_GARBAGE)
    if kind < 0.08:
        return random.randbytes(random.randint(1, 200))
    raw: list[str] = []
    value: Any = json.loads(json.dumps(good))
    if kind < 0.2:
        value = random.choice(
            [
                {"statusCode": 200, "message": "x", "data": value},
                {"code": 400, "message": "x"},
                {"error": "invalid_grant", "error_description": "x"},
                {"statusCode": 401, "apiCode": 2020, "message": "x", "data": {"mfaToken": "x", "factors": ["OTP"]}},
                [value],
            ]
        )
    for _ in range(random.choice([0, 1, 1, 1, 2, 4])):
        value = _mutated(random, value, raw)
    text = json.dumps(value, ensure_ascii=random.random() < 0.5)
    for index, replacement in enumerate(raw):
        text = text.replace(json.dumps(f"{_MARK}{index}"), replacement).replace(f'"{_MARK}{index}"', replacement)
    body = text.encode(random.choice(["utf-8"] * 12 + ["utf-8-sig", "utf-16", "utf-32-be"]), "replace")
    if random.random() < 0.04:
        return body[: random.randrange(len(body) + 1)]
    return _flipped(random, body, 2) if random.random() < 0.04 else body


def _mutated(random: Random, value: Any, raw: list[str]) -> Any:
    """Replace, remove or add a member, somewhere."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        name = random.choice(list(value))
        if random.random() < 0.1:
            return {key: item for key, item in value.items() if key != name}
        if random.random() < 0.15:
            extra = random.choice(["statusCode", "data", "apiCode", "message", "error", "requestId", "code", "zzz", ""])
            return {**value, extra: _odd(random, raw)}
        return {**value, name: _mutated(random, value[name], raw)}
    if isinstance(value, list) and value and random.random() < 0.8:
        index = random.randrange(len(value))
        return [*value[:index], _mutated(random, value[index], raw), *value[index + 1 :]] * random.choice([1, 1, 40])
    return _odd(random, raw)


def _odd(random: Random, raw: list[str]) -> Any:
    kind = random.random()
    if kind < 0.4:
        return random.choice(_TEXTS)
    if kind < 0.5:
        return random.choice([{}, [], [None], {"": None}, ["x"] * 300, {"a": {"b": [1]}}, [[]], None, True])
    raw.append(random.choice(_RAW))
    return f"{_MARK}{len(raw) - 1}"


def _flipped(random: Random, content: bytes, times: int) -> bytes:
    flipped = bytearray(content)
    for _ in range(times if content else 0):
        flipped[random.randrange(len(flipped))] = random.randrange(256)
    return bytes(flipped)
