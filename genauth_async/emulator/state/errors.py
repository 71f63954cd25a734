"""Errors that a request is answered with."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Literal


class ReplyError(Exception):
    """An error that is the answer to a request; `http.replies` makes the response."""


class ApiError(ReplyError):
    """An error of the API: HTTP 200 and an envelope with the reason.

    Args:
        status_code: the class of the error.
        message: for people.
        api_code: the API's number of the error, where there is one; the service writes some as text.
        data: values that the client needs to go on.
        retry_after: seconds, for the header of that name.
        http_status: other than 200 only for requests that never reach the API proper.
    """

    def __init__(
        self,
        status_code: int,
        message: str,
        *,
        api_code: int | str | None = None,
        data: Mapping[str, object] | None = None,
        retry_after: int | None = None,
        http_status: int = 200,
    ) -> None:
        super().__init__(message)
        self.body: dict[str, object] = {"statusCode": status_code, "message": message}
        if api_code is not None:
            self.body["apiCode"] = api_code
        if data is not None:
            self.body["data"] = data
        self.headers = {} if retry_after is None else {"retry-after": str(retry_after)}
        self.http_status = http_status


class Refusal(Enum):
    """The refusals that have a number: statusCode, apiCode and message.

    Messages are the published ones, word for word, where there are any: those that end with a full stop, and those in
    Chinese. A statusCode that is not published follows its class, such as 409 for a name that is taken.
    """

    MFA_REQUIRED = (403, 1636, "a second factor is required")
    PASSWORD_RESET_REQUIRED = (403, 1639, "a new password has to be set first")
    CAPTCHA_REQUIRED = (403, 2000, "Please enter captcha code for this login request.")
    WRONG_CAPTCHA = (400, 2001, "the captcha is wrong")
    WRONG_PASS_CODE = (400, 2001, "the pass code is wrong")
    NO_EMAIL_ADDRESS = (400, 2003, "an email address is required")
    NO_SUCH_USER = (404, 2004, "User not exists.")
    LOCKED = (403, 2005, "the user is locked")
    WRONG_PASSWORD = (403, 2006, "Password is incorrect.")
    NO_SUCH_APP = (499, "2011", "应用不存在")
    UNDECRYPTABLE = (499, 2016, "Decrypt password failed, please check your encryption configuration.")
    NOT_SIGNED_IN = (401, 2020, "尚未登录，无访问权限")  # noqa: RUF001
    USER_EXISTS = (409, 2026, "the user exists already")
    WEAK_PASSWORD = (400, 2029, "the password is too weak")
    SIGN_UP_DISABLED = (403, 2031, "sign-up is disabled for the application")
    USERNAME_TAKEN = (409, 2034, "another user has the username already")
    NOT_THE_USERS_EMAIL = (400, 2037, "oldEmail is not the user's")
    NOT_THE_USERS_PHONE = (400, 2038, "oldPhoneNumber is not the user's")
    LOCKED_BY_FAILURES = (403, 2057, "the user is locked after too many wrong passwords")
    PASSWORD_EXPIRED = (403, 2058, "the password has expired and has to be replaced first")
    SENT_TOO_OFTEN_BY_EMAIL = (429, 2080, "sent too often")
    EMAIL_TAKEN = (409, 2200, "another user has the email already")
    WRONG_OLD_PASSWORD = (403, 2203, "the old password is wrong")
    SAME_PHONE = (422, 2230, "新手机号和旧手机号一样")
    EXPIRED_PASS_CODE = (400, 2300, "the pass code has expired")
    WRONG_CREDENTIALS = (403, 2333, "Account not exists or password is incorrect.")
    SENT_TOO_OFTEN_BY_SMS = (429, 4004, "sent too often")
    WRONG_TOTP = (400, 6001, "the one-time password is wrong or was used")
    WRONG_RECOVERY_CODE = (400, 6002, "the recovery code is wrong or was used")
    NO_TOTP = (400, 6003, "totp is required")
    NO_RECOVERY_CODE = (400, 6004, "recoveryCode is required")
    PHONE_TAKEN = (409, 1320004, "another user has the phone already")

    def error(
        self,
        message: str | None = None,
        *,
        data: Mapping[str, object] | None = None,
        retry_after: int | None = None,
        http_status: int = 200,
    ) -> ApiError:
        """Make the error.

        Args:
            message: a more precise one than the table's.
            data: values that the client needs to go on.
            retry_after: seconds, for the header of that name.
            http_status: as for `ApiError`.
        """
        status_code, api_code, text = self.value
        return ApiError(
            status_code,
            message or text,
            api_code=api_code,
            data=data,
            retry_after=retry_after,
            http_status=http_status,
        )


class OAuthError(ReplyError):
    """An error of the /oidc and /oauth endpoints (RFC 6749 section 5.2, RFC 6750 section 3).

    Args:
        error: the standard's name of the error.
        description: for people.
        http_status: 400, or 401 and 403 where authentication or authorization failed.
        scheme: the authentication scheme that the client should have used.
    """

    def __init__(
        self, error: str, description: str, *, http_status: int = 400, scheme: Literal["Basic", "Bearer"] | None = None
    ) -> None:
        super().__init__(description)
        self.body = {"error": error, "error_description": description}
        self.http_status = http_status
        self.challenge: str | None = None
        if scheme == "Basic":
            self.challenge = 'Basic realm="oidc", charset="UTF-8"'
        elif scheme == "Bearer":
            self.challenge = f'Bearer realm="oidc", error="{error}", error_description="{description}"'


def not_modelled(subject: str) -> ApiError:
    """Refuse an operation that GenAuth has and the emulator has not: never a made-up success."""
    return ApiError(501, f"the emulator does not model {subject}", http_status=501)


def not_signed_in() -> ApiError:
    """Refuse a call without a valid access token."""
    return Refusal.NOT_SIGNED_IN.error()


def no_such_user() -> ApiError:
    """Refuse a call about an unknown or removed user."""
    return Refusal.NO_SUCH_USER.error()


def no_such_app() -> ApiError:
    """Refuse a call about an unknown application."""
    return Refusal.NO_SUCH_APP.error()
