"""The test application in aiohttp, written as a user would."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from genauth_async import AuthenticationClient
from genauth_async.integrations.aiohttp import GenAuth


def aiohttp_site(client: AuthenticationClient, options: dict[str, Any]) -> web.Application:
    auth = GenAuth(client, **options)
    routes = web.RouteTableDef()

    @routes.get("/claims")
    @auth.required
    async def claims(request: web.Request) -> web.Response:
        return web.json_response({"sub": (await auth.claims(request)).sub})

    @routes.get("/maybe")
    async def maybe(request: web.Request) -> web.Response:
        claims = await auth.optional_claims(request)
        return web.json_response({"sub": None if claims is None else claims.sub})

    @routes.get("/orders")
    @auth.scopes("orders", "profile")
    async def orders(request: web.Request) -> web.Response:
        return web.json_response({"sub": (await auth.claims(request)).sub})

    @routes.get("/invoices")
    async def invoices(request: web.Request) -> web.Response:
        return web.json_response({"sub": (await auth.claims(request, "invoices")).sub})

    @routes.get("/session")
    async def session(request: web.Request) -> web.Response:
        found = await auth.session(request)
        return web.json_response({"token": await found.access_token()})

    @routes.get("/maybe-session")
    async def maybe_session(request: web.Request) -> web.Response:
        return web.json_response({"signed_in": await auth.optional_session(request) is not None})

    @routes.get("/page/{name}")
    async def page(request: web.Request) -> web.Response:
        found = await auth.page_session(request)
        return web.json_response({"name": request.match_info["name"], "token": await found.access_token()})

    @routes.get("/refused-elsewhere")
    async def refused_elsewhere(request: web.Request) -> web.Response:
        found = await auth.session(request)
        await found.invalidate(await found.access_token())
        return web.json_response({"token": await found.access_token()})

    @routes.get("/refused-page")
    async def refused_page(request: web.Request) -> web.Response:
        found = await auth.page_session(request)
        await found.invalidate(await found.access_token())
        return web.json_response({"token": await found.access_token()})

    app = web.Application()
    auth.setup(app, close_client=True)
    app.add_routes(routes)
    return app
