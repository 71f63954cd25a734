"""The end of an answer, however its bytes are split into segments."""

from __future__ import annotations

from contextlib import suppress
from itertools import accumulate, pairwise

from hypothesis import given
from hypothesis import strategies as st

from genauth_async._http.attempt import BadHeadError
from genauth_async._http.carriers.framing import Framing

INTERIM = [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"]
BODIES = st.binary(max_size=40) | st.sampled_from([b"\r\n\r\n", b"0\r\n\r\n", b"\n\nHTTP/1.1 200 OK\r\n\r\n"])
LEFT_OVERS = st.sampled_from([b"", b"\r\n", b"x", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 2"])


def segments(data: bytes, cuts: list[int]) -> list[bytes]:
    """Cut bytes at these places, as far as they have them."""
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[begin:end] for begin, end in pairwise(places)]


CUTS = st.lists(st.integers(0, 1000), max_size=8)


@given(interim=st.lists(st.sampled_from(INTERIM), max_size=3), body=BODIES, left_over=LEFT_OVERS, cuts=CUTS)
def test_a_length_ends_the_answer(interim: list[bytes], body: bytes, left_over: bytes, cuts: list[int]) -> None:
    head = b"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: %d\r\n\r\n" % len(body)
    framing = Framing("POST")
    parts = [
        part for each in segments(b"".join(interim) + head + body + left_over, cuts) for part in framing.feed(each)
    ]
    assert parts[0] == head
    assert b"".join(parts[1:]) == body
    assert framing.left == 0
    assert framing.is_kept is (left_over == b"")


@given(chunks=st.lists(BODIES.filter(bool), max_size=4), trailers=st.booleans(), left_over=LEFT_OVERS, cuts=CUTS)
def test_a_part_ends_with_the_last_chunk(
    chunks: list[bytes], trailers: bool, left_over: bytes, cuts: list[int]
) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    body += b"0\r\nX-T: 1\r\n\r\n" if trailers else b"0\r\n\r\n"
    framing = Framing("POST")
    parts = [part for each in segments(head + body + left_over, cuts) for part in framing.feed(each)]
    assert parts[0] == head
    assert b"".join(parts[1:]) == body + left_over
    assert len(body) in list(accumulate(map(len, parts[1:]))), "so that the parser stops there"


@given(method=st.sampled_from(["GET", "HEAD"]), status=st.sampled_from([204, 304, 200]), cuts=CUTS)
def test_answers_without_a_body(method: str, status: int, cuts: list[int]) -> None:
    framing = Framing(method)
    head = b"HTTP/1.1 %d X\r\nContent-Length: 5\r\n\r\n" % status
    parts = [part for each in segments(head, cuts) for part in framing.feed(each)]
    assert parts == [head]
    assert framing.left == (0 if method == "HEAD" or status != 200 else 5)


@given(
    st.lists(st.binary(max_size=30) | st.sampled_from([*INTERIM, b"HTTP/1.1 200 OK\r\n", b"\r\n", b"\n"]), max_size=8)
)
def test_any_bytes_are_an_answer_or_bad(data: list[bytes]) -> None:
    framing = Framing("GET")
    with suppress(BadHeadError):
        for each in data:
            framing.feed(each)


def test_a_length_is_said_once() -> None:
    for fields, said in (
        (b"Content-Length: 3\r\nContent-Length: 3\r\n", b"Content-Length: 3\r\n"),
        (b"Content-Length: 3, 3\r\n", b"Content-Length: 3\r\n"),
        (b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", b"Transfer-Encoding: chunked\r\n"),
    ):
        [head] = Framing("GET").feed(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n")
        assert head == b"HTTP/1.1 200 OK\r\n" + said + b"\r\n"
