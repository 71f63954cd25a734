"""Stores refuse arguments that cannot be meant, and name them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio

from genauth_async import ConfigurationError, SessionRecord, TokenSet
from genauth_async.stores import FileStore, KeyringStore, RedisStore

URL = "redis://:Canary@localhost"
NO_NUMBERS: list[object] = ["5", None, [], float("nan"), True, -1, 0]


def refused(make: Callable[[], object], argument: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert caught.value.argument == argument
    assert "Canary" not in repr(caught.value)
    assert caught.value.__cause__ is None
    return str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        *(f"{URL}{rest}" for rest in (":99999", ":port", "/first", "/0/1")),
        "redis://[::1",
        "redis://:Canary\ud800@localhost",
        "unix://",
        "unix:///socket?bogus=1",
        "rediss://localhost?bogus=1",
        "rediss://localhost?ssl_bogus=1",
        "rediss://localhost?ssl_cert_reqs=bogus",
        "rediss://localhost?ssl_min_version=x",
        *(
            f"{URL}?{option}"
            for option in (
                "bogus=1",
                "socket_timeout=soon",
                "db=x",
                "max_connections=-1",
                "max_connections=x",
                "protocol=9",
                "protocol=x",
                "health_check_interval=x",
                "retry=3",
                "encoding=klingon",
                "ssl_cert_reqs=none",
                "connection_class=x",
                "retry_on_error=x",
                "parser_class=x",
                "driver_info=x",
                "event_dispatcher=x",
                "credential_provider=x",
                "Canary=1",
            )
        ),
    ],
)
def test_a_redis_url_is_checked_when_the_store_is_made(url: str) -> None:
    assert "options may be client_name, db, " in refused(lambda: RedisStore(url), "client")


@pytest.mark.parametrize("url", ["http://localhost", "REDIS://localhost", "localhost:6379", "", " redis://localhost"])
def test_a_redis_url_has_one_of_three_schemes(url: str) -> None:
    assert "redis://, rediss:// or unix://" in refused(lambda: RedisStore(url), "client")


@pytest.mark.parametrize(
    "url",
    [
        "redis://",
        f"{URL}:6379/15?socket_timeout=2.5&max_connections=7&timeout=3&protocol=3&client_name=a&retry_on_timeout=yes",
        f"{URL}?decode_responses=true&encoding=utf-8&db=1&health_check_interval=9&socket_keepalive=no",
        "rediss://user:pass%3Fword@example.com/0?ssl_cert_reqs=none&ssl_ca_certs=/etc/ca.pem&ssl_check_hostname=false",
        "unix://:secret@/run/redis.sock?db=2",
    ],
)
def test_options_of_redis_urls_pass(url: str) -> None:
    assert RedisStore(url)


@pytest.mark.parametrize("value", NO_NUMBERS)
@pytest.mark.parametrize("argument", ["ttl", "lock_seconds", "lock_timeout", "timeout"])
def test_times_of_a_redis_store_are_numbers(argument: str, value: Any) -> None:
    refused(lambda: RedisStore(URL, **{argument: value}), argument)


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_times_of_stores_of_files_are_numbers(value: Any, tmp_path: Path) -> None:
    refused(lambda: FileStore(tmp_path, lock_timeout=value), "lock_timeout")
    refused(lambda: KeyringStore(directory=tmp_path, lock_timeout=value), "lock_timeout")
    refused(lambda: KeyringStore(directory=tmp_path, keyring_timeout=value), "keyring_timeout")


@pytest.mark.parametrize("secrets", [5, [], [5], b"x" * 40, [b"x" * 40], "short", "\ud800" * 40, {}])
def test_secrets_are_texts(secrets: Any, tmp_path: Path) -> None:
    refused(lambda: FileStore(tmp_path, secrets=secrets), "secrets")
    refused(lambda: RedisStore(URL, secrets=secrets), "secrets")


@pytest.mark.parametrize("value", ["false", 0, None])
def test_booleans_are_booleans(value: Any, tmp_path: Path) -> None:
    refused(lambda: FileStore(tmp_path, accepts_clear=value), "accepts_clear")
    refused(lambda: RedisStore(URL, accepts_clear=value), "accepts_clear")
    refused(lambda: KeyringStore(directory=tmp_path, fallback=value), "fallback")


@pytest.mark.parametrize("value", [5, None, "", b"x"])
def test_names_are_texts(value: Any, tmp_path: Path) -> None:
    refused(lambda: KeyringStore(value, tmp_path), "service")
    if value != "":
        refused(lambda: RedisStore(URL, prefix=value), "prefix")


@pytest.mark.parametrize("directory", ["~no-such-user/x", "a\0b", "\ud800", b"sessions", 5, 2.5, True, object()])
@pytest.mark.parametrize("store", [FileStore, lambda directory: KeyringStore(directory=directory)])
def test_a_directory_is_a_path(directory: Any, store: Callable[[Any], object]) -> None:
    refused(lambda: store(directory), "directory")


class BytesPath(os.PathLike[Any]):
    def __fspath__(self) -> bytes:
        return b"sessions"


def test_a_directory_is_not_of_bytes() -> None:
    refused(lambda: FileStore(BytesPath()), "directory")


@pytest.mark.skipif(os.name == "nt", reason="Windows knows the home directory otherwise")
@pytest.mark.parametrize("store", ["FileStore()", "KeyringStore()", "FileStore('~/x')"])
def test_without_a_home_an_absolute_path_is_asked_for(store: str, tmp_path: Path) -> None:
    """As in a container, whose user may be in no list of users."""
    program = f"""
import pwd
def unknown(*_): raise KeyError("no such user")
pwd.getpwuid = pwd.getpwnam = unknown
from genauth_async import ConfigurationError, SessionRecord, TokenSet
from genauth_async.stores import FileStore, KeyringStore
assert FileStore({str(tmp_path)!r})
try:
    {store}
except ConfigurationError as error:
    print(error)
"""
    environment = {name: value for name, value in os.environ.items() if name not in {"HOME", "XDG_STATE_HOME"}}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout == (
        "directory: must be an absolute path where there is no home directory; pass one, or set HOME\n"
    )


def test_without_a_working_directory_a_path_is_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    try:
        gone.rmdir()
    except PermissionError:
        pytest.skip("this system keeps working directories")
    assert "absolute path" in refused(lambda: FileStore("sessions"), "directory")


@pytest.mark.parametrize("member", ["generation", "expires_at"])
@pytest.mark.parametrize("value", ["NaN", "1e999", "9" * 400, "-1e999", '"x"', "true"])
def test_a_record_of_impossible_numbers_is_none(member: str, value: str) -> None:
    text = SessionRecord(tokens=TokenSet(access_token="a", obtained_at=0.0), generation=7, expires_at=7.0).to_json()
    assert SessionRecord.from_json(text).expires_at == 7.0
    odd = re.sub(rf'"{member}":[0-9.]+', f'"{member}":{value}', text)
    assert odd != text
    with pytest.raises(ValueError, match="not a session's record"):
        SessionRecord.from_json(odd)


def not_awaited() -> Any:
    async def connect() -> str:
        return URL

    coroutine = connect()
    coroutine.close()
    return coroutine


async def connect() -> None: ...


@pytest.mark.parametrize("make", [FileStore, RedisStore, lambda directory: KeyringStore(directory=directory)])
def test_a_forgotten_await_is_named(make: Callable[[Any], object]) -> None:
    argument = "client" if make is RedisStore else "directory"
    assert "an `await` is missing" in refused(lambda: make(not_awaited()), argument)
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        assert "an `await` is missing" in refused(lambda: make(loop.create_future()), argument)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (redis.asyncio.from_url, "call it"),
        (redis.from_url, "call it"),
        (redis.asyncio.Redis.from_url, "call it"),
        (connect, "call it"),
        (redis.asyncio.Redis, "create an object of it"),
        (redis.Redis, "create an object of it"),
        (RedisStore, "create an object of it"),
        (Path("/run/redis.sock"), "not PosixPath"),
        (b"redis://:Canary@localhost", "not bytes"),
        (None, "not NoneType"),
        (6379, "not int"),
        ({"host": "localhost"}, "not dict"),
        (redis.ConnectionPool(), "not ConnectionPool"),
        (redis.Redis().pipeline(), "not Pipeline"),
        (redis.asyncio.Redis().pipeline(), "not Pipeline"),
    ],
)
def test_what_is_no_client_of_redis_is_named(given: Any, said: str) -> None:
    assert said.replace("PosixPath", type(Path()).__name__) in refused(lambda: RedisStore(given), "client")


@pytest.mark.parametrize("kind", [redis.Redis, redis.asyncio.Redis])
def test_clients_of_redis_pass(kind: Any) -> None:
    """A client of asyncio can be awaited, which is no sign of a forgotten await."""
    assert RedisStore(kind())


@pytest.mark.parametrize("url", ["redis://localhost", "rediss://localhost", "https://localhost/x", "file:///tmp/x"])
def test_a_directory_is_not_a_url(url: str) -> None:
    assert "RedisStore" in refused(lambda: FileStore(url), "directory")
    assert "RedisStore" in refused(lambda: KeyringStore(directory=url), "directory")
