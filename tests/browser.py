"""A real browser: the system's Chromium, without a window, driven by Playwright.

Tests take the fixture `browse`. It runs a function with a Playwright page, in the browser's own thread, since
Playwright's blocking interface and the tests' event loops do not share one. All calls of a test have the same page, and
cookies that no other test has:

    await to_thread.run_sync(browse, lambda page: page.goto(url))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import pytest

from tests.programs import program

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Playwright, ProxySettings

_T = TypeVar("_T")

Browse: TypeAlias = "Callable[[Callable[[Page], Any]], Any]"
"""Runs a function with a page, and gives what it gives."""

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nothing is asked of other machines, neither by the browser nor by the pages (fonts).
    "--host-resolver-rules=MAP *.example.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]
_MILLISECONDS = 30_000


class BrowserThread:
    """Chromium, and the one thread that may speak with it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="browser")
        self._playwright: Playwright
        self._browser: Browser

    def start(self) -> None:
        def launch() -> None:
            from playwright.sync_api import sync_playwright  # not paid for by tests that need no browser

            self._playwright = sync_playwright().start()
            self._browser = self._playwright.chromium.launch(executable_path=self._path, args=_ARGUMENTS)

        self.run(launch)

    def stop(self) -> None:
        def close() -> None:
            self._browser.close()
            self._playwright.stop()

        self.run(close)
        self._thread.shutdown()

    def run(self, function: Callable[[], _T]) -> _T:
        """Runs a function in the browser's thread."""
        return self._thread.submit(function).result()

    def open_page(self, proxy: ProxySettings | None = None) -> Page:
        """A page with cookies of its own, whose requests may go through a proxy."""
        page = self._browser.new_context(proxy=proxy).new_page()
        page.set_default_timeout(_MILLISECONDS)
        return page


@pytest.fixture(scope="session")
def browser() -> Iterator[BrowserThread]:
    """One Chromium for all tests."""
    browser = BrowserThread(program("chromium", "what a browser does with these pages"))
    browser.start()
    yield browser
    browser.stop()


@pytest.fixture
def browse(browser: BrowserThread) -> Iterator[Browse]:
    """Runs functions with this test's page, in the browser's thread. It blocks, so in a coroutine: by `to_thread`."""
    page = browser.run(browser.open_page)
    yield lambda function: browser.run(lambda: function(page))
    browser.run(page.context.close)
