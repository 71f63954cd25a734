from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from genauth_async.emulator import Emulator
from tests.integrations.sites import FRAMEWORKS, Browser, Site, serving

MakeSite = Callable[..., Site]


@pytest.fixture(params=FRAMEWORKS)
def framework(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make_site(framework: str, emulator: Emulator) -> Iterator[MakeSite]:
    """Serves sites, whose client has these settings and whose GenAuth has these options."""
    with contextlib.ExitStack() as stack:

        def make(settings: dict[str, Any] | None = None, **options: Any) -> Site:
            of_client = {"app_id": emulator.app_id, "app_host": emulator.url, "app_secret": emulator.app_secret}
            return stack.enter_context(serving(framework, of_client | (settings or {}), options))

        yield make


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    return make_site()


@pytest.fixture
def make_browser() -> Iterator[Callable[[Site], Browser]]:
    with contextlib.ExitStack() as stack:

        def make(site: Site) -> Browser:
            browser = Browser(site)
            stack.enter_context(browser.http)
            return browser

        yield make


@pytest.fixture
def browser(site: Site, make_browser: Callable[[Site], Browser]) -> Browser:
    return make_browser(site)
