"""`session.auth` with the library requests."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from anyio import to_thread

import genauth_async
import genauth_sync
from genauth_async import ConfigurationError
from genauth_async.emulator import Emulator, User
from tests.core.httpx_auth.conftest import Api
from tests.core.sessions import LIFE, REFRESH


@pytest.fixture
def signed_in(emulator: Emulator, user: User) -> Iterator[genauth_sync.TokenSession]:
    with genauth_sync.AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret) as client:
        yield client.session(emulator.issue_tokens(user))


def test_a_request_and_a_session_of_requests_carry_the_token(signed_in: genauth_sync.TokenSession, api: Api) -> None:
    url = f"{api.server.url}/items"
    assert requests.get(url, auth=signed_in.auth, timeout=30).json() == {"done": True}
    with requests.Session() as http:
        http.auth = signed_in.auth
        assert http.post(url, json={"a": 1}, headers={"Authorization": "Basic x"}, timeout=30).status_code == 200
    token = signed_in.tokens.access_token
    assert api.seen == [("GET /items", token, b""), ("POST /items", token, b'{"a": 1}')]


@pytest.mark.parametrize("body", [{}, {"data": "text"}, {"data": b"bytes"}, {"json": [1]}, {"files": {"f": b"x"}}])
def test_a_refused_request_is_sent_again_with_a_new_token(
    signed_in: genauth_sync.TokenSession, api: Api, emulator: Emulator, body: dict[str, Any]
) -> None:
    old = signed_in.tokens.access_token
    emulator.clock.advance(LIFE + 1)
    with requests.Session() as http:
        answer = http.post(f"{api.server.url}/items", auth=signed_in.auth, timeout=30, **body)
    assert answer.status_code == 200
    assert [refused.status_code for refused in answer.history] == [401]
    assert api.tokens == [old, signed_in.tokens.access_token]
    assert len({sent for _, _, sent in api.seen}) == 1
    assert emulator.requests[REFRESH] == 1


def test_requests_that_are_refused_all_the_same_are_sent_twice(
    signed_in: genauth_sync.TokenSession, api: Api, emulator: Emulator
) -> None:
    api.refuses_all = True
    for _ in range(5):
        assert requests.get(f"{api.server.url}/items", auth=signed_in.auth, timeout=30).status_code == 401
    assert len(api.seen) == 6  # an origin that refuses the new token as well causes no other refresh for a while
    assert emulator.requests[REFRESH] == 1


def test_a_body_that_is_read_once_is_not_sent_again(
    signed_in: genauth_sync.TokenSession, api: Api, emulator: Emulator
) -> None:
    emulator.clock.advance(LIFE + 1)
    url = f"{api.server.url}/items"
    assert requests.post(url, data=io.BytesIO(b"once"), auth=signed_in.auth, timeout=30).status_code == 401
    assert requests.post(url, data=iter([b"once"]), auth=signed_in.auth, timeout=30).status_code == 200
    assert [sent for _, _, sent in api.seen] == [b"once", b"once"]
    assert emulator.requests[REFRESH] == 1


def test_a_redirect_to_another_origin_goes_without_the_token(
    signed_in: genauth_sync.TokenSession, api: Api, elsewhere: Api, emulator: Emulator
) -> None:
    api.redirects_to = f"{elsewhere.server.url.replace('127.0.0.1', 'localhost')}/items"
    answer = requests.get(f"{api.server.url}/moved", auth=signed_in.auth, timeout=30)
    assert answer.status_code == 401
    assert elsewhere.tokens == [None]
    assert emulator.requests[REFRESH] == 0
    api.redirects_to = f"{elsewhere.server.url}/items"  # the same host, another port
    assert requests.get(f"{api.server.url}/moved", auth=signed_in.auth, timeout=30).status_code == 401
    assert elsewhere.tokens == [None, None]


def test_a_refusal_after_a_redirect_is_repeated_there(
    signed_in: genauth_sync.TokenSession, api: Api, emulator: Emulator
) -> None:
    old = signed_in.tokens.access_token
    api.redirects_to = "/items"
    emulator.clock.advance(LIFE + 1)
    answer = requests.post(f"{api.server.url}/moved", data=b"order", auth=signed_in.auth, timeout=30)
    assert answer.status_code == 200
    new = signed_in.tokens.access_token
    assert api.seen == [("POST /moved", old, b"order"), ("GET /items", old, b""), ("GET /items", new, b"")]


def test_other_origins_and_plain_http_get_none(signed_in: genauth_sync.TokenSession, api: Api, elsewhere: Api) -> None:
    auth = signed_in.auth.for_origins(elsewhere.server.url)
    assert requests.get(f"{api.server.url}/items", auth=auth, timeout=30).status_code == 401
    assert api.tokens == [None]
    with pytest.raises(ConfigurationError, match=r"api\.example unencrypted"):
        requests.get("http://api.example/items", auth=signed_in.auth, timeout=30)


def test_refusals_at_once_are_one_refresh(signed_in: genauth_sync.TokenSession, api: Api, emulator: Emulator) -> None:
    emulator.clock.advance(LIFE + 1)
    api.waits_for = count = 20

    def get(_: int) -> int:
        return requests.get(f"{api.server.url}/items", auth=signed_in.auth, timeout=60).status_code

    with ThreadPoolExecutor(count) as threads:
        assert set(threads.map(get, range(count))) == {200}
    assert emulator.requests[REFRESH] == 1


@pytest.mark.anyio
async def test_an_async_session_serves_requests_in_worker_threads(
    client: genauth_async.AuthenticationClient, emulator: Emulator, user: User, api: Api
) -> None:
    session = client.session(emulator.issue_tokens(user))

    def get() -> int:
        return requests.get(f"{api.server.url}/items", auth=session.auth, timeout=30).status_code

    assert await to_thread.run_sync(get) == 200
    with pytest.raises(ConfigurationError, match=r"genauth_sync session.*to_thread"):
        get()
    assert len(api.seen) == 1
