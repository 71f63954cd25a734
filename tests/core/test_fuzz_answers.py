"""Random answers to every call: only a GenAuthError is raised, and it can be shown, copied and pickled."""

from __future__ import annotations

import asyncio
import base64
import copy
import json
import math
import pickle
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from random import Random
from typing import Any, Literal

import anyio
import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from genauth_async import AuthenticationClient, Clock, GenAuthError, RetryPolicy, Stream
from genauth_async._crypto.sm2 import generate_key_pair
from genauth_async.doctor import examine
from genauth_async.models import Dto
from tests.contract.answers import OAUTH, least_answer
from tests.contract.test_user_tokens import least_arguments
from tests.contract.user_tokens import AS_SUBJECT, NEVER, TAKEN
from tests.core.forging import Sign, hs256, rs256, serialized
from tests.core.odd_answers import OddAnswer, odd_answer, odd_socket

pytestmark = pytest.mark.anyio

SEED = 13
MANY = 20_000
WORKERS = 8
SECRET = "app-secret-canary-of-32-characters"
KEY = rsa.generate_private_key(65537, 2048)
Carrier = Literal["own", "given"]
METHODS = sorted((TAKEN | NEVER | AS_SUBJECT.keys()) - {"iter_events", "sub_event"})  # these are WebSockets


class OddServer:
    """Answers each request with the next random answer of the present call."""

    def __init__(self) -> None:
        self.random = Random(SEED)
        self.good: object = {}
        self.sent: list[bytes] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            keeps = True
            while keeps:
                head_as_sent = await reader.readuntil(b"\r\n\r\n")
                _, found, rest = head_as_sent.lower().partition(b"content-length:")
                if found:
                    await reader.readexactly(int(rest.partition(b"\r\n")[0]))
                _, socket, rest = head_as_sent.partition(b"Sec-WebSocket-Key: ")
                if socket and self.random.random() < 0.9:
                    answer = OddAnswer(odd_socket(self.random, rest.partition(b"\r\n")[0]), keeps=False)
                else:
                    answer = odd_answer(self.random, self.good)
                self.sent.append(answer.content)
                writer.write(answer.content)
                keeps = answer.keeps
        writer.close()


@asynccontextmanager
async def odd_server() -> AsyncIterator[OddServer]:
    server = OddServer()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


def number(value: int) -> str:
    return base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()


def good_answer(method: str) -> object:
    """Return an answer from which odd ones are made."""
    if method == "verify_access_token":
        public = KEY.public_key().public_numbers()
        key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "k", "n": number(public.n), "e": number(public.e)}
        return {"keys": [key, {**key, "kid": "other"}]}
    if method.startswith("encrypt"):
        pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        return {"statusCode": 200, "rsa": {"publicKey": pem}, "sm2": {"publicKey": generate_key_pair()[1].to_hex()}}
    if method == "examine":
        names = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
        return dict.fromkeys(names, "https://id.example.com/oidc")
    documented = least_answer(method, levels=4)
    if documented is not OAUTH:
        return documented
    return {**OAUTH, "refresh_token": "rt", "id_token": "it", "scope": "openid", "username": "ada", "aud": ["a"]}


def signed(port: int, sign: Sign, algorithm: str, **claims: object) -> str:
    now = int(time.time())
    whole = {"iss": f"http://127.0.0.1:{port}/oidc", "sub": "ada", "aud": "app", "iat": now, "exp": now + 600, **claims}
    return serialized(json.dumps({"alg": algorithm, "kid": "k"}).encode(), json.dumps(whole).encode(), sign)


async def finish_login(client: AuthenticationClient, server: OddServer) -> object:
    login = client.begin_login()
    token = signed(server.port, hs256(SECRET.encode()), "HS256", nonce=login.nonce)
    server.good = {**OAUTH, "id_token": token}
    return await client.finish_login(f"https://app.example/?code=c&state={login.state}", login)


async def of_session(client: AuthenticationClient, method: str) -> object:
    session = client.session({**OAUTH, "refresh_token": f"rt-{time.monotonic_ns()}", "obtained_at": time.time() - 7200})
    with suppress(GenAuthError):
        await getattr(session, method)()
    return await session.access_token()


async def events(client: AuthenticationClient) -> object:
    async with client.iter_events("an.event", reconnect_for=0.01) as stream:
        return [await anext(stream) for _ in range(3)]


def encrypted(client: AuthenticationClient, encrypt_type: str) -> Awaitable[object]:
    return client.with_options().sign_in_by_username_password("ada", "pw", {"passwordEncryptType": encrypt_type})


OTHERS: Mapping[str, Callable[[AuthenticationClient, OddServer], Awaitable[object]]] = {
    "encrypt with rsa": lambda client, _: encrypted(client, "rsa"),
    "encrypt with sm2": lambda client, _: encrypted(client, "sm2"),
    "examine": lambda client, _: examine(client),
    "finish_login": finish_login,
    "iter_events": lambda client, _: events(client),
    "session.access_token": lambda client, _: of_session(client, "access_token"),
    "session.logout": lambda client, _: of_session(client, "logout"),
    "session.refresh": lambda client, _: of_session(client, "refresh"),
    "verify_access_token": lambda client, server: client.verify_access_token(
        signed(server.port, rs256(KEY), "RS256", scope="x")
    ),
}
EVERY = [*METHODS, *OTHERS]


async def call(client: AuthenticationClient, method: str, server: OddServer) -> object:
    if method in OTHERS:
        return await OTHERS[method](client, server)
    further: dict[str, Any] = {"interval": 0.001, "wait": 0.01} if method.startswith("poll_") else {}
    if method in AS_SUBJECT:
        further[AS_SUBJECT[method]] = "text"
    waiting = getattr(client, method)(**least_arguments(method) | further)
    try:
        return await (waiting.__anext__() if isinstance(waiting, Stream) else waiting)
    except StopAsyncIteration:
        return None


def check_error(error: GenAuthError) -> None:
    copies = [copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))]
    for shown in (error, *copies):
        assert type(shown) is type(error)
        assert str(shown) == str(error)
        f"{shown} {shown!r} {vars(shown)!r}".encode()
    wait = getattr(error, "retry_after", None)
    assert wait is None or (0 <= wait < math.inf)


def check_result(result: object) -> None:
    f"{result} {result!r}".encode()
    if isinstance(result, Dto):
        json.dumps(result.to_dict()).encode()
        assert copy.deepcopy(result) == result
        assert len(dict(result)) == len(result)


async def try_answers(indices: Iterator[int], carrier: Carrier, problems: list[str]) -> None:
    """Make one call after another of one client, each with answers by its own seed."""
    leap = 0.0
    clock = Clock(monotonic=lambda: time.monotonic() + leap)  # what an earlier call has cached is old
    async with odd_server() as server, AsyncExitStack() as stack:
        given = await stack.enter_async_context(httpx.AsyncHTTPTransport()) if carrier == "given" else None
        client = AuthenticationClient(
            "app",
            f"http://127.0.0.1:{server.port}",
            SECRET,
            "a-token",
            timeout=0.5,
            redirect_uri="https://app.example/",
            websocket_host=f"ws://127.0.0.1:{server.port}",
            retry=RetryPolicy(attempts=1),
            clock=clock,
            transport=given,
        )
        await stack.enter_async_context(client)
        for index in indices:
            leap += 1e6
            method = EVERY[index % len(EVERY)]
            server.random, server.good, server.sent = Random(f"{SEED} {index}"), good_answer(method), []
            try:
                try:
                    check_result(await call(client, method, server))
                except GenAuthError as error:
                    check_error(error)
            except Exception as error:  # noqa: BLE001 - which is what is looked for
                sent = b"".join(server.sent)[:2000]
                problems.append(
                    f"{method}: {error!r}, seed {SEED} {index}, {carrier}, answers {sent!r}\n"
                    + "".join(traceback.format_exception(error)[-12:])
                )


async def fuzz(indices: range) -> list[str]:
    problems: list[str] = []
    shared = iter(indices)
    async with anyio.create_task_group() as group:
        for worker in range(WORKERS):
            group.start_soon(try_answers, shared, "given" if worker % 2 else "own", problems)
    return problems


async def test_each_call_survives_an_odd_answer() -> None:
    problems = await fuzz(range(2 * len(EVERY)))
    assert not problems, "\n".join(problems)


@pytest.mark.slow
async def test_each_call_survives_many_odd_answers() -> None:
    problems = await fuzz(range(MANY))
    assert not problems, "\n".join(problems)
