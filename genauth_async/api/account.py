"""Account passwords and account deletion."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from .. import models
from .._arguments.text import require_str
from .._arguments.timeouts import Deadline
from .._crypto.passwords import Encrypt
from .._wire.converter import argument
from .._wire.request import post
from .._wire.responses import read_graphql
from ..errors import ConfigurationError, PasswordResetRequiredError
from ..settings import Timeout
from ._base import Api


class Account(Api):
    """Change and reset passwords, and delete accounts.

    Common parameters:
        access_token: the user's; the client's when None.
        timeout: seconds for the call, or an httpx.Timeout; the client's when None.

    Common errors:
        NotSignedInError: the access token has expired or was revoked.
        ConfigurationError: an argument is not valid, or there is no access token.
        GenAuthAPIError: the server refused the request for another reason.
        TransportError, InvalidResponseError: no GenAuth response arrived. A change may have been made.
    """

    async def update_password(
        self,
        new_password: str,
        old_password: str | None = None,
        password_encrypt_type: models.PasswordEncryptType | None = None,
        *,
        password_reset_token: str | None = None,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.CommonResponseDto:
        """Change the account's password (POST /api/v3/update-password).

        Args:
            new_password: as the user typed it.
            old_password: the present one, if the account has one.
            password_encrypt_type: `sm2`, `rsa` or `none`; both passwords are encrypted here, pass them as the user
                typed them.
            password_reset_token: from a sign-in that says that the password has to be reset, instead of a user's token.

        Raises:
            InvalidCredentialsError: the old password is wrong.
            PasswordEncryptionError: a password cannot be encrypted.
        """

        async def send(encrypt: Encrypt, within: Deadline) -> models.CommonResponseDto:
            sent = models.UpdatePasswordDto(
                new_password=await encrypt(require_str("new_password", new_password)),
                old_password=None if old_password is None else await encrypt(require_str("old_password", old_password)),
                password_encrypt_type=password_encrypt_type,
                password_reset_token=password_reset_token,
            )
            request = post("api", "v3", "update-password", body=sent)
            return await self._call_with_optional_user(request, models.CommonResponseDto, access_token, within)

        return await self._send_with_password(password_encrypt_type, send, timeout)

    async def verify_reset_password_request(
        self,
        verify_method: models.ResetPasswordVerifyMethod | str,
        phone_pass_code_payload: models.ResetPasswordByPhonePassCodeDto | Mapping[str, object] | None = None,
        email_pass_code_payload: models.ResetPasswordByEmailPassCodeDto | Mapping[str, object] | None = None,
        *,
        timeout: Timeout | None = None,
    ) -> models.PasswordResetVerifyResp:
        """Verify the email address or phone number of a user who forgot the password
        (POST /api/v3/verify-reset-password-request).

        The answer's token is for reset_password.

        Args:
            verify_method: EMAIL_PASSCODE or PHONE_PASSCODE.
            phone_pass_code_payload: for PHONE_PASSCODE: the number, and the code sent to it with
                CHANNEL_RESET_PASSWORD.
            email_pass_code_payload: for EMAIL_PASSCODE: the address, and the code sent to it with
                CHANNEL_RESET_PASSWORD.

        Raises:
            InvalidPassCodeError: a code is wrong or has expired.
        """
        sent = models.VerifyResetPasswordRequestDto(
            verify_method=verify_method,
            phone_pass_code_payload=argument(
                phone_pass_code_payload, models.ResetPasswordByPhonePassCodeDto, "phone_pass_code_payload"
            ),
            email_pass_code_payload=argument(
                email_pass_code_payload, models.ResetPasswordByEmailPassCodeDto, "email_pass_code_payload"
            ),
        )
        request = post("api", "v3", "verify-reset-password-request", body=sent)
        return await self._call(request, models.PasswordResetVerifyResp, timeout)

    async def reset_password(
        self,
        password: str,
        password_reset_token: str,
        password_encrypt_type: models.PasswordEncryptType | None = None,
        *,
        timeout: Timeout | None = None,
    ) -> models.IsSuccessRespDto:
        """Set a new password by the token of a verified request (POST /api/v3/reset-password).

        Args:
            password: the new one, as the user typed it.
            password_reset_token: from verify_reset_password_request.
            password_encrypt_type: `sm2`, `rsa` or `none`; the password is encrypted here.

        Raises:
            PasswordEncryptionError: the password cannot be encrypted.
        """

        async def send(encrypt: Encrypt, within: Deadline) -> models.IsSuccessRespDto:
            sent = models.ResetPasswordDto(
                password=await encrypt(password),
                password_reset_token=password_reset_token,
                password_encrypt_type=password_encrypt_type,
            )
            return await self._call(post("api", "v3", "reset-password", body=sent), models.IsSuccessRespDto, within)

        return await self._send_with_password(password_encrypt_type, send, timeout)

    async def reset_password_by_first_login_token(
        self,
        challenge: PasswordResetRequiredError | str,
        password: str,
        password_encrypt_type: models.PasswordEncryptType | None = None,
        *,
        timeout: Timeout | None = None,
    ) -> models.CommonResponseDto:
        """Set a new password that a sign-in required by apiCode 1639 or 2071
        (POST /api/v2/users/password/reset-by-first-login-token).

        Args:
            challenge: the error that the sign-in raised, or its reset_token. It is good once.
            password: the new one, as the user typed it.
            password_encrypt_type: `sm2`, `rsa` or `none`; the password is encrypted here. The vendor's clients always
                encrypt for the older API, which this calls.

        Raises:
            PasswordEncryptionError: the password cannot be encrypted.
        """
        token = _reset_token(challenge)

        async def send(encrypt: Encrypt, within: Deadline) -> models.CommonResponseDto:
            sent = {"token": token, "password": await _encrypted(password, encrypt, password_encrypt_type)}
            path = ("api", "v2", "users", "password", "reset-by-first-login-token")
            return await self._call(post(*path, body=models.Dto(extra=sent)), models.CommonResponseDto, within)

        return await self._send_with_password(password_encrypt_type, send, timeout)

    async def reset_password_by_force_reset_token(
        self,
        challenge: PasswordResetRequiredError | str,
        old_password: str,
        new_password: str,
        password_encrypt_type: models.PasswordEncryptType | None = None,
        *,
        timeout: Timeout | None = None,
    ) -> models.CommonResponseDto:
        """Replace a password that has to be changed regularly, as a sign-in required by apiCode 2058
        (POST /graphql/v2).

        Args:
            challenge: the error that the sign-in raised, or its reset_token. It is good once.
            old_password: the present one, as the user typed it.
            new_password: the new one, as the user typed it.
            password_encrypt_type: `sm2`, `rsa` or `none`; both passwords are encrypted here. The vendor's clients
                always encrypt for the older API, which this calls.

        Raises:
            InvalidCredentialsError: the old password is wrong.
            PasswordEncryptionError: a password cannot be encrypted.
        """
        token = _reset_token(challenge)

        async def send(encrypt: Encrypt, within: Deadline) -> models.CommonResponseDto:
            variables = {
                "token": token,
                "oldPassword": await _encrypted(old_password, encrypt, password_encrypt_type),
                "newPassword": await _encrypted(new_password, encrypt, password_encrypt_type),
            }
            body = {"operationName": _FORCE_RESET, "query": _FORCE_RESET_QUERY, "variables": variables}
            request = post("graphql", "v2", body=models.Dto(extra=body))
            return await self._ask(
                request, partial(read_graphql, answer=models.CommonResponseDto, name=_FORCE_RESET), within
            )

        return await self._send_with_password(password_encrypt_type, send, timeout)

    async def verify_delete_account_request(
        self,
        verify_method: models.DeleteAccountVerifyMethod | str,
        phone_pass_code_payload: models.DeleteAccountByPhonePassCodeDto | Mapping[str, object] | None = None,
        email_pass_code_payload: models.DeleteAccountByEmailPassCodeDto | Mapping[str, object] | None = None,
        password_payload: models.DeleteAccountByPasswordDto | Mapping[str, object] | None = None,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.VerifyDeleteAccountRequestRespDto:
        """Verify a user's request to delete the account (POST /api/v3/verify-delete-account-request).

        The answer's token is for delete_account.

        Args:
            verify_method: PHONE_PASSCODE, EMAIL_PASSCODE or PASSWORD.
            phone_pass_code_payload: for PHONE_PASSCODE; the code is sent with CHANNEL_DELETE_ACCOUNT.
            email_pass_code_payload: for EMAIL_PASSCODE; the code is sent with CHANNEL_DELETE_ACCOUNT.
            password_payload: for PASSWORD; it is encrypted here, as its password_encrypt_type says.

        Raises:
            InvalidPassCodeError: the code is wrong or has expired.
            InvalidCredentialsError: the password is wrong.
            PasswordEncryptionError: the password cannot be encrypted.
        """
        by_password = argument(password_payload, models.DeleteAccountByPasswordDto, "password_payload")
        body = models.VerifyDeleteAccountRequestDto(
            verify_method=verify_method,
            phone_pass_code_payload=argument(
                phone_pass_code_payload, models.DeleteAccountByPhonePassCodeDto, "phone_pass_code_payload"
            ),
            email_pass_code_payload=argument(
                email_pass_code_payload, models.DeleteAccountByEmailPassCodeDto, "email_pass_code_payload"
            ),
            password_payload=by_password,
        )

        async def send(encrypt: Encrypt, within: Deadline) -> models.VerifyDeleteAccountRequestRespDto:
            sent = body
            if by_password is not None:
                sent = body.evolve(password_payload=by_password.evolve(password=await encrypt(by_password.password)))
            request = post("api", "v3", "verify-delete-account-request", body=sent)
            return await self._call_as_user(request, models.VerifyDeleteAccountRequestRespDto, access_token, within)

        encrypt_type = None if by_password is None else by_password.password_encrypt_type
        return await self._send_with_password(encrypt_type, send, timeout)

    async def delete_account(
        self,
        delete_account_token: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.IsSuccessRespDto:
        """Delete the account (POST /api/v3/delete-account).

        Args:
            delete_account_token: from verify_delete_account_request.
        """
        sent = models.DeleteAccounDto(delete_account_token=delete_account_token)
        request = post("api", "v3", "delete-account", body=sent)
        return await self._call_as_user(request, models.IsSuccessRespDto, access_token, timeout)

    async def validate_password(
        self,
        *,
        password: str | None = None,
        email: str | None = None,
        phone: str | None = None,
        phone_country_code: str | None = None,
        username: str | None = None,
        password_encrypt_type: models.PasswordEncryptType | None = None,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.ValidatePasswordRespDto:
        """Check the password of an account (POST /api/v3/validate-password).

        Args:
            password: as the user typed it.
            email: the account's address.
            phone: the account's number, without the country code.
            phone_country_code: such as +86; needed outside mainland China.
            username: the account's name.
            password_encrypt_type: `sm2`, `rsa` or `none`; the password is encrypted here.
            access_token: the user's, instead of an account; the client's when None.

        Raises:
            PasswordEncryptionError: the password cannot be encrypted.
        """

        async def send(encrypt: Encrypt, within: Deadline) -> models.ValidatePasswordRespDto:
            sent = models.ValidatePasswordDto(
                password=None if password is None else await encrypt(password),
                email=email,
                phone=phone,
                phone_country_code=phone_country_code,
                username=username,
                password_encrypt_type=password_encrypt_type,
            )
            # Not repeated by itself: a wrong guess may count towards the account's lock.
            request = post("api", "v3", "validate-password", body=sent)
            return await self._call_with_optional_user(request, models.ValidatePasswordRespDto, access_token, within)

        return await self._send_with_password(password_encrypt_type, send, timeout)


_FORCE_RESET: Final = "resetPasswordByForceResetToken"
_FORCE_RESET_QUERY: Final = (
    f"mutation {_FORCE_RESET}($token: String!, $oldPassword: String!, $newPassword: String!) "
    f"{{ {_FORCE_RESET}(token: $token, oldPassword: $oldPassword, newPassword: $newPassword) {{ message code }} }}"
)


def _reset_token(challenge: PasswordResetRequiredError | str) -> str:
    token = challenge.reset_token if isinstance(challenge, PasswordResetRequiredError) else challenge
    if not isinstance(token, str) or not token:
        raise ConfigurationError(
            "challenge",
            "must be a PasswordResetRequiredError or its reset_token, which pickled ones have lost, and some answers "
            "lack",
        )
    return token


async def _encrypted(password: str, encrypt: Encrypt, encrypt_type: str | None) -> str:
    encrypted = await encrypt(require_str("password", password))
    return f"sm2:{encrypted}" if encrypt_type == "sm2" else encrypted  # the older API's mark
