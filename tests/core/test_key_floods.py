"""Floods of forged tokens, and key servers that hang: how often keys are fetched, and which callers wait."""

from __future__ import annotations

import itertools
import time

import anyio
import pytest

from genauth_async import AuthenticationClient, KeysUnavailableError, RetryPolicy, errors
from genauth_async.emulator import Emulator
from tests.conftest import MakeClient
from tests.core.forging import Forge, rs256
from tests.core.refused_tokens import STRANGERS_KEY
from tests.core.sessions import emulators_time
from tests.core.test_jwks import HOUR, KEYS, end_of_fetch, made_up, together

pytestmark = pytest.mark.anyio

SHORT = 0.05
NUMBERS = itertools.count()


@pytest.fixture
def client(make_client: MakeClient, emulator: Emulator) -> AuthenticationClient:
    return make_client(clock=emulators_time(emulator), retry=RetryPolicy(attempts=1))


@pytest.fixture
def forge(emulator: Emulator) -> Forge:
    return Forge(emulator)


def good(forge: Forge) -> str:
    """Return a token that the client has not seen."""
    return forge.access(exp=int(time.time()) + 48 * HOUR, jti=str(next(NUMBERS)))


def signed_by_a_stranger(forge: Forge) -> str:
    return forge.signed(forge.access_claims(), rs256(STRANGERS_KEY))


def passes_at_once(client: AuthenticationClient, token: str) -> None:
    """Verify a token without giving the event loop a turn."""
    with pytest.raises(StopIteration):
        client.verify_access_token(token).send(None)


@pytest.mark.backends("asyncio", "trio")
@pytest.mark.parametrize("kind", ["unknown key", "wrong signature"])
async def test_forged_tokens_fetch_once_if_the_server_hangs(
    kind: str, client: AuthenticationClient, forge: Forge, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genauth_async._jwt.key_cache._PATIENCE_SECONDS", SHORT)
    await client.fetch_keys()
    emulator.requests.reset()
    unknown = kind == "unknown key"
    expected = KeysUnavailableError if unknown else errors.SignatureInvalidError

    def forged() -> str:
        return made_up(emulator) if unknown else signed_by_a_stranger(forge)

    with emulator.faults.hold(KEYS) as hold:
        outcomes = await together(300, lambda: client.verify_access_token(forged(), timeout=SHORT))
        await hold.wait_arrived()
        passes_at_once(client, good(forge))
        for _ in range(5):
            outcomes += await together(1, lambda: client.verify_access_token(forged(), timeout=SHORT))
            passes_at_once(client, good(forge))
        assert {type(outcome) for outcome in outcomes} == {expected}
        assert hold.arrived == emulator.requests[KEYS] == 1
        hold.release()
    await end_of_fetch(client)
    emulator.clock.advance(15)
    await together(1, lambda: client.verify_access_token(forged()))
    assert emulator.requests[KEYS] == 1
    emulator.clock.advance(16)
    await together(20, lambda: client.verify_access_token(forged()))
    assert emulator.requests[KEYS] == 2


@pytest.mark.backends("asyncio", "trio")
async def test_without_keys_callers_share_one_hanging_fetch(
    client: AuthenticationClient, forge: Forge, emulator: Emulator
) -> None:
    with emulator.faults.hold(KEYS) as hold:
        for count in (50, 1, 1, 1):
            outcomes = await together(count, lambda: client.verify_access_token(good(forge), timeout=SHORT))
            assert {type(outcome) for outcome in outcomes} == {KeysUnavailableError}
        await hold.wait_arrived()
        assert emulator.requests[KEYS] == 1
        hold.release()
    # The fetch outlives the callers that began it.
    await end_of_fetch(client)
    passes_at_once(client, good(forge))
    assert emulator.requests[KEYS] == 1


@pytest.mark.parametrize("passed", [0.9 * HOUR, 3 * HOUR, 23.9 * HOUR])
async def test_keys_that_cannot_be_renewed_hold_up_no_caller(
    passed: float, client: AuthenticationClient, forge: Forge, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genauth_async._jwt.key_cache._PATIENCE_SECONDS", SHORT)
    await client.verify_access_token(good(forge))
    emulator.clock.advance(passed)
    with emulator.faults.hold(KEYS) as hold:
        if passed < HOUR:
            passes_at_once(client, good(forge))  # the caller that begins the fetch
        else:
            assert await client.verify_access_token(good(forge))
        await hold.wait_arrived()
        emulator.clock.advance(1)
        passes_at_once(client, good(forge))
        emulator.faults.clear()
        emulator.faults.add(KEYS, status=503)
        hold.release()
    await end_of_fetch(client)


async def test_expired_keys_serve_at_once_during_an_outage(
    client: AuthenticationClient, forge: Forge, emulator: Emulator
) -> None:
    await client.fetch_keys()
    emulator.faults.add(KEYS, status=503, times=None)
    emulator.clock.advance(2 * HOUR)
    assert await client.verify_access_token(good(forge))
    for count in (3, 4):
        emulator.clock.advance(31)
        passes_at_once(client, good(forge))
        await end_of_fetch(client)
        passes_at_once(client, good(forge))
        assert emulator.requests[KEYS] == count


async def test_a_good_fetch_ends_the_unavailability(client: AuthenticationClient, emulator: Emulator) -> None:
    await client.fetch_keys()
    emulator.faults.add(KEYS, status=503)
    for passed, error in ((0, KeysUnavailableError), (31, errors.UnknownKeyError), (1, errors.UnknownKeyError)):
        emulator.clock.advance(passed)
        with pytest.raises(errors.TokenVerificationError) as caught:
            await client.verify_access_token(made_up(emulator))
        assert type(caught.value) is error
    assert emulator.requests[KEYS] == 3


async def test_a_renewal_is_no_reason_for_a_cooldown(
    client: AuthenticationClient, forge: Forge, emulator: Emulator
) -> None:
    await client.fetch_keys()
    emulator.clock.advance(0.9 * HOUR)
    passes_at_once(client, good(forge))
    await end_of_fetch(client)
    emulator.rotate_signing_key()
    assert await client.verify_access_token(good(forge))
    assert emulator.requests[KEYS] == 3


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_end_of_an_event_loop_ends_its_fetch(backend: str) -> None:
    with Emulator() as emulator:
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret, retry=RetryPolicy(attempts=1))
        token = good(Forge(emulator))

        async def verify(timeout: float) -> object:
            try:
                return (await client.verify_access_token(token, timeout=timeout)).sub
            except KeysUnavailableError as error:
                return type(error)

        with emulator.faults.hold(KEYS):
            assert anyio.run(verify, 0.2, backend=backend) is KeysUnavailableError
            # Neither a failure nor a cool-down is left of it.
            assert (client._shared.keys._fetching, client._shared.keys._failure) == (None, None)
        assert anyio.run(verify, 10.0, backend=backend) == "ada"
