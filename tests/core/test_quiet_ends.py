"""Clients that no caller closes: no warning, log record or socket is left after their event loop, or after them.

Each case is a program of its own, with warnings as errors and asyncio's debug mode.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
import trustme

from genauth_async.emulator import Emulator
from tests.conftest import OWN_CARRIERS
from tests.tls_servers import authority, https_emulator  # noqa: F401 - a fixture

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no /dev/fd")

LOOPS = [
    (backend, carrier)
    for backend in ("asyncio", "uvloop", "trio")
    for carrier in OWN_CARRIERS
    if (backend, carrier) != ("trio", "aiohttp")
]

PREAMBLE = """
    import asyncio, gc, logging, os, sys
    from importlib.util import find_spec

    import anyio
    from anyio.lowlevel import checkpoint
    from genauth_async import AuthenticationClient
    from genauth_async._http import client_provider

    end, backend, carrier, rounds, url, verify = sys.argv[1:]
    others = {"aiohttp", "httpcore2"} - {carrier}
    client_provider.find_spec = lambda name: None if name in others else find_spec(name)

    class Print(logging.Handler):
        def emit(self, record):
            if not record.getMessage().startswith("Executing"):  # a slow step, on a busy machine
                print(record.getMessage())

    logging.getLogger().addHandler(Print(logging.INFO))

    def make():
        return AuthenticationClient("0" * 24, url, "1" * 32, verify=verify or True)

    shared = make()

    async def once():
        client = shared if end in {"shared", "without asyncio.run"} else make()
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(client.get_system_info)
        if end == "closed":
            await client.aclose()

    def run(work=once):
        if end == "without asyncio.run":
            loop = asyncio.new_event_loop()
            loop.run_until_complete(work())
            loop.run_until_complete(loop.shutdown_asyncgens())
            return loop.close()
        if backend == "uvloop":
            return anyio.run(work, backend_options={"use_uvloop": True})
        return anyio.run(work, backend=backend)

    def descriptors():
        gc.collect()
        return len(os.listdir("/dev/fd"))
"""

ENDING = """
    for _ in range(3):
        run()
    before = descriptors()
    for _ in range(int(rounds)):
        run()
    print(descriptors() - before)
"""

DROPPING = """
    async def drop():
        global end
        counts = []
        for end in ["closed", *["each"] * int(rounds)]:
            await once()
            gc.collect()
            for _ in range(20):
                await checkpoint()
            counts.append(descriptors())
        print(max(counts) - counts[0])

    run(drop)
"""


@pytest.fixture(scope="module")
def https(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:  # noqa: F811
    """A server's URL and its CA's file."""
    ca_file: Path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    with https_emulator(authority) as (url, _):
        yield url, str(ca_file)


@pytest.fixture(scope="module")
def http() -> Iterator[tuple[str, str]]:
    """A server's URL, and no CA."""
    with Emulator() as emulator:
        yield emulator.url, ""


@pytest.mark.parametrize("end", ["shared", "each"])
@pytest.mark.parametrize(("backend", "carrier"), LOOPS)
def test_sixty_event_loops_end_quietly(end: str, backend: str, carrier: str, http: tuple[str, str]) -> None:
    assert run(ENDING, end, backend, carrier, "60", *http) == "0\n"


@pytest.mark.parametrize("end", ["shared", "each", "closed"])
@pytest.mark.parametrize(("backend", "carrier"), LOOPS)
def test_event_loops_with_tls_end_quietly(end: str, backend: str, carrier: str, https: tuple[str, str]) -> None:
    assert run(ENDING, end, backend, carrier, "10", *https) == "0\n"


@pytest.mark.parametrize("carrier", OWN_CARRIERS)
def test_event_loops_ended_as_frameworks_do_end_quietly(carrier: str, http: tuple[str, str]) -> None:
    assert run(ENDING, "without asyncio.run", "asyncio", carrier, "20", *http) == "0\n"


@pytest.mark.parametrize(("backend", "carrier"), LOOPS)
def test_a_dropped_client_leaves_no_socket(backend: str, carrier: str, https: tuple[str, str]) -> None:
    assert run(DROPPING, "each", backend, carrier, "5", *https) == "0\n"


def run(program: str, *arguments: str) -> str:
    """Return what a program prints; it must not complain."""
    command = [sys.executable, "-W", "error", "-X", "dev", "-c", dedent(PREAMBLE + program), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
