"""Findings of the doctor about a Redis server."""

from __future__ import annotations

import pytest

from genauth_async.doctor import Finding, examine
from genauth_async.stores import RedisStore
from tests.conftest import MakeClient
from tests.stores.redis_server import RedisServer, contents

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_slow_store")]


async def found(make_client: MakeClient, store: RedisStore) -> list[Finding]:
    findings = await examine(make_client(), store=store)
    await store.aclose()
    return [finding for finding in findings if finding.subject == "store RedisStore"]


async def test_a_server_that_keeps_everything_is_well(own_server: RedisServer, make_client: MakeClient) -> None:
    own_server.client().config_set("appendonly", "yes")
    [tried] = await found(make_client, RedisStore(own_server.url, prefix="of the doctor:"))
    assert tried.verdict == "ok"
    assert contents(own_server, "of the doctor:") == {}


async def test_a_server_that_loses_the_last_writes_is_noted(own_server: RedisServer, make_client: MakeClient) -> None:
    own_server.client().config_set("appendonly", "no")
    _, kept = await found(make_client, RedisStore(own_server.url))
    assert kept.verdict == "note"
    assert "append-only" in kept.message


async def test_a_server_that_drops_sessions_is_wrong(own_server: RedisServer, make_client: MakeClient) -> None:
    client = own_server.client()
    client.config_set("appendonly", "yes")
    client.config_set("maxmemory", "64mb")
    for policy, verdicts in {"allkeys-lru": ["ok", "wrong"], "noeviction": ["ok"]}.items():
        client.config_set("maxmemory-policy", policy)
        findings = await found(make_client, RedisStore(own_server.url))
        assert [finding.verdict for finding in findings] == verdicts


async def test_a_server_that_does_not_tell_is_noted(own_server: RedisServer, make_client: MakeClient) -> None:
    own_server.client().acl_setuser(
        "app", enabled=True, passwords=["+never-shown"], keys=["*"], commands=["+@all", "-info"]
    )
    _, kept = await found(make_client, RedisStore(f"redis://app:never-shown@127.0.0.1:{own_server.port}/0"))
    assert kept.verdict == "note"
    assert "never-shown" not in kept.message
