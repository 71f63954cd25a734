"""Tokens: the cost of handing out, verifying and decoding, and the memory of sessions."""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from functools import cache, partial
from statistics import median
from time import process_time
from typing import Final

import httpx

from .answers import APP_ID, APP_SECRET, ISSUER, access_token, key_set, sign_in_answer, signing_key
from .lab import Lab, ratio
from .load import cost, repeated
from .worker import Measure

_HOST: Final = "https://sign-in.test"
_POOL: Final = 1500  # more than a client remembers
_SESSIONS: Final = 10_000


def costs(lab: Lab) -> None:
    """Compare handing out, verifying and decoding tokens to joserfc, json.loads and bounds."""
    seconds = lab.effort.seconds
    handing_out, ours = lab.start("tokens:handing_out"), lab.start("tokens:verifying")
    by_hand, by_pyjwt = lab.start("tokens:verifying_by_hand"), lab.start("tokens:verifying_by_pyjwt")
    decoding = lab.start("tokens:decoding")

    found = lab.take_turns("tokens", {"access_token()": partial(handing_out.measure, seconds=seconds)}, "µs", 1e6)
    lab.judge("session.access_token() while fresh", median(found["access_token()"]), "at most", 3.0, "µs")

    runners = {
        "verify_access_token, first": partial(ours.measure, again=False, seconds=seconds),
        "joserfc": partial(by_hand.measure, seconds=seconds),
        "PyJWT": partial(by_pyjwt.measure, seconds=seconds),
        "verify_access_token, again": partial(ours.measure, again=True, seconds=seconds),
    }
    found = lab.take_turns("tokens", runners, "µs", 1e6)
    first = ratio(found["verify_access_token, first"], found["joserfc"])
    lab.judge("verify_access_token, first / joserfc", first, "at most", 1.15)
    again = median(found["verify_access_token, again"])
    lab.judge("verify_access_token, again", again, "at most", 5.0, "µs")

    decode = partial(decoding.measure, seconds=seconds)
    runners = {"answer to DTO": partial(decode, dto=True), "json.loads": partial(decode, dto=False)}
    found = lab.take_turns("tokens", runners, "µs", 1e6)
    beyond = [dto - bare for dto, bare in zip(found["answer to DTO"], found["json.loads"], strict=True)]
    lab.judge("sign-in answer to DTO, beyond json.loads", median(beyond), "at most", 15.0, "µs")


def memory(lab: Lab) -> None:
    """Measure the memory of idle sessions."""
    held = lab.start("tokens:idle_sessions").measure(size=lab.effort.of(_SESSIONS))
    lab.note(f"{_SESSIONS:,} idle sessions", "bytes beyond the tokens, each", held, "B")
    lab.judge("idle sessions: bytes beyond the tokens, each", held, "at most", 3 * 1024.0, "B")


def handing_out() -> Measure:
    """Measure `session.access_token()` while it is fresh."""
    from genauth_async import AuthenticationClient

    loop = asyncio.new_event_loop()
    session = AuthenticationClient(APP_ID, _HOST, APP_SECRET).session(_tokens(0))

    async def handed_out(times: int) -> float:
        start = process_time()
        for _ in range(times):
            await session.access_token()
        return process_time() - start

    return partial(cost, lambda times: loop.run_until_complete(handed_out(times)))


def idle_sessions() -> Measure:
    """Count the bytes of a session beyond its tokens."""
    from genauth_async import AuthenticationClient

    async def held(size: int) -> float:
        client = AuthenticationClient(APP_ID, _HOST, APP_SECRET)
        await client.session(_tokens(-1)).access_token()  # creates the shared parts once
        all_tokens = [_tokens(index) for index in range(size)]
        gc.collect()
        tracemalloc.start()
        sessions = [client.session(tokens) for tokens in all_tokens]
        for session in sessions:
            await session.access_token()
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return (taken - sys.getsizeof(sessions)) / size

    return lambda size: asyncio.new_event_loop().run_until_complete(held(size))


def verifying() -> Measure:
    """Measure `verify_access_token`, of new tokens or of one repeatedly."""
    from genauth_async import AuthenticationClient

    loop = asyncio.new_event_loop()
    published = key_set()
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=published))

    async def verified(client: AuthenticationClient, tokens: Iterator[str], times: int) -> float:
        chosen = list(itertools.islice(tokens, times))
        start = process_time()
        for token in chosen:
            await client.verify_access_token(token)
        return process_time() - start

    def measure(again: bool, seconds: float) -> float:
        client = AuthenticationClient(APP_ID, _HOST, APP_SECRET, transport=transport)
        loop.run_until_complete(client.fetch_keys())
        tokens = itertools.repeat(access_token()) if again else _new_tokens()
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
    return _cost_of_each(lambda token: registry.validate(jwt.decode(token, key, algorithms=["RS256"]).claims))


def verifying_by_pyjwt() -> Measure:
    """Measure PyJWT with the key and the expected claims."""
    import jwt
    from jwt.types import Options

    key = jwt.PyJWK(signing_key().as_dict(private=False))
    options: Options = {"require": ["exp"]}

    def verify(token: str) -> object:
        return jwt.decode(token, key, algorithms=["RS256"], audience=APP_ID, issuer=ISSUER, leeway=60, options=options)

    return _cost_of_each(verify)


def _cost_of_each(verify: Callable[[str], object]) -> Measure:
    tokens = _new_tokens()

    def verified(times: int) -> float:
        chosen = list(itertools.islice(tokens, times))
        start = process_time()
        for token in chosen:
            verify(token)
        return process_time() - start

    return partial(cost, verified)


def decoding() -> Measure:
    """Measure a sign-in answer's conversion to its DTO, or json.loads alone."""
    from genauth_async._wire.responses import Response, read_envelope
    from genauth_async.models import LoginTokenRespDto

    body = sign_in_answer()

    def to_dto() -> object:
        return read_envelope(Response(status=200, headers={}, body=body), LoginTokenRespDto)

    def to_json() -> object:
        return json.loads(body)

    return lambda dto, seconds: cost(repeated(to_dto if dto else to_json), seconds)


def _tokens(index: int) -> dict[str, object]:
    """Build tokens that exist before the memory is measured, so that their own size is not counted."""
    return {
        "access_token": f"access-{index}",
        "id_token": f"id-{index}",
        "refresh_token": f"refresh-{index}",
        "token_type": "Bearer",
        "scope": "openid profile offline_access",
        "expires_in": 14 * 24 * 3600,
    }


@cache
def _signed(_number: int) -> str:
    return access_token()


def _new_tokens() -> Iterator[str]:
    """Yield tokens that a new client has not seen, or no longer remembers; each is signed on first use."""
    return map(_signed, itertools.cycle(range(_POOL)))
