"""A site with several worker processes, which know of each other by Redis alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import anyio
import anyio.to_thread
import httpx
import pytest
from attrs import frozen

from genauth_async import AuthenticationClient
from genauth_async.emulator import Emulator
from tests.conftest import PASSWORD
from tests.core.sessions import LIFE, REFRESH
from tests.integrations.sites import Browser, Site
from tests.stores.redis_server import RedisServer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.anyio,
    pytest.mark.usefixtures("user"),
    pytest.mark.skipif(os.name == "nt", reason="one worker only"),
]
WORKERS = 4


@frozen
class Workers:
    url: str
    ahead: Path
    client: AuthenticationClient
    """Knows the address to come back to, as a browser does."""

    def expire(self, emulator: Emulator) -> None:
        """All access tokens have expired, on both sides."""
        emulator.clock.advance(LIFE)
        self.ahead.write_text(str(float(self.ahead.read_text(encoding="utf-8")) + LIFE), encoding="utf-8")


@pytest.fixture
def workers(
    emulator: Emulator, redis_server: RedisServer, redis_prefix: str, free_port: int, tmp_path: Path
) -> Iterator[Workers]:
    ahead = tmp_path / "ahead"
    ahead.write_text("0", encoding="utf-8")
    url = f"http://127.0.0.1:{free_port}"
    site = {
        "url": url,
        "app_id": emulator.app_id,
        "app_host": emulator.url,
        "app_secret": emulator.app_secret,
        "redis": redis_server.url,
        "prefix": redis_prefix,
        "ahead": str(ahead),
    }
    (tmp_path / "site.json").write_text(json.dumps(site), encoding="utf-8")
    command = ["uvicorn", "--factory", "tests.stores.redis_site:make_app", "--port", str(free_port), "--no-access-log"]
    process = subprocess.Popen(
        [sys.executable, "-m", *command, "--workers", str(WORKERS), "--log-level", "warning"],
        env=os.environ | {"SITE": str(tmp_path / "site.json")},
    )
    client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret, redirect_uri=f"{url}/callback")
    try:
        yield Workers(url, ahead, client)
    finally:
        process.terminate()
        process.wait(30)


async def asked(http: httpx.AsyncClient, url: str) -> dict[str, Any]:
    # Each on a connection of its own, so that any worker may take it.
    response = await http.get(f"{url}/token", headers={"Connection": "close"})
    assert response.status_code == 200, response.text
    return cast("dict[str, Any]", response.json())


async def test_a_session_is_one_in_all_workers_and_refreshed_once(workers: Workers, emulator: Emulator) -> None:
    browser = Browser(cast("Site", workers))
    async with httpx.AsyncClient(trust_env=False, timeout=60, limits=httpx.Limits(max_connections=200)) as http:
        with anyio.fail_after(60):
            while not await is_served(http, workers.url):  # noqa: ASYNC110 - another process sets no Event
                await anyio.sleep(0.02)
        signed_in = await anyio.to_thread.run_sync(lambda: browser.sign_in("/token", password=PASSWORD))
        assert signed_in.status_code == 303, signed_in.text
        http.cookies = browser.http.cookies
        first: set[str] = set()
        seen: set[int] = set()
        with anyio.fail_after(60):
            while len(seen) < WORKERS:
                answer = await asked(http, workers.url)
                first.add(answer["token"])
                seen.add(answer["worker"])
        assert len(first) == 1
        for times in (1, 2):
            workers.expire(emulator)
            got: list[dict[str, Any]] = []

            async def ask(into: list[dict[str, Any]] = got) -> None:
                into.append(await asked(http, workers.url))

            async with anyio.create_task_group() as group:
                for _ in range(200):
                    group.start_soon(ask)
            assert len(got) == 200
            assert len({answer["token"] for answer in got}) == 1
            assert {answer["token"] for answer in got}.isdisjoint(first)
            assert emulator.requests[REFRESH] == times + 1, "and one that traded in the code"
            assert emulator.grants.revoked == 0
    browser.http.close()
    await workers.client.aclose()


async def is_served(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(f"{url}/token")).status_code == 401
    except httpx.ConnectError:
        return False
