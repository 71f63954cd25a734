"""GET /api/v3/system: the versions, and the keys to encrypt passwords to."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..http.replies import success
from ..http.routes import Routes
from ..state.state import State

_VERSION = {"server": "emulator", "console": "emulator", "login": "emulator"}


async def get_system_info(state: State, _request: Request) -> Response:
    """Bare, as the documents have it, or inside an envelope, as the service does."""
    keys = await run_in_threadpool(state.password_keys.public)
    info = {
        "rsa": {"publicKey": keys["rsa"]},
        "sm2": {"publicKey": keys["sm2"]},
        "version": _VERSION,
        "publicIps": ["127.0.0.1"],
    }
    return success(info) if state.wrap_system else JSONResponse(info)


ROUTES: Routes = {
    "/api/v3/system": {"GET": get_system_info},
}
