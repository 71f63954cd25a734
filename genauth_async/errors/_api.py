"""Errors that the API answers."""

from __future__ import annotations

from collections.abc import Mapping

from .._core.redaction import RedactedMapping
from ._base import GenAuthError


class GenAuthAPIError(GenAuthError):
    """The API answered with a statusCode other than 200.

    Attributes:
        status_code: the envelope's statusCode.
        api_code: the envelope's apiCode, which distinguishes errors of one statusCode, or None.
        request_id: the envelope's requestId, for the vendor's support, or None.
        retry_after: the seconds to wait that the server asked for, or None.
        response: the whole answer, as decoded JSON, or empty if that is over 256 KB; its repr is redacted.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int,
        api_code: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        response: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.api_code = api_code
        self.request_id = request_id
        self.retry_after = retry_after
        self.response: Mapping[str, object] = RedactedMapping(response or {})

    def __str__(self) -> str:
        api_code = "" if self.api_code is None else f", apiCode {self.api_code}"
        request_id = "" if self.request_id is None else f", requestId {self.request_id}"
        return f"{self.message} (statusCode {self.status_code}{api_code}{request_id})"


class InvalidArgumentError(GenAuthAPIError):
    """statusCode 400: an argument of the call is missing or wrong."""


class NotSignedInError(GenAuthAPIError):
    """statusCode 401 or apiCode 2020: the user's access token is missing, expired or revoked."""


class PlanLimitError(GenAuthAPIError):
    """statusCode 402: the user pool's plan does not include this."""


class ForbiddenError(GenAuthAPIError):
    """statusCode 403: the user or the application may not do this."""


class NotFoundError(GenAuthAPIError):
    """statusCode 404: the object does not exist."""


class ApplicationNotFoundError(NotFoundError):
    """apiCode 2011: no application has this app_id."""


class UserPoolNotFoundError(NotFoundError):
    """apiCode 2224: no user pool has this id."""


class ConflictError(GenAuthAPIError):
    """statusCode 409: it conflicts with an existing object."""


class PayloadTooLargeError(GenAuthAPIError):
    """statusCode 413: the request body is too large."""


class InvalidOperationError(GenAuthAPIError):
    """statusCode 422: not possible in the current state."""


class RateLimitedError(GenAuthAPIError):
    """statusCode 429: too many calls; wait `retry_after` seconds where it is given."""


class ServerError(GenAuthAPIError):
    """statusCode 500 to 503: the server failed."""


class ThirdPartyError(GenAuthAPIError):
    """statusCode 601 to 603: a service behind GenAuth failed."""


class PasswordDecryptionError(GenAuthAPIError):
    """apiCode 2016: the server could not decrypt the password, even under its newest public key."""


class SignInError(GenAuthAPIError):
    """The call did not sign the user in; the subclasses tell what is missing."""


class InvalidCredentialsError(SignInError):
    """apiCode 2333 or 2006: the account or the password is wrong."""


class InvalidPassCodeError(SignInError):
    """apiCode 2001 or 2300: the verification code, or the text of the captcha, is wrong or has expired."""


class CaptchaRequiredError(SignInError):
    """apiCode 2000: the text of a captcha is required (`gene_catcha_code_and_token`)."""


class UserNotFoundError(SignInError):
    """apiCode 2004: the user does not exist."""


class AccountLockedError(SignInError):
    """apiCode 2005 or 1643: the account is locked."""


class SignUpDisabledError(SignInError):
    """apiCode 2031: the application does not allow new users to sign up."""


class PasswordResetRequiredError(SignInError):
    """apiCode 2058 or 1639: the user has to set a new password first."""


class MFARequiredError(SignInError):
    """apiCode 1635 or 1636: a second factor is required.

    Attributes:
        mfa_token: continues this sign-in with the second factor. None after unpickling.
        factors: the factors that the user may use, as the server names them, such as OTP, SMS, EMAIL, FACE.
    """

    @property
    def mfa_token(self) -> str | None:
        data = self._data()
        token = data.get("mfaToken", data.get("mfa_token"))
        return token if isinstance(token, str) and not self._unpickled else None

    @property
    def factors(self) -> tuple[str, ...]:
        data = self._data()
        listed = data.get("factors") or data.get("applicationMfa") or data.get("mfa") or ()
        names: list[str] = []
        for item in listed if isinstance(listed, (list, tuple)) else ():
            name = (item.get("factorType") or item.get("mfaPolicy")) if isinstance(item, Mapping) else item
            if isinstance(name, str):
                names.append(name)
        return tuple(names)

    _unpickled: bool = False

    def _public_state(self) -> dict[str, object]:
        return {**super()._public_state(), "_unpickled": True}

    def _data(self) -> Mapping[str, object]:
        data = self.response.get("data")
        return data if isinstance(data, Mapping) else {}


class IdentityBindingRequiredError(SignInError):
    """apiCode 1640 or 1641: the social identity has to be bound to an account first."""


class ProfileCompletionRequiredError(SignInError):
    """apiCode 1642: the user has to complete the profile first."""


class TOTPError(SignInError):
    """apiCode 6001 to 6004: the one-time password is wrong, or the factor is not enrolled."""


class TenantError(SignInError):
    """apiCode 2120008 or 2130010: the user does not belong to this tenant."""


class LDAPError(SignInError):
    """apiCode 2820002: the LDAP server refused or could not be reached."""
