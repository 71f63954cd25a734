from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest

from genauth_async.emulator import Emulator, User
from genauth_async.stores import FileStore, RedisStore
from tests.faults.cases import Case
from tests.faults.redis_proxy import redis_proxy
from tests.faults.scene import Scene
from tests.stores.redis_server import RedisServer, redis_prefix, redis_server  # noqa: F401 - fixtures

FAULT: Final = "fault"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints what happened in each case, a line each."""
    lines: dict[tuple[str, ...], list[str]] = {}
    for report in [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]:
        for store, backend, *cells in (value for name, value in report.user_properties if name == FAULT):
            lines.setdefault((store, *cells), []).append(backend)
    if lines:
        terminalreporter.section(
            "faults: store | fault | server | this process | another process | afterwards | refreshes | grant"
        )
    for line, backends in lines.items():
        terminalreporter.line(f"{' | '.join(line)} ({', '.join(backends)})")


@pytest.fixture
def emulator_options(case: Case) -> dict[str, Any]:
    """A grace window longer than the case, if the case wants one."""
    grace = case.server == "grace window"
    return {"refresh_tokens": "rotate_with_grace", "refresh_token_grace": 24 * 60 * 60} if grace else {}


@pytest.fixture
def scene(
    request: pytest.FixtureRequest, case: Case, emulator: Emulator, user: User, tmp_path: Path, backend: str
) -> Iterator[Scene]:
    """The scene of the case, with the session in its store."""
    with ExitStack() as ending:
        if case.store == "file":
            place = str(tmp_path / "sessions")
            scene = Scene(emulator, user, lambda: FileStore(place), place, {}, backend, token_age=case.token_age)
        else:
            server: RedisServer
            if case.redis_options is None:
                server = request.getfixturevalue("redis_server")
            else:
                server = RedisServer(tmp_path, **case.redis_options)
                server.start()
                ending.callback(server.stop)
            prefix: str = request.getfixturevalue("redis_prefix")
            proxy = ending.enter_context(redis_proxy(server.port))
            options: dict[str, Any] = {"prefix": prefix}
            scene = Scene(
                emulator,
                user,
                lambda: RedisStore(server.url, prefix=prefix),
                server.url.replace(f":{server.port}/", f":{proxy.port}/"),
                options,
                backend,
                token_age=case.token_age,
                proxy=proxy,
                redis=server,
            )
        ending.callback(scene.close)
        scene.prepare()
        yield scene
