"""A worker process of a site: python -m tests.integrations.worker SETTINGS, on the socket that it inherits."""

from __future__ import annotations

import json
import logging
import socket
import sys
from pathlib import Path
from typing import Any

import uvicorn
from aiohttp import web

from genauth_async import AuthenticationClient, Clock, FileStore, MemoryStore
from genauth_async.stores import RedisStore
from tests.integrations.aiohttp_site import aiohttp_site
from tests.integrations.fastapi_site import fastapi_site


def _store(kind: str, where: dict[str, Any]) -> Any:
    return MemoryStore() if kind == "memory" else FileStore(**where) if kind == "file" else RedisStore(**where)


def main() -> None:
    logging.basicConfig(level="WARNING", format="%(levelname)s %(message)s")
    given = json.loads(sys.argv[1])
    ahead, real = Path(given["ahead"]), Clock()
    clock = Clock(monotonic=real.monotonic, wall=lambda: real.wall() + float(ahead.read_text(encoding="utf-8")))
    client = AuthenticationClient(**given["client"], clock=clock)
    options = {"store": _store(given["store"], given["where"]), "scope": "openid profile offline_access"}
    listener = socket.socket(fileno=given["socket"])
    if given["framework"] == "fastapi":
        app = fastapi_site(client, options | given["options"])
        uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False)).run([listener])
    else:
        web.run_app(aiohttp_site(client, options | given["options"]), sock=listener, print=None, access_log=None)


if __name__ == "__main__":
    main()
