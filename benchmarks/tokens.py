"""Token measurements, run in workers: handing out, verifying, decoding."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Iterator
from functools import partial
from time import process_time
from typing import Any, Final

import httpx

from .answers import APP_ID, APP_SECRET, ISSUER, access_token, key_set, sign_in_answer, signing_key
from .load import cost
from .worker import Measure

_HOST: Final = "https://sign-in.test"
_STRIDE: Final = 7919  # a prime, so that all sessions are visited
_POOL: Final = 1500  # more than a client remembers
_pools: Final[dict[int, list[str]]] = {}


def handing_out() -> Measure:
    """Measure `session.access_token()` while it is fresh among many sessions, or opening one more session."""
    from genauth_async import AuthenticationClient
    from genauth_async.session import TokenSession

    loop = asyncio.new_event_loop()
    client = AuthenticationClient(APP_ID, _HOST, APP_SECRET)
    sessions: list[TokenSession] = []

    async def handed_out(size: int, times: int) -> float:
        chosen = [sessions[_STRIDE * number % size] for number in range(times)]
        start = process_time()
        for session in chosen:
            await session.access_token()
        return process_time() - start

    async def grown(size: int) -> None:
        for index in range(len(sessions), size):
            tokens = {"access_token": f"access-{index}", "refresh_token": f"refresh-{index}", "expires_in": 86400}
            sessions.append(client.session(tokens))
            await sessions[-1].access_token()

    async def one_more(size: int, times: int) -> float:
        start = process_time()
        await grown(size + times)
        taken = process_time() - start
        del sessions[size:]
        return taken

    def measure(size: int, seconds: float, opened: bool = False) -> float:
        loop.run_until_complete(grown(size))
        work = one_more if opened else handed_out
        return cost(lambda times: loop.run_until_complete(work(size, times)), seconds)

    return measure


def fetching_keys() -> Measure:
    """Measure a new client's first read of the keys."""
    loop = asyncio.new_event_loop()

    async def fetched(keys: int, times: int) -> float:
        clients = [_verifier(keys) for _ in range(times)]
        start = process_time()
        for client in clients:
            await client.fetch_keys()
        return process_time() - start

    def measure(keys: int, seconds: float) -> float:
        return cost(lambda times: loop.run_until_complete(fetched(keys, times)), seconds)

    return measure


def verifying() -> Measure:
    """Measure `verify_access_token`, of new tokens or of one repeatedly."""
    from genauth_async import AuthenticationClient

    loop = asyncio.new_event_loop()

    async def verified(client: AuthenticationClient, tokens: Iterator[str], times: int) -> float:
        chosen = list(itertools.islice(tokens, times))
        start = process_time()
        for token in chosen:
            await client.verify_access_token(token)
        return process_time() - start

    def measure(again: bool, padding: int, keys: int, seconds: float) -> float:
        client = _verifier(keys)
        loop.run_until_complete(client.fetch_keys())
        tokens = itertools.repeat(access_token(padding)) if again else _new_tokens(padding)
        return cost(lambda times: loop.run_until_complete(verified(client, tokens, times)), seconds)

    return measure


def verifying_by_hand() -> Measure:
    """Measure joserfc with the key and the expected claims."""
    from joserfc import jwt
    from joserfc.jwk import RSAKey

    public = signing_key().as_dict(private=False)
    key = RSAKey.import_key(public)
    registry = jwt.JWTClaimsRegistry(
        leeway=60,
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": APP_ID},
        exp={"essential": True},
    )

    def verified(tokens: Iterator[str], times: int) -> float:
        chosen = list(itertools.islice(tokens, times))
        start = process_time()
        for token in chosen:
            registry.validate(jwt.decode(token, key, algorithms=["RS256"]).claims)
        return process_time() - start

    def measure(padding: int, seconds: float) -> float:
        tokens = _new_tokens(padding)
        return cost(lambda times: verified(tokens, times), seconds)

    return measure


def checking_signatures() -> Measure:
    """Measure cryptography's RSA check of a token's signature, the floor of any verification."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256
    from joserfc.util import urlsafe_b64decode

    signed, _, encoded = access_token().encode().rpartition(b".")
    key, signature = signing_key().public_key, urlsafe_b64decode(encoded)

    def run(times: int) -> float:
        start = process_time()
        for _ in range(times):
            key.verify(signature, signed, PKCS1v15(), SHA256())
        return process_time() - start

    return partial(cost, run)


def decoding() -> Measure:
    """Measure a sign-in answer's conversion to its DTO, or json.loads alone."""
    from genauth_async._wire.responses import Response, read_envelope
    from genauth_async.models import LoginTokenRespDto

    def to_dto(body: bytes, times: int) -> float:
        start = process_time()
        for _ in range(times):
            read_envelope(Response(status=200, headers={}, body=body), LoginTokenRespDto)
        return process_time() - start

    def to_json(body: bytes, times: int) -> float:
        start = process_time()
        for _ in range(times):
            json.loads(body)
        return process_time() - start

    def measure(dto: bool, padding: int, seconds: float) -> float:
        body = sign_in_answer(padding)
        return cost(lambda times: (to_dto if dto else to_json)(body, times), seconds)

    return measure


def _verifier(keys: int) -> Any:
    from genauth_async import AuthenticationClient

    published = key_set(keys)
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=published))
    return AuthenticationClient(APP_ID, _HOST, APP_SECRET, transport=transport)


def _new_tokens(padding: int) -> Iterator[str]:
    """Yield tokens that a new client has not seen, or no longer remembers; each is signed on first use."""
    pool = _pools.setdefault(padding, [])
    for number in itertools.count():
        index = number % _POOL
        if index == len(pool):
            pool.append(access_token(padding))
        yield pool[index]
