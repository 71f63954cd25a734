"""Keys that the server replaces under one id, and keys with a shared id or none."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from joserfc.jwk import RSAKey

from genauth_async import AccessToken, AuthenticationClient, KeysUnavailableError, RetryPolicy, errors
from genauth_async._jwt.jws import is_signed
from genauth_async.emulator import Emulator, User
from tests.conftest import MakeClient
from tests.core.forging import GONE, Forge, rs256
from tests.core.sessions import emulators_time
from tests.core.test_jwks import HOUR, KEYS, end_of_fetch, together

pytestmark = pytest.mark.anyio

FIRST, SECOND, STRANGERS = (generate_private_key(65537, 2048) for _ in range(3))


@pytest.fixture
def client(make_client: MakeClient, emulator: Emulator) -> AuthenticationClient:
    return make_client(clock=emulators_time(emulator), retry=RetryPolicy(attempts=1))


@pytest.fixture
def forge(emulator: Emulator) -> Forge:
    return Forge(emulator)


def publish(emulator: Emulator, *keys: tuple[RSAPrivateKey, str | None]) -> None:
    """Publish these keys, with their ids, instead of the server's own."""
    listed: list[Any] = []
    for key, key_id in keys:
        item = RSAKey.import_key(key.public_key()).as_dict(private=False)
        listed.append({**item, "kid": key_id} if key_id else {n: v for n, v in item.items() if n != "kid"})
    emulator.faults.clear()
    emulator.faults.add(KEYS, body={"keys": listed}, times=None)


def signed(forge: Forge, key: RSAPrivateKey, kid: object = "k", **claims: Any) -> str:
    return forge.signed(forge.access_claims(**claims), rs256(key), kid=kid)


@pytest.mark.parametrize(("published", "kid"), [("k", "k"), (None, GONE), ("k", GONE)])
async def test_a_key_that_is_replaced_under_its_id_is_seen_at_once(
    published: str | None, kid: object, client: AuthenticationClient, forge: Forge, emulator: Emulator
) -> None:
    publish(emulator, (FIRST, published))
    old, new = signed(forge, FIRST, kid), signed(forge, SECOND, kid)
    assert await client.verify_access_token(old)
    publish(emulator, (SECOND, published))
    assert await client.verify_access_token(new)
    assert emulator.requests[KEYS] == 2
    for _ in range(2):
        with pytest.raises(errors.SignatureInvalidError):
            await client.verify_access_token(old)
        assert await client.verify_access_token(new)
    assert len(client._shared.verified) == 1, "the token of the key that is gone is remembered"


@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
@pytest.mark.backends("asyncio", "trio")
async def test_forged_signatures_make_for_one_fetch(
    warm: bool, client: AuthenticationClient, forge: Forge, emulator: Emulator
) -> None:
    if warm:
        await client.verify_access_token(forge.access())
        emulator.requests.reset()
    each = iter([signed(forge, STRANGERS, forge.key_id, jti=str(number)) for number in range(1000)])
    outcomes = await together(500, lambda: client.verify_access_token(next(each)))
    for token in each:
        outcomes += await together(1, lambda token=token: client.verify_access_token(token))  # type: ignore[misc]
    assert {type(outcome) for outcome in outcomes} == {errors.SignatureInvalidError}
    assert len(outcomes) == 1000
    assert emulator.requests[KEYS] == 1
    emulator.clock.advance(31)
    await together(2, lambda: client.verify_access_token(signed(forge, STRANGERS, forge.key_id)))
    assert emulator.requests[KEYS] == 2


async def test_forged_signatures_and_made_up_keys_share_the_one_fetch(
    client: AuthenticationClient, forge: Forge, emulator: Emulator
) -> None:
    await client.verify_access_token(forge.access())
    for token in (signed(forge, STRANGERS, forge.key_id), signed(forge, STRANGERS, "made up")) * 2:
        with pytest.raises(errors.TokenVerificationError):
            await client.verify_access_token(token)
    assert emulator.requests[KEYS] == 2


async def test_a_key_replaced_during_the_cooldown_is_seen_after_it(
    client: AuthenticationClient, forge: Forge, emulator: Emulator
) -> None:
    publish(emulator, (FIRST, "k"))
    await together(1, lambda: client.verify_access_token(signed(forge, STRANGERS)))
    publish(emulator, (SECOND, "k"))
    with pytest.raises(errors.SignatureInvalidError):
        await client.verify_access_token(signed(forge, SECOND))
    emulator.clock.advance(31)
    assert await client.verify_access_token(signed(forge, SECOND))


async def test_a_forged_signature_is_refused_after_key_replacement(
    client: AuthenticationClient, forge: Forge, emulator: Emulator
) -> None:
    publish(emulator, (FIRST, "k"))
    assert await client.verify_access_token(signed(forge, FIRST))
    publish(emulator, (SECOND, "k"))
    with pytest.raises(errors.SignatureInvalidError):
        await client.verify_access_token(signed(forge, STRANGERS))
    publish(emulator, (FIRST, "another"))
    emulator.clock.advance(31)
    with pytest.raises(errors.UnknownKeyError):
        await client.verify_access_token(signed(forge, STRANGERS))


async def test_a_forged_signature_fetches_keys_once_during_an_outage(
    client: AuthenticationClient, forge: Forge, emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    good, forged = forge.access(), signed(forge, STRANGERS, forge.key_id)
    await client.verify_access_token(good)
    emulator.faults.add(KEYS, status=503, times=None)
    with caplog.at_level(logging.WARNING, "genauth_async"):
        for _ in range(20):
            with pytest.raises(errors.SignatureInvalidError):
                await client.verify_access_token(forged)
    assert emulator.requests[KEYS] == 2
    warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert [warning.partition(";")[0] for warning in warnings] == ["The keys could not be fetched again"]
    assert await client.verify_access_token(forge.access(jti="another"))


async def test_a_signature_is_verified_again_only_if_the_keys_changed(
    client: AuthenticationClient, forge: Forge, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(emulator, (FIRST, "k"))
    await client.fetch_keys()
    tried: list[str] = []

    def count(token: str, algorithm: str, key: Any) -> bool:
        tried.append(token)
        return is_signed(token, algorithm, key)

    monkeypatch.setattr("genauth_async._jwt.jwks.is_signed", count)
    for replaced, times in ((False, 1), (True, 3)):
        if replaced:
            publish(emulator, (SECOND, "k"))
        with pytest.raises(errors.SignatureInvalidError):
            await client.verify_access_token(signed(forge, STRANGERS))
        assert len(tried) == times
        emulator.clock.advance(31)
    assert emulator.requests[KEYS] == 3


async def test_without_keys_a_forged_signature_raises_keys_unavailable(
    client: AuthenticationClient, forge: Forge, emulator: Emulator
) -> None:
    emulator.faults.add(KEYS, status=503, times=None)
    with pytest.raises(KeysUnavailableError):
        await client.verify_access_token(signed(forge, STRANGERS, forge.key_id))


async def test_a_forged_secret_is_no_reason_to_fetch_keys(
    client: AuthenticationClient, forge: Forge, emulator: Emulator
) -> None:
    with pytest.raises(errors.SignatureInvalidError):
        await client.verify_id_token(forge.id_by_secret("another"))
    assert emulator.requests[KEYS] == 0


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("ids", "kid"),
    [(("k", "k"), "k"), (("a", "b"), GONE), ((None, None), GONE), ((None, "b"), GONE)],
    ids=["one id", "two ids", "no ids", "one without"],
)
async def test_every_key_that_a_token_may_mean_is_tried(
    ids: tuple[str | None, str | None],
    kid: object,
    order: int,
    client: AuthenticationClient,
    forge: Forge,
    emulator: Emulator,
) -> None:
    publish(emulator, *[(FIRST, ids[0]), (SECOND, ids[1])][::order])
    for key in (FIRST, SECOND):
        assert await client.verify_access_token(signed(forge, key, kid))
    with pytest.raises(errors.SignatureInvalidError):
        await client.verify_access_token(signed(forge, STRANGERS, kid))


@pytest.mark.parametrize("kid", ["b", " ", "None"])
async def test_a_token_that_names_its_key_is_tried_with_no_other(
    kid: str, client: AuthenticationClient, forge: Forge, emulator: Emulator
) -> None:
    publish(emulator, (FIRST, "a"), (SECOND, None))
    for key in (FIRST, SECOND):
        with pytest.raises(errors.UnknownKeyError):
            await client.verify_access_token(signed(forge, key, kid))


async def test_a_key_for_something_else_is_not_tried(client: AuthenticationClient, forge: Forge) -> None:
    first, second = (RSAKey.import_key(key.public_key()).as_dict(private=False) for key in (FIRST, SECOND))
    key_set = {"keys": [{**second, "use": "enc"}, {**second, "alg": "PS256"}, first]}
    assert isinstance(await client.parse_access_token(signed(forge, FIRST, GONE), key_set), AccessToken)
    assert len(client._shared.verified) == 0, "what was verified by other keys than the server's is remembered"
    with pytest.raises(errors.SignatureInvalidError):
        await client.parse_access_token(signed(forge, SECOND, GONE), key_set)


async def test_prefetched_keys_verify_tokens_without_waiting(
    client: AuthenticationClient, emulator: Emulator, user: User
) -> None:
    await client.fetch_keys()
    await client.fetch_keys()
    assert emulator.requests[KEYS] == 1
    token = emulator.issue_tokens(user)["access_token"]
    emulator.stop()
    with pytest.raises(StopIteration):
        client.verify_access_token(token).send(None)


async def test_fetching_the_keys_beforehand_says_that_there_are_none(
    client: AuthenticationClient, emulator: Emulator
) -> None:
    emulator.faults.add(KEYS, status=503)
    with pytest.raises(KeysUnavailableError):
        await client.fetch_keys()
    emulator.clock.advance(4)
    await client.fetch_keys()
    emulator.clock.advance(0.9 * HOUR)
    emulator.faults.add(KEYS, status=503)
    await client.fetch_keys()
    await end_of_fetch(client)
    assert emulator.requests[KEYS] == 3


@pytest.mark.backends("asyncio", "trio")
async def test_prefetching_keys_respects_its_timeout(client: AuthenticationClient, emulator: Emulator) -> None:
    with emulator.faults.hold(KEYS) as hold:
        with pytest.raises(KeysUnavailableError, match=r"0\.2 s"):
            await client.fetch_keys(timeout=0.2)
        hold.release()
