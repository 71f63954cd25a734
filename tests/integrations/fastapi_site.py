"""The test application in FastAPI, written as a user would."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated, Any

import anyio
from fastapi import Depends, FastAPI, Security, WebSocket, WebSocketDisconnect
from fastapi.responses import HTMLResponse, PlainTextResponse, StreamingResponse

from genauth_async import AuthenticationClient, GenAuthError, TokenSession
from genauth_async.integrations.fastapi import GenAuth
from genauth_async.models.tokens import UserInfo
from genauth_async.models.verification import AccessToken
from tests.integrations.other_sessions import another_session


def fastapi_site(client: AuthenticationClient, options: dict[str, Any]) -> FastAPI:
    auth = GenAuth(client, **options)
    app = FastAPI(lifespan=auth.lifespan, swagger_ui_init_oauth=auth.swagger_ui_init_oauth)
    app.include_router(auth.router)

    # Plain defaults, since Annotated cannot name a local `auth` where annotations are texts.
    @app.get("/claims")
    async def claims(claims: AccessToken = Depends(auth.required)) -> dict[str, object]:  # noqa: B008, FAST002
        return {"sub": claims.sub}

    @app.get("/maybe")
    async def maybe(claims: AccessToken | None = Depends(auth.optional)) -> dict[str, str | None]:  # noqa: B008, FAST002
        return {"sub": None if claims is None else claims.sub}

    @app.get("/maybe-invoices")
    async def maybe_invoices(
        claims: AccessToken | None = Security(auth.optional, scopes=["invoices"]),  # noqa: B008, FAST002
    ) -> dict[str, str | None]:
        return {"sub": None if claims is None else claims.sub}

    @app.get("/orders")
    async def orders(claims: AccessToken = Depends(auth.scopes("orders", "profile"))) -> dict[str, object]:  # noqa: B008, FAST002
        return {"sub": claims.sub}

    @app.get("/invoices")
    async def invoices(
        claims: AccessToken = Security(auth.required, scopes=["invoices"]),  # noqa: B008, FAST002
    ) -> dict[str, object]:
        return {"sub": claims.sub}

    _add_sessions(app, auth)
    _add_all_sessions(app, auth)
    _add_failing_sessions(app, auth, client)
    _add_users(app, auth)
    _add_sockets(app, auth)
    _add_failing_sockets(app, auth)
    _add_leaving_sockets(app, auth)
    return app


def _add_sessions(app: FastAPI, auth: GenAuth) -> None:
    @app.get("/session")
    async def session(session: TokenSession = Depends(auth.session)) -> dict[str, str]:  # noqa: B008, FAST002
        return {"token": await session.access_token()}

    @app.get("/maybe-session")
    async def maybe_session(
        session: TokenSession | None = Depends(auth.optional_session),  # noqa: B008, FAST002
    ) -> dict[str, bool]:
        return {"signed_in": session is not None}

    @app.get("/page/{name}")
    async def page(name: str, session: TokenSession = Depends(auth.page_session)) -> dict[str, str]:  # noqa: B008, FAST002
        return {"name": name, "token": await session.access_token()}

    @app.get("/page-response")
    async def response(_session: TokenSession = Depends(auth.page_session)) -> HTMLResponse:  # noqa: B008, FAST002
        return HTMLResponse("a page")

    @app.get("/page-with-cache")
    async def with_cache(_session: TokenSession = Depends(auth.page_session)) -> HTMLResponse:  # noqa: B008, FAST002
        return HTMLResponse("a page", headers={"Cache-Control": "private, max-age=60", "Vary": "Accept-Encoding"})

    @app.get("/page-with-vary")
    async def with_vary(_session: TokenSession = Depends(auth.page_session)) -> HTMLResponse:  # noqa: B008, FAST002
        return HTMLResponse("a page", headers={"Vary": "Accept,COOKIE"})


def _add_all_sessions(app: FastAPI, auth: GenAuth) -> None:
    @app.post("/everywhere/{user}", response_model=None)
    async def everywhere(user: str) -> int | PlainTextResponse:
        try:
            return await auth.sign_out_everywhere(user)
        except GenAuthError as error:
            return PlainTextResponse(f"{type(error).__name__}: {error}", 502)

    @app.get("/slow")
    async def slow(session: TokenSession = Depends(auth.session)) -> StreamingResponse:  # noqa: B008, FAST002
        async def body() -> AsyncIterator[bytes]:
            yield b"begun"
            for _ in range(200):
                await anyio.sleep(0.05)
                yield session.key[:1].encode()

        return StreamingResponse(body())


def _add_failing_sessions(app: FastAPI, auth: GenAuth, client: AuthenticationClient) -> None:
    @app.get("/refused-elsewhere")
    async def refused_elsewhere(session: TokenSession = Depends(auth.session)) -> dict[str, str]:  # noqa: B008, FAST002
        await session.invalidate(await session.access_token())
        return {"token": await session.access_token()}

    @app.get("/refused-page")
    async def refused_page(session: TokenSession = Depends(auth.page_session)) -> dict[str, str]:  # noqa: B008, FAST002
        await session.invalidate(await session.access_token())
        return {"token": await session.access_token()}

    @app.get("/refused-maybe")
    async def refused_maybe(
        session: TokenSession | None = Depends(auth.optional_session),  # noqa: B008, FAST002
    ) -> dict[str, bool]:
        if session is not None:
            await session.invalidate(await session.access_token())
            await session.access_token()
        return {"signed_in": session is not None}

    @app.get("/refused-in-a-group")
    async def refused_in_a_group(session: TokenSession = Depends(auth.page_session)) -> None:  # noqa: B008, FAST002
        await session.invalidate(await session.access_token())
        async with anyio.create_task_group() as group:
            group.start_soon(session.access_token)
            group.start_soon(session.refresh)

    @app.get("/refused-with-another")
    async def refused_with_another(session: TokenSession = Depends(auth.page_session)) -> None:  # noqa: B008, FAST002
        await session.invalidate(await session.access_token())
        async with anyio.create_task_group() as group:
            group.start_soon(session.access_token)
            group.start_soon(another_session(client).access_token)

    @app.get("/refused-another")
    async def refused_another(session: TokenSession = Depends(auth.session)) -> str:  # noqa: ARG001, B008, FAST002
        return await another_session(client).access_token()

    @app.get("/refused-late")
    async def refused_late(session: TokenSession = Depends(auth.session)) -> StreamingResponse:  # noqa: B008, FAST002
        async def body() -> AsyncIterator[bytes]:
            yield b"whole"
            await session.invalidate(await session.access_token())
            await session.access_token()

        return StreamingResponse(body(), headers={"Content-Length": "5"})


def _add_users(app: FastAPI, auth: GenAuth) -> None:
    @app.get("/user")
    async def user(user: UserInfo = Depends(auth.user)) -> dict[str, str]:  # noqa: B008, FAST002
        return {"sub": user.sub}

    @app.get("/page-user")
    async def page_user(user: UserInfo = Depends(auth.page_user)) -> dict[str, str]:  # noqa: B008, FAST002
        return {"sub": user.sub}


def _add_sockets(app: FastAPI, auth: GenAuth) -> None:
    async def say(socket: WebSocket, answer: object) -> None:
        await socket.accept()
        await socket.send_json(answer)
        await socket.close()

    @app.websocket("/socket/claims")
    async def claims(socket: WebSocket, claims: AccessToken = Depends(auth.required)) -> None:  # noqa: B008
        await say(socket, claims.sub)

    @app.websocket("/socket/maybe")
    async def maybe(socket: WebSocket, claims: AccessToken | None = Depends(auth.optional)) -> None:  # noqa: B008
        await say(socket, None if claims is None else claims.sub)

    @app.websocket("/socket/orders")
    async def orders(socket: WebSocket, claims: AccessToken = Depends(auth.scopes("orders"))) -> None:  # noqa: B008
        await say(socket, claims.sub)

    @app.websocket("/socket/session")
    async def session(socket: WebSocket, session: TokenSession = Depends(auth.session)) -> None:  # noqa: B008
        await say(socket, await session.access_token())

    @app.websocket("/socket/maybe-session")
    async def maybe_session(
        socket: WebSocket,
        session: TokenSession | None = Depends(auth.optional_session),  # noqa: B008
    ) -> None:
        await say(socket, session is not None)

    @app.websocket("/socket/user")
    async def user(socket: WebSocket, user: UserInfo = Depends(auth.user)) -> None:  # noqa: B008
        await say(socket, user.sub)


def _add_failing_sockets(app: FastAPI, auth: GenAuth) -> None:
    @app.websocket("/socket/refused-elsewhere")
    async def refused_elsewhere(socket: WebSocket, session: TokenSession = Depends(auth.session)) -> None:  # noqa: B008
        await socket.accept()
        await session.invalidate(await session.access_token())
        await session.access_token()

    @app.websocket("/socket/refused-in-a-group")
    async def refused_in_a_group(socket: WebSocket, session: TokenSession = Depends(auth.session)) -> None:  # noqa: B008
        await socket.accept()
        await session.invalidate(await session.access_token())
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep_forever)
            group.start_soon(session.access_token)

    @app.websocket("/socket/refused-maybe")
    async def refused_maybe(
        socket: WebSocket,
        session: TokenSession | None = Depends(auth.optional_session),  # noqa: B008
    ) -> None:
        await socket.accept()
        assert session is not None
        await session.invalidate(await session.access_token())
        await session.access_token()


def _add_leaving_sockets(app: FastAPI, auth: GenAuth) -> None:
    @app.websocket("/socket/talk")
    async def talk(socket: WebSocket, _session: TokenSession = Depends(auth.session)) -> None:  # noqa: B008
        await socket.accept()
        while True:
            await socket.send_json("on and on")
            await anyio.sleep(0.01)

    @app.websocket("/socket/listen")
    async def listen(socket: WebSocket, _session: TokenSession = Depends(auth.session)) -> None:  # noqa: B008
        await socket.accept()
        await socket.send_json("say something")
        await socket.receive_json()

    @app.websocket("/socket/listen-to-a-token")
    async def listen_to_a_token(socket: WebSocket, _claims: AccessToken = Depends(auth.required)) -> None:  # noqa: B008
        await listen(socket)

    @app.websocket("/socket/talk-in-a-group")
    async def talk_in_a_group(socket: WebSocket, _user: UserInfo = Depends(auth.user)) -> None:  # noqa: B008
        async with anyio.create_task_group() as group:
            group.start_soon(talk, socket)

    @app.websocket("/socket/ends-later")
    async def ends_later(socket: WebSocket, session: TokenSession = Depends(auth.session)) -> None:  # noqa: B008
        with suppress(WebSocketDisconnect):
            await listen(socket)
        await session.invalidate(await session.access_token())
        await session.access_token()

    @app.websocket("/socket/closes-and-ends")
    async def closes_and_ends(socket: WebSocket, session: TokenSession = Depends(auth.session)) -> None:  # noqa: B008
        await socket.accept()
        await socket.send_json("goodbye")
        await socket.close()
        await session.invalidate(await session.access_token())
        await session.access_token()


_app = FastAPI()
_auth = GenAuth(AuthenticationClient("app", "https://example.test", "secret"))


@_app.get("/annotated")
async def annotated(claims: Annotated[AccessToken, Depends(_auth.required)]) -> dict[str, object]:
    """Type-checked, and made by FastAPI when this module is imported."""
    return {"sub": claims.sub}


@_app.get("/annotated-scopes")
async def annotated_scopes(claims: Annotated[AccessToken, Security(_auth.required, scopes=["a"])]) -> dict[str, object]:
    return {"sub": claims.sub}
