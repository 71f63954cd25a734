"""Selection of the keys of a key set, and the lifetime of the set."""

from __future__ import annotations

import subprocess
import sys
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from genauth_async import KeysUnavailableError
from genauth_async._jwt.jwks import read_key_set
from genauth_async._jwt.key_cache import max_age


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", 3600.0),
        ("public, max-age=600", 600.0),
        ("MAX-AGE=600", 600.0),
        ('max-age="600"', 600.0),
        ("max-age=1", 60.0),
        ("max-age=999999999", 43200.0),
        ("max-age=never", 3600.0),
        ("s-maxage=7, public", 3600.0),
        ("x-max-age=600", 3600.0),
        ("no-store", 60.0),
        ("no-cache, max-age=600", 60.0),
    ],
)
def test_how_long_keys_are_kept(header: str, seconds: float) -> None:
    assert max_age(header) == seconds


GOOD: Any = RSAKey.generate_key(2048, {"kid": "good"}).as_dict(private=False)


def test_other_keys_are_left_out() -> None:
    with pytest.warns(UserWarning, match="2048"):
        short: Any = RSAKey.generate_key(1024).as_dict(private=False)
    others: list[Any] = [
        ECKey.generate_key("P-256").as_dict(private=False),
        OctKey.generate_key(256).as_dict(),
        short,
        {**GOOD, "use": "enc"},
        {**GOOD, "alg": "RS512"},
        {**GOOD, "key_ops": ["sign"]},
        {**GOOD, "key_ops": "verify"},
        {**GOOD, "kid": 7},
        {**GOOD, "n": "not base64!"},
        {**GOOD, "n": 7},
        {**GOOD, "e": "AA"},
        {**GOOD, "e": None},
        {name: value for name, value in GOOD.items() if name != "n"},
        {"kty": "RSA"},
        "no key",
        None,
        [],
    ]
    for other in others:
        with pytest.raises(KeysUnavailableError):
            read_key_set({"keys": [other]})
    read = read_key_set({"keys": [*others, GOOD]})
    assert [id_ for id_, _ in read.keys] == ["good"]
    assert len(read.find("good")) == 1
    assert read.find("good") == read.find(None)
    assert read.find("other") == ()


def test_several_keys_may_have_one_id() -> None:
    read = read_key_set({"keys": [GOOD, {**GOOD, "kid": "second"}, GOOD, {**GOOD, "kid": None}]})
    assert [len(read.find(id_)) for id_ in ("good", "second", "", None)] == [2, 1, 0, 4]


def test_a_set_has_only_so_many_keys() -> None:
    many = [{**GOOD, "kid": str(number)} for number in range(40)]
    read = read_key_set({"keys": ["no key", *many]})
    assert [id_ for id_, _ in read.keys] == [str(number) for number in range(32)]


@pytest.mark.parametrize(("bits", "used"), [(2047, False), (2048, True), (8192, True), (8193, False)])
def test_a_key_is_neither_too_short_nor_too_long(bits: int, used: bool) -> None:
    modulus = (1 << (bits - 1)) + 1  # not of a real key: generating one with 8192 bits takes long
    encoded = urlsafe_b64encode(modulus.to_bytes((bits + 7) // 8, "big")).rstrip(b"=").decode()
    key = {"kty": "RSA", "kid": "k", "n": encoded, "e": "AQAB"}
    assert [id_ for id_, _ in read_key_set({"keys": [GOOD, key]}).keys] == ["good", *(["k"] if used else [])]


def test_a_private_key_that_is_published_by_mistake_is_not_kept() -> None:
    whole = RSAKey.generate_key(2048, {"kid": "k"}).as_dict(private=True)
    (key,) = read_key_set({"keys": [whole]}).find("k")
    assert not key.is_private


def test_reading_keys_imports_all_that_verifying_needs() -> None:
    program = f"""
import sys
from genauth_async._jwt.key_cache import read_key_set
assert "joserfc" not in sys.modules
read_key_set({{"keys": [{GOOD!r}]}})
loaded = set(sys.modules)
from genauth_async._jwt.jws import is_signed
from genauth_async._jwt.jws import registry_of
registry_of("RS256")
import joserfc.jws, joserfc.errors
assert set(sys.modules) - loaded == set(), set(sys.modules) - loaded
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
