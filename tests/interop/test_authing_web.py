"""The vendor's SDK for browsers, @authing/web, unchanged and in a real browser.

It takes no port in the address of the service, so the emulator has to be at port 80. For these browsers it is: all that
does not go to the application goes through a proxy, and the emulator is that proxy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from attrs import define
from playwright.sync_api import Page

from genauth_async.emulator import Emulator, User
from tests.browser import BrowserThread
from tests.interop.pages import PASSWORD, consent, serving_app, sign_in
from tests.node_tools import package_folder

pytestmark = pytest.mark.slow
HOST = "http://127.0.0.1"


@define
class App:
    """An application in a browser.

    Attributes:
        other_url: of a page of another origin, but of the same site, so that the browser sends the emulator's cookies.
    """

    emulator: Emulator
    user: User
    url: str
    other_url: str
    page: Page

    def open(self, path: str = "/", **options: object) -> None:
        self.page.goto(self.url + path)
        self.load(**options)

    def load(self, **options: object) -> None:
        """Make the SDK's client, as each page does."""
        settings = {
            "domain": HOST,
            "appId": self.emulator.app_id,
            "userPoolId": "any",
            "redirectUri": f"{self.url}/callback",
            "logoutRedirectUri": f"{self.url}/bye",
            "scope": "openid profile email offline_access",
        }
        self.page.evaluate("settings => { sdk = new AuthingFactory.Authing(settings) }", settings | options)

    def call(self, method: str, **arguments: object) -> Any:
        return self.page.evaluate(f"arguments => sdk.{method}(arguments)", arguments)

    def leave(self, method: str, **arguments: object) -> None:
        """Call a method that leads to another page."""
        self.page.evaluate(f"arguments => {{ sdk.{method}(arguments) }}", arguments)

    def come_back(self, path: str = "/callback", **options: object) -> None:
        self.page.wait_for_url(f"{self.url}{path}*")
        self.load(**options)

    def sign_in(self) -> Any:
        """Sign in by redirects; give the state."""
        self.open()
        self.leave("loginWithRedirect")
        sign_in(self.page)
        consent(self.page)
        self.come_back()
        return self.call("handleRedirectCallback")


Visit = Callable[[Callable[[App], None]], None]


@pytest.fixture
def visit(browser: BrowserThread, free_port: int) -> Iterator[Visit]:
    """Runs a function with an application, in the browser's thread."""
    scripts = [
        package_folder("axios") / "dist" / "axios.min.js",
        package_folder("@authing/web") / "dist" / "global" / "index.global.js",
    ]
    with (
        Emulator(port=free_port, url=HOST, token_endpoint_auth_method="none") as emulator,
        serving_app(*scripts) as url,
        serving_app() as other_url,
    ):
        user = emulator.add_user(username="ada", email="ada@example.com", password=PASSWORD)
        elsewhere = f"{urlsplit(url).netloc},{urlsplit(other_url).netloc}"
        page = browser.run(lambda: browser.open_page({"server": f"{HOST}:{free_port}", "bypass": elsewhere}))
        app = App(emulator, user, url, other_url, page)
        yield lambda function: browser.run(lambda: function(app))
        browser.run(page.context.close)


def test_signs_in_by_redirects_refreshes_and_signs_out(visit: Visit) -> None:
    def life(app: App) -> None:
        app.open()
        assert app.call("getLoginState") is None
        app.leave("loginWithRedirect")
        sign_in(app.page)
        consent(app.page)
        app.come_back()
        assert app.call("isRedirectCallback") is True
        state = app.call("handleRedirectCallback")
        assert state["parsedIdToken"]["sub"] == state["parsedAccessToken"]["sub"] == app.user.id
        assert app.call("getLoginState")["accessToken"] == state["accessToken"]
        assert app.call("getUserInfo")["email"] == "ada@example.com"

        renewed = app.call("refreshToken")
        assert renewed["accessToken"] != state["accessToken"]
        assert renewed["parsedIdToken"]["sub"] == app.user.id
        assert app.call("getUserInfo")["userId"] == app.user.id

        app.leave("logoutWithRedirect", state="and thanks")
        app.come_back("/bye")
        assert app.page.url == f"{app.url}/bye?state=and+thanks"
        assert app.emulator.hosted_login.signed_in(app.user) == 0
        assert app.call("getLoginState") is None
        assert app.call("getUserInfo", accessToken=renewed["accessToken"])["statusCode"] == 401

    visit(life)


def test_signs_in_in_a_popup_that_closes_itself(visit: Visit) -> None:
    def life(app: App) -> None:
        app.open()
        with app.page.expect_popup() as opened:
            app.page.evaluate("() => { signedIn = sdk.loginWithPopup() }")
        popup = opened.value
        sign_in(popup)
        with popup.expect_event("close"):
            consent(popup)
        assert app.page.evaluate("signedIn")["parsedIdToken"]["sub"] == app.user.id
        assert app.call("getUserInfo")["username"] == "ada"

    visit(life)


def test_a_refusal_reaches_the_application(visit: Visit) -> None:
    def life(app: App) -> None:
        app.open()
        app.leave("loginWithRedirect")
        sign_in(app.page)
        consent(app.page, "deny")
        app.come_back()
        error = app.page.evaluate("sdk.handleRedirectCallback().catch(error => error.message)")
        assert "error=access_denied" in error

        with app.page.expect_popup() as opened:
            app.page.evaluate("() => { refused = sdk.loginWithPopup().catch(error => error.message) }")
        with opened.value.expect_event("close"):
            consent(opened.value, "deny")
        assert "error=access_denied" in app.page.evaluate("refused")

    visit(life)


def test_signs_in_silently_while_the_session_lasts(visit: Visit) -> None:
    def life(app: App) -> None:
        first = app.sign_in()
        silent = app.call("getLoginState", ignoreCache=True)
        assert silent["accessToken"] != first["accessToken"]
        assert silent["parsedIdToken"]["sub"] == app.user.id
        app.emulator.hosted_login.sign_out(app.user)
        assert app.call("getLoginState", ignoreCache=True) is None

    visit(life)


ASK_FROM_FRAME = """url => new Promise(resolve => {
    const frame = document.createElement("iframe");
    frame.onload = () => setTimeout(resolve, 100);
    frame.src = url;
    document.body.append(frame);
})"""


def test_another_origin_gets_no_answer(visit: Visit) -> None:
    def life(app: App) -> None:
        app.sign_in()
        with app.page.expect_request(lambda request: "prompt=none" in request.url) as asked:
            app.call("getLoginState", ignoreCache=True)
        app.page.goto(app.other_url)
        app.page.evaluate("() => { heard = []; onmessage = event => heard.push(event.data) }")
        app.page.evaluate(ASK_FROM_FRAME, asked.value.url)
        with app.page.expect_popup() as opened:
            app.page.evaluate("url => { open(url) }", asked.value.url)
        if not opened.value.is_closed():
            opened.value.wait_for_event("close")
        app.page.wait_for_timeout(100)
        assert app.page.evaluate("heard") == []

    visit(life)


def test_asks_whether_its_token_is_still_good(visit: Visit) -> None:
    def life(app: App) -> None:
        state = app.sign_in()
        app.load(introspectAccessToken=True)
        assert app.call("getLoginState")["accessToken"] == state["accessToken"]
        app.emulator.hosted_login.sign_out(app.user)
        app.emulator.revoke_grant(state["accessToken"])
        assert app.call("getLoginState") is None

    visit(life)


def test_signs_in_with_a_form_of_its_own(visit: Visit) -> None:
    def life(app: App) -> None:
        app.emulator.wrap_system = False  # as this SDK reads it; the vendor's mini programs read it wrapped
        app.open()
        payload = {"email": "ada@example.com", "password": PASSWORD}
        options = {"passwordEncryptType": "none", "scope": "openid offline_access"}
        state = app.call("loginByEmail", passwordPayload=payload, options=options)
        assert app.call("getUserInfo")["userId"] == app.user.id
        assert app.call("refreshToken")["accessToken"] != state["accessToken"]
        for encryption in ("rsa", "sm2"):
            assert len(app.page.evaluate("type => sdk.getPublicKey(type)", encryption)) > 100

    visit(life)
