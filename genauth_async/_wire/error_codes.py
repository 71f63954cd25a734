"""Exception classes by error code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .. import errors

_BY_API_CODE: Final[Mapping[int, type[errors.GenAuthAPIError]]] = {
    1635: errors.MFARequiredError,
    1636: errors.MFARequiredError,
    1639: errors.PasswordResetRequiredError,
    1640: errors.IdentityBindingRequiredError,
    1641: errors.IdentityBindingRequiredError,
    1642: errors.ProfileCompletionRequiredError,
    1643: errors.AccountLockedError,
    2000: errors.CaptchaRequiredError,
    2001: errors.InvalidPassCodeError,
    2004: errors.UserNotFoundError,
    2005: errors.AccountLockedError,
    2006: errors.InvalidCredentialsError,
    2011: errors.ApplicationNotFoundError,
    2016: errors.PasswordDecryptionError,
    2020: errors.NotSignedInError,
    2031: errors.SignUpDisabledError,
    2058: errors.PasswordResetRequiredError,
    2224: errors.UserPoolNotFoundError,
    2300: errors.InvalidPassCodeError,
    2333: errors.InvalidCredentialsError,
    6001: errors.TOTPError,
    6002: errors.TOTPError,
    6003: errors.TOTPError,
    6004: errors.TOTPError,
    2120008: errors.TenantError,
    2130010: errors.TenantError,
    2820002: errors.LDAPError,
}

_BY_STATUS_CODE: Final[Mapping[int, type[errors.GenAuthAPIError]]] = {
    400: errors.InvalidArgumentError,
    401: errors.NotSignedInError,
    402: errors.PlanLimitError,
    403: errors.ForbiddenError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    413: errors.PayloadTooLargeError,
    422: errors.InvalidOperationError,
    429: errors.RateLimitedError,
    500: errors.ServerError,
    501: errors.ServerError,
    502: errors.ServerError,
    503: errors.ServerError,
    601: errors.ThirdPartyError,
    602: errors.ThirdPartyError,
    603: errors.ThirdPartyError,
}

_BY_OAUTH_ERROR: Final[Mapping[str, type[errors.OAuthError]]] = {
    "invalid_grant": errors.InvalidGrantError,
    "invalid_client": errors.InvalidClientError,
}


def api_error_class(status_code: int, api_code: int | None) -> type[errors.GenAuthAPIError]:
    """Return the exception class for an answer's codes: by apiCode first, then by statusCode."""
    if api_code is not None and api_code in _BY_API_CODE:
        return _BY_API_CODE[api_code]
    return _BY_STATUS_CODE.get(status_code, errors.GenAuthAPIError)


def oauth_error_class(error: str) -> type[errors.OAuthError]:
    """Return the exception class for an OAuth 2.0 error code."""
    return _BY_OAUTH_ERROR.get(error, errors.OAuthError)
