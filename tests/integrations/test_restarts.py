"""Applications that start again, or several at once with one GenAuth."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager

import anyio
import pytest
from aiohttp import web
from fastapi import FastAPI

from genauth_async import AuthenticationClient, MemoryStore
from genauth_async.emulator import Emulator, User
from genauth_async.integrations.aiohttp import GenAuth as AiohttpGenAuth
from genauth_async.integrations.fastapi import GenAuth as FastAPIGenAuth
from tests.conftest import PASSWORD
from tests.integrations.sites import Browser, Site, Time
from tests.web_servers import serving_aiohttp, serving_asgi


@contextmanager
def application(auth: FastAPIGenAuth | AiohttpGenAuth, listener: socket.socket) -> Iterator[None]:
    serving: AbstractContextManager[None]
    if isinstance(auth, FastAPIGenAuth):
        app = FastAPI(lifespan=auth.lifespan)
        app.include_router(auth.router)
        serving = serving_asgi(app, listener)
    else:
        nested = web.Application()
        auth.setup(nested, close_client=True)
        serving = serving_aiohttp(nested, listener)
    with serving:
        yield


@pytest.fixture
def client(emulator: Emulator) -> AuthenticationClient:
    uri = "http://127.0.0.1:8000/callback"
    return AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret, redirect_uri=uri)


@pytest.fixture
def auth(framework: str, client: AuthenticationClient) -> FastAPIGenAuth | AiohttpGenAuth:
    return FastAPIGenAuth(client, warm=True) if framework == "fastapi" else AiohttpGenAuth(client, warm=True)


def test_users_sign_in_at_each_start(
    auth: FastAPIGenAuth | AiohttpGenAuth, client: AuthenticationClient, user: User
) -> None:
    for _ in range(3):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            browser = Browser(Site(url, client, MemoryStore(), Time()))
            with application(auth, listener), browser.http:
                callback = browser.fill_in(browser.begin(), user.username or "", PASSWORD)
                assert browser.get(callback.replace("http://127.0.0.1:8000", url)).status_code == 303
                assert browser.get("/me").json()["sub"] == user.id


@asynccontextmanager
async def started(auth: FastAPIGenAuth | AiohttpGenAuth) -> AsyncIterator[None]:
    if isinstance(auth, FastAPIGenAuth):
        async with auth.lifespan(FastAPI()):
            yield
        return
    app = web.Application()
    auth.setup(app, login=False, close_client=True)
    runner = web.AppRunner(app)
    await runner.setup()
    yield
    await runner.cleanup()


@pytest.mark.anyio
async def test_the_last_application_closes_the_connections(
    auth: FastAPIGenAuth | AiohttpGenAuth, client: AuthenticationClient, emulator: Emulator
) -> None:
    opened = client._shared.transport._provider._opened._values
    for _ in range(2):
        async with started(auth), anyio.create_task_group() as group:
            with emulator.faults.hold("/api/v3/system") as hold:
                async with started(auth):
                    group.start_soon(client.get_system_info)
                    await hold.wait_arrived()
        assert not opened
        await client.get_system_info()
        assert opened
