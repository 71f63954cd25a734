"""Key pairs: emulators are strangers to each other, and a pool makes a suite of many emulators cheap."""

from __future__ import annotations

import httpx
import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from genauth_async.emulator import Emulator, EmulatorKeys
from genauth_sync import AuthenticationClient


def modulus(emulator: Emulator) -> object:
    return emulator._state.signing_keys.current.as_dict(private=False)["n"]


def password_keys(emulator: Emulator) -> dict[str, str]:
    return emulator._state.password_keys.public()


def jwks(emulator: Emulator) -> KeySet:
    return KeySet.import_key_set(httpx.get(f"{emulator.url}/oidc/.well-known/jwks.json", trust_env=False).json())


def access_token(emulator: Emulator) -> str:
    return emulator.issue_tokens(emulator.add_user(username="ada", password="passw0rd"))["access_token"]


def test_emulators_and_rotations_have_keys_of_their_own() -> None:
    first, second = Emulator(), Emulator()
    moduli = [modulus(first), modulus(second)]
    for keep_previous in (True, False):
        first.rotate_signing_key(keep_previous=keep_previous)
        moduli.append(modulus(first))
    passwords = [password_keys(first), password_keys(second)]
    first.rotate_keys()
    passwords.append(password_keys(first))
    assert len({*moduli}) == 4
    assert [len({keys[kind] for keys in passwords}) for kind in ("rsa", "sm2")] == [3, 3]


def test_a_token_of_another_emulator_is_refused() -> None:
    with Emulator() as one, Emulator() as other:
        with pytest.raises((JoseError, ValueError)):
            jwt.decode(access_token(other), jwks(one), algorithms=["RS256"])
        assert jwt.decode(access_token(one), jwks(one), algorithms=["RS256"]).claims["iss"] == one.issuer


def test_a_pool_hands_its_keys_out_in_turn() -> None:
    keys = EmulatorKeys(size=3)
    emulators = [Emulator(keys=keys) for _ in range(7)]
    for own in ([modulus(each) for each in emulators], [password_keys(each)["rsa"] for each in emulators]):
        assert len({*own}) == 3
        assert own == [own[0], own[1], own[2], own[0], own[1], own[2], own[0]]
    assert len({password_keys(each)["sm2"] for each in emulators}) == 3
    assert len({each._state.signing_keys.current.kid for each in emulators}) == 7


def test_a_rotation_takes_the_next_key_of_a_pool() -> None:
    emulator = Emulator(keys=EmulatorKeys(size=2))
    before = modulus(emulator), password_keys(emulator)
    emulator.rotate_signing_key()
    emulator.rotate_keys()
    assert modulus(emulator) != before[0]
    assert password_keys(emulator)["rsa"] != before[1]["rsa"]
    assert password_keys(emulator)["sm2"] != before[1]["sm2"]


def test_a_pool_without_keys_is_refused() -> None:
    with pytest.raises(ValueError, match="size must be at least 1, not 0"):
        EmulatorKeys(size=0)


@pytest.mark.parametrize("encrypt", ["rsa", "sm2"])
@pytest.mark.parametrize("keys", [None, EmulatorKeys(size=1)])
def test_passwords_are_decrypted_with_keys_of_a_pool(encrypt: str, keys: EmulatorKeys | None) -> None:
    with (
        Emulator(keys=keys) as emulator,
        AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret) as client,
    ):
        emulator.add_user(username="ada", password="passw0rd")
        options = {"passwordEncryptType": encrypt}
        assert client.sign_in_by_username_password("ada", "passw0rd", options=options).status_code == 200
