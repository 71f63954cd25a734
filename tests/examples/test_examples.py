"""The example applications, used as a person would: in a real browser, and started by the one command."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from attrs import frozen
from playwright.sync_api import Page

from examples import aiohttp_app, fastapi_app
from genauth_async import AuthenticationClient, Clock
from genauth_async.emulator import Emulator, User, sign_in_at_page
from tests.browser import Browse
from tests.node_tools import package_folder
from tests.web_servers import serving_aiohttp, serving_asgi

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"
PASSWORD = "passw0rd-Canary"
LIFETIME = 600
SESSION_COOKIE = "genauth_web_session"


@frozen
class Site:
    url: str
    emulator: Emulator
    user: User

    def token_requests(self) -> int:
        return self.emulator.requests["/oidc/token"]


@pytest.fixture(params=["fastapi", "aiohttp"])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    """An example that is being served, and lives in its emulator's time."""
    with Emulator(access_token_lifetime=LIFETIME) as emulator, socket.socket() as listener:
        user = emulator.add_user(username="ada", name="<b>Ada</b>", password=PASSWORD)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        client = AuthenticationClient(
            emulator.app_id,
            emulator.url,
            emulator.app_secret,
            redirect_uri=f"{url}/callback",
            post_logout_redirect_uri=f"{url}/",
            clock=Clock(monotonic=emulator.clock.now, wall=emulator.clock.now),
        )
        with (
            serving_asgi(fastapi_app.make_app(client, url), listener)
            if request.param == "fastapi"
            else serving_aiohttp(aiohttp_app.make_app(client, url), listener)
        ):
            yield Site(url, emulator, user)


def fill_in(page: Page, answer: str = "Accept") -> None:
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=answer).click()
    page.wait_for_load_state()


def sign_in(page: Page, site: Site) -> None:
    page.goto(site.url)
    page.get_by_role("link", name="Sign in").click()
    fill_in(page)
    assert page.url == f"{site.url}/profile"


def test_a_user_signs_in_and_sees_who_they_are(site: Site, browse: Browse) -> None:
    def visit(page: Page) -> None:
        sign_in(page, site)
        page.get_by_role("heading", name="Hello, <b>Ada</b>").wait_for()
        assert page.get_by_role("definition").filter(has_text="openid profile offline_access").count() == 1
        assert page.get_by_role("definition").filter(has_text=site.user.id).count() == 1
        assert page.get_by_role("definition").filter(has_text="<b>Ada</b>").count() == 1

    browse(visit)


def test_a_refused_sign_in_shows_a_page_that_offers_another(site: Site, browse: Browse) -> None:
    def visit(page: Page) -> None:
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(f"{site.url}/login")
        fill_in(page, answer="Deny")
        page.get_by_role("heading", name="The sign-in was refused").wait_for()
        assert [line for line in said if "Content Security Policy" in line] == []
        assert page.get_by_role("link", name="Sign in again").bounding_box()["height"] >= 44  # type: ignore[index]
        assert page.evaluate("getComputedStyle(document.querySelector('a')).borderStyle") == "solid"

    browse(visit)


def test_pages_fit_on_narrow_screens_in_both_schemes(site: Site, browse: Browse) -> None:
    axe = (package_folder("axe-core") / "axe.min.js").read_text(encoding="utf-8")

    def check(page: Page) -> None:
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        page.evaluate(axe)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate("async () => (await axe.run()).violations") == []

    def visit(page: Page) -> None:
        page.set_viewport_size({"width": 320, "height": 568})
        page.goto(site.url)
        check(page)
        sign_in(page, site)
        check(page)
        page.goto(f"{site.url}/reports")
        check(page)

    browse(visit)


def test_a_page_sends_to_the_login_and_comes_back(site: Site, browse: Browse) -> None:
    def visit(page: Page) -> None:
        page.goto(f"{site.url}/profile?tab=1")
        assert page.url.startswith(site.emulator.url)
        fill_in(page)
        assert page.url == f"{site.url}/profile?tab=1"

    browse(visit)


def test_the_api_is_called_for_the_user_with_a_refreshed_token(site: Site, browse: Browse) -> None:
    def visit(page: Page) -> None:
        sign_in(page, site)
        page.get_by_role("link", name="Reports", exact=True).click()
        page.get_by_text(f"Drafts of {site.user.id}").wait_for()
        assert site.token_requests() == 1
        site.emulator.clock.advance(LIFETIME + 61)  # and the leeway, so that the old token would be refused
        page.reload()
        page.get_by_text(f"Drafts of {site.user.id}").wait_for()
        assert site.token_requests() == 2

    browse(visit)


def test_a_session_that_was_revoked_leads_to_the_login_and_back(site: Site, browse: Browse) -> None:
    def visit(page: Page) -> None:
        sign_in(page, site)
        (grant,) = site.emulator.grants
        site.emulator.revoke_grant(grant)
        page.goto(f"{site.url}/profile")
        assert page.url.startswith(site.emulator.url)
        page.get_by_role("button", name="Accept").click()
        page.get_by_role("heading", name="Hello").wait_for()
        assert page.url == f"{site.url}/profile"

    browse(visit)


def test_signing_out_ends_the_session_everywhere(site: Site, browse: Browse) -> None:
    def visit(page: Page) -> None:
        sign_in(page, site)
        (cookie,) = [cookie for cookie in page.context.cookies() if cookie.get("name") == SESSION_COOKIE]
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("link", name="Sign in").wait_for()
        assert page.url == f"{site.url}/"
        assert site.emulator.hosted_login.signed_in(site.user) == 0
        assert (site.emulator.grants.alive, site.emulator.grants.revoked) == (0, 1)
        # An attacker who kept the cookie has nothing.
        kept = {SESSION_COOKIE: cookie.get("value", "")}
        assert httpx.get(f"{site.url}/me", cookies=kept).status_code == 401
        page.goto(f"{site.url}/profile")
        page.get_by_label("Password").wait_for()

    browse(visit)


@pytest.mark.parametrize(
    ("scope", "status"), [("openid profile", 200), ("openid", 403), (None, 401)], ids=["enough", "too-little", "none"]
)
def test_the_api_takes_tokens_that_have_its_scope(site: Site, scope: str | None, status: int) -> None:
    token = scope and site.emulator.issue_tokens(site.user, scope=scope)["access_token"]
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    response = httpx.get(f"{site.url}/api/reports", headers=headers)
    assert response.status_code == status
    assert ("Drafts" in response.text) == (status == 200)


@contextlib.contextmanager
def started(name: str, environ: dict[str, str]) -> Iterator[str]:
    """Run a script, and yield its output up to the line that says it takes requests."""
    with subprocess.Popen(
        [sys.executable, EXAMPLES / name],
        env={**os.environ, **environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            said = ""
            while "running on" not in said.lower():
                line = process.stdout.readline()
                assert line, f"it ended: {said}"
                said += line
            yield said
        finally:
            process.terminate()


@pytest.fixture(params=["fastapi_app.py", "aiohttp_app.py"])
def script(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_one_command_starts_it_with_an_emulator_of_its_own(script: str, free_port: int) -> None:
    url = f"http://localhost:{free_port}"
    with started(script, {"SITE_URL": url}) as said:
        assert "Sign in as ada with the password passw0rd" in said
        assert f"Open {url}" in said
        assert 'href="/login">Sign in</a>' in httpx.get(url).text
        callback = httpx.get(f"{url}/login").headers["location"]
        assert httpx.get(sign_in_at_page(callback, "ada", "passw0rd")).status_code == 400  # without the cookie
        with httpx.Client() as http:
            login = http.get(f"{url}/login").headers["location"]
            assert http.get(sign_in_at_page(login, "ada", "passw0rd")).headers["location"] == "/"
            assert http.get(url).headers["location"] == "/profile"
            assert "You are signed in" in http.get(f"{url}/profile").text


def test_it_takes_the_application_that_the_environment_names(script: str, emulator: Emulator, free_port: int) -> None:
    environ = {
        "GENAUTH_APP_ID": emulator.app_id,
        "GENAUTH_APP_SECRET": emulator.app_secret,
        "GENAUTH_APP_HOST": emulator.url,
        "SITE_URL": f"http://localhost:{free_port}",
    }
    with started(script, environ) as said:
        assert "Sign in as" not in said
        location = httpx.get(f"http://localhost:{free_port}/login").headers["location"]
        assert location.startswith(f"{emulator.url}/oidc/auth?")
