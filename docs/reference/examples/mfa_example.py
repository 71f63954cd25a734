"""Enrols an authenticator app, and signs in with it."""

import anyio
import pyotp

from genauth_async import AuthenticationClient, MFARequiredError
from genauth_async.emulator import Emulator


async def main() -> None:
    async with Emulator() as emulator:
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
        async with client:
            user = emulator.add_user(username="test", password="passw0rd")
            token = (await client.sign_in_by_account_password("test", "passw0rd")).data.access_token

            # The user scans this with an authenticator app, and types what the app shows.
            begun = (await client.send_enroll_factor_request({}, "OTP", access_token=token)).data
            assert begun.otp_data is not None
            app = pyotp.parse_uri(begun.otp_data.qr_code_uri or "")
            assert isinstance(app, pyotp.TOTP)
            await client.enroll_factor({"passCode": app.now()}, begun.enrollment_token, "OTP", access_token=token)
            factors = await client.list_enrolled_factors(access_token=token)
            assert [factor.factor_type for factor in factors.data] == ["OTP"]

            # From now on a password is not enough.
            user.mfa_required = True
            try:
                await client.sign_in_by_account_password("test", "passw0rd")
            except MFARequiredError as error:
                challenge = error
            else:
                raise AssertionError("signed in without the second factor")
            assert "OTP" in challenge.factors
            answer = await client.complete_mfa_with_totp(challenge, emulator.factors.totp_for(user))
            profile = await client.get_profile(access_token=answer.data.access_token)
            assert profile.data.user_id == user.id


anyio.run(main)
