"""The setting refresh_tokens, at the token endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from genauth_async.emulator import Emulator
from genauth_async.emulator.state.settings import RefreshTokens
from tests.emulator.emulator_types import Json

MODES: list[RefreshTokens] = ["rotate", "rotate_with_grace", "same", "omit"]


class Server:
    """An emulator, its answer to a sign-in, and refreshes."""

    def __init__(self, emulator: Emulator, http: httpx.Client) -> None:
        self.emulator = emulator
        self._http = http
        self.issued = emulator.issue_tokens(emulator.add_user(username="ada", password="passw0rd"))
        self.first = self.issued["refresh_token"]

    def refresh(self, token: str) -> Json:
        client = {"client_id": self.emulator.app_id, "client_secret": self.emulator.app_secret}
        form = {"grant_type": "refresh_token", "refresh_token": token, **client}
        answer: Json = self._http.post("/oidc/token", data=form).json()
        return answer

    def is_active(self, token: str) -> bool:
        client = {"client_id": self.emulator.app_id, "client_secret": self.emulator.app_secret}
        answer = self._http.post("/oidc/token/introspection", data={"token": token, **client}).json()
        return bool(answer["active"])


@contextmanager
def serving(**options: Any) -> Iterator[Server]:
    with (
        Emulator(**options) as emulator,
        httpx.Client(base_url=emulator.url, verify=False, trust_env=False) as http,
    ):
        yield Server(emulator, http)


@pytest.mark.parametrize("mode", ["same", "omit"])
def test_a_token_that_is_not_rotated_stays_good(mode: RefreshTokens) -> None:
    with serving(refresh_tokens=mode) as server:
        for _ in range(3):
            answer = server.refresh(server.first)
            assert answer.get("refresh_token") == (server.first if mode == "same" else None)
            assert server.is_active(answer["access_token"])
            assert server.is_active(server.first)
        assert (server.emulator.grants.revoked, server.emulator.grants.reused) == (0, 0)
        (times,) = server.emulator.grants.presented().values()
        assert times == 3


@pytest.mark.parametrize("mode", ["same", "omit"])
def test_the_same_token_expires_once_for_all(mode: RefreshTokens) -> None:
    with serving(refresh_tokens=mode, refresh_token_lifetime=100) as server:
        server.emulator.clock.advance(98)
        assert "access_token" in server.refresh(server.first)
        server.emulator.clock.advance(2)
        assert server.refresh(server.first)["error"] == "invalid_grant"
        assert server.emulator.grants.reused == 0


def test_an_old_token_is_answered_in_the_grace_window() -> None:
    with serving(refresh_tokens="rotate_with_grace", refresh_token_grace=50) as server:
        answers = [server.refresh(server.first)]
        server.emulator.clock.advance(49)
        answers.append(server.refresh(server.first))
        assert server.is_active(server.first)
        successors = {answer["refresh_token"] for answer in answers}
        assert len(successors | {server.first}) == 3
        assert all("access_token" in server.refresh(token) for token in successors)
        assert server.emulator.grants.reused == 0


def test_after_the_grace_window_reuse_revokes_the_grant() -> None:
    with serving(refresh_tokens="rotate_with_grace", refresh_token_grace=50) as server:
        second = server.refresh(server.first)
        server.emulator.clock.advance(49)
        server.refresh(server.first)  # which begins no window of its own
        server.emulator.clock.advance(1)
        assert not server.is_active(server.first)
        assert server.refresh(server.first)["error"] == "invalid_grant"
        assert server.refresh(second["refresh_token"])["error"] == "invalid_grant"
        assert server.emulator.grants.reused == 1


def test_the_grace_is_for_its_own_mode_only() -> None:
    with serving(refresh_tokens="rotate", refresh_token_grace=50) as server:
        server.refresh(server.first)
        assert server.refresh(server.first)["error"] == "invalid_grant"
        assert server.emulator.grants.reused == 1


@pytest.mark.parametrize("mode", MODES)
def test_no_mode_answers_a_revoked_grant_or_another_client(mode: RefreshTokens) -> None:
    with serving(refresh_tokens=mode) as server:
        other = server.emulator.add_app()
        credentials = {"client_id": other.app_id, "client_secret": other.app_secret}
        form = {"grant_type": "refresh_token", "refresh_token": server.first, **credentials}
        answer = httpx.post(f"{server.emulator.url}/oidc/token", data=form, trust_env=False)
        assert answer.json()["error"] == "invalid_grant"
        server.emulator.revoke_grant(server.first)
        assert server.refresh(server.first)["error"] == "invalid_grant"


def test_an_unknown_mode_is_refused() -> None:
    options: dict[str, Any] = {"refresh_tokens": "never"}
    with pytest.raises(ValueError, match="refresh_tokens"):
        Emulator(**options)
