"""A RedisStore tells what has to be changed apart from what passes, by each way to it and whichever call finds it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import anyio.to_thread
import pytest
import redis
import trustme

from genauth_async.errors import StoreError, StoreUnusableError
from genauth_async.stores import RedisStore, TokenStore
from tests.stores.answering_server import answering_server
from tests.stores.redis_server import PASSWORD, RedisServer
from tests.stores.redis_stores import MakeStore, record

pytestmark = [pytest.mark.anyio, pytest.mark.backends("asyncio", "trio")]


async def locked(store: TokenStore) -> None:
    async with store.lock("ada"):
        pytest.fail("Redis did not grant it")


CALLS: dict[str, Callable[[TokenStore], Any]] = {
    "get": lambda store: store.get("ada"),
    "write": lambda store: store.compare_and_set("ada", record(), expected=None),
    "delete": lambda store: store.delete("ada", expected=1),
    "lock": locked,
}
WRITES = ["write", "lock"]


class At:
    """A server by its URL."""

    def __init__(self, url: str) -> None:
        self.url = url


async def failures(store: RedisStore, names: list[str] | None = None) -> list[StoreError]:
    found = []
    for name in names or list(CALLS):
        with anyio.fail_after(60), pytest.raises(StoreError) as caught:
            await CALLS[name](store)
        assert "Canary" not in f"{caught.value!r} {caught.value.__cause__}"
        found.append(caught.value)
    return found


async def is_unusable(store: RedisStore, remedy: str, names: list[str] | None = None) -> None:
    for error in await failures(store, names):
        assert isinstance(error, StoreUnusableError), repr(error.__cause__)
        assert remedy in str(error)


async def is_passing(store: RedisStore, names: list[str] | None = None) -> None:
    for error in await failures(store, names):
        assert not isinstance(error, StoreUnusableError), repr(error.__cause__)


async def works(store: RedisStore) -> None:
    async with store.lock("ada"):
        assert await store.compare_and_set("ada", record(), expected=None)
    assert await store.get("ada") == record()
    assert await store.delete("ada")


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        (lambda url: url.replace(PASSWORD, "Canary-wrong"), "the password"),
        (lambda url: url.replace(f":{PASSWORD}@", ""), "the password"),
        (lambda url: url.replace(f":{PASSWORD}@", f"no-such-user:{PASSWORD}@"), "the password"),
        (lambda url: f"{url[:-1]}99", "check the database"),
    ],
    ids=["wrong password", "no password", "no such user", "no such database"],
)
async def test_another_url_is_needed(
    change: Callable[[str], str], remedy: str, make_redis_store: MakeStore, redis_server: RedisServer
) -> None:
    await is_unusable(make_redis_store(At(change(redis_server.url))), remedy)


@pytest.mark.parametrize(
    ("rules", "names"),
    [
        ({"keys": ["*"], "commands": ["-@all", "+hello", "+client"]}, None),
        ({"keys": ["another:*"], "commands": ["+@all"]}, None),
        ({"keys": ["*"], "commands": ["+@all", "-evalsha", "-eval"]}, ["write", "delete"]),
        ({"keys": ["*"], "commands": ["+@all", "-hset"]}, ["write"]),
    ],
    ids=["no command", "no key", "no script", "no command in scripts"],
)
async def test_another_acl_is_needed(
    rules: dict[str, Any], names: list[str] | None, make_redis_store: MakeStore, own_server: RedisServer
) -> None:
    store = make_redis_store(At(own_server.url.replace(":redis-Canary", "app:redis-Canary")))
    with own_server.client() as client:
        client.acl_setuser("app", enabled=True, reset=True, passwords=[f"+{PASSWORD}"], **rules)
        await is_unusable(store, "allow GET, SET", names)
        client.acl_setuser("app", keys=["*"], commands=["+@all"])
    await works(store)


async def test_another_prefix_is_needed(
    make_redis_store: MakeStore, redis_server: RedisServer, redis_prefix: str
) -> None:
    store = make_redis_store(redis_server)
    with redis_server.client() as client:
        client.set(f"{redis_prefix}record:ada", "Canary")
        await is_unusable(store, "another prefix", ["get", "write", "delete"])
        client.delete(f"{redis_prefix}record:ada")
        client.hset(f"{redis_prefix}record:ada", mapping={"generation": 1, "record": '{"Canary"'})
        await is_unusable(store, "another prefix", ["get"])
    assert await store.delete("ada")
    await works(store)


@pytest.mark.parametrize(
    ("command", "names"), [("HGET", ["get", "write", "delete"]), ("EVALSHA", ["write", "delete"]), ("SET", ["lock"])]
)
async def test_a_command_is_needed(
    command: str, names: list[str], make_redis_store: MakeStore, own_server: RedisServer
) -> None:
    own_server.stop()
    own_server._options["rename_command"] = f"{command} ''"
    own_server.start()
    await is_unusable(make_redis_store(own_server), "allow GET, SET", names)


async def test_who_waits_for_a_lock_hears_the_same(make_redis_store: MakeStore, own_server: RedisServer) -> None:
    store = make_redis_store(At(own_server.url.replace(PASSWORD, "Canary-wrong")))

    async def wait() -> None:
        await is_unusable(store, "the password", ["lock"])

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(wait)


@pytest.fixture(scope="module")
def tls_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RedisServer, int, str]]:
    folder = tmp_path_factory.mktemp("redis")
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
    certificate.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
    files = {"tls_cert_file": "cert.pem", "tls_key_file": "key.pem", "tls_ca_cert_file": "ca.pem"}
    options = {name: str(folder / file) for name, file in files.items()}
    server = RedisServer(folder, tls_port=str(port), tls_auth_clients="no", **options)
    try:
        server.start()
    except AssertionError:
        pytest.skip("this redis-server has no TLS")
    yield server, port, str(folder / "ca.pem")
    server.stop()


async def test_tls_that_has_to_be_changed(
    make_redis_store: MakeStore, tls_server: tuple[RedisServer, int, str], redis_prefix: str
) -> None:
    server, port, ca = tls_server
    url = f"rediss://:{PASSWORD}@localhost:{port}/0"
    await is_unusable(make_redis_store(At(url)), "ssl_ca_certs")
    await is_unusable(make_redis_store(At(f"{url.replace('localhost', '127.0.0.1')}?ssl_ca_certs={ca}")), "the host")
    trusting = make_redis_store(At(f"{url}?ssl_ca_certs={ca}"), prefix=redis_prefix)
    await works(trusting)
    with server.client() as client:
        client.config_set("tls-auth-clients", "yes")
        await failures(make_redis_store(At(f"{url}?ssl_ca_certs={ca}")))  # often the connection is lost with its reason
        client.config_set("tls-auth-clients", "no")


@pytest.mark.parametrize("url", ["redis://127.0.0.1:9", "rediss://127.0.0.1:9", "redis://no-such-host.invalid"])
async def test_a_server_that_is_not_there_passes(url: str, make_redis_store: MakeStore) -> None:
    await is_passing(make_redis_store(At(url)))


async def test_a_socket_that_is_not_there_passes(make_redis_store: MakeStore, own_server: RedisServer) -> None:
    store = make_redis_store(At(f"unix://:{PASSWORD}@{own_server.socket}"))
    await works(store)
    own_server.stop()
    await is_passing(store)
    own_server.start()
    await works(store)


async def test_a_server_that_does_not_answer_passes(make_redis_store: MakeStore, own_server: RedisServer) -> None:
    store = make_redis_store(own_server, timeout=0.3)
    await works(store)
    own_server.freeze()
    await is_passing(store)
    own_server.thaw()


async def test_a_full_server_passes(make_redis_store: MakeStore, own_server: RedisServer) -> None:
    store = make_redis_store(own_server)
    with own_server.client() as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", "1")
        await is_passing(store, WRITES)
        client.config_set("maxmemory", "0")
    await works(store)


async def test_a_server_without_its_replicas_passes(make_redis_store: MakeStore, own_server: RedisServer) -> None:
    store = make_redis_store(own_server)
    with own_server.client() as client:
        client.config_set("min-replicas-to-write", 1)
        await is_passing(store, WRITES)
        client.config_set("min-replicas-to-write", 0)
    await works(store)


async def test_a_replica_without_its_master_passes(make_redis_store: MakeStore, own_server: RedisServer) -> None:
    store = make_redis_store(own_server)
    with own_server.client() as client:
        client.replicaof("127.0.0.1", "9")
        await is_passing(store, WRITES)
        client.config_set("replica-serve-stale-data", "no")
        await is_passing(store)
        client.replicaof("NO", "ONE")
    await works(store)


async def test_a_server_busy_with_a_script_passes(make_redis_store: MakeStore, own_server: RedisServer) -> None:
    store = make_redis_store(own_server)

    def hold() -> None:
        with own_server.client() as client, contextlib.suppress(redis.ResponseError):
            client.eval("while true do end", 0)

    with own_server.client() as client:
        client.config_set("lua-time-limit", 1)
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.to_thread.run_sync, hold)
            try:
                with anyio.fail_after(30):
                    while True:
                        try:
                            client.get("k")
                        except redis.ResponseError:
                            break
                        await anyio.sleep(0.005)
                await is_passing(store)
            finally:
                client.script_kill()
    await works(store)


@pytest.mark.parametrize("options", [{"cluster_enabled": "yes"}])
async def test_a_cluster_that_has_not_formed_passes(
    options: dict[str, str], make_redis_store: MakeStore, own_server: RedisServer, free_port: int
) -> None:
    own_server.stop()
    own_server._options |= {**options, "cluster_port": str(free_port)}
    own_server.start()
    await is_passing(make_redis_store(own_server))


@pytest.fixture
def answering() -> Iterator[tuple[At, list[bytes]]]:
    """A server that has one answer to all commands, and that answer."""
    with answering_server() as (port, answer):
        yield At(f"redis://127.0.0.1:{port}/0?protocol=2"), answer


@pytest.mark.parametrize(
    "answer",
    [
        "LOADING Redis is loading the dataset in memory",
        "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
        "TRYAGAIN Multiple keys request during rehashing of slot",
        "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
        "ERR max number of clients reached",
        "ERR Error running script (call to f_1): @user_script:7: -READONLY You can't write against a replica.",
        "ERR Error running script (call to f_1): @user_script:7: -OOM command not allowed",
        "ERR Connection timed out",
        "upstream failure",
        "no upstream host",
    ],
)
async def test_answers_that_pass(answer: str, make_redis_store: MakeStore, answering: tuple[At, list[bytes]]) -> None:
    server, answers = answering
    answers.append(f"-{answer}\r\n".encode())
    await is_passing(make_redis_store(server))


@pytest.mark.parametrize(
    ("answer", "remedy"),
    [
        ("MOVED 1234 127.0.0.1:7001", "RedisCluster"),
        ("NOPERM this user has no permissions to run the 'hget' command", "ACL"),
        ("NOAUTH Authentication required.", "the password"),
        ("DENIED Redis is running in protected mode", "it refused a command"),
        ("ERR unknown command 'EVALSHA', with args beginning with: 'OOM' 'BUSY' 'Canary'", "it refused a command"),
        ("ERR This instance has no scripts", "it refused a command"),
    ],
)
async def test_answers_that_last(
    answer: str, remedy: str, make_redis_store: MakeStore, answering: tuple[At, list[bytes]]
) -> None:
    server, answers = answering
    answers.append(f"-{answer}\r\n".encode())
    await is_unusable(make_redis_store(server), remedy)
