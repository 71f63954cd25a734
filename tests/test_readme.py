"""The README's and the guides' Python runs as it stands, against the emulator."""

from __future__ import annotations

import ast
import inspect
import re
import threading
import webbrowser
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import anyio
import httpx
import pytest

from genauth_async import AuthenticationClient, TokenSet
from genauth_async.emulator import Emulator, sign_in_at_page
from tests.stores.redis_server import redis_server  # noqa: F401 - a fixture

ROOT = Path(__file__).parents[1]
BLOCKS = [
    pytest.param(block, id=f"{path.name}-{number}")
    for path in (
        ROOT / "README.md",
        ROOT / "docs" / "sessions.md",
        ROOT / "docs" / "sessions-reference.md",
        ROOT / "docs" / "emulator.md",
        ROOT / "docs" / "sync.md",
        ROOT / "docs" / "fastapi.md",
        ROOT / "docs" / "aiohttp.md",
        ROOT / "docs" / "scripts.md",
    )
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL), 1)
]
REDIS = "redis://:password@redis.example.com:6379/0"


def visit(url: str) -> None:
    """Stands for the user and their browser, which go their own way."""
    threading.Thread(target=lambda: httpx.get(sign_in_at_page(url, "test", "passw0rd"))).start()


@pytest.mark.parametrize("block", BLOCKS)
def test_it_runs(
    block: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free_port: int, request: pytest.FixtureRequest
) -> None:
    if REDIS in block:
        block = block.replace(REDIS, request.getfixturevalue("redis_server").url)
    monkeypatch.setenv("SESSION_SECRET", token_urlsafe(32))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    with Emulator(app_id="your app id", app_secret="your app secret") as emulator:
        user = emulator.add_user(username="test", password="passw0rd")
        monkeypatch.setenv("GENAUTH_APP_HOST", emulator.url)
        monkeypatch.setenv("GENAUTH_APP_ID", emulator.app_id)
        monkeypatch.setenv("GENAUTH_APP_SECRET", emulator.app_secret)
        account = emulator.access_accounts.add()
        monkeypatch.setenv("REPORTS_KEY", account.access_key)
        monkeypatch.setenv("REPORTS_SECRET", account.access_secret)
        monkeypatch.setattr(webbrowser, "open", visit)
        here = block.replace("https://example.genauth.ai", emulator.url).replace("8765", str(free_port))
        code = compile(here, "<block>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)

        async def run() -> None:
            async with AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret) as client:
                answer = await client.sign_in_by_account_password("test", "passw0rd")
                told: list[TokenSet] = []

                async def visit(url: str) -> str:
                    """Stands for a user with a browser."""
                    return await anyio.to_thread.run_sync(sign_in_at_page, url, "test", "passw0rd")

                names: dict[str, Any] = {
                    "client": client,
                    "answer": answer,
                    "visit": visit,
                    "token": answer.data.access_token,
                    "save": told.append,
                    "emulator": emulator,
                    "AuthenticationClient": AuthenticationClient,
                }

                def scan(shown: str) -> None:
                    """Stands for `print`; a user with a phone looks at what is printed."""
                    if shown == "PENDING":
                        emulator.qr_codes.scan(names["code"].qrcode_id, user)
                        emulator.qr_codes.confirm(names["code"].qrcode_id)

                names["print"] = scan
                running = eval(code, names)
                if inspect.iscoroutine(running):
                    await running

        if code.co_flags & inspect.CO_COROUTINE:
            anyio.run(run)
        else:
            exec(code, {"emulator": emulator})
