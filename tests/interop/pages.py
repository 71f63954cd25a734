"""Pages of applications, and a user who signs in at the emulator's."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from tests.web_servers import serving_asgi

PASSWORD = "passw0rd"


@contextmanager
def serving_app(*scripts: Path, inline: str = "") -> Iterator[str]:
    """Serve an application of empty pages with these scripts; every path but theirs is one. Give its URL."""
    files = {f"/{script.name}": script for script in scripts}
    html = "<!doctype html><title>App</title>" + "".join(f'<script src="{path}"></script>' for path in files)
    html += f"<body><script>{inline}</script>"

    async def show(request: Request) -> Response:
        file = files.get(request.url.path)
        return HTMLResponse(html) if file is None else FileResponse(file)

    app = Starlette()
    app.add_route("/{path:path}", show)
    with socket.create_server(("127.0.0.1", 0)) as listener, serving_asgi(app, listener):
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def redirection_of(url: str) -> str:
    """Give the address to which a browser that is not signed in is sent at once."""
    return httpx.get(url, trust_env=False).headers["location"]


def sign_in(page: Page, account: str = "ada") -> None:
    """Fill in the login page."""
    page.locator("[name=account]").fill(account)
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")


def consent(page: Page, answer: str = "accept") -> None:
    page.locator(f"[name=consent][value={answer}]").click()
