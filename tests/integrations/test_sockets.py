"""WebSocket routes: who may open one, and what happens when the session ends while it is open."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest
from attrs import evolve, frozen

from genauth_async import AuthenticationClient
from genauth_async.emulator import Emulator, User
from genauth_async.integrations._replies import RefusedError
from genauth_async.integrations._web_login import LoginOptions, RequestInfo, WebLogin
from tests.conftest import PASSWORD
from tests.integrations.sites import Browser, Site, serving

LATER = 20 * 86400.0  # when access tokens have expired


@frozen
class Opened:
    """Messages of an open WebSocket, and the code and reason of its close."""

    said: list[Any]
    code: int | None
    reason: str | None


def connect(site: Site, path: str, headers: Mapping[str, str]) -> Opened | int:
    """Open a WebSocket and read it to its end; return the HTTP status if it was refused."""

    async def visit() -> Opened | int:
        async with aiohttp.ClientSession() as http:
            try:
                socket = await http.ws_connect(f"{site.url}{path}", headers=headers)
            except aiohttp.WSServerHandshakeError as error:
                return error.status
            said = []
            reason = None
            while (message := await socket.receive(timeout=30)).type is aiohttp.WSMsgType.TEXT:
                said.append(message.json())
            if message.type is aiohttp.WSMsgType.CLOSE:
                reason = message.extra
            return Opened(said, socket.close_code, reason or None)

    return asyncio.run(visit())


def said(answer: object) -> Opened:
    return Opened([answer], 1000, None)


def bearer(emulator: Emulator, user: User, scope: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {emulator.issue_tokens(user, scope=scope)['access_token']}"}


def cookie(browser: Browser) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}


@pytest.fixture
def signed_in(browser: Browser, user: User) -> Browser:
    assert browser.sign_in(account=user.username or "", password=PASSWORD).status_code == 303
    return browser


@pytest.mark.parametrize("path", ["/socket/claims", "/socket/maybe", "/socket/orders"])
def test_a_good_token_opens_a_socket(site: Site, emulator: Emulator, user: User, path: str) -> None:
    assert connect(site, path, bearer(emulator, user, "openid profile orders")) == said(user.id)


@pytest.mark.parametrize(
    ("path", "authorization", "status"),
    [
        ("/socket/claims", None, 401),
        ("/socket/claims", "Bearer junk", 401),
        ("/socket/maybe", "Bearer junk", 401),
        ("/socket/orders", None, 401),
    ],
)
def test_without_a_good_token_no_socket_is_opened(
    site: Site, framework: str, path: str, authorization: str | None, status: int
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    # In ASGI, what refuses a WebSocket is a 403.
    assert connect(site, path, headers) == (403 if framework == "fastapi" else status)


def test_with_too_little_scope_no_socket_is_opened(site: Site, emulator: Emulator, user: User) -> None:
    assert connect(site, "/socket/orders", bearer(emulator, user, "openid profile")) == 403


def test_optional_tokens_need_not_be_there(site: Site) -> None:
    assert connect(site, "/socket/maybe", {}) == said(None)


def test_a_signed_in_browser_opens_sockets(signed_in: Browser, site: Site, user: User) -> None:
    token = signed_in.get("/session").json()["token"]
    for origin in ({}, {"Origin": site.url}):
        assert connect(site, "/socket/session", cookie(signed_in) | origin) == said(token)
        assert connect(site, "/socket/maybe-session", cookie(signed_in) | origin) == said(answer=True)
        assert connect(site, "/socket/user", cookie(signed_in) | origin) == said(user.id)


def test_without_a_session_sockets_are_refused(site: Site, framework: str) -> None:
    for path in ("/socket/session", "/socket/user"):
        assert connect(site, path, {}) == (403 if framework == "fastapi" else 401)
    assert connect(site, "/socket/maybe-session", {}) == said(answer=False)


@pytest.mark.parametrize("origin", ["https://evil.example.test", "null", "http://127.0.0.1:1"])
def test_a_page_of_another_site_cannot_use_the_browsers_session(
    signed_in: Browser, site: Site, framework: str, origin: str
) -> None:
    headers = cookie(signed_in) | {"Origin": origin}
    for path in ("/socket/session", "/socket/user"):
        assert connect(site, path, headers) == (403 if framework == "fastapi" else 401)
    assert connect(site, "/socket/maybe-session", headers) == said(answer=False)
    assert signed_in.get("/session", headers={"Origin": origin}).status_code == 200


@pytest.mark.parametrize(
    "framework", ["aiohttp"], indirect=True
)  # where a page's session does not rule a WebSocket out
def test_a_page_of_another_site_cannot_use_a_pages_session(signed_in: Browser, site: Site, user: User) -> None:
    for path in ("/socket/page-session", "/socket/page-user"):
        assert connect(site, path, cookie(signed_in)) == said(user.id)
        assert connect(site, path, cookie(signed_in) | {"Origin": "https://evil.example.test"}) == 401


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("redirect_uri", "origin"),
    [
        ("https://App.test:443/callback", "https://app.test"),
        ("https://app.test:8443/callback", "https://app.test:8443"),
        ("http://localhost:80/callback", "http://localhost"),
        ("http://[::1]:443/callback", "http://[::1]:443"),
        ("http://[0:0::1]/callback", "http://[::1]"),
        ("https://BÜCHER.example:8443/callback", "https://xn--bcher-kva.example:8443"),
        ("https://faß.example/callback", "https://xn--fa-hia.example"),
        ("http://a_b.localhost/callback", "http://a_b.localhost"),
    ],
)
async def test_origins_are_compared_as_browsers_write_them(redirect_uri: str, origin: str) -> None:
    client = AuthenticationClient("app", "https://example.test", "secret", redirect_uri=redirect_uri)
    web = WebLogin(client, LoginOptions())
    asked = RequestInfo(method="GET", target="/", accept="", origin=origin, is_for_a_socket=True)
    with pytest.raises(RefusedError, match="Not signed in"):
        await web.session({}, asked)
    with pytest.raises(RefusedError, match="another site"):
        await web.session({}, evolve(asked, origin=f"{origin}0"))


@pytest.mark.parametrize("path", ["/socket/refused-elsewhere", "/socket/refused-maybe", "/socket/refused-in-a-group"])
def test_a_session_that_ends_closes_the_socket(signed_in: Browser, site: Site, emulator: Emulator, path: str) -> None:
    emulator.revoke_grant(str(site.store._records[site.keys[0]].tokens.refresh_token))
    accept = {"Accept": "text/html"}  # which no browser sends with it, and which makes no page of it
    assert connect(site, path, cookie(signed_in) | accept) == Opened([], 1008, "The session has ended")


def test_a_failed_refresh_closes_the_socket_with_try_again_later(
    signed_in: Browser, site: Site, emulator: Emulator
) -> None:
    emulator.faults.add("/oidc/token", status=503, body={"error": "temporarily_unavailable"}, times=2)
    answer = connect(site, "/socket/refused-elsewhere", cookie(signed_in))
    assert answer == Opened([], 1013, "The session cannot be refreshed now")


@pytest.mark.parametrize(
    "path",
    ["talk", "talk-in-a-group", "listen", "listen-to-a-token", "ends-later", "closes-and-ends", "refused-elsewhere"],
)
@pytest.mark.parametrize("is_abrupt", [True, False])
def test_sockets_that_end_log_no_error(
    framework: str, emulator: Emulator, user: User, caplog: pytest.LogCaptureFixture, path: str, is_abrupt: bool
) -> None:
    settings = {"app_id": emulator.app_id, "app_host": emulator.url, "app_secret": emulator.app_secret}

    async def leave(site: Site, headers: Mapping[str, str], refresh_token: str) -> None:
        async with aiohttp.ClientSession() as http:
            socket = await http.ws_connect(f"{site.url}/socket/{path}", headers=headers)
            await socket.receive(timeout=30)
            emulator.revoke_grant(refresh_token)
            if is_abrupt and (connection := socket._response.connection) is not None:
                assert connection.transport is not None
                connection.transport.abort()
            elif "talk" not in path:  # the client would wait for the end of its talk
                await socket.close()

    with serving(framework, settings, {}) as site:
        browser = Browser(site)
        with browser.http:
            assert browser.sign_in(account=user.username or "", password=PASSWORD).status_code == 303
            refresh_token = str(site.store._records[site.keys[0]].tokens.refresh_token)
            if path == "refused-elsewhere":
                emulator.revoke_grant(refresh_token)
            asyncio.run(leave(site, cookie(browser) | bearer(emulator, user, "openid"), refresh_token))
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [record.getMessage() for record in errors] == []


@pytest.mark.parametrize("framework", ["aiohttp"], indirect=True)  # FastAPI's dependencies come before the socket
def test_a_refusal_on_an_open_socket_closes_it(signed_in: Browser, site: Site) -> None:
    assert connect(site, "/socket/refused-when-open", cookie(signed_in)) == Opened([], 1008, "Unauthorized")
