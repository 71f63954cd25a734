"""Exception classes by error code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from .. import errors

_API_CODES: Final[Mapping[type[errors.GenAuthAPIError], tuple[int, ...]]] = {
    errors.MFARequiredError: (1635, 1636),
    errors.PasswordResetRequiredError: (1639, 2058, 2071),
    errors.IdentityBindingRequiredError: (1640, 1641),
    errors.ProfileCompletionRequiredError: (1642,),
    errors.AccountLockedError: (1643, 2005, 2057),
    errors.CaptchaRequiredError: (2000,),
    errors.InvalidPassCodeError: (2001, 2300),
    errors.UserNotFoundError: (2004,),
    errors.InvalidCredentialsError: (2006, 2203, 2333, 1320011),
    errors.ApplicationNotFoundError: (2011,),
    errors.PasswordDecryptionError: (2016,),
    errors.NotSignedInError: (2020, 2021, 2206, 2207),
    errors.SignUpDisabledError: (2031,),
    errors.UserPoolNotFoundError: (2224,),
    errors.TOTPError: (6001, 6002, 6003, 6004),
    errors.TenantError: (2120008, 2130010),
    errors.LDAPError: (2820002,),
    errors.RateLimitedError: (1002, 2080, 2100, 4004),
    errors.ConflictError: (2026, 2034, 2035, 2200, 1320004),
    errors.ForbiddenError: (1576, 1577, 1578),
    errors.InvalidOperationError: (4032, 4033),
    errors.PlanLimitError: (4021, 3720001, 3720002, 3720003),
    errors.SignInStepRequiredError: (1108, 1644, 1645, 1666, 1699, 2042, 2061, 2921, 2930),
}
_BY_API_CODE: Final = {code: cls for cls, codes in _API_CODES.items() for code in codes}
# Of the signature of an access key.
_KEY_CODES: Final = range(1300, 1307)
# The older API's number for a wrong pass code; elsewhere it is a failure of the server.
_PASS_CODE: Final = 500
_PASS_CODE_ENDPOINT: Final = re.compile(r"(/mfa/(sms|email)/verify|/by(Phone|Email)Code)$")

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
    **dict.fromkeys(range(500, 600), errors.ServerError),
    601: errors.ThirdPartyError,
    602: errors.ThirdPartyError,
    603: errors.ThirdPartyError,
}

_BY_OAUTH_ERROR: Final[Mapping[str, type[errors.OAuthError]]] = {
    "invalid_grant": errors.InvalidGrantError,
    "invalid_client": errors.InvalidClientError,
}
# Of RFC 6749, 6750, 7009, 8628, 8707, 9449, 9470 and OpenID Connect Core.
_REGISTERED: Final = frozenset(
    [
        "access_denied",
        "account_selection_required",
        "authorization_pending",
        "consent_required",
        "expired_token",
        "insufficient_scope",
        "insufficient_user_authentication",
        "interaction_required",
        "invalid_client",
        "invalid_dpop_proof",
        "invalid_grant",
        "invalid_request",
        "invalid_request_object",
        "invalid_request_uri",
        "invalid_scope",
        "invalid_target",
        "invalid_token",
        "login_required",
        "registration_not_supported",
        "request_not_supported",
        "request_uri_not_supported",
        "server_error",
        "slow_down",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_grant_type",
        "unsupported_response_type",
        "unsupported_token_type",
        "use_dpop_nonce",
    ]
)


def api_error_class(status_code: int, api_code: int | None, endpoint: str = "") -> type[errors.GenAuthAPIError]:
    """Return the exception class for an answer's codes: by apiCode first, then by statusCode.

    Args:
        status_code: the statusCode.
        api_code: the apiCode.
        endpoint: the method and path of the call.
    """
    if api_code in _BY_API_CODE:
        return _BY_API_CODE[api_code]
    by_status = _BY_STATUS_CODE.get(status_code, errors.GenAuthAPIError)
    if api_code == _PASS_CODE and (by_status is not errors.ServerError or _PASS_CODE_ENDPOINT.search(endpoint)):
        return errors.InvalidPassCodeError
    return by_status


def is_typed(api_code: int | None) -> bool:
    """Return True if an apiCode alone decides the class."""
    return api_code in _BY_API_CODE


def is_key_error(api_code: int | None) -> bool:
    """Return True if an apiCode says that the application's own credentials are wrong."""
    return api_code in _KEY_CODES


def oauth_error_class(error: str) -> type[errors.OAuthError]:
    """Return the exception class for an OAuth 2.0 error code."""
    return _BY_OAUTH_ERROR.get(error, errors.OAuthError)


def is_registered(error: str) -> bool:
    """Return True for an error code of a standard."""
    return error in _REGISTERED
