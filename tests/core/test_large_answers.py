"""Large answers are read without holding the event loop; deep and crowded ones are errors."""

from __future__ import annotations

import copy
import gc
import json
import pickle
import time
from collections.abc import Awaitable, Callable, Iterator

import anyio
import pytest

from genauth_async import (
    AuthenticationClient,
    GenAuthError,
    InvalidArgumentError,
    RequestTimeoutError,
    RetryPolicy,
    UnexpectedShapeError,
)
from genauth_async._core.worker_threads import Threads
from genauth_async._wire.json_text import MOST_CONTAINERS, MOST_LEVELS, NOT_JSON, Unreadable, decode_json
from genauth_async._wire.responses import Response, read_envelope, read_oauth
from genauth_async.models import UserInfo, UserSingleRespDto
from tests.recording import Answer, RecordingServer

MIB = 1024 * 1024
# Seconds; less is no hold, whatever the share.
SHORT = 0.05
LARGEST_SHARE = 1 / 3
TRIES = 4
Call = Callable[[AuthenticationClient], Awaitable[object]]


def nested(depth: int, kind: str) -> str:
    return "[" * depth + "]" * depth if kind == "arrays" else '{"a":' * depth + "1" + "}" * depth


@pytest.mark.parametrize("yielding", [False, True])
@pytest.mark.parametrize("kind", ["arrays", "objects"])
@pytest.mark.parametrize("depth", [1, 99, 100, 101, 102, 400, 900, 5000, 60_000])
def test_json_may_be_so_deep(depth: int, kind: str, yielding: bool) -> None:
    decoded = decode_json(nested(depth, kind).encode(), yielding=yielding)
    if depth <= MOST_LEVELS:
        assert decoded == json.loads(nested(depth, kind))
    else:
        assert decoded == Unreadable("JSON nested deeper than 100 levels")


@pytest.mark.parametrize("yielding", [False, True])
def test_json_may_have_so_many_objects_and_arrays(yielding: bool) -> None:
    most = b"[" + b"[]," * (MOST_CONTAINERS - 2) + b"{}]"
    decoded = decode_json(most, yielding=yielding)
    assert isinstance(decoded, list)
    assert len(decoded) == MOST_CONTAINERS - 1
    assert decode_json(b"[" + most + b"]", yielding=yielding) == Unreadable(
        "JSON of more than 100000 objects and arrays"
    )


@pytest.mark.parametrize("yielding", [False, True])
@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_json_is_read_as_by_the_standard_library(coding: str, yielding: bool) -> None:
    text = '{"a": [1, -2.5e3, "é😀\\ud83d\\ude00\\n", null, true, {"b": {}}], "a": 7, "": "x"}'
    assert decode_json(text.encode(coding), yielding=yielding) == json.loads(text.encode(coding))


@pytest.mark.parametrize("yielding", [False, True])
@pytest.mark.parametrize(
    "body",
    [b"NaN", b'{"a":-Infinity}', b"[Infinity]", b"\xff", b'"\xed\xa0\x80"', b"", b"{", b"9" * 5000, b"1 2", b"\0\xd8"],
)
def test_what_is_not_json(body: bytes, yielding: bool) -> None:
    assert decode_json(body, yielding=yielding) is NOT_JSON


@pytest.mark.parametrize("yielding", [False, True])
@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"\ud800"', "\ufffd"),
        (r'"a\udfff\ud800b"', "a\ufffd\ufffdb"),
        (r'"\ud83d\ud83d\ude00"', "\ufffd😀"),
        (r'"\\ud800 \\\ud800"', "\\ud800 \\\ufffd"),
        (r'"\uD83D\uDE00\u00e9"', "😀é"),
    ],
)
def test_a_lone_surrogate_is_replaced(text: str, value: str, yielding: bool) -> None:
    assert decode_json(text.encode(), yielding=yielding) == value


@pytest.mark.parametrize("kind", ["arrays", "objects"])
def test_the_deepest_json_can_be_shown_copied_and_pickled(kind: str) -> None:
    inner = nested(MOST_LEVELS - 2, kind)
    profile = read_envelope(_response(f'{{"statusCode":200,"data":{{"userId":"u","zzz":{inner}}}}}'), UserSingleRespDto)
    for each in (profile, read_oauth(_response(f'{{"sub":"u","zzz":{inner}}}'), UserInfo)):
        assert copy.deepcopy(each) == each
        assert repr(each)
        assert json.dumps(each.to_dict())
        assert pickle.loads(pickle.dumps(each)) == each
    with pytest.raises(InvalidArgumentError) as caught:
        read_envelope(_response(f'{{"statusCode":400,"message":"m","zzz":{inner}}}'), UserSingleRespDto)
    assert repr(pickle.loads(pickle.dumps(caught.value)).response) == repr(caught.value.response)


@pytest.mark.parametrize("status", [200, 400])
def test_deeper_json_is_an_error(status: int) -> None:
    body = f'{{"statusCode":{status},"data":{{"userId":"u","zzz":{nested(101, "arrays")}}}}}'
    with pytest.raises(UnexpectedShapeError, match="JSON nested deeper than 100 levels"):
        read_envelope(_response(body, status), UserSingleRespDto)


def _response(body: str, status: int = 200) -> Response:
    return Response(status=status, headers={}, body=body.encode())


def profile(member: str) -> bytes:
    return b'{"statusCode":200,"data":{"userId":"u",%b}}' % member.encode()


def get_profile(client: AuthenticationClient) -> Awaitable[object]:
    return client.get_profile(access_token="t")


def get_user_info(client: AuthenticationClient) -> Awaitable[object]:
    return client.get_user_info_by_access_token("t")


MEMBERS = ",".join(f'"{number:x}":1' for number in range(350_000))
LARGE: dict[str, tuple[bytes, Call]] = {
    "empty arrays": (profile('"zzz":[' + "[]," * 1_300_000 + "[]]"), get_profile),
    "100,000 empty arrays": (profile('"zzz":[' + "[]," * 99_000 + "[]]"), get_profile),
    "integers": (profile('"zzz":[' + "1," * 2_000_000 + "1]"), get_profile),
    "integers for texts": (
        b'{"rsa":{"publicKey":"r"},"sm2":{"publicKey":"s"},"publicIps":[%b1]}' % (b"1," * 1_900_000),
        AuthenticationClient.get_system_info,
    ),
    "integers for objects": (
        b'{"statusCode":200,"data":[%b1]}' % (b"1," * 1_900_000),
        AuthenticationClient.get_country_list,
    ),
    "floats": (profile('"zzz":[' + "1.5e300," * 500_000 + "1]"), get_profile),
    "members": (profile(f'"zzz":{{{MEMBERS}}}'), get_profile),
    "unknown members": (profile(MEMBERS), get_profile),
    "one string": (profile('"zzz":"' + "x" * 4_000_000 + '"'), get_profile),
    "escapes": (profile('"zzz":"' + "\\u0416" * 660_000 + '"'), get_profile),
    "surrogates": (profile('"zzz":"' + "\\ud800" * 660_000 + '"'), get_profile),
    "digits": (profile('"zzz":' + "9" * 4_000_000), get_profile),
    "refusal": (b'{"statusCode":400,"message":"m",%b}' % MEMBERS.encode(), get_profile),
    "refusal with integers": (b'{"statusCode":400,"message":"m","data":[%b1]}' % (b"1," * 1_900_000), get_profile),
    "long message": (b'{"statusCode":400,"message":"%b"}' % (b"token=x " * 500_000), get_profile),
    "HTML": (b"<html>" + b"token=x &" * 450_000, get_profile),
    "claims": (b'{"sub":"u","email":1,%b}' % MEMBERS.encode(), get_user_info),
    "keys": (
        b'{"keys":[' + b'{"kty":"RSA","n":"AQAB","e":"AQAB"},' * 99_000 + b"{}]}",
        AuthenticationClient.fetch_keys,
    ),
    "keys that are no keys": (b'{"keys":[' + b"1," * 1_900_000 + b"1]}", AuthenticationClient.fetch_keys),
}


@pytest.fixture
def own_heap_only() -> Iterator[None]:
    """Have garbage collections visit no object of other tests."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


async def longest_hold(work: Awaitable[object]) -> tuple[float, object]:
    """Return the largest share of the CPU time that held the event loop at once, and the work's result or error.

    The share is 0 for a short hold. A machine that is slow or busy takes longer for the whole as well.
    """
    held, whole, result = 0.0, 0.0, None

    async def watch() -> None:
        nonlocal held
        while True:
            before = time.process_time()  # other processes, too, take time
            await anyio.sleep(0.001)
            held = max(held, time.process_time() - before)

    async with anyio.create_task_group() as group:
        group.start_soon(watch)
        await anyio.sleep(0.01)
        began = time.process_time()
        try:
            result = await work
        except GenAuthError as error:
            result = repr(error), pickle.dumps(error)
        whole = time.process_time() - began
        await anyio.sleep(0.01)
        group.cancel_scope.cancel()
    return 0.0 if held < SHORT else held / whole, result


@pytest.mark.slow
@pytest.mark.anyio
@pytest.mark.parametrize("name", LARGE)
@pytest.mark.usefixtures("own_heap_only")
async def test_a_large_answer_does_not_hold_the_loop(name: str, recorder: RecordingServer) -> None:
    body, call = LARGE[name]
    recorder.default = Answer(body)
    shares: list[float] = []
    while len(shares) < TRIES and min(shares, default=1.0) >= LARGEST_SHARE:
        client = AuthenticationClient(
            "app", recorder.url, "a-secret", timeout=30, retry=RetryPolicy(attempts=1), max_response_bytes=8 * MIB
        )
        async with client:
            share, _ = await longest_hold(call(client))
        shares.append(share)
    assert min(shares) < LARGEST_SHARE


@pytest.mark.anyio
async def test_a_large_answer_is_read_without_threads(
    recorder: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cannot(*_: object, **__: object) -> None:
        raise RuntimeError("can't start new thread")

    recorder.default = Answer(json.dumps({"access_token": "new", "padding": "x" * MIB}).encode())
    async with AuthenticationClient("app", recorder.url, "a-secret") as client:
        await client.get_new_access_token_by_refresh_token("r1")
        monkeypatch.setattr(Threads, "run", cannot)
        assert (await client.get_new_access_token_by_refresh_token("r2")).access_token == "new"


@pytest.mark.anyio
async def test_a_large_answer_is_read_within_the_timeout(recorder: RecordingServer) -> None:
    recorder.default = Answer(b'{"keys":[' + b"1.5," * MIB + b"1]}")
    async with AuthenticationClient("app", recorder.url, "a-secret", timeout=0.3, max_response_bytes=8 * MIB) as client:
        with anyio.fail_after(2), pytest.raises(RequestTimeoutError, match="in time") as caught:
            await client.get_user_info_by_access_token("token")
    assert caught.value.sent
