"""Real servers with the integrations in them, and a browser that visits them."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import httpx
from attrs import define, field, frozen

from genauth_async import AuthenticationClient, Clock, MemoryStore
from tests.integrations.aiohttp_site import aiohttp_site
from tests.integrations.fastapi_site import fastapi_site
from tests.web_servers import serving_aiohttp, serving_asgi

FRAMEWORKS = ["fastapi", "aiohttp"]


class Time:
    """A clock that tests move, for the site alone."""

    def __init__(self) -> None:
        self.ahead = 0.0
        real = Clock()
        self.clock = Clock(monotonic=lambda: real.monotonic() + self.ahead, wall=lambda: real.wall() + self.ahead)


@frozen
class Site:
    """A web application that is being served."""

    url: str
    client: AuthenticationClient
    store: MemoryStore
    time: Time

    @property
    def keys(self) -> list[str]:
        """The keys of the sessions in the store."""
        return list(self.store._records)


@contextlib.contextmanager
def serving(framework: str, settings: dict[str, Any], options: dict[str, Any]) -> Iterator[Site]:
    """Serves the test application.

    Args:
        framework: fastapi or aiohttp.
        settings: of the client.
        options: of GenAuth.
    """
    time, store = Time(), MemoryStore()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        client = AuthenticationClient(**{"redirect_uri": f"{url}/callback", "clock": time.clock, **settings})
        options = {"store": store, "scope": "openid profile offline_access", **options}
        with (
            serving_asgi(fastapi_site(client, options), listener)
            if framework == "fastapi"
            else serving_aiohttp(aiohttp_site(client, options), listener)
        ):
            yield Site(url, client, store, time)


@define
class _Form:
    action: str
    fields: dict[str, str] = field(factory=dict)
    buttons: set[str] = field(factory=set)


class _Forms(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[_Form] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(_Form(given["action"]))
        elif tag == "input":
            self.found[-1].fields[given["name"]] = given.get("value", "")
        elif tag == "button" and "name" in given:
            self.found[-1].buttons.add(given["name"])


class Browser:
    """Keeps cookies, asks for pages, and fills in the hosted page's forms."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.http = httpx.Client(verify=False, trust_env=False, headers={"Accept": "text/html"}, timeout=30)

    def get(self, url: str, **options: Any) -> httpx.Response:
        return self.http.get(urljoin(self._site.url, url), **options)

    def post(self, url: str, **options: Any) -> httpx.Response:
        return self.http.post(urljoin(self._site.url, url), **options)

    def begin(self, next_url: str | None = None) -> str:
        """Begins a sign-in, and gives the hosted page's address."""
        response = self.get("/login", params={} if next_url is None else {"next": next_url})
        assert response.status_code == 303, response.text
        return response.headers["location"]

    def fill_in(self, url: str, account: str, password: str, answer: str = "accept") -> str:
        """Does what the hosted page asks for, and gives the callback's address."""
        callback = str(self._site.client.settings.redirect_uri)
        response = self.http.get(url)
        while True:
            if response.is_redirect:
                url = urljoin(str(response.url), response.headers["location"])
                if url.startswith(f"{callback}?"):
                    return url
                response = self.http.get(url)
                continue
            assert response.status_code == 200, response.text
            form = _Forms(response.text).found[0]
            known = {"account": account, "password": password}
            filled = {name: known.get(name, value) for name, value in form.fields.items()}
            filled |= dict.fromkeys(form.buttons, answer)
            response = self.http.post(urljoin(str(response.url), form.action), data=filled)

    def sign_in(self, next_url: str | None = None, *, account: str = "ada", password: str) -> httpx.Response:
        """Signs in, and gives the callback's answer."""
        return self.get(self.fill_in(self.begin(next_url), account, password))

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that the site would get."""
        return {
            cookie.name: cookie.value or ""
            for cookie in self.http.cookies.jar
            if cookie.name.startswith("genauth_web_")
        }
