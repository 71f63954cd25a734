"""Tells apart what can go wrong with a sign-in."""

import anyio

from genauth_async import (
    AuthenticationClient,
    GenAuthAPIError,
    InvalidCredentialsError,
    MFARequiredError,
    RateLimitedError,
    RetryPolicy,
    SignInError,
    TransportError,
)
from genauth_async.emulator import Emulator


async def outcome(client: AuthenticationClient, password: str) -> str:
    try:
        await client.sign_in_by_account_password("test", password)
    except MFARequiredError as error:
        told = f"continue with {' or '.join(error.factors)}"
    except InvalidCredentialsError:
        told = "wrong"
    except SignInError as error:  # locked, unknown, password to be reset, ...
        told = f"no: {error.message}"
    except RateLimitedError as error:
        told = f"again in {error.retry_after} s"
    except GenAuthAPIError as error:
        told = f"refused: {error.status_code}, requestId {error.request_id}"
    except TransportError as error:
        told = f"no answer; sent: {error.sent}"
    else:
        told = "signed in"
    return told


async def main() -> None:
    async with Emulator() as emulator:
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
        async with client:
            user = emulator.add_user(username="test", password="passw0rd")
            once = client.with_options(retry=RetryPolicy(attempts=1))

            assert await outcome(once, "passw0rd") == "signed in"
            assert await outcome(once, "guessed") == "wrong"
            emulator.faults.add("/api/v3/signin", drop=True, times=1)
            assert await outcome(once, "passw0rd") == "no answer; sent: True"
            emulator.faults.add("/api/v3/signin", status=429, retry_after=7, times=1)
            assert await outcome(once, "passw0rd") == "again in 7.0 s"
            emulator.lock_user(user)
            print(await outcome(once, "passw0rd"))


anyio.run(main)
