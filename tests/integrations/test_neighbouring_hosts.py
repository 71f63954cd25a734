"""A neighbouring host plants cookies in a real browser: session fixation and login CSRF."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import trustme
from attrs import define, field, frozen
from playwright.sync_api import BrowserContext, Page

from genauth_async import AuthenticationClient
from genauth_async.emulator import Emulator, User
from genauth_async.emulator.visitor import sign_in_at_page
from tests.browser import Browse, browser  # noqa: F401 - the fixture, since that of the other tests here is no real one
from tests.conftest import PASSWORD
from tests.integrations.aiohttp_site import aiohttp_site
from tests.integrations.fastapi_site import fastapi_site
from tests.web_servers import serving_aiohttp, serving_asgi

pytestmark = pytest.mark.slow

# What comes before the name of a planted cookie: in a Set-Cookie header, and for document.cookie.
IN_HEADERS: list[bytes | str] = [b"", b"\xa0", b"\x85", b"x=y ", b"$Version=1 "]
BY_SCRIPTS: list[bytes | str] = ["", "=", "\u2000", "\u3000", "x=y ", "x=y\u2000"]


@define
class Neighbour:
    """A host of an attacker, beside the site's: its pages plant cookies."""

    url: str = ""
    set_cookies: list[bytes] = field(factory=list)
    scripts: list[str] = field(factory=list)

    async def __call__(self, scope: Mapping[str, Any], _receive: object, send: Any) -> None:
        assert scope["type"] == "http"
        html = "".join(f"<script>document.cookie = {json.dumps(cookie)}</script>" for cookie in self.scripts)
        headers = [(b"content-type", b"text/html; charset=utf-8"), *((b"set-cookie", it) for it in self.set_cookies)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": f"<!doctype html>{html}".encode()})

    def plant(self, page: Page, cookies: Mapping[str, str], before: bytes | str) -> None:
        """Plant cookies for all hosts of the domain.

        Args:
            page: the victim's.
            cookies: by the names that the site reads.
            before: what comes before the names: bytes for a header, a text for a script.
        """
        ends = [f"{name}={value}; Domain=example.test; Path=/; Secure" for name, value in cookies.items()]
        self.set_cookies = [before + end.encode() for end in ends] if isinstance(before, bytes) else []
        self.scripts = [before + end for end in ends] if isinstance(before, str) else []
        page.goto(self.url)


@frozen
class HTTPSSite:
    """A site with https under a name of its own."""

    url: str
    local: str

    def attempt(self, account: str) -> tuple[dict[str, str], str]:
        """Return the cookies of a login attempt, and its callback's address, which no browser has visited yet."""
        attempt = httpx.get(f"{self.local}/login", verify=False, trust_env=False)
        return cookies_of(attempt), sign_in_at_page(attempt.headers["location"], account, PASSWORD)

    def sign_in(self, account: str) -> dict[str, str]:
        """Return the cookies of a session."""
        cookies, callback = self.attempt(account)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
        done = httpx.get(callback.replace(self.url, self.local), headers=headers, verify=False, trust_env=False)
        assert done.status_code == 303, done.text
        return {name: value for name, value in cookies_of(done).items() if value}


def cookies_of(response: httpx.Response) -> dict[str, str]:
    pairs = [header.partition(";")[0].partition("=") for header in response.headers.get_list("set-cookie")]
    return {name: value for name, _, value in pairs}


@pytest.fixture
def tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("*.example.test").configure_cert(context)
    return context


@pytest.fixture
def users(emulator: Emulator) -> tuple[User, User]:
    mallory = emulator.add_user(username="mallory", password=PASSWORD)
    return mallory, emulator.add_user(username="victim", password=PASSWORD)


@pytest.fixture
def served(framework: str, emulator: Emulator, tls: ssl.SSLContext) -> Iterator[tuple[HTTPSSite, Neighbour]]:
    neighbour = Neighbour()
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        ports = [listener.getsockname()[1] for listener in listeners]
        url = f"https://app.example.test:{ports[0]}"
        client = AuthenticationClient(
            emulator.app_id, emulator.url, emulator.app_secret, redirect_uri=f"{url}/callback"
        )
        emulator.hosted_login.allow_redirect(f"{url}/callback")
        options: dict[str, Any] = {"scope": "openid profile offline_access", "after_login": "/page-user"}
        stack.enter_context(
            serving_asgi(fastapi_site(client, options), listeners[0], tls)
            if framework == "fastapi"
            else serving_aiohttp(aiohttp_site(client, options), listeners[0], tls)
        )
        stack.enter_context(serving_asgi(neighbour, listeners[1], tls))
        neighbour.url = f"https://evil.example.test:{ports[1]}/"
        yield HTTPSSite(url, f"https://127.0.0.1:{ports[0]}"), neighbour


def context_of(page: Page) -> BrowserContext:
    assert page.context.browser is not None
    return page.context.browser.new_context(ignore_https_errors=True)


def shown(page: Page, url: str) -> str:
    """Return the text of a page of the site; empty if the browser was sent to sign in."""
    response = page.goto(url)
    assert response is not None
    return response.text() if urlsplit(page.url).netloc == urlsplit(url).netloc else ""


@pytest.mark.parametrize("is_signed_in", [False, True])
def test_a_planted_session_is_not_taken(
    served: tuple[HTTPSSite, Neighbour], users: tuple[User, User], browse: Browse, is_signed_in: bool
) -> None:
    site, neighbour = served
    mallory, victim = users
    planted = site.sign_in("mallory")
    own = site.sign_in("victim") if is_signed_in else {}
    (name,) = (name for name in planted if name.endswith("_session"))

    def attack(page: Page, before: bytes | str) -> str:
        context = context_of(page)
        for cookie, value in own.items():
            context.add_cookies([{"name": cookie, "value": value, "url": site.url, "secure": True}])
        victims = context.new_page()
        neighbour.plant(victims, {name: planted[name]}, before)
        text = shown(victims, f"{site.url}/page-user")
        context.close()
        return text

    for before in [*IN_HEADERS, *BY_SCRIPTS]:
        text = browse(partial(attack, before=before))
        assert mallory.id not in text, before
        assert (victim.id in text) is is_signed_in, before


def test_a_planted_login_attempt_is_not_finished(
    served: tuple[HTTPSSite, Neighbour], users: tuple[User, User], browse: Browse
) -> None:
    site, neighbour = served
    mallory, _ = users

    def attack(page: Page, before: bytes | str) -> str:
        cookies, callback = site.attempt("mallory")
        context = context_of(page)
        victims = context.new_page()
        neighbour.plant(victims, cookies, before)
        text = shown(victims, callback) + shown(victims, f"{site.url}/page-user")
        context.close()
        return text

    for before in [*IN_HEADERS, *BY_SCRIPTS]:
        text = browse(partial(attack, before=before))
        assert mallory.id not in text, before
        assert text, before  # the callback's page, which says that the sign-in is unknown


def test_the_same_cookies_of_the_site_itself_are_taken(
    served: tuple[HTTPSSite, Neighbour], users: tuple[User, User], browse: Browse
) -> None:
    site, _ = served
    mallory, _ = users
    cookies, callback = site.attempt("mallory")

    def visit(page: Page) -> str:
        context = context_of(page)
        for name, value in cookies.items():
            context.add_cookies([{"name": name, "value": value, "url": site.url, "secure": True}])
        text = shown(context.new_page(), callback)
        context.close()
        return text

    assert mallory.id in browse(visit)
