"""The server: uvicorn in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import sys
from threading import Event, Lock, Thread
from typing import cast

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from .protocols import HTTPProtocol, WebSocketProtocol

_KEEP_ALIVE_SECONDS = 75
_BACKLOG = 1024
# Wildcard addresses, which clients cannot connect to.
_LOOPBACK_OF = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing is bound here


class EmulatorStartError(Exception):
    """The emulator could not start; the message has the reason."""


class ServerThread:
    """uvicorn in a daemon thread with its own event loop, so that it serves asyncio, trio and blocking code alike."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._lock = Lock()
        self._thread: Thread | None = None
        self._server: _Server | None = None

    @property
    def port(self) -> int:
        """The port; 0 before the first start, unless one was given."""
        return self._port

    @property
    def url(self) -> str:
        """The URL that it serves, or, before the first start with port 0, a name for the bare application."""
        known = _LOOPBACK_OF.get(self._host, self._host)
        host = f"[{known}]" if ":" in known else known
        return f"http://{host}:{self._port}" if self._port else f"http://{host}"

    def start(self) -> None:
        """Start, and return when it serves.

        The port chosen for port 0 is kept, so that tokens keep their issuer when the emulator is started again.

        Raises:
            EmulatorStartError: the port is taken, or it serves already.
        """
        with self._lock:
            if self._thread is not None:
                raise EmulatorStartError("the emulator runs already")
            listener = self._listen()
            self._port = listener.getsockname()[1]
            self._server = server = _Server(self._app)
            self._thread = Thread(target=server.run_in_thread, args=[listener], name="genauth-emulator", daemon=True)
            self._thread.start()
            server.ready.wait()
            if server.failure is not None:
                self._thread.join()
                self._thread = None
                raise EmulatorStartError("the emulator's server failed to start") from server.failure

    def stop(self) -> None:
        """Stop the thread, the sockets and all requests under way, and wait for them."""
        with self._lock:
            if self._thread is None or self._server is None:
                return
            self._server.stop()
            self._thread.join()
            self._thread = None

    def _listen(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        # Naming the protocol is what makes asyncio switch off Nagle's algorithm, which costs 40 ms a request.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            if sys.platform != "win32":  # where the option would let two servers share the port
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self._host, self._port))
            listener.listen(_BACKLOG)
        except OSError as error:
            listener.close()
            raise EmulatorStartError(f"cannot listen on {self._host}:{self._port}: {error.strerror}") from error
        return listener


class _Server(uvicorn.Server):
    """uvicorn's server, which stops at once: no polling, no waiting for connections and requests to end."""

    def __init__(self, app: ASGIApp) -> None:
        config = uvicorn.Config(
            _without_cancellation(app),
            http=HTTPProtocol,
            ws=WebSocketProtocol,
            ws_ping_interval=None,  # a client that stands at a breakpoint is not hung up on
            lifespan="off",
            interface="asgi3",
            proxy_headers=False,
            server_header=False,
            date_header=False,
            log_config=None,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        )
        super().__init__(config)
        self.ready = Event()
        self.failure: BaseException | None = None

    def run_in_thread(self, listener: socket.socket) -> None:
        try:
            asyncio.run(self.serve(sockets=[listener]))
        except BaseException as error:  # noqa: BLE001 - the thread that waits for the start raises it
            self.failure = error
        finally:
            listener.close()
            self.ready.set()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self.ready.set()
        await self._stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        while self.server_state.connections:
            for connection in list(self.server_state.connections):
                cast("HTTPProtocol | WebSocketProtocol", connection).transport.abort()
            await asyncio.sleep(0)
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _without_cancellation(app: ASGIApp) -> ASGIApp:
    """Suppress the cancellation of the application at shutdown, which uvicorn would log as a failure."""

    async def quiet(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except asyncio.CancelledError:
            return

    return quiet
