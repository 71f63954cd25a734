"""A web application whose worker processes share sessions in Redis.

uvicorn --factory tests.stores.redis_site:make_app
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from fastapi import Depends, FastAPI

from genauth_async import AuthenticationClient, Clock, TokenSession
from genauth_async.integrations.fastapi import GenAuth
from genauth_async.stores import RedisStore


def make_app() -> FastAPI:
    """One worker's application; the file that SITE names has everything that it needs to know."""
    site = json.loads(Path(os.environ["SITE"]).read_text(encoding="utf-8"))
    real, ahead = Clock(), Path(site["ahead"])

    def moved() -> float:
        return float(ahead.read_text(encoding="utf-8"))

    clock = Clock(monotonic=lambda: real.monotonic() + moved(), wall=lambda: real.wall() + moved())
    client = AuthenticationClient(
        site["app_id"], site["app_host"], site["app_secret"], redirect_uri=f"{site['url']}/callback", clock=clock
    )
    store = RedisStore(site["redis"], prefix=site["prefix"])
    auth = GenAuth(client, store=store, scope="openid profile offline_access", session_lifetime=365 * 86400.0)
    app = FastAPI(lifespan=auth.lifespan)
    app.include_router(auth.router)

    @app.get("/token")
    async def token(session: TokenSession = Depends(auth.session)) -> dict[str, str | int]:  # noqa: B008, FAST002
        return {"token": await session.access_token(), "worker": os.getpid()}

    return app
