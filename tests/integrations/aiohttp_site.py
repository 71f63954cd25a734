"""The test application in aiohttp, written as a user would."""

from __future__ import annotations

import asyncio
from typing import Any

import anyio
from aiohttp import web

from genauth_async import AuthenticationClient, GenAuthError
from genauth_async.integrations.aiohttp import GenAuth
from tests.integrations.other_sessions import another_session


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

    @routes.get("/maybe-invoices")
    async def maybe_invoices(request: web.Request) -> web.Response:
        claims = await auth.optional_claims(request, "invoices")
        return web.json_response({"sub": None if claims is None else claims.sub})

    @routes.get("/orders")
    @auth.scopes("orders", "profile")
    async def orders(request: web.Request) -> web.Response:
        return web.json_response({"sub": (await auth.claims(request)).sub})

    @routes.get("/invoices")
    async def invoices(request: web.Request) -> web.Response:
        return web.json_response({"sub": (await auth.claims(request, "invoices")).sub})

    _add_sessions(routes, auth)
    _add_all_sessions(routes, auth)
    _add_failing_sessions(routes, auth, client)
    _add_users(routes, auth)
    _add_sockets(routes, auth)
    _add_sockets_of_sessions(routes, auth, client)
    _add_leaving_sockets(routes, auth)
    _add_ending_sockets(routes, auth)
    app = web.Application()
    auth.setup(app, close_client=True)
    app.add_routes(routes)
    return app


def _add_sessions(routes: web.RouteTableDef, auth: GenAuth) -> None:
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

    @routes.get("/page-response")
    async def response(request: web.Request) -> web.Response:
        await auth.page_session(request)
        return web.Response(text="a page")

    @routes.get("/page-with-cache")
    async def with_cache(request: web.Request) -> web.Response:
        await auth.page_session(request)
        return web.Response(headers={"Cache-Control": "private, max-age=60", "Vary": "Accept-Encoding"})

    @routes.get("/page-with-vary")
    async def with_vary(request: web.Request) -> web.Response:
        await auth.page_session(request)
        return web.Response(headers={"Vary": "Accept,COOKIE"})


def _add_all_sessions(routes: web.RouteTableDef, auth: GenAuth) -> None:
    @routes.post("/everywhere/{user}")
    async def everywhere(request: web.Request) -> web.Response:
        try:
            return web.json_response(await auth.sign_out_everywhere(request.match_info["user"]))
        except GenAuthError as error:
            return web.Response(text=f"{type(error).__name__}: {error}", status=502)

    @routes.get("/slow")
    async def slow(request: web.Request) -> web.StreamResponse:
        session = await auth.session(request)
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"begun")
        for _ in range(200):
            await anyio.sleep(0.05)
            await response.write(session.key[:1].encode())
        return response


def _add_failing_sessions(routes: web.RouteTableDef, auth: GenAuth, client: AuthenticationClient) -> None:
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

    @routes.get("/refused-maybe")
    async def refused_maybe(request: web.Request) -> web.Response:
        found = await auth.optional_session(request)
        if found is not None:
            await found.invalidate(await found.access_token())
            await found.access_token()
        return web.json_response({"signed_in": found is not None})

    @routes.get("/refused-in-a-group")
    async def refused_in_a_group(request: web.Request) -> web.Response:
        found = await auth.page_session(request)
        await found.invalidate(await found.access_token())
        async with anyio.create_task_group() as group:
            group.start_soon(found.access_token)
            group.start_soon(found.refresh)
        return web.Response()

    @routes.get("/refused-with-another")
    async def refused_with_another(request: web.Request) -> web.Response:
        found = await auth.page_session(request)
        await found.invalidate(await found.access_token())
        async with anyio.create_task_group() as group:
            group.start_soon(found.access_token)
            group.start_soon(another_session(client).access_token)
        return web.Response()

    @routes.get("/refused-another")
    async def refused_another(request: web.Request) -> web.Response:
        await auth.session(request)
        return web.Response(text=await another_session(client).access_token())

    @routes.get("/refused-late")
    async def refused_late(request: web.Request) -> web.StreamResponse:
        found = await auth.session(request)
        response = web.StreamResponse(headers={"Content-Length": "5"})
        await response.prepare(request)
        await response.write(b"whole")
        await found.invalidate(await found.access_token())
        await found.access_token()
        return response


def _add_users(routes: web.RouteTableDef, auth: GenAuth) -> None:
    @routes.get("/user")
    async def user(request: web.Request) -> web.Response:
        return web.json_response({"sub": (await auth.user(request)).sub})

    @routes.get("/page-user")
    async def page_user(request: web.Request) -> web.Response:
        return web.json_response({"sub": (await auth.page_user(request)).sub})


async def _opened(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    return socket


async def _say(request: web.Request, answer: object) -> web.WebSocketResponse:
    socket = await _opened(request)
    await socket.send_json(answer)
    await socket.close()
    return socket


def _add_sockets(routes: web.RouteTableDef, auth: GenAuth) -> None:
    @routes.get("/socket/claims")
    @auth.required
    async def claims(request: web.Request) -> web.WebSocketResponse:
        return await _say(request, (await auth.claims(request)).sub)

    @routes.get("/socket/maybe")
    async def maybe(request: web.Request) -> web.WebSocketResponse:
        claims = await auth.optional_claims(request)
        return await _say(request, None if claims is None else claims.sub)

    @routes.get("/socket/orders")
    @auth.scopes("orders")
    async def orders(request: web.Request) -> web.WebSocketResponse:
        return await _say(request, (await auth.claims(request)).sub)


def _add_sockets_of_sessions(routes: web.RouteTableDef, auth: GenAuth, client: AuthenticationClient) -> None:
    @routes.get("/socket/session")
    async def session(request: web.Request) -> web.WebSocketResponse:
        return await _say(request, await (await auth.session(request)).access_token())

    @routes.get("/socket/maybe-session")
    async def maybe_session(request: web.Request) -> web.WebSocketResponse:
        return await _say(request, await auth.optional_session(request) is not None)

    @routes.get("/socket/user")
    async def user(request: web.Request) -> web.WebSocketResponse:
        return await _say(request, (await auth.user(request)).sub)

    @routes.get("/socket/page-session")
    async def page_session(request: web.Request) -> web.WebSocketResponse:
        token = await (await auth.page_session(request)).access_token()
        return await _say(request, (await client.get_user_info_by_access_token(token)).sub)

    @routes.get("/socket/page-user")
    async def page_user(request: web.Request) -> web.WebSocketResponse:
        return await _say(request, (await auth.page_user(request)).sub)

    @routes.get("/socket/refused-elsewhere")
    async def refused_elsewhere(request: web.Request) -> web.WebSocketResponse:
        found = await auth.session(request)
        await _opened(request)
        await found.invalidate(await found.access_token())
        raise AssertionError(await found.access_token())

    @routes.get("/socket/refused-in-a-group")
    async def refused_in_a_group(request: web.Request) -> web.WebSocketResponse:
        # What `wait_for` of Python 3.11 does: the task that asks, and opens the socket, is another than the handler's.
        found, _ = await asyncio.gather(auth.session(request), _opened(request))
        await found.invalidate(await found.access_token())
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep_forever)
            group.start_soon(found.access_token)
        raise AssertionError

    @routes.get("/socket/refused-maybe")
    async def refused_maybe(request: web.Request) -> web.WebSocketResponse:
        found = await auth.optional_session(request)
        assert found is not None
        await _opened(request)
        await found.invalidate(await found.access_token())
        raise AssertionError(await found.access_token())


async def _listen(request: web.Request) -> web.WebSocketResponse:
    socket = await _opened(request)
    await socket.send_json("say something")
    await socket.receive()
    return socket


def _add_leaving_sockets(routes: web.RouteTableDef, auth: GenAuth) -> None:
    @routes.get("/socket/talk")
    async def talk(request: web.Request) -> web.WebSocketResponse:
        await auth.session(request)
        socket = await _opened(request)
        while True:
            await socket.send_json("on and on")
            await anyio.sleep(0.01)

    @routes.get("/socket/listen")
    async def listen(request: web.Request) -> web.WebSocketResponse:
        await auth.session(request)
        return await _listen(request)

    @routes.get("/socket/listen-to-a-token")
    @auth.required
    async def listen_to_a_token(request: web.Request) -> web.WebSocketResponse:
        return await _listen(request)

    @routes.get("/socket/talk-in-a-group")
    async def talk_in_a_group(request: web.Request) -> web.WebSocketResponse:
        await auth.user(request)
        socket = await _opened(request)

        async def talk() -> None:
            while True:
                await socket.send_json("on and on")
                await anyio.sleep(0.01)

        async with anyio.create_task_group() as group:
            group.start_soon(talk)
        return socket


def _add_ending_sockets(routes: web.RouteTableDef, auth: GenAuth) -> None:
    @routes.get("/socket/ends-later")
    async def ends_later(request: web.Request) -> web.WebSocketResponse:
        found = await auth.session(request)
        await _listen(request)
        await found.invalidate(await found.access_token())
        raise AssertionError(await found.access_token())

    @routes.get("/socket/closes-and-ends")
    async def closes_and_ends(request: web.Request) -> web.WebSocketResponse:
        found = await auth.session(request)
        socket = await _opened(request)
        await socket.send_json("goodbye")
        await socket.close()
        await found.invalidate(await found.access_token())
        raise AssertionError(await found.access_token())

    @routes.get("/socket/refused-when-open")
    async def refused_when_open(request: web.Request) -> web.WebSocketResponse:
        await auth.session(request)
        await _opened(request)
        raise AssertionError(await auth.claims(request))
