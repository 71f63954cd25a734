"""A server that records what it is sent and answers what it is told, byte for byte."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from attrs import define, field


@define
class Recorded:
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@define
class Answer:
    """An answer to send.

    `length` is the Content-Length, which may be a lie; the connection is closed after the body then. `close` ends the
    connection without any answer.
    """

    body: bytes | Mapping[str, object] = b""
    status: int = 200
    headers: Mapping[str, str] = field(factory=dict)
    content_type: str | None = "application/json"
    length: int | None = None
    close: bool = False

    @property
    def payload(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class RecordingServer:
    def __init__(self) -> None:
        self.requests: list[Recorded] = []
        self.connections = 0
        self.answers: list[Answer] = []
        self.default = Answer({"statusCode": 200, "message": "ok", "data": {}})
        self.on_request: Callable[[], None] = lambda: None
        self._server = _Server(("127.0.0.1", 0), self)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def last(self) -> Recorded:
        return self.requests[-1]

    def next_answer(self) -> Answer:
        return self.answers.pop(0) if self.answers else self.default


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], owner: RecordingServer) -> None:
        self.owner = owner
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.owner.connections += 1
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that leave are what is tested."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        assert isinstance(self.server, _Server)
        owner = self.server.owner
        owner.requests.append(Recorded(self.command, self.path, headers, body))
        owner.on_request()
        answer = owner.next_answer()
        if answer.close:
            self.close_connection = True
            return
        payload = answer.payload
        self.send_response(answer.status)
        if answer.content_type is not None:
            self.send_header("content-type", answer.content_type)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(payload) if answer.length is None else answer.length))
        self.end_headers()
        self.wfile.write(payload)
        if answer.length is not None:
            self.close_connection = True

    do_GET = do_PATCH = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815 - the names that http.server calls

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def recording_server() -> Iterator[RecordingServer]:
    recorder = RecordingServer()
    server = recorder._server
    assert isinstance(server, socketserver.BaseServer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield recorder
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
