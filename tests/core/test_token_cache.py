"""The cache of verified tokens: its size and its eviction."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from genauth_async import AccessToken, AuthenticationClient
from genauth_async._jwt.jws import is_signed
from genauth_async._jwt.token_cache import digest_of
from genauth_async.emulator import Emulator
from tests.core.forging import Forge


@pytest.mark.anyio
async def test_the_tokens_that_are_remembered_are_bounded(
    client: AuthenticationClient, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genauth_async._jwt.token_cache._CAPACITY", 4)
    forge = Forge(emulator)
    for number in range(9):
        await client.verify_access_token(forge.access(jti=str(number)))
    assert len(client._shared.verified) == 4


@pytest.mark.anyio
async def test_the_token_that_was_not_used_for_longest_is_forgotten(
    client: AuthenticationClient, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genauth_async._jwt.token_cache._CAPACITY", 2)
    forge = Forge(emulator)
    first, second, third = (forge.access(jti=str(number)) for number in range(3))
    for token in (first, second, first, third):
        await client.verify_access_token(token)
    known = client._shared.verified
    found = [known.get(digest_of(token), AccessToken) is not None for token in (first, second, third)]
    assert found == [True, False, True]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_does_not_wait_for_a_parents_thread() -> None:
    program = """
import os, threading
from genauth_async import AccessToken
from genauth_async._jwt.token_cache import TokenCache
known, held, over = TokenCache(), threading.Event(), threading.Event()
def hold():
    with known._guard():
        held.set()
        over.wait()
thread = threading.Thread(target=hold)
thread.start()
held.wait()
child = os.fork()
if child == 0:
    os._exit(7 if known.get(b"", AccessToken) is None else 1)
over.set()
thread.join()
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
"""
    subprocess.run([sys.executable, "-W", "ignore::DeprecationWarning", "-c", program], check=True, timeout=60)


@pytest.mark.anyio
async def test_a_signature_is_checked_once(
    client: AuthenticationClient, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []

    def counting(token: str, algorithm: Any, key: Any) -> bool:
        checked.append(token)
        return is_signed(token, algorithm, key)

    monkeypatch.setattr("genauth_async._jwt.jwks.is_signed", counting)
    monkeypatch.setattr("genauth_async.oidc.verification.is_signed", counting)
    forge = Forge(emulator)
    access, id_token, by_secret = forge.access(), forge.id(), forge.id_by_secret()
    for _ in range(3):
        await client.verify_access_token(access)
        await client.verify_id_token(id_token)
        await client.verify_id_token(by_secret)
    assert checked == [access, id_token, by_secret]
