"""Cookies of requests: none that a neighbouring host can plant passes for the site's own."""

from __future__ import annotations

import sys
from typing import Any

import httpx
import pytest
from aiohttp import web
from fastapi.requests import HTTPConnection

from genauth_async.emulator import User
from tests.conftest import PASSWORD
from tests.integrations.conftest import MakeSite
from tests.integrations.sites import Browser, Site

BLANKS = [b" ", b"\t ", b"\xa0", b"\x85", *(blank.encode() for blank in "\x85\xa0\u1680\u2000\u2028\u3000\ufeff")]
BEFORE = [*BLANKS, b"x=y ", b"x=y,", b'x="', b"x=y\xa0", b"x=\t", b"$Version=1 ", b"Path=/,"]


@pytest.fixture
def signed_in(browser: Browser, user: User) -> Browser:
    assert browser.sign_in(account=user.username or "", password=PASSWORD).status_code == 303
    return browser


def status(site: Site, *cookies: bytes) -> int:
    headers = [(b"cookie", cookie) for cookie in cookies]
    return httpx.get(f"{site.url}/session", headers=headers, trust_env=False).status_code


@pytest.mark.parametrize("before", BEFORE)
def test_a_cookie_with_something_before_its_name_is_another(signed_in: Browser, site: Site, before: bytes) -> None:
    ((name, value),) = ((name, value) for name, value in signed_in.cookies.items() if name.endswith("_session"))
    own = f"{name}={value}".encode()
    assert status(site, own) == 200
    assert status(site, b"a=b; " + before + own) == (401 if before.strip(b" \t") else 200)
    assert status(site, b"a=b; " + before + b"c; " + own) == 200


def test_a_name_twice_counts_as_absent(signed_in: Browser, site: Site) -> None:
    own = "; ".join(f"{name}={value}" for name, value in signed_in.cookies.items()).encode()
    other = own[:-4] + b"AAAA"
    assert status(site, own + b"; " + other) == 401
    assert status(site, own, other) == 401
    assert status(site, b"a=b", own) == 200


def test_frameworks_own_cookies_are_never_read(
    make_site: MakeSite, make_browser: Any, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for owner in (HTTPConnection, web.BaseRequest):
        parsed = owner.__dict__["cookies"]

        def read(request: object, parsed: Any = parsed) -> object:  # the emulator, too, is made with Starlette
            reader = sys._getframe(1).f_globals["__name__"]
            assert not reader.startswith("genauth_async.integrations"), reader
            return parsed.__get__(request)

        monkeypatch.setattr(owner, "cookies", property(read))
    browser = make_browser(make_site())
    assert browser.sign_in("/page/7", account=user.username, password=PASSWORD).status_code == 303
    for path in ("/page/7", "/session", "/maybe-session", "/user", "/page-user", "/me"):
        assert browser.get(path).status_code == 200, path
    assert browser.post("/logout").status_code == 303
