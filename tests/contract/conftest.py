from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import genauth
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

import genauth_sync
from genauth_async import AuthenticationClient
from tests.contract.parity import APP_ID, APP_SECRET, LANG, REAL_IP, TOKEN, Case, Faces
from tests.contract.user_tokens import TAKEN
from tests.recording import RecordingServer


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    """An event loop on which the async client lives, so that tests can be plain functions, which Hypothesis needs."""
    with start_blocking_portal("asyncio") as portal:
        yield portal


@pytest.fixture
def make_faces(recorder: RecordingServer, portal: BlockingPortal) -> Iterator[Callable[[str, Case], Faces]]:
    """Makes the clients with which a method is compared."""
    made: list[Faces] = []

    def make(method: str, case: Case) -> Faces:
        options: dict[str, Any] = {
            f"{endpoint}_endpoint_auth_method": case.auth for endpoint in ("token", "introspection", "revocation")
        }
        options["redirect_uri"] = "https://app.example/back?to=here"
        if case.token_of == "client":
            options |= {"lang": LANG, "real_ip": REAL_IP, "access_token": TOKEN}
        own = (APP_ID, recorder.url, APP_SECRET)
        theirs = genauth.AuthenticationClient(*own, **options)
        if method in TAKEN:
            theirs.set_access_token(TOKEN)
        ours = AuthenticationClient(*own, **options)
        made.append(Faces(recorder, portal, theirs, ours, genauth_sync.AuthenticationClient(*own, **options)))
        return made[-1]

    yield make
    for faces in made:
        portal.call(faces.ours.aclose)
        faces.blocking.close()
