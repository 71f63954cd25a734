"""`session.auth.for_origins`: the token is sent to those origins only."""

from __future__ import annotations

from typing import Any

import httpx
import httpx2
import pytest
from starlette.datastructures import URL

import genauth_async
from genauth_async import ConfigurationError
from genauth_async.emulator import Emulator
from tests.core.httpx_auth.conftest import Api, Caller, in_both_libraries
from tests.core.sessions import LIFE, REFRESH


@pytest.fixture
def offline() -> genauth_async.TokenSession:
    """A session that sends no request."""
    return genauth_async.AuthenticationClient("app", "https://localhost", "secret").session({"access_token": "token"})


@in_both_libraries
@pytest.mark.anyio
async def test_the_origins_that_were_named_get_the_token_and_a_new_one(
    call: Caller, api: Api, elsewhere: Api, emulator: Emulator
) -> None:
    auth = call.session.auth.for_origins(elsewhere.server.url, api.server.url + "/")
    emulator.clock.advance(LIFE + 1)
    old = call.session.tokens.access_token
    assert (await call("GET", f"{api.server.url}/items", auth=auth)).status_code == 200
    assert api.tokens == [old, call.session.tokens.access_token]


@pytest.mark.anyio
async def test_any_other_origin_gets_the_request_as_it_is(
    call: Caller, api: Api, elsewhere: Api, emulator: Emulator
) -> None:
    auth = call.session.auth.for_origins(api.server.url)
    url = f"{elsewhere.server.url}/items"
    assert (await call("GET", url, auth=auth)).status_code == 401
    await call("GET", url, auth=auth, headers={"Authorization": "Bearer its own"})
    assert elsewhere.tokens == [None, "its own"]
    assert emulator.requests[REFRESH] == 0


@pytest.mark.anyio
async def test_neighbours_are_other_origins(call: Caller, api: Api) -> None:
    url = URL(api.server.url)
    assert url.port is not None
    neighbours = [
        url.replace(port=url.port + 1),
        url.replace(port=None),
        url.replace(hostname="localhost"),
        url.replace(hostname="127.0.0.1.localhost"),
        url.replace(scheme="https"),
    ]
    auth = call.session.auth.for_origins(*map(str, neighbours))
    assert (await call("GET", f"{url}/items", auth=auth)).status_code == 401
    assert api.tokens == [None]


@pytest.mark.anyio
async def test_a_redirect_takes_the_token_neither_out_nor_in(call: Caller, api: Api, elsewhere: Api) -> None:
    auth = call.session.auth.for_origins(api.server.url)
    api.redirects_to = f"{elsewhere.server.url}/items"
    elsewhere.redirects_to = f"{api.server.url}/items"
    await call("GET", f"{api.server.url}/moved", auth=auth)
    await call("GET", f"{elsewhere.server.url}/moved", auth=auth)
    assert elsewhere.tokens == [None, None]
    assert api.tokens == [call.session.tokens.access_token, None]


@pytest.mark.anyio
async def test_plain_http_is_allowed_when_no_token_is_sent(call: Caller, api: Api) -> None:
    auth = call.session.auth.for_origins("https://api.example")
    elsewhere = URL(api.server.url).replace(hostname="0.0.0.0")  # this machine, without a loopback name
    with pytest.raises(ConfigurationError, match="unencrypted"):
        await call("GET", f"{elsewhere}/items")
    assert (await call("GET", f"{elsewhere}/items", auth=auth)).status_code == 401
    assert api.tokens == [None]


@pytest.mark.parametrize(
    ("origin", "same"),
    [
        ("https://API.example.com:443", "https://api.example.com"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("http://localhost:80", "http://localhost"),
        ("https://[2001:DB8::1]:8443/", "https://[2001:db8::1]:8443"),
    ],
)
def test_one_origin_has_one_spelling(offline: genauth_async.TokenSession, origin: str, same: str) -> None:
    auth = offline.auth.for_origins(origin)
    assert repr(auth) == f"<SessionAuth of {offline!r} for {same}>"
    assert {httpx.Auth, httpx2.Auth} <= set(type(auth).__mro__)


@pytest.mark.parametrize(
    "origin",
    [
        "api.example.com",
        "//api.example.com",
        "https://",
        "https://api.example.com/v1",
        "https://api.example.com?",
        "https://api.example.com#top",
        "https://ada:secret@api.example.com",
        "https://*.example.com",
        "ftp://api.example.com",
        "https://api.example.com:port",
        "",
        None,
    ],
)
def test_what_is_no_origin_is_refused(offline: genauth_async.TokenSession, origin: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        offline.auth.for_origins("https://good.example", origin)
    assert "secret" not in str(caught.value)


def test_plain_http_on_another_machine_is_refused_beforehand(offline: genauth_async.TokenSession) -> None:
    with pytest.raises(ConfigurationError, match=r"api\.example unencrypted"):
        offline.auth.for_origins("http://api.example")


def test_no_origin_at_all_is_refused(offline: genauth_async.TokenSession) -> None:
    with pytest.raises(ConfigurationError, match="go nowhere"):
        offline.auth.for_origins()
