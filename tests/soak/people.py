"""Signed-in users, who use their tokens, lose patience, log out, and come again."""

from __future__ import annotations

import json
import random
import time
from base64 import urlsafe_b64decode
from collections import Counter
from collections.abc import Callable

import anyio

from genauth_async import (
    AuthenticationClient,
    GenAuthError,
    OAuthError,
    RefreshUnavailableError,
    SessionExpiredError,
    TokenSession,
    TokenStore,
)
from tests.soak.server import PASSWORD

_CALLERS = 3


class Person:
    """A user with one session, which several callers use at once.

    Args:
        number: which of the server's users.
        client: the application's.
        store: where the session is kept; None for a memory of its own.
        counts: of everything that happens.
    """

    def __init__(
        self, number: int, client: AuthenticationClient, store: TokenStore | None, counts: Counter[str]
    ) -> None:
        self._name = f"user{number}"
        self._client = client
        self._store = store
        self._counts = counts
        self._random = random.Random(number)
        self._session: TokenSession | None = None
        self._wants_to_leave = anyio.Event()

    async def live(self, is_over: Callable[[], bool]) -> None:
        """Signs in and out until it is over."""
        while not is_over():
            self._session = await self._signed_in(is_over)
            if self._session is None:
                return
            self._wants_to_leave = anyio.Event()
            ends_at = anyio.current_time() + self._random.uniform(2, 20)
            async with anyio.create_task_group() as callers:
                for _ in range(_CALLERS):
                    callers.start_soon(self._call, self._session, is_over, ends_at)
            try:
                await self._session.logout()
                self._counts["logged out"] += 1
            except GenAuthError:
                self._counts["logged out, though the server could not be told"] += 1

    async def _signed_in(self, is_over: Callable[[], bool]) -> TokenSession | None:
        key = None if self._store is None else self._name
        while not is_over():
            try:
                answer = await self._client.sign_in_by_username_password(
                    self._name, PASSWORD, {"scope": "openid offline_access"}
                )
                session = self._client.session(answer, store=self._store, key=key)
                await session.access_token()  # which stores it, so that others find it by its key
            except GenAuthError:
                await anyio.sleep(0.1)
            else:
                self._counts["signed in"] += 1
                return session
        return None

    async def _call(self, session: TokenSession, is_over: Callable[[], bool], ends_at: float) -> None:
        while not is_over() and not self._wants_to_leave.is_set() and anyio.current_time() < ends_at:
            await anyio.sleep(self._random.uniform(0, 0.4))
            # One in five gives up at any moment.
            patience = self._random.uniform(0, 0.05) if self._random.random() < 0.2 else 60.0
            with anyio.move_on_after(patience) as scope:
                await self._ask(session)
            self._counts["gave up"] += scope.cancelled_caught

    async def _ask(self, session: TokenSession) -> None:
        try:
            match self._random.choices(("token", "use", "refuse", "refresh", "another"), (60, 10, 5, 5, 10))[0]:
                case "use":
                    await self._use(session)
                case "refuse":
                    await session.invalidate(session.tokens.access_token)
                    await session.access_token()
                case "refresh":
                    await session.refresh()
                case "another" if self._store is not None:
                    await self._client.session(None, store=self._store, key=self._name).access_token()
                case _:
                    await session.access_token()
            self._counts["got a token"] += 1
        except SessionExpiredError as error:
            self._counts[f"LOST: {error}"] += 1
            self._wants_to_leave.set()
        except RefreshUnavailableError as error:
            unknown = ", outcome unknown" if error.outcome_unknown else ""
            self._counts[f"{type(error).__name__}{unknown}"] += 1

    async def _use(self, session: TokenSession) -> None:
        token = await session.access_token()
        try:
            await self._client.get_user_info_by_access_token(token)
        except OAuthError as error:
            if error.error == "invalid_token":
                is_over = _expires_at(token) <= time.time()
                refused = "a token expired on its way" if is_over else "REFUSED: a token that was just given"
                self._counts[refused] += 1
        except GenAuthError:
            self._counts["the API was out of reach"] += 1


def _expires_at(token: str) -> float:
    payload = token.split(".")[1]
    claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return float(claims["exp"])
