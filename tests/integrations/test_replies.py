"""Replies break no header, show no secret, and run no script."""

from __future__ import annotations

import math

import pytest

from genauth_async.integrations._cookies import CookieNames
from genauth_async.integrations._replies import Redirect, challenge, page, unavailable


def test_a_challenge_holds_nothing_that_could_end_it() -> None:
    header = challenge("invalid_token", 'signed by "k\r\nSet-Cookie: a=b\\ é" ' + "x" * 500, ("a", 'b"'))
    assert header.startswith('Bearer error="invalid_token", error_description="signed by  k Set-Cookie: a=b')
    assert header.endswith('scope="a b "')
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 6
    assert len(header) < 300


def test_a_page_shows_text_as_text() -> None:
    shown = page(400, "<a>", "<b>", link='/x"><script>', text="<c>")
    assert [tag for tag in ("<a>", "<b>", "<c>", "<script>") if tag in shown.html] == []
    assert "&lt;b&gt;" in shown.html


def test_reprs_show_no_secret() -> None:
    cookie = CookieNames("genauth_web", secure=True).set("name", "canary", 60)
    assert "canary" not in repr(Redirect(url="https://example.test/?state=canary", set_cookies=(cookie,)))
    assert "canary" not in repr(page(400, "a", "b", link="/", text="c", set_cookies=(cookie,)))


def test_waiting_is_told_in_whole_seconds() -> None:
    assert unavailable("a", 0.2).headers["Retry-After"] == "1"
    assert unavailable("a", 2.5).headers["Retry-After"] == "3"
    assert unavailable("a", None).headers["Retry-After"] == "5"


@pytest.mark.parametrize("seconds", [math.inf, -math.inf, math.nan, 1e300, -1.0, 0.0, 2.0**40])
def test_retry_after_is_of_a_few_digits(seconds: float) -> None:
    assert 1 <= int(unavailable("a", seconds).headers["Retry-After"]) <= 2**31
