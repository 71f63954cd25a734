"""Nothing of one user reaches another: cookies, redirects, answers of concurrent calls."""

from __future__ import annotations

import json
from collections import Counter

import anyio
import pytest

from genauth_async._http.transport import Transport
from genauth_async._wire.request import Request
from tests.conformance.case import GET, POST, settings_for
from tests.conformance.servers import Peer, Server, answer, answers
from tests.conformance.ways import Way, opened

pytestmark = pytest.mark.anyio


async def test_cookies_are_neither_kept_nor_sent(way: Way) -> None:
    with Server(answers(answer("a", "Set-Cookie: s=1; Path=/", "Set-Cookie: t=2"))) as server:
        origin = f"http://127.0.0.1:{server.port}"
        async with opened(way, origin) as provider:
            for _ in range(3):
                await Transport(provider).send(POST, settings_for(origin))
    assert len(server.requests) == 3
    assert not [head for head in server.requests if b"cookie" in head.lower()]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(way: Way, status: int) -> None:
    with Server(answers(answer("a", "Location: /elsewhere", status=f"{status} Moved"))) as server:
        origin = f"http://127.0.0.1:{server.port}"
        async with opened(way, origin) as provider:
            for request in (POST, GET):
                assert (await Transport(provider).send(request, settings_for(origin))).status == status
    assert len(server.requests) == 2


def unsteady(peer: Peer) -> None:
    """Answers the first requests by the user's number, some late, some with more behind it; then closes or resets."""
    for served, head in enumerate(peer):
        user = int(head.split(b" ")[1].rpartition(b"/")[2])
        peer.pause(0.02 if user % 5 == 0 else 0)
        peer.send(answer(user) + (answer("EVIL") if user % 7 == 0 else b""))
        if served == 3:
            if user % 2:
                peer.reset()
            return


async def test_each_gets_their_own_answer(way: Way) -> None:
    """With 30 users at once, of whom some give up, and a server that ends connections in all manners."""

    wrong: list[object] = []
    outcomes: Counter[str] = Counter()
    with Server(unsteady) as server:
        origin = f"http://127.0.0.1:{server.port}"
        settings = settings_for(origin)
        async with opened(way, origin) as provider:
            transport = Transport(provider)

            async def use(user: int) -> None:
                for call in range(5):
                    with anyio.move_on_after(0.01 if (user + call) % 6 == 0 else 5):
                        try:
                            body = (await transport.send(_request(user), settings)).body
                        except Exception as error:  # noqa: BLE001 - counted
                            outcomes[type(error).__name__] += 1
                        else:
                            outcomes["answered"] += 1
                            if json.loads(body) != user:
                                wrong.append((user, body))

            async with anyio.create_task_group() as group:
                for user in range(1, 31):
                    group.start_soon(use, user)
    assert wrong == []
    assert set(outcomes) <= {"answered", "ConnectionLostError"}
    assert outcomes["answered"] > 75, outcomes


def _request(user: int) -> Request:
    return Request(method="POST", path=("u", str(user)), json={})
