"""A demonstration against the emulator: sign in, stay signed in, log out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import anyio

from . import AuthenticationClient, Clock, SessionExpiredError, SignInOptionsDto, TokenSet
from .emulator import Emulator
from .models.signin import LoginTokenRespDto, PasswordEncryptType

_ACCOUNT: Final = "test"
_PASSWORD: Final = "passw0rd"  # noqa: S105 - a user that exists in the emulator alone
_CALLERS: Final = 100
_TWO_WEEKS: Final = 14 * 24 * 60 * 60


def run(backend: str = "asyncio") -> None:
    """Run the demonstration, with the async client and with the blocking one.

    Args:
        backend: the async part's event loop: asyncio or trio.
    """
    with Emulator() as emulator:
        emulator.add_user(username=_ACCOUNT, password=_PASSWORD)
        print(f"The emulator serves at {emulator.url}, over real HTTP, with real keys and tokens.")
        print(f"\nAsync ({backend}): genauth_async")
        anyio.run(_async_part, emulator, backend=backend)
        print("\nBlocking: genauth_sync")
        _blocking_part(emulator)
        served = emulator.requests.by_path()
    print("\nRequests that the emulator served:")
    for path, count in sorted(served.items()):
        print(f"  {count:5}  {path}")


async def _async_part(emulator: Emulator) -> None:
    # The emulator's clock, which can be advanced.
    clock = Clock(monotonic=emulator.clock.now, wall=emulator.clock.now)
    async with AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret, clock=clock) as client:

        async def sign_in(encrypt_type: PasswordEncryptType) -> LoginTokenRespDto:
            options = SignInOptionsDto(password_encrypt_type=encrypt_type)
            with _step(f"sign in, password encryption {encrypt_type}") as say:
                signed_in = await client.sign_in_by_account_password(_ACCOUNT, _PASSWORD, options)
                say(_described(signed_in))
            return signed_in

        await sign_in("none")
        await sign_in("rsa")
        answer = await sign_in("sm2")
        with _step("read the profile") as say:
            profile = await client.get_profile(access_token=answer.data.access_token)
            say(f"user {profile.data.username}, id {profile.data.user_id}")
        with _step("look into the ID token") as say:
            say(_claims(answer.data.id_token or "", emulator))

        session = client.session(answer)
        emulator.clock.advance(_TWO_WEEKS)
        before = emulator.requests["/oidc/token"]
        with _step(f"two weeks later, {_CALLERS} callers ask for a token") as say:
            given: set[str] = set()

            async def ask() -> None:
                given.add(await session.access_token())

            async with anyio.create_task_group() as callers:
                for _ in range(_CALLERS):
                    callers.start_soon(ask)
            sent = emulator.requests["/oidc/token"] - before
            say(f"{sent} refresh sent, {len(given)} new token for all, grants revoked: {emulator.grants.revoked}")
        with _step("log out") as say:
            tokens = session.tokens
            await session.logout()
            say(f"access token active: {(await client.introspect_token(tokens.access_token)).active}")
        with _step("ask once more") as say:
            try:
                await session.access_token()
            except SessionExpiredError as error:
                say(f"{type(error).__name__}: {error}")


def _blocking_part(emulator: Emulator) -> None:
    import genauth_sync

    with genauth_sync.AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret) as client:

        def sign_in(encrypt_type: PasswordEncryptType) -> LoginTokenRespDto:
            with _step(f"sign in, password encryption {encrypt_type}") as say:
                signed_in = client.sign_in_by_account_password(
                    _ACCOUNT, _PASSWORD, {"passwordEncryptType": encrypt_type}
                )
                say(_described(signed_in))
            return signed_in

        sign_in("none")
        sign_in("rsa")
        answer = sign_in("sm2")
        session = client.session(answer)
        with _step("refresh") as say:
            say(_renewed(session.refresh()))
        with _step("log out") as say:
            tokens = session.tokens
            session.logout()
            say(f"access token active: {client.introspect_token(tokens.access_token).active}")


@contextmanager
def _step(title: str) -> Iterator[Callable[[str], None]]:
    said: list[str] = []
    started = time.perf_counter()
    yield said.append
    print(f"  {1000 * (time.perf_counter() - started):7.1f} ms  {title}")
    for text in said:
        print(f"              {text}")


def _described(answer: LoginTokenRespDto) -> str:
    data = answer.data
    return (
        f"access token {_masked(data.access_token)}, ID token {_masked(data.id_token)}, "
        f"refresh token {_masked(data.refresh_token)}, valid for {data.expires_in} s"
    )


def _renewed(tokens: TokenSet) -> str:
    return f"access token {_masked(tokens.access_token)}, refresh token {_masked(tokens.refresh_token)}"


def _masked(token: str | None) -> str:
    return "none" if token is None else f"***({len(token)})"


def _claims(id_token: str, emulator: Emulator) -> str:
    from joserfc import jwt
    from joserfc.jwk import OctKey

    claims = jwt.decode(id_token, OctKey.import_key(emulator.app_secret), algorithms=["HS256"]).claims
    return ", ".join(f"{name} {claims[name]}" for name in ("iss", "sub", "aud", "iat", "exp"))
