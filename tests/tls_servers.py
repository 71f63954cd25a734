"""The emulator behind TLS, with a certificate of an authority made for the test."""

from __future__ import annotations

import functools
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trustme
import uvicorn

from genauth_async.emulator import Emulator
from tests.conftest import PASSWORD


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@contextmanager
def https_emulator(authority: trustme.CA, name: str = "localhost") -> Iterator[tuple[str, Emulator]]:
    """The emulator behind a real uvicorn with TLS."""
    emulator = Emulator()
    emulator.add_user(username="ada", password=PASSWORD)
    certificate = authority.issue_cert(name)
    config = uvicorn.Config(emulator.app, host="127.0.0.1", port=0, log_level="warning", lifespan="off", loop="asyncio")
    config.load()
    config.ssl = context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    sockets = [config.bind_socket()]
    sockets[0].listen()  # from now on connections wait, instead of being refused
    thread = threading.Thread(target=functools.partial(server.run, sockets=sockets))
    thread.start()
    try:
        yield f"https://localhost:{sockets[0].getsockname()[1]}", emulator
    finally:
        server.should_exit = True
        thread.join()
