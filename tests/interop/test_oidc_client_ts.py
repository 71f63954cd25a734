"""oidc-client-ts, the library of many single-page applications, unchanged and in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from attrs import define
from playwright.sync_api import Page

from genauth_async.emulator import Emulator, User
from tests.browser import Browse
from tests.interop.pages import PASSWORD, consent, serving_app, sign_in
from tests.node_tools import package_folder

pytestmark = pytest.mark.slow
# In the frame and the popup, the page of the redirect_uri reports to the page that opened it.
CALLBACKS = """
    const callback = {"/silent": "signinSilentCallback", "/popup": "signinPopupCallback"}[location.pathname];
    if (callback) new oidc.UserManager({authority: "any", client_id: "any", redirect_uri: "any"})[callback]();
"""


@define
class App:
    """An application in a browser."""

    emulator: Emulator
    user: User
    url: str
    page: Page
    scope: str = "openid profile email"

    def load(self) -> None:
        settings = {
            "authority": self.emulator.issuer,
            "client_id": self.emulator.app_id,
            "redirect_uri": f"{self.url}/callback",
            "silent_redirect_uri": f"{self.url}/silent",
            "popup_redirect_uri": f"{self.url}/popup",
            "post_logout_redirect_uri": f"{self.url}/bye",
            "scope": self.scope,
            "loadUserInfo": True,
            "automaticSilentRenew": False,
        }
        self.page.evaluate("settings => { manager = new oidc.UserManager(settings) }", settings)

    def call(self, method: str) -> Any:
        """Call a method; give the user, as far as that is data."""
        return self.page.evaluate(f"async () => JSON.parse(JSON.stringify(await manager.{method} ?? null))")

    def leave(self, method: str) -> None:
        """Call a method that leads to another page."""
        self.page.evaluate(f"() => {{ manager.{method} }}")

    def come_back(self, path: str) -> None:
        self.page.wait_for_url(f"{self.url}{path}*")
        self.load()

    def sign_in(self, **extra: str) -> Any:
        """Sign in by redirects; give the user."""
        self.page.goto(self.url)
        self.load()
        self.leave(f"signinRedirect({extra})")
        sign_in(self.page)
        if "offline_access" in self.scope:
            consent(self.page)
        self.come_back("/callback")
        return self.call("signinCallback()")


Visit = Callable[[Callable[[App], None]], None]


@pytest.fixture
def visit(browse: Browse) -> Iterator[Visit]:
    """Runs a function with an application, in the browser's thread."""
    script = package_folder("oidc-client-ts") / "dist" / "browser" / "oidc-client-ts.min.js"
    with Emulator(token_endpoint_auth_method="none") as emulator, serving_app(script, inline=CALLBACKS) as url:
        user = emulator.add_user(username="ada", email="ada@example.com", password=PASSWORD)
        yield lambda function: browse(lambda page: function(App(emulator, user, url, page)))


def test_signs_in_renews_by_refresh_token_and_signs_out(visit: Visit) -> None:
    def life(app: App) -> None:
        app.scope += " offline_access"
        user = app.sign_in(state="a basket")
        assert (user["profile"]["sub"], user["profile"]["email"]) == (app.user.id, "ada@example.com")
        assert user["state"] == "a basket"
        renewed = app.call("signinSilent()")
        assert renewed["refresh_token"] != user["refresh_token"]
        assert renewed["profile"]["sub"] == app.user.id
        assert app.emulator.requests["/oidc/auth"] == 1
        app.leave("signoutRedirect({state: 'thanks'})")
        app.come_back("/bye")
        assert app.call("signoutCallback()")["userState"] == "thanks"
        assert app.call("getUser()") is None
        assert app.emulator.hosted_login.signed_in(app.user) == 0

    visit(life)


def test_renews_in_a_frame_while_the_session_lasts(visit: Visit) -> None:
    def life(app: App) -> None:
        user = app.sign_in()
        renewed = app.call("signinSilent()")
        assert renewed["access_token"] != user["access_token"]
        assert renewed["profile"]["sub"] == app.user.id
        app.emulator.hosted_login.sign_out(app.user)
        assert app.call("signinSilent().catch(error => error.error)") == "login_required"

    visit(life)


def test_a_frame_of_another_site_is_told_why_it_fails(visit: Visit) -> None:
    def life(app: App) -> None:
        app.url = app.url.replace("127.0.0.1", "localhost")
        app.sign_in()
        assert app.emulator.hosted_login.signed_in(app.user) == 1
        error = app.call("signinSilent().catch(error => [error.error, error.error_description])")
        assert error == ["login_required", "no cookies in a frame of another site: give both the same host name"]

    visit(life)


def test_signs_in_in_a_popup_and_revokes(visit: Visit) -> None:
    def life(app: App) -> None:
        app.page.goto(app.url)
        app.load()
        with app.page.expect_popup() as opened:
            app.page.evaluate("() => { signedIn = manager.signinPopup() }")
        sign_in(opened.value)
        assert app.page.evaluate("async () => (await signedIn).profile.sub") == app.user.id
        token = app.call("getUser()")["access_token"]
        app.call("revokeTokens(['access_token'])")
        assert app.emulator.grants.revoked == 1
        asked = "token => fetch(token.url, {headers: {authorization: `Bearer ${token.value}`}}).then(r => r.status)"
        assert app.page.evaluate(asked, {"url": f"{app.emulator.issuer}/me", "value": token}) == 401

    visit(life)
