from __future__ import annotations

import functools
import inspect
import logging
import os
import re
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from importlib.util import find_spec
from typing import Any, Self

import anyio
import httpx
import httpx2
import hypothesis
import pytest

import genauth_async
import genauth_sync
from genauth_async._http import client_provider
from genauth_async.doctor import _store_checks
from genauth_async.emulator import Emulator, EmulatorKeys, User
from tests.browser import browse, browser  # noqa: F401 - fixtures
from tests.recording import RecordingServer, recording_server
from tests.slow_tests import SlowTests

PASSWORD = "passw0rd-Canary"

# How busy this machine is decides nothing.
hypothesis.settings.register_profile(
    "without deadlines", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("without deadlines")

# A shell that runs the tests in the background has them ignore Ctrl-C, and so the programs that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

BACKENDS = [
    pytest.param(("asyncio", {}), id="asyncio"),
    pytest.param(("trio", {}), id="trio"),
]
if os.name != "nt":
    BACKENDS.append(pytest.param(("asyncio", {"use_uvloop": True}), id="uvloop"))


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(SlowTests(config))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests that have the mark `backends` on each of them; others run on asyncio."""
    mark = metafunc.definition.get_closest_marker("backends")
    if mark is not None and "anyio_backend" in metafunc.fixturenames:
        names = mark.args or ("asyncio", "trio", "uvloop")
        assert {*names} <= {"asyncio", "trio", "uvloop"}, f"{metafunc.definition.nodeid}: no such backend"
        metafunc.parametrize("anyio_backend", [one for one in BACKENDS if one.id in names], indirect=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out the blocking client on other loops, since it has one of its own, and aiohttp on trio."""

    def in_vain(item: pytest.Item) -> bool:
        parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        backend = parameters.get("anyio_backend", ("asyncio", {}))
        if "aiohttp" in {parameters.get("own_carrier"), parameters.get("carrier")}:
            return backend == ("trio", {})
        return parameters.get("face") == "sync" and backend != ("asyncio", {})

    items[:] = [item for item in items if not in_vain(item)]


@pytest.fixture
def anyio_backend(request: pytest.FixtureRequest) -> object:
    return getattr(request, "param", ("asyncio", {}))


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the environment's settings of proxies and of GenAuth, which must not decide a test."""
    for name in list(os.environ):
        if name.startswith("GENAUTH_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


KEYS = EmulatorKeys(size=16)


@pytest.fixture(autouse=True)
def pooled_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the emulators of a test keys from a pool; those of modules make their own."""
    defaults = Emulator.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "keys", KEYS)


@pytest.fixture
def emulator_options() -> dict[str, Any]:
    """The arguments of the emulator."""
    return {}


@pytest.fixture
def emulator(emulator_options: dict[str, Any], caplog: pytest.LogCaptureFixture) -> Iterator[Emulator]:
    """An emulator; all that is logged meanwhile, by it or by others, must hold none of its secrets."""
    caplog.set_level(logging.DEBUG)
    requests: list[str] = []
    options: dict[str, Any] = {"log": requests.append, **emulator_options}
    with Emulator(**options) as emulator:
        yield emulator
    assert leaked(secrets_of(emulator), caplog.text) == []
    assert leaked(secrets_of(emulator) | _secrets_of_requests(emulator), "\n".join(requests)) == []


def secrets_of(emulator: Emulator) -> set[str]:
    """Everything that this emulator gave out or was given, and that opens a door."""
    state = emulator._state
    return {
        emulator.app_secret,
        PASSWORD,
        *state.grants._access_tokens,
        *state.grants._refresh_tokens,
        *state.hosted_login.codes._codes,
        *state.hosted_login.service_tickets._tickets,
        *(message.code for message in emulator.inbox),
    }


def _cannot_stand_by_chance(user: User) -> bool:
    return user.password != user.username and len(user.password or "") > 3


def _secrets_of_requests(emulator: Emulator) -> set[str]:
    """Return the further secrets of requests, which clients may log."""
    state = emulator._state
    return {
        *state.hosted_login.sessions._sessions,
        *state.hosted_login.interactions._interactions,
        *state.tickets._tickets,
        *(user.password for user in state.users if user.password and _cannot_stand_by_chance(user)),
        *(factor.secret for factor in emulator.factors if factor.secret is not None),
        *(factor.recovery_code for factor in emulator.factors if factor.recovery_code is not None),
    }


@pytest.fixture
def no_slow_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have doctor call no store slow: how busy this machine is decides nothing."""
    monkeypatch.setattr(_store_checks, "_SLOW_SECONDS", 60)


@pytest.fixture
def user(emulator: Emulator) -> User:
    return emulator.add_user(
        username="ada", email="ada@example.com", phone="13800000000", sam_account_name="ada.l", password=PASSWORD
    )


@pytest.fixture
def recorder() -> Iterator[RecordingServer]:
    with recording_server() as server:
        yield server


def leaked(secrets: set[str], text: str) -> list[str]:
    """The beginnings of those secrets that the text shows."""
    # Six digits stand in many a number by chance; as a verification code they would stand alone.
    return [
        secret[:4]
        for secret in secrets
        if secret in text and (not secret.isdecimal() or re.search(rf"(?<![\w.]){secret}(?![\w.])", text))
    ]


MakeClient = Callable[..., genauth_async.AuthenticationClient]


@pytest.fixture
async def make_client(emulator: Emulator) -> AsyncIterator[MakeClient]:
    """Makes async clients of the emulator, or of another address, and closes them."""
    clients: list[genauth_async.AuthenticationClient] = []

    def make(app_host: str | None = None, **options: Any) -> genauth_async.AuthenticationClient:
        options = {"app_id": emulator.app_id, "app_secret": emulator.app_secret} | options
        client = genauth_async.AuthenticationClient(app_host=app_host or emulator.url, **options)
        clients.append(client)
        return client

    yield make
    for client in clients:
        await client.aclose()


@pytest.fixture
def client(make_client: MakeClient) -> genauth_async.AuthenticationClient:
    return make_client()


@pytest.fixture(params=["async", "sync"])
async def face(request: pytest.FixtureRequest, emulator: Emulator) -> AsyncIterator[Any]:
    """A client with the async methods: the async one itself, or the blocking one called from worker threads."""
    if request.param == "async":
        async with genauth_async.AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret) as client:
            yield client
        return
    blocking = genauth_sync.AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
    yield Awaitable(blocking)
    await anyio.to_thread.run_sync(blocking.close)


class Awaitable:
    """Makes a blocking object's methods awaitable; sessions that they give, too."""

    def __init__(self, blocking: object) -> None:
        self._blocking = blocking

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._blocking, name)
        if not inspect.ismethod(value):
            return value
        is_session = isinstance(self._blocking, genauth_sync.TokenSession)
        core = genauth_async.TokenSession if is_session else genauth_async.AuthenticationClient
        if not inspect.iscoroutinefunction(getattr(core, name)):
            return lambda *args, **kwargs: _awaitable(value(*args, **kwargs))

        async def call(*args: object, **kwargs: object) -> object:
            return await anyio.to_thread.run_sync(functools.partial(value, *args, **kwargs))

        return call


def _awaitable(value: object) -> object:
    if isinstance(value, genauth_sync.Stream):
        return AwaitableStream(value)
    faces = (genauth_sync.AuthenticationClient, genauth_sync.TokenSession)
    return Awaitable(value) if isinstance(value, faces) else value


class AwaitableStream:
    """Makes a blocking stream one for `async for`."""

    _END = object()

    def __init__(self, blocking: genauth_sync.Stream[object]) -> None:
        self._blocking = blocking

    def __aiter__(self) -> AwaitableStream:
        return self

    async def __anext__(self) -> object:
        # StopIteration does not pass through worker threads.
        item = await anyio.to_thread.run_sync(next, self._blocking, self._END)
        if item is self._END:
            raise StopAsyncIteration
        return item

    async def last(self) -> object:
        return await anyio.to_thread.run_sync(self._blocking.last)

    async def aclose(self) -> None:
        await anyio.to_thread.run_sync(self._blocking.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()


OWN_CARRIERS = ["aiohttp", "httpcore", "httpcore2"]


def use_own_carrier(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have clients find no other library for connections of the SDK's own."""
    others = {"aiohttp", "httpcore2"} - {name}
    monkeypatch.setattr(client_provider, "find_spec", lambda module: None if module in others else find_spec(module))


@pytest.fixture(params=OWN_CARRIERS)
def own_carrier(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of the library of the SDK's own connections, each in turn."""
    use_own_carrier(request.param, monkeypatch)
    return str(request.param)


@pytest.fixture(params=[*OWN_CARRIERS, "httpx", "httpx2"])
async def carrier(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[dict[str, Any]]:
    """Client options for each carrier: the SDK's own connections, and transports of the caller's."""
    if request.param in OWN_CARRIERS:
        use_own_carrier(request.param, monkeypatch)
        yield {}
        return
    library = {"httpx": httpx, "httpx2": httpx2}[request.param]
    async with library.AsyncHTTPTransport(verify=False) as transport:
        yield {"transport": transport}


@pytest.fixture
def free_port() -> Iterator[int]:
    """A port of this machine on which no server listens until the test does."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
