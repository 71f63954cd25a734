"""FastAPI's documentation page in a real browser: its Authorize button signs in, and its calls carry the token."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from fastapi import Depends, FastAPI, Security
from fastapi.openapi.docs import get_swagger_ui_html, get_swagger_ui_oauth2_redirect_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from playwright.sync_api import Page

from genauth_async import AuthenticationClient
from genauth_async.emulator import Emulator, User
from genauth_async.integrations.fastapi import GenAuth
from genauth_async.models.verification import AccessToken
from tests.browser import Browse, browser  # noqa: F401 - the fixture, since that of the other tests here is no real one
from tests.conftest import PASSWORD
from tests.node_tools import package_folder
from tests.web_servers import serving_asgi

pytestmark = pytest.mark.slow


def api(client: AuthenticationClient, docs_id: str) -> FastAPI:
    """An API whose documentation page loads nothing from other machines, as Chromium could not here."""
    audience = [client.settings.app_id, docs_id]
    auth = GenAuth(client, scope="openid", api_scopes=["username", "orders:read"], audience=audience)
    app = FastAPI(lifespan=auth.lifespan, docs_url=None)
    app.mount("/swagger-ui", StaticFiles(directory=package_folder("swagger-ui-dist")))

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title="Orders",
            oauth2_redirect_url="/docs/oauth2-redirect",
            init_oauth={**auth.swagger_ui_init_oauth, "clientId": docs_id},
            swagger_js_url="/swagger-ui/swagger-ui-bundle.js",
            swagger_css_url="/swagger-ui/swagger-ui.css",
            swagger_favicon_url="/swagger-ui/favicon-32x32.png",
        )

    @app.get("/docs/oauth2-redirect", include_in_schema=False)
    async def oauth2_redirect() -> HTMLResponse:
        return get_swagger_ui_oauth2_redirect_html()

    @app.get("/orders")
    async def orders(
        claims: AccessToken = Security(auth.required, scopes=["username"]),  # noqa: B008, FAST002
    ) -> dict[str, object]:
        return {"of": claims.sub, "scope": claims.scope}

    @app.get("/reports")
    async def reports(claims: AccessToken = Depends(auth.scopes("profile"))) -> dict[str, object]:  # noqa: B008, FAST002
        return {"of": claims.sub}

    return app


@pytest.fixture(params=["client_secret_post", "none", "another application"])
def site(request: pytest.FixtureRequest, emulator: Emulator) -> Iterator[tuple[str, str]]:
    """The API's address, and the secret that its documentation page is to send."""
    needs_secret = request.param != "none"
    app = emulator.add_app(token_endpoint_auth_method="client_secret_post" if needs_secret else "none")
    another = emulator.add_app(token_endpoint_auth_method="none")
    docs = another if request.param == "another application" else app
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        emulator.hosted_login.allow_redirect(f"{url}/docs/oauth2-redirect", app_id=docs.app_id)
        client = AuthenticationClient(app.app_id, emulator.url, app.app_secret)
        with serving_asgi(api(client, docs.app_id), listener):
            yield url, app.app_secret if docs is app and needs_secret else ""


def sign_in(page: Page, secret: str, *scopes: str) -> None:
    """Does what the Authorize dialog and the hosted page ask for."""
    page.get_by_role("button", name="Authorize").first.click()
    dialog = page.locator(".dialog-ux")
    if secret:
        dialog.get_by_label("client_secret").fill(secret)
    for scope in scopes:
        dialog.get_by_text(scope, exact=True).click()
    with page.expect_popup() as opened:
        dialog.get_by_role("button", name="Apply given OAuth2 credentials").click()
    popup = opened.value
    popup.get_by_label("Username").fill("ada")
    popup.get_by_label("Password").fill(PASSWORD)
    with popup.expect_event("close"):
        popup.get_by_role("button", name="Sign in").click()
    dialog.get_by_role("heading", name="Authorized", exact=True).wait_for()
    dialog.get_by_role("button", name="Close").click()


def answer_of(page: Page, path: str) -> tuple[int, str]:
    """Return the status and the body that "Try it out" shows."""
    operation = page.locator(".opblock").filter(has_text=path)
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    with page.expect_response(f"**{path}") as answered:
        operation.get_by_role("button", name="Execute").click()
    return answered.value.status, answered.value.text()


def test_the_authorize_button_signs_in_for_the_ticked_scopes(site: tuple[str, str], user: User, browse: Browse) -> None:
    url, secret = site

    def visit(page: Page) -> None:
        page.goto(f"{url}/docs")
        sign_in(page, secret, "username")
        status, body = answer_of(page, "/orders")
        assert status == 200, body
        assert user.id in body
        assert answer_of(page, "/reports")[0] == 403

    browse(visit)


def test_the_dialog_offers_the_scopes_of_the_api(site: tuple[str, str], browse: Browse) -> None:
    def visit(page: Page) -> list[str]:
        page.goto(f"{site[0]}/docs")
        page.get_by_role("button", name="Authorize").first.click()
        return page.locator(".dialog-ux .scopes .checkbox p.name").all_inner_texts()

    assert sorted(browse(visit)) == ["openid", "orders:read", "profile", "username"]
