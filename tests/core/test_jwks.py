"""Fetching of the server's keys: its time, its frequency and its failures."""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import anyio
import pytest

from genauth_async import AuthenticationClient, KeysUnavailableError, RetryPolicy, UnknownKeyError, errors
from genauth_async.emulator import Emulator, User
from tests.conftest import MakeClient
from tests.core.forging import Forge
from tests.core.sessions import emulators_time

pytestmark = pytest.mark.anyio

KEYS = "/oidc/.well-known/jwks.json"
HOUR = 3600


@pytest.fixture
def client(make_client: MakeClient, emulator: Emulator) -> AuthenticationClient:
    return make_client(clock=emulators_time(emulator), retry=RetryPolicy(attempts=1))


@pytest.fixture
def token(emulator: Emulator, user: User) -> str:
    return emulator.issue_tokens(user)["access_token"]


async def together(count: int, call: Callable[[], Awaitable[object]]) -> list[object]:
    """Return the results or errors of `count` concurrent calls."""
    outcomes: list[object] = []

    async def one() -> None:
        try:
            outcomes.append(await call())
        except errors.TokenVerificationError as error:
            outcomes.append(error)

    async with anyio.create_task_group() as group:
        for _ in range(count):
            group.start_soon(one)
    return outcomes


async def end_of_fetch(client: AuthenticationClient) -> None:
    """Wait for the fetch in the background, if there is one."""
    fetching = client._shared.keys._fetching
    if fetching is not None:
        await fetching.wait()


def made_up(emulator: Emulator) -> str:
    forge = Forge(emulator)
    return forge.signed(forge.access_claims(), kid="made up")


@pytest.mark.backends("asyncio", "trio")
async def test_keys_are_fetched_once_for_all_who_ask(
    client: AuthenticationClient, token: str, emulator: Emulator
) -> None:
    with emulator.faults.hold(KEYS) as hold:
        async with anyio.create_task_group() as group:
            for _ in range(50):
                group.start_soon(client.verify_access_token, token)
            await hold.wait_arrived()
            await anyio.wait_all_tasks_blocked()
            hold.release()
    await client.with_options(lang="en-US").verify_access_token(token)
    assert emulator.requests[KEYS] == 1


async def test_a_token_that_was_verified_waits_for_nothing(
    client: AuthenticationClient, token: str, emulator: Emulator
) -> None:
    first = await client.verify_access_token(token)
    emulator.stop()
    call = client.verify_access_token(token, scopes=["openid"])
    with pytest.raises(StopIteration) as ended:
        call.send(None)
    assert ended.value.value == first


async def test_so_does_another_token_of_the_same_key(
    client: AuthenticationClient, token: str, emulator: Emulator, user: User
) -> None:
    await client.verify_access_token(token)
    other = emulator.issue_tokens(user)["access_token"]
    with pytest.raises(StopIteration):
        client.verify_access_token(other).send(None)


async def test_a_new_key_is_fetched_at_once(
    client: AuthenticationClient, token: str, emulator: Emulator, user: User
) -> None:
    await client.verify_access_token(token)
    for count in (2, 3):
        emulator.rotate_signing_key()
        new = emulator.issue_tokens(user)["access_token"]
        assert await client.verify_access_token(new)
        assert await client.verify_access_token(token)
        assert emulator.requests[KEYS] == count


@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
async def test_made_up_keys_make_for_one_fetch(
    warm: bool, client: AuthenticationClient, token: str, emulator: Emulator
) -> None:
    if warm:
        await client.verify_access_token(token)
        emulator.requests.reset()
    forge = Forge(emulator)
    bogus, *others = [forge.signed(forge.access_claims(), kid=f"made up {number}") for number in range(1000)]
    each = iter(others)
    outcomes = await together(500, lambda: client.verify_access_token(next(each)))
    for other in each:
        outcomes += await together(1, lambda other=other: client.verify_access_token(other))  # type: ignore[misc]
    assert {type(outcome) for outcome in outcomes} == {UnknownKeyError}
    assert emulator.requests[KEYS] == 1
    assert await client.verify_access_token(token)
    emulator.clock.advance(31)
    await together(2, lambda: client.verify_access_token(bogus))
    assert emulator.requests[KEYS] == 2


async def test_a_key_that_came_during_the_cooldown_is_seen_after_it(
    client: AuthenticationClient, emulator: Emulator, user: User
) -> None:
    await together(1, lambda: client.verify_access_token(made_up(emulator)))
    emulator.rotate_signing_key()
    new = emulator.issue_tokens(user)["access_token"]
    with pytest.raises(UnknownKeyError):
        await client.verify_access_token(new)
    emulator.clock.advance(31)
    assert await client.verify_access_token(new)


async def test_a_token_dies_with_its_key(client: AuthenticationClient, token: str, emulator: Emulator) -> None:
    await client.verify_access_token(token)
    emulator.rotate_signing_key(keep_previous=False)
    assert await client.verify_access_token(token)
    emulator.clock.advance(HOUR)
    with pytest.raises(UnknownKeyError):
        await client.verify_access_token(token)


async def test_a_token_that_was_verified_expires(client: AuthenticationClient, token: str, emulator: Emulator) -> None:
    await client.verify_access_token(token)
    emulator.clock.advance(14 * 24 * HOUR + 30)
    assert await client.verify_access_token(token)
    emulator.clock.advance(30)
    with pytest.raises(errors.TokenExpiredError):
        await client.verify_access_token(token)
    assert len(client._shared.verified) == 0


async def test_keys_are_fetched_again_before_their_time_is_up(
    client: AuthenticationClient, token: str, emulator: Emulator
) -> None:
    await client.verify_access_token(token)
    emulator.clock.advance(0.79 * HOUR)
    await client.verify_access_token(token)
    assert emulator.requests[KEYS] == 1
    emulator.clock.advance(0.02 * HOUR)
    with emulator.faults.hold(KEYS) as hold:
        async with anyio.create_task_group() as group:
            group.start_soon(client.verify_access_token, token)
            await hold.wait_arrived()
            # Callers in the meantime use the present keys without waiting.
            with pytest.raises(StopIteration):
                client.verify_access_token(token).send(None)
            hold.release()
    assert emulator.requests[KEYS] == 2
    await client.verify_access_token(token)
    assert emulator.requests[KEYS] == 2


FAULTS: list[dict[str, Any]] = [
    {"status": 503},
    {"status": 502, "body": "<html>Bad Gateway</html>"},
    {"drop": True},
    {"truncate": True},
    {"truncate": "json"},
    {"status": 307, "headers": {"location": "https://evil.example"}},
    {"body": {"keys": []}},
    {"body": {"keys": "none"}},
    {"body": {"error": "server_error"}, "status": 400},
    {"envelope": {"statusCode": 500, "message": "no"}},
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_old_keys_serve_for_a_day_when_there_are_no_new_ones(
    fault: dict[str, Any], client: AuthenticationClient, token: str, emulator: Emulator
) -> None:
    await client.verify_access_token(token)
    emulator.faults.add(KEYS, **fault, times=None)
    for count, passed in enumerate((0.9 * HOUR, 3 * HOUR, 20 * HOUR), start=2):
        emulator.clock.advance(passed)
        for _ in range(3):
            assert await client.verify_access_token(token)
            await end_of_fetch(client)
        assert emulator.requests[KEYS] == count, "asked once, then not for a while"
    emulator.clock.advance(0.2 * HOUR)
    with pytest.raises(KeysUnavailableError):
        await client.verify_access_token(token)
    emulator.faults.clear()
    emulator.clock.advance(4)
    assert await client.verify_access_token(token)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_without_keys_no_token_can_be_verified(
    fault: dict[str, Any], client: AuthenticationClient, token: str, emulator: Emulator
) -> None:
    with emulator.faults.hold(KEYS) as hold:
        emulator.faults.clear()
        emulator.faults.add(KEYS, **fault, hold=hold, times=None)
        outcomes: list[object] = []

        async def ask() -> None:
            outcomes.extend(await together(20, lambda: client.verify_access_token(token)))

        async with anyio.create_task_group() as group:
            group.start_soon(ask)
            await hold.wait_arrived()
            await anyio.wait_all_tasks_blocked()
            hold.release()
    assert {type(outcome) for outcome in outcomes} == {KeysUnavailableError}
    assert emulator.requests[KEYS] == 1
    assert type(pickle.loads(pickle.dumps(outcomes[0]))) is KeysUnavailableError
    emulator.faults.clear()
    with pytest.raises(KeysUnavailableError):
        await client.verify_access_token(token)
    assert emulator.requests[KEYS] == 1, "asked again at once"
    emulator.clock.advance(4)
    assert await client.verify_access_token(token)


async def test_an_unknown_key_is_fetched_once_while_the_server_is_down(
    client: AuthenticationClient, token: str, emulator: Emulator
) -> None:
    await client.verify_access_token(token)
    emulator.faults.add(KEYS, status=500, times=None)
    for _ in range(20):
        with pytest.raises(KeysUnavailableError):
            await client.verify_access_token(made_up(emulator))
    assert await client.verify_access_token(token)
    assert emulator.requests[KEYS] == 2


@pytest.mark.backends("asyncio", "trio")
async def test_a_cancelled_caller_does_not_affect_the_others(
    client: AuthenticationClient, token: str, emulator: Emulator
) -> None:
    with emulator.faults.hold(KEYS) as hold:
        outcomes: list[object] = []

        async def stay() -> None:
            outcomes.extend(await together(5, lambda: client.verify_access_token(token)))

        async def release_when_cancelled() -> None:
            await anyio.wait_all_tasks_blocked()
            hold.release()

        async with anyio.create_task_group() as group, anyio.create_task_group() as leaving:
            leaving.start_soon(client.verify_access_token, token)
            await hold.wait_arrived()
            group.start_soon(stay)
            await anyio.wait_all_tasks_blocked()
            group.start_soon(release_when_cancelled)
            leaving.cancel_scope.cancel()
    assert len(outcomes) == 5
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert emulator.requests[KEYS] == 1


@pytest.mark.backends("asyncio", "uvloop")
async def test_a_cancelled_task_does_not_affect_the_others(
    client: AuthenticationClient, token: str, emulator: Emulator
) -> None:
    with emulator.faults.hold(KEYS) as hold:
        leaving = asyncio.ensure_future(client.verify_access_token(token))
        await hold.wait_arrived()
        staying = asyncio.ensure_future(client.verify_access_token(token))
        await anyio.wait_all_tasks_blocked()
        leaving.cancel()
        await asyncio.sleep(0)
        hold.release()
        assert await staying
    with suppress(asyncio.CancelledError):
        await leaving
    assert leaving.cancelled()
    assert emulator.requests[KEYS] == 1


@pytest.mark.backends("asyncio", "trio")
async def test_an_impatient_caller_fails_alone(client: AuthenticationClient, token: str, emulator: Emulator) -> None:
    with emulator.faults.hold(KEYS) as hold:
        outcomes: list[object] = []

        async def impatient() -> None:
            outcomes.extend(await together(1, lambda: client.verify_access_token(token, timeout=0.2)))
            hold.release()

        async with anyio.create_task_group() as group:
            group.start_soon(impatient)
            await hold.wait_arrived()
            group.start_soon(client.verify_access_token, token)
    assert [type(outcome) for outcome in outcomes] == [KeysUnavailableError]


@pytest.mark.backends("asyncio", "trio")
async def test_keys_serve_on_every_event_loop(client: AuthenticationClient, token: str, emulator: Emulator) -> None:
    await client.verify_access_token(token)
    seen: list[object] = []

    def elsewhere() -> None:
        async def verify() -> None:
            seen.append(await client.verify_access_token(token))

        anyio.run(verify)

    threads = [threading.Thread(target=elsewhere) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await anyio.to_thread.run_sync(thread.join)
    assert len(seen) == 3
    assert emulator.requests[KEYS] == 1


@pytest.mark.backends("asyncio", "trio")
async def test_a_caller_with_a_short_timeout_delays_no_other(
    client: AuthenticationClient, token: str, emulator: Emulator
) -> None:
    with emulator.faults.hold(KEYS) as hold:
        with pytest.raises(KeysUnavailableError):
            await client.verify_access_token(token, timeout=0.2)
        hold.release()
    assert await client.verify_access_token(token)


async def test_both_faces_verify(face: Any, emulator: Emulator, user: User) -> None:
    tokens = emulator.issue_tokens(user)
    assert (await face.verify_access_token(tokens["access_token"], scopes=["openid"])).sub == user.id
    claims = await face.verify_id_token(tokens["id_token"], access_token=tokens["access_token"])
    assert claims.email == "ada@example.com"
    with pytest.raises(errors.TokenKindError):
        await face.verify_access_token(Forge(emulator).id())


async def test_the_server_says_how_long(client: AuthenticationClient, token: str, emulator: Emulator) -> None:
    document = emulator._state.signing_keys.jwks()
    emulator.faults.add(KEYS, body=document, headers={"cache-control": "max-age=100"})
    await client.verify_access_token(token)
    emulator.clock.advance(79)
    await client.verify_access_token(token)
    assert emulator.requests[KEYS] == 1
    emulator.clock.advance(2)
    await client.verify_access_token(token)
    await end_of_fetch(client)
    assert emulator.requests[KEYS] == 2


async def test_a_fetch_that_failed_once_is_forgotten(
    client: AuthenticationClient, token: str, emulator: Emulator
) -> None:
    emulator.faults.add(KEYS, status=503)
    with pytest.raises(KeysUnavailableError):
        await client.verify_access_token(token)
    emulator.clock.advance(4)
    await client.verify_access_token(token)
    for passed, count in ((0, 3), (29, 3), (2, 4)):
        emulator.clock.advance(passed)
        with pytest.raises(UnknownKeyError):
            await client.verify_access_token(made_up(emulator))
        assert emulator.requests[KEYS] == count


async def test_a_later_failure_has_the_cause_too(client: AuthenticationClient, token: str, emulator: Emulator) -> None:
    emulator.faults.add(KEYS, status=400, body={"error": "invalid_request"}, times=None)
    for _ in range(2):
        with pytest.raises(KeysUnavailableError) as caught:
            await client.verify_access_token(token)
        assert isinstance(caught.value.__cause__, errors.OAuthError)
    assert emulator.requests[KEYS] == 1
