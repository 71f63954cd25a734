"""TokenSession with a store."""

from __future__ import annotations

import itertools
import logging
from contextlib import suppress
from functools import partial
from typing import Any

import anyio
import pytest
from attrs import evolve

from genauth_async import (
    AuthenticationClient,
    ConfigurationError,
    GenAuthError,
    MemoryStore,
    RefreshUnavailableError,
    ServerError,
    SessionExpiredError,
    SessionRecord,
    TokenSet,
    TransportError,
)
from genauth_async._session.identity import predecessors_of
from genauth_async.emulator import Emulator, User
from genauth_async.emulator.http.hold import Hold
from genauth_async.errors import StoreError, StoreUnusableError
from genauth_async.stores import RefreshAttempt
from tests.conftest import MakeClient
from tests.core.sessions import LIFE, REFRESH, REVOKE, all_at_once, emulators_time, shown

pytestmark = [pytest.mark.anyio, pytest.mark.backends("asyncio", "trio")]


@pytest.fixture
def client(make_client: MakeClient, emulator: Emulator) -> AuthenticationClient:
    return make_client(clock=emulators_time(emulator))


class SilentStore(MemoryStore):
    """A store that writes nothing while it is silent, and does not say so."""

    is_silent = True

    async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
        return not self.is_silent and await super().compare_and_set(key, record, expected=expected)

    async def delete(self, key: str, *, expected: int | None = None) -> bool:
        return not self.is_silent and await super().delete(key, expected=expected)


class FailingStore(MemoryStore):
    """A store that fails on chosen writes."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = itertools.count(1)
        self.failing: set[int] = set()

    async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
        if next(self.writes) in self.failing:
            raise OSError("disk full")
        return await super().compare_and_set(key, record, expected=expected)


async def test_tokens_that_could_not_be_stored_are_not_lost(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    store = FailingStore()
    session = client.session(tokens, store=store, key="k")
    # 1: the initial tokens; 2: the attempt before the request; 3: the rotated tokens.
    store.failing = {3}
    with pytest.raises(OSError, match="disk full"):
        await session.refresh()
    renewed = await session.access_token()
    assert renewed != tokens["access_token"]
    assert emulator.requests[REFRESH] == 1
    await session.refresh()
    record = await store.get("k")
    assert record is not None
    assert record.tokens == session.tokens
    assert emulator.requests[REFRESH] == 2
    assert emulator.grants.revoked == 0


@pytest.mark.parametrize("failing", [1, 2])
async def test_a_store_that_fails_before_the_refresh_stops_it(
    failing: int, client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    store = FailingStore()
    store.failing = {failing}
    session = client.session(tokens, store=store, key="k")
    with pytest.raises(OSError, match="disk full"):
        await session.refresh()
    assert emulator.requests[REFRESH] == 0
    await session.refresh()
    assert emulator.requests[REFRESH] == 1


class AwayStore(MemoryStore):
    """A store that raises an error for each call, while it has one."""

    error: Exception | None = None

    async def get(self, key: str) -> SessionRecord | None:
        if self.error is not None:
            raise self.error
        return await super().get(key)

    async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
        if self.error is not None:
            raise self.error
        return await super().compare_and_set(key, record, expected=expected)


@pytest.mark.parametrize("left", [LIFE - 100, 30], ids=["valid", "due"])
async def test_a_store_that_is_away_costs_no_valid_token(
    left: int, client: AuthenticationClient, tokens: Any, emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    store = AwayStore()
    session = client.session(tokens, store=store, key="k")
    emulator.clock.advance(LIFE - left)
    store.error = StoreError("the store is away")
    with anyio.fail_after(60):
        for _ in range(5):
            assert await session.access_token() == tokens["access_token"]
        warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
        assert ["the store is away" in record.getMessage() for record in warnings] == [True]
        assert emulator.requests[REFRESH] == 0
        store.error = None
        while "k" not in store._records:  # noqa: ASYNC110 - a store sets no Event
            await anyio.sleep(0.01)
    assert await session.access_token() == shown(await store.get("k")).tokens.access_token


@pytest.mark.parametrize("error", [StoreUnusableError("not set up"), OSError("not set up")], ids=repr)
async def test_a_store_that_cannot_be_used_is_told_at_once(
    error: Exception, client: AuthenticationClient, tokens: Any
) -> None:
    store = AwayStore()
    session = client.session(tokens, store=store, key="k")
    store.error = error
    for call in (session.access_token, session.access_token, client.session(None, store=store, key="l").access_token):
        with pytest.raises(type(error), match="not set up"):
            await call()
    store.error = None
    assert await session.access_token() == tokens["access_token"]
    assert "k" in store._records


def token_set_of(emulator: Emulator, user: User, age: float = 0) -> TokenSet:
    issued = emulator.issue_tokens(user)
    return TokenSet(
        access_token=issued["access_token"],
        refresh_token=issued["refresh_token"],
        expires_in=LIFE,
        obtained_at=emulator.clock.now() - age,
    )


@pytest.mark.parametrize(
    ("started", "seconds", "lost"),
    [(-100, 30, 0), (-100, 30, 1), (0, 0, 1), (0, 0.3, 0), (-10, 0.3, 0), (3600, 0.3, 0)],
    ids=["long ago", "long ago, a second one", "over", "under way", "a clock behind", "a clock ahead"],
)
async def test_another_processes_attempt_is_waited_for(
    started: float,
    seconds: float,
    lost: int,
    client: AuthenticationClient,
    user: User,
    emulator: Emulator,
) -> None:
    """Simulates a process that died in its attempt: what it left ends no session."""
    store, present = MemoryStore(), token_set_of(emulator, user)
    attempt = RefreshAttempt("another's", emulator.clock.now() + started, seconds, lost)
    record = SessionRecord(tokens=present, generation=7, attempt=attempt)
    await store.compare_and_set("k", record, expected=None)
    survivor = client.session(None, store=store, key="k")
    assert await survivor.access_token() == present.access_token
    emulator.clock.advance(LIFE)
    store._records["k"] = evolve(record, attempt=evolve(attempt, started_at=emulator.clock.now() + started))
    with anyio.fail_after(60):
        await survivor.access_token()
    assert shown(await store.get("k")).attempt is None
    assert emulator.requests[REFRESH] == 1
    # The server knows the refresh token no more.
    emulator.revoke_grant(survivor.tokens.access_token)
    with pytest.raises(SessionExpiredError) as caught:
        await survivor.refresh()
    assert caught.value.reason == "revoked"


async def test_a_session_that_ends_after_anothers_attempt_says_so(
    client: AuthenticationClient, user: User, emulator: Emulator
) -> None:
    store = MemoryStore()
    attempt = RefreshAttempt("another's", emulator.clock.now() - 100, 30)
    record = SessionRecord(tokens=token_set_of(emulator, user, LIFE), generation=7, attempt=attempt)
    await store.compare_and_set("k", record, expected=None)
    session = client.session(None, store=store, key="k")
    emulator.faults.add(REFRESH, status=500, times=2)
    with pytest.raises(RefreshUnavailableError) as failed:
        await session.access_token()
    assert failed.value.outcome_unknown
    left = shown(await store.get("k")).attempt
    assert left is not None
    assert (left.seconds, left.lost) == (0, 3)
    emulator.clock.advance(5)
    emulator.faults.add(REFRESH, status=400, body={"error": "invalid_grant"})
    with pytest.raises(SessionExpiredError) as caught:
        await session.access_token()
    assert caught.value.reason == "lost_answer"
    assert await store.get("k") is None


async def test_an_attempt_under_way_may_bring_the_tokens(
    client: AuthenticationClient, user: User, emulator: Emulator
) -> None:
    store, present = MemoryStore(), token_set_of(emulator, user, LIFE)
    attempt = RefreshAttempt("another's", emulator.clock.now(), 600)
    record = SessionRecord(tokens=present, generation=7, attempt=attempt)
    await store.compare_and_set("k", record, expected=None)
    session, newer = client.session(None, store=store, key="k"), token_set_of(emulator, user)
    got: list[str] = []

    async def ask() -> None:
        got.append(await session.access_token())

    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(ask)
            await anyio.sleep(0.5)
            assert got == []
            store._records["k"] = renewed(record, newer)
    assert got == [newer.access_token] * 5
    assert emulator.requests[REFRESH] == 0


def renewed(record: SessionRecord, tokens: TokenSet) -> SessionRecord:
    """Return the record that another process's refresh would write."""
    return evolve(
        record,
        tokens=tokens,
        generation=record.generation + 5,
        attempt=None,
        predecessors=predecessors_of(record, tokens),
    )


@pytest.mark.parametrize("answer", ["ok", "invalid_grant", "lost"])
@pytest.mark.parametrize("age", [0, LIFE + 10], ids=["valid", "expired"])
async def test_what_another_process_stored_meanwhile_is_kept(
    age: float, answer: str, client: AuthenticationClient, tokens: Any, emulator: Emulator, user: User
) -> None:
    """Simulates a process that was suspended in its refresh, for longer than others wait."""
    store, got = MemoryStore(), list[TokenSet]()
    session = client.session(tokens, store=store, key="k")
    await session.access_token()
    hold = Hold()
    fault: dict[str, Any] = {"ok": {}, "invalid_grant": {"status": 400, "body": {"error": "invalid_grant"}}}.get(
        answer, {"status": 500}
    )
    emulator.faults.add(REFRESH, hold=hold, **fault)

    async def refresh() -> None:
        got.append(await session.refresh())

    theirs: SessionRecord | None = None
    async with anyio.create_task_group() as group:
        group.start_soon(refresh)
        await hold.wait_arrived()
        record = shown(await store.get("k"))
        assert record.attempt is not None
        theirs = renewed(record, token_set_of(emulator, user, age))
        assert await store.compare_and_set("k", theirs, expected=record.generation)
        hold.release()
    assert theirs is not None
    if age:
        assert got[0].access_token not in {theirs.tokens.access_token, tokens["access_token"]}
    else:
        assert got == [theirs.tokens]
        assert await store.get("k") == theirs
    assert got == [session.tokens]
    assert emulator.requests[REFRESH] == (2 if age else 1)


STATES = ["fresh", "stale", "expired"]
OUTCOMES: dict[str, dict[str, Any] | None] = {"ok": None, "transient": {"status": 503, "times": 2}, "rejected": {}}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("outcome", OUTCOMES)
async def test_restored_sessions(
    state: str, outcome: str, client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    store = MemoryStore()
    await client.session(tokens, store=store, key="k").access_token()
    emulator.clock.advance({"fresh": 10, "stale": LIFE - 30, "expired": LIFE + 10}[state])
    fault = OUTCOMES[outcome]
    if fault:
        emulator.faults.add(REFRESH, **fault)
    elif fault is not None:
        emulator.revoke_grant(tokens["refresh_token"])
    session = client.session(None, store=store, key="k")
    expected: type[GenAuthError] | None = None
    if state != "fresh" and outcome == "rejected":
        expected = SessionExpiredError
    elif state == "expired" and outcome == "transient":
        expected = RefreshUnavailableError
    if expected is None:
        renewed = await session.access_token() != tokens["access_token"]
        assert renewed is (state != "fresh" and outcome == "ok")
    else:
        with pytest.raises(expected):
            await session.access_token()
    assert (await store.get("k") is None) is (expected is SessionExpiredError)


async def test_the_generation_never_goes_back(client: AuthenticationClient, tokens: Any, emulator: Emulator) -> None:
    seen: list[int] = []

    class Watched(MemoryStore):
        async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
            written = await super().compare_and_set(key, record, expected=expected)
            if written:
                seen.append(record.generation)
            return written

    store = Watched()
    sessions = [client.session(tokens, store=store, key="k") for _ in range(4)]
    for fault in ({"status": 503}, {"retry_after": 30}, {"status": 500}):
        emulator.faults.add(REFRESH, **fault)  # type: ignore[arg-type]
    for session in sessions * 3:
        with suppress(RefreshUnavailableError):
            await session.refresh()
    assert seen == sorted(set(seen))
    assert emulator.grants.revoked == 0


async def test_a_logout_forgets_even_if_the_revocation_fails(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    emulator.faults.add(REVOKE, status=500, body="<html>", times=None)
    store = MemoryStore()
    session = client.session(tokens, store=store, key="k")
    await session.access_token()
    with pytest.raises((ServerError, TransportError)):
        await session.logout()
    with pytest.raises(SessionExpiredError):
        await session.access_token()
    assert await store.get("k") is None


async def test_log_out_revokes_the_newest_tokens(client: AuthenticationClient, tokens: Any, emulator: Emulator) -> None:
    store = MemoryStore()
    first, second = (client.session(tokens, store=store, key="k") for _ in range(2))
    await first.refresh()
    await second.logout()
    assert emulator.grants.alive == 0
    await first.invalidate(first.tokens.access_token)
    with pytest.raises(SessionExpiredError) as caught:
        await first.access_token()
    assert caught.value.reason == "logged_out"
    assert emulator.requests[REFRESH] == 1


async def test_a_logout_after_one_elsewhere_revokes_nothing_more(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    store = MemoryStore()
    first, second = (client.session(tokens, store=store, key="k") for _ in range(2))
    await first.access_token()
    await second.logout()
    await first.logout()
    assert emulator.requests[REVOKE] == 1


async def test_a_logout_of_tokens_never_stored_revokes_them(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    await client.session(tokens, store=MemoryStore(), key="k").logout()
    assert emulator.requests[REVOKE] == 1
    assert emulator.grants.alive == 0


async def test_a_logout_drops_a_pending_write(client: AuthenticationClient, tokens: Any, emulator: Emulator) -> None:
    store = FailingStore()
    session = client.session(tokens, store=store, key="k")
    store.failing = {3, 4}
    with pytest.raises(OSError, match="disk full"):
        await session.refresh()
    assert client._shared.grants._kept
    await session.logout()
    assert not client._shared.grants._kept
    assert emulator.grants.alive == 0


async def test_on_tokens_runs_after_the_write_before_callers_resume(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    store = MemoryStore()
    order: list[str] = []

    async def on_tokens(new: TokenSet) -> None:
        record = await store.get("k")
        assert record is not None
        assert record.tokens == new
        assert order == []
        await anyio.lowlevel.checkpoint()
        order.append("on_tokens")

    session = client.session(tokens, store=store, key="k", on_tokens=on_tokens)
    emulator.clock.advance(LIFE)

    async def ask() -> None:
        await session.access_token()
        order.append("returned")

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(ask)
    assert order == ["on_tokens"] + ["returned"] * 5


async def test_on_tokens_may_be_a_plain_function(client: AuthenticationClient, tokens: Any) -> None:
    received: list[TokenSet] = []
    session = client.session(tokens, on_tokens=received.append)
    assert [await session.refresh()] == received


async def test_when_on_tokens_fails_the_tokens_are_kept(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    def on_tokens(_: TokenSet) -> None:
        raise LookupError("their bug")

    session = client.session(tokens, on_tokens=on_tokens)
    with pytest.raises(LookupError, match="their bug"):
        await session.refresh()
    assert await session.access_token() == session.tokens.access_token != tokens["access_token"]
    assert emulator.requests[REFRESH] == 1


async def test_a_session_is_restored_from_its_store(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    store = MemoryStore()
    await client.session(tokens, store=store, key="k").access_token()
    emulator.clock.advance(LIFE - 100)
    restored = client.session(None, store=store, key="k")
    with pytest.raises(SessionExpiredError) as caught:
        restored.tokens  # noqa: B018
    assert caught.value.reason == "not_signed_in"
    assert await restored.access_token() == tokens["access_token"]
    assert restored.tokens.refresh_token == tokens["refresh_token"]
    emulator.clock.advance(50)
    assert await restored.access_token() != tokens["access_token"]


async def test_a_session_that_is_not_stored_is_not_signed_in(
    client: AuthenticationClient, make_client: MakeClient, tokens: Any
) -> None:
    """Another application's sessions are not this one's; those without an application are."""
    store = MemoryStore()
    other = make_client(app_id="other")
    for session in (client.session(None, store=store, key="k"), other.session(None, store=store, key="k")):
        for call in (session.access_token, session.refresh):
            with pytest.raises(SessionExpiredError) as caught:
                await call()
            assert caught.value.reason == "not_signed_in"
        await session.logout()
    mine = client.session(tokens, store=store, key="k")
    await mine.access_token()
    with pytest.raises(SessionExpiredError) as caught:
        await other.session(None, store=store, key="k").access_token()
    assert caught.value.reason == "not_signed_in"
    for call in (other.session(tokens, store=store, key="k").access_token, other.session(tokens, store=store).refresh):
        with pytest.raises(GenAuthError):
            await call()
    with pytest.raises(ConfigurationError, match="another one") as refused:
        await other.session({**tokens, "refresh_token": "r"}, store=store, key="k").access_token()
    assert refused.value.argument == "key"
    assert await mine.access_token() == tokens["access_token"]
    store._records["k"] = evolve(store._records["k"], app_id="", app_host="")
    assert await make_client().session(None, store=store, key="k").access_token() == tokens["access_token"]


async def test_a_new_sign_in_replaces_what_is_stored_under_its_key(
    client: AuthenticationClient, tokens: Any, emulator: Emulator, user: User
) -> None:
    store = MemoryStore()
    old = client.session(tokens, store=store, key="k")
    await old.access_token()
    emulator.clock.advance(10)
    again = dict(emulator.issue_tokens(user))
    new = client.session(again, store=store, key="k")
    await new.refresh()
    # Older tokens under the same key do not replace it.
    stale = client.session({**tokens, "obtained_at": emulator.clock.now() - 10}, store=store, key="k")
    for session in (old, stale):
        with pytest.raises(SessionExpiredError) as caught:
            await session.access_token()
        assert caught.value.reason == "replaced_by_new_sign_in"
    restored = client.session(None, store=store, key="k")
    assert await restored.access_token() == await new.access_token()
    assert emulator.requests[REFRESH] == 1
    assert emulator.grants.revoked == 0


async def test_a_store_that_never_says_it_wrote_is_named(client: AuthenticationClient, tokens: Any) -> None:
    session = client.session(tokens, store=SilentStore(), key="k")
    with anyio.fail_after(20), pytest.raises(StoreUnusableError, match="must return True"):
        await session.access_token()


async def test_a_logout_ends_though_the_store_never_says_so(client: AuthenticationClient, tokens: Any) -> None:
    store = SilentStore()
    store.is_silent = False
    session = client.session(tokens, store=store, key="k")
    await session.access_token()
    store.is_silent = True
    with anyio.fail_after(20), pytest.raises(StoreUnusableError, match="must return True"):
        await session.logout()
    with pytest.raises(SessionExpiredError):
        await session.access_token()


async def test_one_error_in_two_turns_reaches_both_callers(make_client: MakeClient, emulator: Emulator) -> None:
    """An error's frames are cleared when its turn ends; those of another turn must not be."""
    both_have_begun = anyio.Event()
    users = [emulator.add_user(username=name) for name in ("first", "second")]
    keys = {user.id for user in users}

    class FailingStore(MemoryStore):
        error = OSError("the same object each time")
        begun = 0

        async def delete(self, key: str, *, expected: int | None = None) -> bool:
            self.begun += 1
            if self.begun == 2:
                both_have_begun.set()
            await both_have_begun.wait()
            raise self.error if key in keys else LookupError(expected)

    store, client = FailingStore(), make_client()
    raised: list[BaseException] = []

    async def log_out(key: str) -> None:
        try:
            await client.session(None, store=store, key=key).logout()
        except OSError as error:
            raised.append(error)

    for user in users:
        await client.session(emulator.issue_tokens(user), store=store, key=user.id).access_token()
    await all_at_once([partial(log_out, user.id) for user in users])
    assert [str(error) for error in raised] == [str(store.error)] * 2
