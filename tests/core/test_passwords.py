from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from genauth_async import (
    AuthenticationClient,
    ConnectionFailedError,
    PasswordDecryptionError,
    PasswordEncryptionError,
    RequestTimeoutError,
    ServerError,
)
from genauth_async._crypto import rsa, sm2
from genauth_async.emulator import Emulator
from tests.conftest import PASSWORD, MakeClient
from tests.recording import Answer, RecordingServer

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("user")]

SYSTEM = "/api/v3/system"
ENCRYPTED = ["rsa", "sm2"]


async def sign_in(client: AuthenticationClient, encrypt_type: str, password: str = PASSWORD) -> None:
    await client.sign_in_by_username_password("ada", password, {"passwordEncryptType": encrypt_type})


@pytest.mark.parametrize("encrypt_type", ENCRYPTED)
@pytest.mark.parametrize("wrapped", [False, True])
async def test_the_keys_are_fetched_once(
    encrypt_type: str, wrapped: bool, client: AuthenticationClient, emulator: Emulator
) -> None:
    emulator.wrap_system = wrapped
    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(sign_in, client, encrypt_type)
    await sign_in(client.with_options(lang="zh-CN"), encrypt_type)
    assert emulator.requests[SYSTEM] == 1
    assert emulator.requests["/api/v3/signin"] == 21


@pytest.mark.parametrize("encrypt_type", ENCRYPTED)
async def test_keys_are_refetched_once_if_the_server_cannot_decrypt(
    encrypt_type: str, client: AuthenticationClient, emulator: Emulator
) -> None:
    await sign_in(client, encrypt_type)
    emulator.rotate_keys()
    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(sign_in, client, encrypt_type)
    assert emulator.requests[SYSTEM] == 2


@pytest.mark.parametrize(
    ("slow", "sent", "words"),
    [(SYSTEM, False, "No key of the server"), ("/api/v3/signin", True, "signin at .* no answer in time")],
)
async def test_one_timeout_covers_the_key_and_the_sign_in(
    slow: str, sent: bool, words: str, client: AuthenticationClient, emulator: Emulator
) -> None:
    emulator.faults.add(slow, latency=5.0, times=None)
    with anyio.fail_after(3), pytest.raises(RequestTimeoutError, match=words) as caught:
        await client.sign_in_by_username_password("ada", PASSWORD, {"passwordEncryptType": "rsa"}, timeout=0.5)
    assert caught.value.sent is sent


@pytest.mark.parametrize("encrypt_type", ENCRYPTED)
async def test_a_server_that_never_can_is_not_asked_again_and_again(
    encrypt_type: str, client: AuthenticationClient, emulator: Emulator
) -> None:
    refusal = {"statusCode": 400, "apiCode": 2016, "message": "cannot decrypt"}
    emulator.faults.add("/api/v3/signin", envelope=refusal, times=None)
    with pytest.raises(PasswordDecryptionError):
        await sign_in(client, encrypt_type)
    # With the same keys a second sign-in would only count as another failure.
    assert emulator.requests["/api/v3/signin"] == 1
    assert emulator.requests[SYSTEM] == 2


@pytest.mark.parametrize("encrypt_type", ENCRYPTED)
@pytest.mark.backends("asyncio", "trio")
async def test_a_failed_key_fetch_fails_only_its_own_caller(
    encrypt_type: str, client: AuthenticationClient, emulator: Emulator
) -> None:
    emulator.faults.add(SYSTEM, status=500, body={"statusCode": 500, "message": "down"})
    outcomes: list[object] = []

    async def attempt() -> None:
        try:
            await sign_in(client, encrypt_type)
            outcomes.append(None)
        except ServerError as error:
            outcomes.append(error.status_code)

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(attempt)
    assert sorted(outcomes, key=str) == [500, None, None, None]


@pytest.mark.parametrize("encrypt_type", ENCRYPTED)
@pytest.mark.backends("asyncio", "trio")
async def test_a_cancelled_fetch_leaves_the_others_going(
    encrypt_type: str, client: AuthenticationClient, emulator: Emulator
) -> None:
    with emulator.faults.hold(SYSTEM) as hold:
        async with anyio.create_task_group() as group:
            first = anyio.CancelScope()

            async def cancelled() -> None:
                with first:
                    await sign_in(client, encrypt_type)

            group.start_soon(cancelled)
            await hold.wait_arrived()
            group.start_soon(sign_in, client, encrypt_type)
            first.cancel()
    assert emulator.requests["/api/v3/signin"] == 1


@pytest.mark.parametrize("password", ["^", "pässwörd 密码 🔑", "x" * 117])
@pytest.mark.parametrize("encrypt_type", ENCRYPTED)
async def test_any_password(encrypt_type: str, password: str, client: AuthenticationClient, emulator: Emulator) -> None:
    emulator.add_user(username="grace", password=password)
    options = {"passwordEncryptType": encrypt_type}
    assert (await client.sign_in_by_username_password("grace", password, options)).data.access_token


async def test_too_long_for_the_key(client: AuthenticationClient, emulator: Emulator) -> None:
    with pytest.raises(PasswordEncryptionError, match=r"118 bytes.*117"):
        await sign_in(client, "rsa", "x" * 118)
    assert emulator.requests["/api/v3/signin"] == 0


@pytest.mark.parametrize("encrypt_type", ENCRYPTED)
async def test_keys_that_are_none(encrypt_type: str, recorder: RecordingServer, make_client: MakeClient) -> None:
    recorder.default = Answer({"rsa": {"publicKey": "AAAA"}, "sm2": {"publicKey": "04" + "1" * 128}})
    with pytest.raises(PasswordEncryptionError, match=r"GET /api/v3/system"):
        await sign_in(make_client(recorder.url), encrypt_type)
    assert [sent.target for sent in recorder.requests] == [SYSTEM]


@pytest.mark.parametrize("encrypt_type", ENCRYPTED)
async def test_no_key_no_password(encrypt_type: str, recorder: RecordingServer, make_client: MakeClient) -> None:
    client = make_client(recorder.url.replace("127.0.0.1", "127.0.0.2"))
    with pytest.raises(ConnectionFailedError):
        await sign_in(client, encrypt_type)
    assert recorder.requests == []


@pytest.mark.parametrize("encrypt_type", ENCRYPTED)
async def test_what_goes_over_the_wire(encrypt_type: str, recorder: RecordingServer, make_client: MakeClient) -> None:
    keys = await make_client().get_system_info()
    tokens: dict[str, Any] = {"statusCode": 200, "data": {"access_token": "at"}}
    recorder.answers = [Answer(keys.to_dict()), Answer(tokens), Answer(tokens)]
    client = make_client(recorder.url)
    await sign_in(client, encrypt_type)
    await sign_in(client, encrypt_type)
    first, second = (sent.json["passwordPayload"]["password"] for sent in recorder.requests[1:])
    assert first != second, "encryption is randomised"
    form = {"rsa": "[A-Za-z0-9+/]{171}=", "sm2": f"[0-9a-f]{{{2 * (96 + len(PASSWORD))}}}"}[encrypt_type]
    assert re.fullmatch(form, first)
    assert PASSWORD.encode() not in b"".join(sent.body for sent in recorder.requests)


class Watched:
    """Records the thread and the event-loop round of each encryption."""

    def __init__(self, encrypt: Callable[..., bytes]) -> None:
        self._encrypt = encrypt
        self.threads: list[int] = []
        self.rounds: list[int] = []
        self._round = 0

    def __call__(self, plaintext: bytes, key: Any) -> bytes:
        self.threads.append(threading.get_ident())
        self.rounds.append(self._round)
        return self._encrypt(plaintext, key)

    async def count_rounds(self) -> None:
        while True:
            self._round += 1
            await checkpoint()


@pytest.fixture
def watched(encrypt_type: str, monkeypatch: pytest.MonkeyPatch) -> Watched:
    """Replace the encryption of this type by one that is recorded."""
    module = {"rsa": rsa, "sm2": sm2}[encrypt_type]
    watched = Watched(module.encrypt)
    monkeypatch.setattr(module, "encrypt", watched)
    return watched


async def sign_in_at_once(client: AuthenticationClient, encrypt_type: str, times: int, watched: Watched) -> None:
    async with anyio.create_task_group() as counting:
        counting.start_soon(watched.count_rounds)
        async with anyio.create_task_group() as group:
            for _ in range(times):
                group.start_soon(sign_in, client, encrypt_type)
        counting.cancel_scope.cancel()


@pytest.mark.parametrize("encrypt_type", ["sm2"])
@pytest.mark.backends("asyncio", "trio")
async def test_slow_encryption_is_done_beside_the_event_loop(
    client: AuthenticationClient, encrypt_type: str, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gmssl_pyx", None)
    await sign_in(client, encrypt_type)
    await sign_in_at_once(client, encrypt_type, 3, watched)
    assert len(watched.threads) == 4
    assert threading.get_ident() not in watched.threads


@pytest.mark.parametrize("encrypt_type", ENCRYPTED)
@pytest.mark.backends("asyncio", "trio")
async def test_quick_encryption_runs_in_a_thread_once_then_on_the_loop(
    client: AuthenticationClient, encrypt_type: str, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    if encrypt_type == "rsa":
        monkeypatch.setitem(sys.modules, "gmssl_pyx", None)
    await sign_in(client, encrypt_type)  # libraries are imported
    assert threading.get_ident() not in watched.threads
    await sign_in_at_once(client, encrypt_type, 5, watched)
    assert set(watched.threads[1:]) == {threading.get_ident()}
    if encrypt_type == "sm2":  # once in a round, as each takes noticeable time
        # Trio shuffles each round, so that the one who counts may come before the first encryption and after the last.
        assert watched.rounds[-1] - watched.rounds[1] >= 5 - 1 - 1


@pytest.mark.parametrize("encrypt_type", ENCRYPTED)
async def test_a_lone_surrogate_is_refused_on_the_loop_and_in_a_thread(
    client: AuthenticationClient, encrypt_type: str, watched: Watched
) -> None:
    async def refused() -> None:
        with pytest.raises(PasswordEncryptionError, match="lone surrogate"):
            await sign_in(client, encrypt_type, "\ud800")

    await refused()
    await sign_in(client, encrypt_type)
    assert threading.get_ident() not in watched.threads, "which is where the libraries are to be imported"
    await refused()
    await sign_in(client, encrypt_type)
    assert watched.threads[-1] == threading.get_ident()


@pytest.mark.parametrize("in_c", [False, True], ids=["in Python", "in C"])
@pytest.mark.backends("asyncio", "trio")
async def test_slow_encryption_runs_one_at_a_time_in_a_thread(
    in_c: bool, client: AuthenticationClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not in_c:
        monkeypatch.setitem(sys.modules, "gmssl_pyx", None)
    at_once, most, threads = 0, 0, set()

    def counted(plaintext: bytes, key: sm2.SM2PublicKey) -> bytes:
        nonlocal at_once, most
        threads.add(threading.get_ident())
        at_once += 1
        most = max(most, at_once)
        encrypted = sm2._encrypt(plaintext, key, sm2._random_scalars())  # slow enough to notice a concurrent one
        at_once -= 1
        return encrypted

    monkeypatch.setattr(sm2, "encrypt", counted)
    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(sign_in, client, "sm2")
    assert most == 1
    assert threading.get_ident() not in threads
