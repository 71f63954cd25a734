"""Call a server without file descriptors, or threads, left: python -m tests.conformance.starved descriptors WAY PORT

Prints the outcome of each call as JSON.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from unittest.mock import patch

import anyio

from genauth_async._http.transport import Transport
from tests.conformance.case import POST, REFRESH, described, settings_for
from tests.conformance.ways import WAYS, Way, opened


@contextmanager
def no_descriptors() -> Iterator[None]:
    """Use up all file descriptors."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    held = []
    try:
        while True:
            held.append(os.dup(0))
    except OSError:
        yield
    finally:
        for descriptor in held:
            os.close(descriptor)


@contextmanager
def no_threads() -> Iterator[None]:
    """Refuse new threads."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with patch.object(threading.Thread, "start", refuse):
        yield


async def main(without: Callable[[], AbstractContextManager[None]], way: Way, port: int) -> None:
    origin = f"http://localhost:{port}"
    settings = settings_for(origin)
    outcomes = []
    async with opened(way, origin) as provider:
        transport = Transport(provider)
        with without():
            outcomes.append(await described(transport.send(POST, settings, 5.0), port))
        outcomes.append(await described(transport.send(POST, settings, 5.0), port))
        await anyio.sleep(0.02)  # a closed socket is given back by the event loop
        with without():
            outcomes.append(await described(transport.send(POST, settings, 5.0), port))
            await anyio.sleep(0.05)  # the thread that resolves names is soon free again
            outcomes.append(await described(transport.send(REFRESH, settings, 5.0), port))
        outcomes.append(await described(transport.send(POST, settings, 5.0), port))
    print(json.dumps(outcomes))


if __name__ == "__main__":
    way = next(way for way in WAYS if str(way) == sys.argv[2])
    without = {"descriptors": no_descriptors, "threads": no_threads}[sys.argv[1]]
    backend, options = way.backend
    anyio.run(main, without, way, int(sys.argv[3]), backend=backend, backend_options=options)
