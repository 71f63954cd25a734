"""The pages in a real browser: by keyboard, without scripts, on narrow screens, in both colour schemes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Page, expect

from genauth_async.emulator import Emulator
from tests.browser import Browse
from tests.emulator.hosted_pages import PASSWORD, request_of
from tests.node_tools import package_folder

pytestmark = pytest.mark.slow

LONG: Final = "Wolfeschlegelsteinhausenbergerdorff" * 3
_AXE: Final = "async () => (await axe.run()).violations.map(({id, nodes}) => [id, nodes.map(node => node.html)])"
_SMALL: Final = """() => [...document.querySelectorAll("button, input:not([type=hidden]), summary, nav a, footer a")]
    .filter(element => element.getBoundingClientRect().height < 44).map(element => element.outerHTML)"""
_OUTER: Final = "element => element.outerHTML"
_IS_MARKED: Final = """element => {
    const {outlineStyle, outlineWidth} = getComputedStyle(element);
    return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
}"""


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(app_name="Northwind Orders", show_users=True) as emulator:
        emulator.add_user(username="ada", name="Ada Lovelace", email="ada@example.com", password=PASSWORD)
        emulator.add_user(username=LONG, name=LONG, password=PASSWORD).locked = True
        emulator.add_app(name=LONG, token_endpoint_auth_method="none")
        emulator.hosted_login.allow_redirect(f"https://app.example/{LONG}")
        emulator.hosted_login.allow_redirect(f"{emulator.url}/")  # no page of an application is needed
        emulator.inbox.send("email", "CHANNEL_LOGIN", "ada@example.com")
        yield emulator


def authorization(emulator: Emulator, **changes: str) -> str:
    return str(
        httpx.URL(f"{emulator.url}/oidc/auth", params=request_of(emulator, redirect_uri=f"{emulator.url}/", **changes))
    )


def open_login(emulator: Emulator, page: Page) -> None:
    page.goto(authorization(emulator, scope="openid profile offline_access orders:read", prompt="login consent"))


def open_refused_login(emulator: Emulator, page: Page) -> None:
    open_login(emulator, page)
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()


def open_consent(emulator: Emulator, page: Page) -> None:
    open_login(emulator, page)
    page.get_by_role("button", name="Ada Lovelace").click()


def open_logout(emulator: Emulator, page: Page) -> None:
    open_consent(emulator, page)
    page.goto(f"{emulator.url}/oidc/session/end")


def open_signed_out(emulator: Emulator, page: Page) -> None:
    page.goto(f"{emulator.url}/login/profile/logout")


def open_error(emulator: Emulator, page: Page) -> None:
    page.goto(f"{emulator.url}/interaction/unknown")


def open_status(emulator: Emulator, page: Page) -> None:
    page.goto(emulator.url)
    for fold in page.locator("summary").all():
        fold.click()


PAGES: Final[dict[str, Callable[[Emulator, Page], None]]] = {
    "login": open_login,
    "refused-login": open_refused_login,
    "consent": open_consent,
    "logout": open_logout,
    "signed-out": open_signed_out,
    "error": open_error,
    "status": open_status,
}
every_page = pytest.mark.parametrize("open_page", PAGES.values(), ids=PAGES)


@contextmanager
def another(page: Page, **options: Any) -> Iterator[Page]:
    """A page with cookies and options of its own."""
    browser = page.context.browser
    assert browser is not None
    with browser.new_context(**options) as context:
        page = context.new_page()
        page.set_default_timeout(30_000)
        yield page


@every_page
def test_each_page_is_accessible_and_fits_a_phone(
    emulator: Emulator, browse: Browse, open_page: Callable[[Emulator, Page], None]
) -> None:
    axe = (package_folder("axe-core") / "axe.min.js").read_text(encoding="utf-8")

    def visit(page: Page) -> None:
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        open_page(emulator, page)
        for landmark in ("banner", "main", "contentinfo"):
            expect(page.get_by_role(landmark)).to_have_count(1)
        expect(page.get_by_text("GenAuth emulator", exact=True)).to_be_visible()
        page.evaluate(axe)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate(_AXE) == []
        page.set_viewport_size({"width": 320, "height": 568})
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        assert page.evaluate(_SMALL) == []
        for field in page.get_by_role("textbox").all():
            expect(field).to_have_css("font-size", "16px")
        assert [line for line in said if "status of 400" not in line] == []  # the policy has no complaints

    browse(visit)


@every_page
def test_the_keyboard_reaches_all_and_shows_where_it_is(
    emulator: Emulator, browse: Browse, open_page: Callable[[Emulator, Page], None]
) -> None:
    def visit(page: Page) -> None:
        open_page(emulator, page)
        stops = [it.evaluate(_OUTER) for it in page.locator("a[href], button, input:not([type=hidden]), summary").all()]
        for forced in ("none", "active"):
            page.emulate_media(forced_colors=forced)
            reached: list[str] = []
            while len(reached) < len(stops):
                page.keyboard.press("Tab")
                focused = page.locator(":focus:not(body)")
                if focused.count():
                    assert focused.evaluate(_IS_MARKED)
                    reached.append(focused.evaluate(_OUTER))
            first = stops.index(reached[0])  # after the one that had the focus
            assert reached == [*stops[first:], *stops[:first]]

    browse(visit)


def test_fields_and_buttons_have_their_names(emulator: Emulator, browse: Browse) -> None:
    def visit(page: Page) -> None:
        open_login(emulator, page)
        expect(page.get_by_role("button", name="Ada Lovelace ada@example.com", exact=True)).to_be_visible()
        expect(page.get_by_role("button", name=f"{LONG} locked", exact=True)).to_be_visible()
        for field in ("Username, email or phone number", "Password"):
            expect(page.get_by_label(field)).to_have_accessible_name(field)
        open_refused_login(emulator, page)
        assert page.title().startswith("Error: ")
        alert = page.get_by_role("alert").inner_text()
        expect(page.get_by_label("Password")).to_have_accessible_description(alert)
        expect(page.get_by_label("Password")).to_be_focused()
        open_consent(emulator, page)
        expect(page.get_by_role("list", name="It asks to").get_by_role("listitem")).to_have_count(4)

    browse(visit)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_user_signs_in_and_agrees_by_keyboard(emulator: Emulator, browse: Browse, *, scripts: bool) -> None:
    def visit(page: Page) -> None:
        with another(page, java_script_enabled=scripts) as page:  # noqa: PLR1704 - not the one with scripts
            page.goto(authorization(emulator, scope="openid offline_access", login_hint="ada"))
            expect(page.get_by_label("Password")).to_be_focused()
            page.keyboard.type(PASSWORD)
            page.keyboard.press("Enter")
            expect(page.get_by_role("heading", name="Allow access")).to_be_visible()
            while not page.locator("#accept:focus").count():
                page.keyboard.press("Tab")
            page.keyboard.press("Space")
            page.wait_for_url(f"{emulator.url}/?*")
            assert set(parse_qs(urlsplit(page.url).query)) == {"code", "state"}

    browse(visit)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_form_takes_the_answer_to_the_application(emulator: Emulator, browse: Browse, *, scripts: bool) -> None:
    def visit(page: Page) -> None:
        with another(page, java_script_enabled=scripts) as page:  # noqa: PLR1704 - not the one with scripts
            page.goto(authorization(emulator, response_mode="form_post"))
            with page.expect_request(f"{emulator.url}/") as sent:
                page.get_by_role("button", name="Ada Lovelace").click()
                if not scripts:
                    page.get_by_role("button", name="Continue").click()
            assert set(parse_qs(sent.value.post_data or "")) == {"code", "state"}

    browse(visit)
