"""RSA keys for the emulators of tests. A new key costs 40 ms, so every test is given the same ones."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from joserfc.jwk import RSAKey

from genauth_async.emulator.state import keys

_made: dict[int, list[RSAPrivateKey]] = {}


def _pool() -> Callable[[int], RSAPrivateKey]:
    """Give the keys of a size one after another, each of them once."""
    given: dict[int, itertools.count[int]] = {}

    def take(bits: int) -> RSAPrivateKey:
        made, number = _made.setdefault(bits, []), next(given.setdefault(bits, itertools.count()))
        while len(made) <= number:
            made.append(generate_private_key(65537, bits))
        return made[number]

    return take


def use_pooled_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have emulators take their RSA keys from a pool for the rest of a test.

    No two emulators of one test have the same key, and a rotation gives another. Outside the tests' own functions and
    fixtures, thus in fixtures of modules, emulators generate their keys.
    """
    take = _pool()

    def generate_key(bits: int, parameters: Any) -> RSAKey:
        return RSAKey.import_key(take(bits), parameters)

    monkeypatch.setattr(keys, "RSAKey", SimpleNamespace(generate_key=generate_key))
    monkeypatch.setattr(keys, "generate_private_key", lambda _, bits: take(bits))
