"""The emulator in a process of its own, so that what is measured is the client's alone."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from genauth_async.emulator import Emulator

PASSWORD = "passw0rd-Soak"


class Server:
    """Asks the process, which answers as long as it lives."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.url, self.app_id, self.app_secret = connection.recv()

    def statistics(self) -> dict[str, int]:
        self._connection.send("statistics")
        found: dict[str, int] = self._connection.recv()
        return found


@contextmanager
def server(users: int, token_seconds: int, faults: float) -> Iterator[Server]:
    """A server with that many users; a share of the requests goes wrong.

    Args:
        users: their number; they are called user0, user1, ...
        token_seconds: an access token's life.
        faults: the share, from 0 to 1.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, users, token_seconds, faults), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Server(ours)
    finally:
        ours.close()
        process.join(10)


def _serve(connection: Connection, users: int, token_seconds: int, faults: float) -> None:
    with Emulator(access_token_lifetime=token_seconds, id_token_alg="RS256") as emulator:
        for number in range(users):
            emulator.add_user(username=f"user{number}", password=PASSWORD)
        if faults:
            _add_faults(emulator, faults)
        connection.send((emulator.url, emulator.app_id, emulator.app_secret))
        try:
            while connection.recv() == "statistics":
                presented = emulator.grants.presented().values()
                connection.send(
                    {
                        "requests": emulator.requests.total,
                        "refreshes": emulator.requests["/oidc/token"],
                        "revoked because a token came twice": emulator.grants.reused,
                        "refresh tokens that came twice": sum(times > 1 for times in presented),
                    }
                )
        except EOFError:
            pass  # the client has left


def _add_faults(emulator: Emulator, share: float) -> None:
    kinds: list[dict[str, Any]] = [
        {"status": 503},
        {"retry_after": 1},
        {"status": 500},
        {"drop": True},
        {"lose_reply": True},
        {"truncate": True},
        {"latency": 0.3},
        {"reply_latency": 0.3},
    ]
    for seed, kind in enumerate(kinds):
        emulator.faults.add("*", **kind, times=None, probability=share / len(kinds), seed=seed)
