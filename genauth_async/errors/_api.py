"""Errors that the API answers."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from operator import itemgetter
from typing import Final

from .._core.redaction import RedactedMapping
from ._base import ResponseError

_SWITCHED_OFF: Final = frozenset({"0", "0.0", "False"})
_CODES: Final = re.compile(r"(.*) \(statusCode (-?\d+)(?:, apiCode (-?\d+))?(?:, requestId (.*))?\)", re.DOTALL)


class GenAuthAPIError(ResponseError):
    """The API answered with a statusCode other than 200, or a gateway with an HTTP error.

    Attributes:
        status_code: the envelope's statusCode, or the HTTP status of an answer without one; 0 if unknown.
        api_code: the envelope's apiCode, which distinguishes errors of one statusCode, or None.
        response: the whole answer, as decoded JSON, or empty if that is over 256 KB; its repr is redacted.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int = 0,
        api_code: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        response: Mapping[str, object] | None = None,
        http_status: int = 0,
        endpoint: str = "",
    ) -> None:
        told = None if status_code else _CODES.fullmatch(message)
        if told is not None:  # the text of such an error
            message, status_code, request_id = told[1], int(told[2]), request_id or told[4]
            api_code = int(told[3]) if api_code is None and told[3] else api_code
        super().__init__(
            message, http_status=http_status, retry_after=retry_after, request_id=request_id, endpoint=endpoint
        )
        self.status_code = status_code
        self.api_code = api_code
        self.response = RedactedMapping(response or {})
        self.args = (str(self),)

    def __str__(self) -> str:
        if not self.status_code:
            return self.message
        api_code = "" if self.api_code is None else f", apiCode {self.api_code}"
        request_id = "" if self.request_id is None else f", requestId {self.request_id}"
        return f"{self.message} (statusCode {self.status_code}{api_code}{request_id})"

    def _may_pass(self) -> bool:
        return self._is_transient

    # What is below serves the subclasses whose answer has a secret.

    _unpickled: bool = False

    def _public_state(self) -> dict[str, object]:
        return {**super()._public_state(), "_unpickled": True}

    def _data(self) -> Mapping[str, object]:
        data = self.response.get("data")
        return data if isinstance(data, Mapping) else {}

    def _secret(self, *names: str) -> str | None:
        """Return a secret of the answer's data; None after unpickling, since pickles have none."""
        found = (self._data().get(name) for name in names)
        return None if self._unpickled else next((text for text in found if isinstance(text, str) and text), None)


class InvalidArgumentError(GenAuthAPIError):
    """statusCode 400: an argument of the call is missing or wrong."""


class NotSignedInError(GenAuthAPIError):
    """statusCode 401, or apiCode 2020, 2021, 2206 or 2207: the user's sign-in is missing, expired or revoked."""


class PlanLimitError(GenAuthAPIError):
    """statusCode 402, or apiCode 4021 or 3720001 to 3720003: the user pool's plan does not include this."""


class ForbiddenError(GenAuthAPIError):
    """statusCode 403: the user, the device (apiCode 1577, 1578) or the application (1576) may not do this."""


class NotFoundError(GenAuthAPIError):
    """statusCode 404: the object does not exist."""


class ApplicationNotFoundError(NotFoundError):
    """apiCode 2011: no application has this app_id."""


class UserPoolNotFoundError(NotFoundError):
    """apiCode 2224: no user pool has this id."""


class ConflictError(GenAuthAPIError):
    """statusCode 409: it conflicts with an existing object, such as a user with the same name, phone or email."""


class PayloadTooLargeError(GenAuthAPIError):
    """statusCode 413: the request body is too large."""


class InvalidOperationError(GenAuthAPIError):
    """statusCode 422: not possible in the current state; an invitation that has expired (apiCode 4032, 4033)."""


class RateLimitedError(GenAuthAPIError):
    """statusCode 429, or apiCode 1002, 2080, 2100 or 4004: too many calls; wait `retry_after` seconds, if given."""

    _is_transient = True


class ServerError(GenAuthAPIError):
    """statusCode 500 to 599, or any answer of a gateway with such an HTTP status: the server failed."""

    _is_transient = True


class ThirdPartyError(GenAuthAPIError):
    """statusCode 601 to 603: a service behind GenAuth failed."""

    _is_transient = True


class PasswordDecryptionError(GenAuthAPIError):
    """apiCode 2016: the server could not decrypt the password, even under its newest public key."""


class SignInError(GenAuthAPIError):
    """The call did not sign the user in; the subclasses tell what is missing."""


class InvalidCredentialsError(SignInError):
    """apiCode 2333, 2006, 2203 or 1320011: the account or the password is wrong."""


class InvalidPassCodeError(SignInError):
    """apiCode 2001, 2300 or 500: the verification code, or the text of the captcha, is wrong or has expired."""


class CaptchaRequiredError(SignInError):
    """apiCode 2000: the text of a captcha is required (`gene_catcha_code_and_token`)."""


class UserNotFoundError(SignInError):
    """apiCode 2004: the user does not exist."""


class AccountLockedError(SignInError):
    """apiCode 2005, 2057 or 1643: the account is locked."""


class SignUpDisabledError(SignInError):
    """apiCode 2031: the application does not allow new users to sign up."""


class PasswordResetRequiredError(SignInError):
    """apiCode 1639, 2058 or 2071: the user has to set a new password first.

    `reset_password_by_first_login_token` (1639, 2071) or `reset_password_by_force_reset_token` (2058) sets it.

    Attributes:
        reset_token: authorizes the new password. None if the answer has none, and after unpickling.
    """

    @property
    def reset_token(self) -> str | None:
        return self._secret("token", "passwordResetToken")


class MFARequiredError(SignInError):
    """apiCode 1635 or 1636: a second factor is required.

    Attributes:
        mfa_token: continues this sign-in with the second factor. None after unpickling.
        factors: the application's factors that are switched on, in its order, as the server names them: OTP, SMS,
            EMAIL, FACE. The user may have enrolled only some of them.
    """

    @property
    def mfa_token(self) -> str | None:
        return self._secret("mfaToken", "mfa_token")

    @property
    def factors(self) -> tuple[str, ...]:
        data = self._data()
        listed = data.get("factors") or data.get("applicationMfa") or data.get("mfa") or ()
        names: list[tuple[float, str]] = []
        for item in listed if isinstance(listed, (list, tuple)) else ():
            entry = item if isinstance(item, Mapping) else {"mfaPolicy": item}
            name = entry.get("factorType") or entry.get("mfaPolicy")
            if isinstance(name, str) and str(entry.get("status")) not in _SWITCHED_OFF:
                names.append((_number(entry.get("sort")), name))
        return tuple(name for _, name in sorted(names, key=itemgetter(0)))


def _number(value: object) -> float:
    """Return an entry's place; entries without one come last."""
    try:
        return float(value) if isinstance(value, (int, float, str)) else math.inf
    except (ValueError, OverflowError):
        return math.inf


class IdentityBindingRequiredError(SignInError):
    """apiCode 1640 or 1641: the social identity has to be bound to an account first."""


class ProfileCompletionRequiredError(SignInError):
    """apiCode 1642: the user has to complete the profile first."""


class SignInStepRequiredError(SignInError):
    """The sign-in goes on with a step that only the hosted page has, such as the choice of an account.

    apiCode 1108, 1644, 1645, 1666, 1699, 2042, 2061, 2921 or 2930. `begin_login` leads to that page.
    """


class TOTPError(SignInError):
    """apiCode 6001 to 6004: the one-time password is wrong, or the factor is not enrolled."""


class TenantError(SignInError):
    """apiCode 2120008 or 2130010: the user does not belong to this tenant."""


class LDAPError(SignInError):
    """apiCode 2820002: the LDAP server refused or could not be reached."""
