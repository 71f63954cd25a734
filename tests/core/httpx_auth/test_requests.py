"""`session.auth`: which requests carry a token, and which are sent again."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx
import httpx2
import pytest

import genauth_async
from genauth_async import ConfigurationError, SessionExpiredError
from genauth_async.emulator import Emulator, User
from tests.core.httpx_auth.conftest import Api, Caller, in_both_libraries
from tests.core.sessions import LIFE, REFRESH

pytestmark = [pytest.mark.anyio, pytest.mark.backends("asyncio", "trio")]

_LONG = 20  # seconds after which a hanging test fails


@in_both_libraries
async def test_a_request_carries_the_token(call: Caller, api: Api) -> None:
    answer = await call("GET", f"{api.server.url}/items")
    assert answer.status_code == 200
    assert api.tokens == [call.session.tokens.access_token]


@in_both_libraries
async def test_a_refused_token_is_replaced_and_the_request_sent_again(
    call: Caller, api: Api, emulator: Emulator
) -> None:
    old = call.session.tokens.access_token
    emulator.clock.advance(LIFE + 1)
    answer = await call("POST", f"{api.server.url}/items", json={"name": "new"}, headers={"Authorization": "Basic x"})
    assert answer.status_code == 200
    new = call.session.tokens.access_token
    body = answer.request.content
    assert b"new" in body
    assert api.seen == [("POST /items", old, body), ("POST /items", new, body)]
    assert emulator.requests[REFRESH] == 1


async def test_a_new_token_that_is_refused_as_well_ends_it(call: Caller, api: Api, emulator: Emulator) -> None:
    api.refuses_all = True
    answer = await call("GET", f"{api.server.url}/items")
    assert answer.status_code == 401
    assert len(set(api.tokens)) == len(api.tokens) == 2
    assert emulator.requests[REFRESH] == 1


@in_both_libraries
async def test_a_streamed_body_is_not_resent_but_the_token_is_renewed(
    call: Caller, api: Api, emulator: Emulator
) -> None:
    emulator.clock.advance(LIFE + 1)
    answer = await call("POST", f"{api.server.url}/items", content=streamed(call))
    assert answer.status_code == 401
    assert [body for _, _, body in api.seen] == [b"in pieces"]
    assert (await call("POST", f"{api.server.url}/items", content=streamed(call))).status_code == 200
    assert emulator.requests[REFRESH] == 1


def streamed(call: Caller) -> Any:
    """A body that can be read only once, of the type that this client accepts."""
    pieces = [b"in ", b"pieces"]

    async def awaited() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return awaited() if inspect.iscoroutinefunction(call._client.request) else iter(pieces)


@in_both_libraries
async def test_another_origin_gets_no_token_and_its_refusal_costs_none(
    call: Caller, api: Api, elsewhere: Api, emulator: Emulator
) -> None:
    api.redirects_to = f"{elsewhere.server.url}/items"
    answer = await call("POST", f"{api.server.url}/moved", content=b"secret")
    assert answer.status_code == 401
    assert str(answer.url) == api.redirects_to
    assert api.tokens == [call.session.tokens.access_token]
    assert elsewhere.tokens == [None]
    assert emulator.requests[REFRESH] == 0


async def test_the_way_back_from_another_origin_gets_none_either(call: Caller, api: Api, elsewhere: Api) -> None:
    api.redirects_to = f"{elsewhere.server.url}/moved"
    elsewhere.redirects_to = f"{api.server.url}/items"
    answer = await call("GET", f"{api.server.url}/moved")
    assert answer.status_code == 401
    assert elsewhere.tokens == [None]
    assert api.tokens == [call.session.tokens.access_token, None]


async def test_a_refusal_after_a_redirect_is_retried_at_the_new_url(call: Caller, api: Api, emulator: Emulator) -> None:
    old = call.session.tokens.access_token
    api.redirects_to = "/items"
    emulator.clock.advance(LIFE + 1)
    answer = await call("POST", f"{api.server.url}/moved", content=b"an order")
    assert answer.status_code == 200
    new = call.session.tokens.access_token
    # The order is not sent again: the API accepted it.
    assert api.seen == [("POST /moved", old, b"an order"), ("GET /items", old, b""), ("GET /items", new, b"")]


async def test_plain_http_to_another_machine_is_refused(call: Caller) -> None:
    with pytest.raises(ConfigurationError, match=r"api\.example unencrypted"):
        await call("GET", "http://api.example/items")


async def test_a_session_that_has_ended_says_so(call: Caller, api: Api, emulator: Emulator) -> None:
    emulator.revoke_grant(call.session.tokens.access_token)
    with pytest.raises(SessionExpiredError):
        await call("GET", f"{api.server.url}/items")
    assert len(api.seen) == 1


async def test_fifty_refusals_at_once_are_one_refresh(call: Caller, api: Api, emulator: Emulator) -> None:
    emulator.clock.advance(LIFE + 1)
    is_awaited = inspect.iscoroutinefunction(call._client.request)
    api.waits_for = count = 50 if is_awaited else 20  # worker threads are fewer
    statuses = []

    async def one() -> None:
        statuses.append((await call("GET", f"{api.server.url}/items")).status_code)

    with anyio.fail_after(_LONG):
        async with anyio.create_task_group() as group:
            for _ in range(count):
                group.start_soon(one)
    assert statuses == [200] * count
    assert len(api.seen) == 2 * count
    assert set(api.tokens[count:]) == {call.session.tokens.access_token}
    assert emulator.requests[REFRESH] == 1
    assert emulator.grants.revoked == 0


async def test_cancelling_the_request_that_refreshes_harms_no_other(
    library: Any, session: Any, api: Api, emulator: Emulator
) -> None:
    emulator.clock.advance(LIFE + 1)
    url = f"{api.server.url}/items"
    async with library.AsyncClient(auth=session.auth, timeout=30) as client:
        async with anyio.create_task_group() as group:
            with emulator.faults.hold(REFRESH) as hold:
                group.start_soon(client.get, url)
                with anyio.fail_after(_LONG):
                    await hold.wait_arrived()
                group.cancel_scope.cancel()
                hold.release()
        assert (await client.get(url)).status_code == 200
    assert emulator.requests[REFRESH] == 1
    assert emulator.grants.revoked == 0


async def test_an_async_session_refuses_a_blocking_httpx_client(
    client: genauth_async.AuthenticationClient, emulator: Emulator, user: User, api: Api
) -> None:
    session = client.session(emulator.issue_tokens(user))
    with (
        httpx.Client(auth=session.auth) as blocking,
        pytest.raises(ConfigurationError, match=r"genauth_sync session.*to_thread"),
    ):
        blocking.get(f"{api.server.url}/items")  # noqa: ASYNC212 - which is what is tried
    assert api.seen == []


async def test_it_is_what_both_libraries_take_and_shows_no_token(
    client: genauth_async.AuthenticationClient, emulator: Emulator, user: User
) -> None:
    session = client.session(emulator.issue_tokens(user))
    with httpx.Client(auth=session.auth) as one, httpx2.Client(auth=session.auth) as other:  # as type checkers see it
        for auth in (one.auth, other.auth):
            assert {httpx.Auth, httpx2.Auth} <= set(type(auth).__mro__)
            assert repr(session) in repr(auth)
            assert session.key not in repr(auth)
            assert session.tokens.access_token not in repr(auth)


def test_the_library_may_be_imported_afterwards() -> None:
    program = """
import sys
from genauth_async import AuthenticationClient, TokenSet
session = AuthenticationClient("app", "https://localhost", "secret").session({"access_token": "token"})
early = session.auth
import httpx
assert isinstance(early, httpx.Auth)
import httpx2
assert isinstance(session.auth, httpx.Auth)
assert isinstance(session.auth, httpx2.Auth)
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)
