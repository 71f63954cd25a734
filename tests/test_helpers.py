"""Helpers of the tests: pooled RSA keys, and checks of every case."""

from __future__ import annotations

import pytest

from genauth_async.emulator import Emulator
from tests.every import check_every


def modulus(emulator: Emulator) -> object:
    return emulator._state.signing_keys.current.as_dict(private=False)["n"]


def test_emulators_and_rotations_have_keys_of_their_own() -> None:
    first, second = Emulator(), Emulator()
    moduli = [modulus(first), modulus(second)]
    for keep_previous in (True, False):
        first.rotate_signing_key(keep_previous=keep_previous)
        moduli.append(modulus(first))
    passwords = [first._state.password_keys.public()["rsa"]]
    first.rotate_keys()
    passwords.append(first._state.password_keys.public()["rsa"])
    assert len({*moduli}) == 4
    assert len({*passwords}) == 2


def test_every_failure_is_listed_by_name() -> None:
    def check(number: int) -> None:
        assert number % 2, "it is even"
        assert 10 // (number - 3)

    with pytest.raises(AssertionError) as caught:
        check_every([1, 2, 3, 4], check)
    lines = str(caught.value).splitlines()
    assert lines[0] == "3 of 4 failed:"
    assert [line.partition(": ")[0] for line in lines if line[:1].isdigit()][1:] == ["2", "3", "4"]
    with pytest.raises(AssertionError, match="there are no cases"):
        check_every([], check)
