"""A certified OpenID provider that we did not write, with a user's browser before it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from anyio import to_thread
from attrs import frozen
from playwright.sync_api import Page

import genauth_async
import genauth_sync
from tests.conftest import Awaitable
from tests.node_tools import NodeWorker, node_worker
from tests.recording import Answer, RecordingServer


@frozen
class Provider:
    """The provider, and what it does when it is told."""

    url: str
    _worker: NodeWorker

    def register(self, app: RecordingServer) -> dict[str, str]:
        """Makes an application known, which is at home at this server; gives its id and secret."""
        answer: dict[str, str] = self._worker.ask(
            "register", redirect_uri=f"{app.url}/callback", post_logout_redirect_uri=f"{app.url}/goodbye"
        )
        return answer

    def rotate_key(self) -> None:
        """From now on it signs with a new key, and publishes that one alone."""
        self._worker.ask("rotate")


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    with node_worker("oidc_provider.js") as worker:
        yield Provider(worker("start"), worker)


@pytest.fixture
def app(recorder: RecordingServer) -> RecordingServer:
    """The user's application, to which the browser comes back."""
    recorder.default = Answer(b"<h1>Welcome back</h1>", content_type="text/html")
    return recorder


@pytest.fixture
def arguments(provider: Provider, app: RecordingServer) -> dict[str, Any]:
    """Arguments of a client of the application."""
    registered = provider.register(app)
    return {
        "app_id": registered["client_id"],
        "app_host": provider.url,
        "app_secret": registered["client_secret"],
        "redirect_uri": f"{app.url}/callback",
        "post_logout_redirect_uri": f"{app.url}/goodbye",
    }


@pytest.fixture(params=["async", "sync"])
async def face(request: pytest.FixtureRequest, arguments: dict[str, Any]) -> AsyncIterator[Any]:
    """A client of the application with the async methods, of either face."""
    if request.param == "async":
        async with genauth_async.AuthenticationClient(**arguments) as client:
            yield client
        return
    blocking = genauth_sync.AuthenticationClient(**arguments)
    yield Awaitable(blocking)
    await to_thread.run_sync(blocking.close)


def sign_in(page: Page, url: str, user: str) -> str:
    """Does what the user does on the sign-in page; gives the callback URL to which that leads."""
    page.goto(url)
    page.get_by_placeholder("Enter any login").fill(user)
    page.get_by_placeholder("and password").fill("any password")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/callback?*")
    return page.url
