"""The ID token of a refresh, which has to be of the same user, issuer and application."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import parse_qs

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from genauth_async import AuthenticationClient, MemoryStore, SessionExpiredError, TokenSet
from tests.core.sessions import REFRESH, REVOKE
from tests.recording import Answer, RecordingServer

pytestmark = pytest.mark.anyio

CLAIMS = {"iss": "https://a.example/oidc", "sub": "ada", "aud": "app", "iat": 1, "exp": 2}
UNREADABLE = ["no-jwt", "e30.e30.AAAA", "a.b.c.d.e", "x" * 20_000]


def id_token(**changes: Any) -> str:
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not ...}
    return jwt.encode({"alg": "HS256"}, claims, OctKey.generate_key(256))


def tokens(number: int, id_token: object) -> dict[str, object]:
    name = f"{number}"
    return {"access_token": f"at-{name}", "refresh_token": f"rt-{name}", "expires_in": 60, "id_token": id_token}


async def refreshed(recorder: RecordingServer, old: object, new: object) -> str | None:
    """Return the session's ID token after a refresh."""
    recorder.answers = [Answer(tokens(2, new))]
    async with AuthenticationClient("app", recorder.url, "s" * 32) as client:
        session = client.session(tokens(1, old))
        found = await session.refresh()
        assert (found.access_token, await session.access_token()) == ("at-2", "at-2")
        return found.id_token


@pytest.mark.parametrize(
    "changes",
    [
        {"sub": "eve"},
        {"sub": "Ada"},
        {"iss": "https://b.example/oidc"},
        {"iss": "https://a.example/oidc/"},
        {"aud": "another"},
        {"aud": ["another", "third"]},
        {"sub": "eve", "aud": ...},
        {"iss": "https://b.example/oidc", "sub": None},
        {"sub": "eve", "iss": "https://b.example", "aud": "x"},
    ],
    ids=str,
)
async def test_another_identity_ends_the_session(recorder: RecordingServer, changes: dict[str, Any]) -> None:
    recorder.answers = [Answer(tokens(2, id_token(**changes)))]
    store = MemoryStore()
    told: list[TokenSet] = []
    async with AuthenticationClient("app", recorder.url, "s" * 32) as client:
        session = client.session(tokens(1, id_token()), store=store, key="k", on_tokens=told.append)
        for call in (session.refresh, session.refresh, session.access_token):
            with pytest.raises(SessionExpiredError, match="another user") as caught:
                await call()
            assert caught.value.reason == "identity_changed"
        with pytest.raises(SessionExpiredError) as caught:
            await client.session(None, store=store, key="k").access_token()
        assert caught.value.reason == "not_signed_in"
        assert await store.get("k") is None
    assert told == []
    assert [request.target for request in recorder.requests] == [REFRESH, REVOKE]
    assert parse_qs(recorder.last.body.decode())["token"] == ["rt-2"]


async def test_the_session_ends_if_the_revocation_fails(recorder: RecordingServer) -> None:
    recorder.answers = [Answer(tokens(2, id_token(sub="eve"))), Answer(b"", 503)]
    async with AuthenticationClient("app", recorder.url, "s" * 32) as client:
        session = client.session(tokens(1, id_token()))
        with pytest.raises(SessionExpiredError) as caught:
            await session.refresh()
    assert caught.value.reason == "identity_changed"


@pytest.mark.parametrize(
    "changes",
    [{}, {"aud": ["app"]}, {"aud": ["other", "app"]}, {"iat": 7, "exp": 8, "nonce": "n", "email": "x"}],
    ids=str,
)
async def test_the_same_identity_goes_on(recorder: RecordingServer, changes: dict[str, Any]) -> None:
    new = id_token(**changes)
    assert await refreshed(recorder, id_token(), new) == new


@pytest.mark.parametrize("new", [*UNREADABLE, "no sub", "no iss", "no aud", "an empty sub", "an empty aud", None, ""])
async def test_an_unreadable_id_token_is_not_kept(
    recorder: RecordingServer, new: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    old = id_token()
    sent = {
        "no sub": id_token(sub=...),
        "no iss": id_token(iss=...),
        "no aud": id_token(aud=...),
        "an empty sub": id_token(sub=""),
        "an empty aud": id_token(aud=[]),
    }.get(new or "", new)
    with caplog.at_level(logging.WARNING, "genauth_async"):
        assert await refreshed(recorder, old, sent) == old
    assert [record.levelname for record in caplog.records] == (["WARNING"] if new else [])


@pytest.mark.parametrize("old", [*UNREADABLE, None])
async def test_without_a_readable_id_token_any_goes(recorder: RecordingServer, old: str | None) -> None:
    for new in (id_token(sub="eve"), "no-jwt"):
        assert await refreshed(recorder, old, new) == new
