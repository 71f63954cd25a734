"""An API that accepts only active tokens of the emulator, and httpx and httpx2 clients that call it as the user."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import httpx2
import pytest
from anyio import to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

import genauth_sync
from genauth_async import Clock
from genauth_async.emulator import Emulator, User
from genauth_async.emulator.server.server_thread import ServerThread
from tests.conftest import MakeClient

LIBRARIES: dict[str, Any] = {"httpx": httpx, "httpx2": httpx2}
in_both_libraries = pytest.mark.parametrize("library", LIBRARIES, indirect=True)


class Api:
    """An application's API; it records the token and the body of each request."""

    def __init__(self, emulator: Emulator) -> None:
        self._grants = emulator._state.grants
        self.seen: list[tuple[str, str | None, bytes]] = []
        self.refuses_all = False
        self.redirects_to = ""
        self.waits_for = 0  # number of requests to refuse before the first reply is sent
        self._refused = 0
        self._all_refused = asyncio.Event()
        routes = [
            Route("/items", self._items, methods=["GET", "POST"]),
            Route("/moved", self._moved, methods=["GET", "POST"]),
        ]
        self.server = ServerThread(Starlette(routes=routes), "127.0.0.1", 0)

    @property
    def tokens(self) -> list[str | None]:
        return [token for _, token, _ in self.seen]

    async def _note(self, request: Request) -> str | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        bearer = token if scheme == "Bearer" else None
        self.seen.append((f"{request.method} {request.url.path}", bearer, await request.body()))
        return bearer

    async def _items(self, request: Request) -> Response:
        token = await self._note(request)
        if token is not None and not self.refuses_all and self._grants.active_access_token(token) is not None:
            return JSONResponse({"done": True})
        self._refused += 1
        if self._refused >= self.waits_for:
            self._all_refused.set()
        await self._all_refused.wait()
        return JSONResponse({"error": "invalid_token"}, 401)

    async def _moved(self, request: Request) -> Response:
        await self._note(request)
        return RedirectResponse(self.redirects_to, 303)


@pytest.fixture
def api(emulator: Emulator) -> Iterator[Api]:
    api = Api(emulator)
    api.server.start()
    yield api
    api.server.stop()


@pytest.fixture
def elsewhere(emulator: Emulator) -> Iterator[Api]:
    """Another application's API, at another origin; it refuses every request."""
    api = Api(emulator)
    api.refuses_all = True
    api.server.start()
    yield api
    api.server.stop()


class ManualClock:
    """A clock of the sessions that a test sets itself, so that no test depends on its speed."""

    seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def manual_clock() -> ManualClock:
    return ManualClock()


class Caller:
    """A client of the library, awaited or called in a worker thread."""

    def __init__(self, session: Any, client: Any) -> None:
        self.session = session
        self._client = client

    async def __call__(self, method: str, url: str, **options: Any) -> Any:
        call = functools.partial(self._client.request, method, url, **options)
        return await call() if inspect.iscoroutinefunction(self._client.request) else await to_thread.run_sync(call)


@pytest.fixture(params=["async session", "blocking session"])
async def session(
    request: pytest.FixtureRequest, emulator: Emulator, user: User, make_client: MakeClient, manual_clock: ManualClock
) -> AsyncIterator[Any]:
    tokens = emulator.issue_tokens(user)
    clock = Clock(monotonic=manual_clock.monotonic)
    if request.param == "async session":
        yield make_client(clock=clock).session(tokens)
        return
    client = genauth_sync.AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret, clock=clock)
    yield client.session(tokens)
    await to_thread.run_sync(client.close)


@pytest.fixture
def library(request: pytest.FixtureRequest) -> Any:
    """The HTTP library: httpx, unless a test is parametrized with both."""
    return LIBRARIES[getattr(request, "param", "httpx")]


@pytest.fixture(params=["AsyncClient", "Client"])
async def call(request: pytest.FixtureRequest, library: Any, session: Any) -> AsyncIterator[Caller]:
    options = {"auth": session.auth, "follow_redirects": True, "timeout": 30}
    if request.param == "Client":
        with library.Client(**options) as client:
            yield Caller(session, client)
    else:
        async with library.AsyncClient(**options) as client:
            yield Caller(session, client)
