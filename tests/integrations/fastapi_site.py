"""The test application in FastAPI, written as a user would."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Security

from genauth_async import AuthenticationClient, TokenSession
from genauth_async.integrations.fastapi import GenAuth
from genauth_async.models.verification import AccessToken


def fastapi_site(client: AuthenticationClient, options: dict[str, Any]) -> FastAPI:
    auth = GenAuth(client, **options)
    app = FastAPI(lifespan=auth.lifespan, swagger_ui_init_oauth=auth.swagger_ui_init_oauth)
    app.include_router(auth.router)

    # Plain defaults, since Annotated cannot name a local `auth` where annotations are texts.
    @app.get("/claims")
    async def claims(claims: AccessToken = Depends(auth.required)) -> dict[str, str]:  # noqa: B008, FAST002
        return {"sub": claims.sub}

    @app.get("/maybe")
    async def maybe(claims: AccessToken | None = Depends(auth.optional)) -> dict[str, str | None]:  # noqa: B008, FAST002
        return {"sub": None if claims is None else claims.sub}

    @app.get("/orders")
    async def orders(claims: AccessToken = Depends(auth.scopes("orders", "profile"))) -> dict[str, str]:  # noqa: B008, FAST002
        return {"sub": claims.sub}

    @app.get("/invoices")
    async def invoices(
        claims: AccessToken = Security(auth.required, scopes=["invoices"]),  # noqa: B008, FAST002
    ) -> dict[str, str]:
        return {"sub": claims.sub}

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

    @app.get("/refused-elsewhere")
    async def refused_elsewhere(session: TokenSession = Depends(auth.session)) -> dict[str, str]:  # noqa: B008, FAST002
        await session.invalidate(await session.access_token())
        return {"token": await session.access_token()}

    @app.get("/refused-page")
    async def refused_page(session: TokenSession = Depends(auth.page_session)) -> dict[str, str]:  # noqa: B008, FAST002
        await session.invalidate(await session.access_token())
        return {"token": await session.access_token()}

    return app


_app = FastAPI()
_auth = GenAuth(AuthenticationClient("app", "https://example.test", "secret"))


@_app.get("/annotated")
async def annotated(claims: Annotated[AccessToken, Depends(_auth.required)]) -> dict[str, str]:
    """Type-checked, and made by FastAPI when this module is imported."""
    return {"sub": claims.sub}


@_app.get("/annotated-scopes")
async def annotated_scopes(claims: Annotated[AccessToken, Security(_auth.required, scopes=["a"])]) -> dict[str, str]:
    return {"sub": claims.sub}
