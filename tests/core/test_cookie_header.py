"""The Cookie header: no cookie that a neighbouring host may set counts as one of this host."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genauth_async.oidc._cookie_header import read_cookies

OWN = b"__Host-genauth_web_session"
EVIL = OWN + b"=evil"

# Frameworks decode headers in one of these ways.
DECODINGS: dict[str, Callable[[bytes], str]] = {
    "latin-1": lambda raw: raw.decode("latin-1"),
    "utf-8": lambda raw: raw.decode("utf-8", "surrogateescape"),
}
BLANKS = [" ", "\t", "\xa0", "\x85", "\u1680", "\u2000", "\u2007", "\u2028", "\u202f", "\u205f", "\u3000", "\ufeff"]
PIECES = [
    OWN,
    EVIL,
    *(blank.encode() for blank in BLANKS),
    *(bytes([byte]) for byte in b'\x85\xa0",=$\\()[]/?@:{}&+%'),
    b"x=y",
    b'"',
    b"$Version=1",
    b"Path=/",
]


def kept(pair: bytes) -> tuple[bytes, bytes] | None:
    """Return the cookie that a browser keeps of another host's Set-Cookie (RFC 6265bis section 5.7), or None."""
    name, sign, value = pair.partition(b"=")
    if not sign:
        name, value = b"", pair
    name, value = name.strip(b" \t"), value.strip(b" \t")
    if any((byte < 0x20 and byte != 0x09) or byte in b"\x7f;" for byte in name + value) or not name + value:
        return None
    return None if (name or value).lower().startswith((b"__host-", b"__secure-")) else (name, value)


def sent(cookies: list[tuple[bytes, bytes]]) -> bytes:
    """Return the Cookie header of a browser (RFC 6265bis section 5.8.3)."""
    return b"; ".join(name + b"=" + value if name else value for name, value in cookies)


planted = st.lists(st.lists(st.sampled_from(PIECES) | st.binary(max_size=3), max_size=5).map(b"".join), max_size=5).map(
    lambda pairs: [cookie for pair in pairs if (cookie := kept(pair)) is not None]
)
positions = st.integers(min_value=0, max_value=5)


@pytest.mark.parametrize("decoding", DECODINGS)
@given(cookies=planted)
def test_a_neighbours_cookies_plant_none_of_ours(decoding: str, cookies: list[tuple[bytes, bytes]]) -> None:
    assert OWN.decode() not in read_cookies(DECODINGS[decoding](sent(cookies)))


@pytest.mark.parametrize("decoding", DECODINGS)
@given(cookies=planted, position=positions)
def test_a_neighbours_cookies_change_none_of_ours(
    decoding: str, cookies: list[tuple[bytes, bytes]], position: int
) -> None:
    cookies.insert(position, (OWN, b"own"))
    decoded = DECODINGS[decoding]
    assert read_cookies(decoded(sent(cookies)))[OWN.decode()] == "own"
    assert read_cookies(*(decoded(sent([cookie])) for cookie in cookies))[OWN.decode()] == "own"


@given(cookies=planted)
def test_cookies_are_read_as_browsers_keep_them(cookies: list[tuple[bytes, bytes]]) -> None:
    named = [cookie for cookie in cookies if cookie[0]]
    names = [name for name, _ in named]
    once = {name.decode("latin-1"): value.decode("latin-1") for name, value in named if names.count(name) == 1}
    assert read_cookies(sent(named).decode("latin-1")) == once


@pytest.mark.parametrize(
    ("header", "cookies"),
    [
        ("", {}),
        (";;  ; =; ", {"": ""}),
        ("a=1; b=2", {"a": "1", "b": "2"}),
        ("a=1;b=2", {"a": "1", "b": "2"}),
        ("\ta=1 \t; b=2", {"a": "1", "b": "2"}),
        ('a="1; b=2"', {"a": '"1', "b": '2"'}),
        ("a=1, b=2", {"a": "1, b=2"}),
        ("a=b=c==", {"a": "b=c=="}),
        ("a; b=2", {"b": "2"}),
        ("a=1; b=2; a=1", {"b": "2"}),
        ("a=1; a=2; a=3", {}),
        ("A=1; a=2", {"A": "1", "a": "2"}),
        ("$Version=1; a=1; $Path=/", {"$Version": "1", "a": "1", "$Path": "/"}),
        ("\xa0a=1; b=2", {"\xa0a": "1", "b": "2"}),
        ("a=\x851\x85", {"a": "\x851\x85"}),
        ("x=y a=1", {"x": "y a=1"}),
        ("a=" + "v" * 100_000, {"a": "v" * 100_000}),
    ],
)
def test_the_header_is_divided_at_semicolons_alone(header: str, cookies: dict[str, str]) -> None:
    assert read_cookies(header) == cookies


def test_a_name_twice_in_two_headers_is_left_out() -> None:
    assert read_cookies("a=1; b=2", "a=1") == {"b": "2"}
    assert read_cookies() == {}
