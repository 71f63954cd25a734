"""The limit on guesses of a one-time password."""

from __future__ import annotations

from typing import Any

import pytest
from pyotp.totp import TOTP

from genauth_async.emulator import Emulator, User
from genauth_async.errors import TOTPError
from tests.emulator.test_mfa_signin import is_signed_in, required

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _needs_a_second_factor(user: User) -> None:
    user.mfa_required = True


async def guess(client: Any, times: int) -> None:
    for _ in range(times):
        with pytest.raises(TOTPError, match="is wrong"):
            await client.complete_mfa_with_totp(await required(client), "wrong")


async def test_ten_wrong_codes_over_both_calls_lock_the_factor(client: Any, emulator: Emulator, user: User) -> None:
    emulator.factors.enroll(user, "OTP")
    token = emulator.issue_tokens(user)["access_token"]
    await guess(client, 7)
    for _ in range(3):
        assert (await client.mfa_otp_verify("wrong", access_token=token)).data.verified is False
    with pytest.raises(LookupError, match="advance the clock by 300"):
        emulator.factors.totp_for(user)
    code = TOTP(emulator.factors.of(user)[0].secret or "").at(int(emulator.clock.now()))
    with pytest.raises(TOTPError, match="300 seconds"):
        await client.complete_mfa_with_totp(await required(client), code)
    with pytest.raises(TOTPError, match="too many"):
        await client.mfa_otp_verify(code, access_token=token)
    emulator.clock.advance(300)
    assert await is_signed_in(
        client, await client.complete_mfa_with_totp(await required(client), emulator.factors.totp_for(user)), user
    )


async def test_a_right_one_time_password_begins_the_count_again(client: Any, emulator: Emulator, user: User) -> None:
    emulator.factors.enroll(user, "OTP")
    for _ in range(2):
        await guess(client, 9)
        await client.complete_mfa_with_totp(await required(client), emulator.factors.totp_for(user))


async def test_the_recovery_code_opens_a_locked_factor(client: Any, emulator: Emulator, user: User) -> None:
    factor = emulator.factors.enroll(user, "OTP")
    await guess(client, 10)
    await client.complete_mfa_with_recovery_code(await required(client), factor.recovery_code)
    await client.complete_mfa_with_totp(await required(client), emulator.factors.totp_for(user))
