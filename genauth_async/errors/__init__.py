"""Exceptions of this package.

    GenAuthError
    ├── ConfigurationError               an argument is invalid (also a ValueError)
    ├── ClientClosedError                the client was closed before or during the call (also a RuntimeError)
    ├── PasswordEncryptionError          the password or the server's public key is unusable (also a ValueError)
    ├── SyncBridgeError                  genauth_sync was called where it cannot work (also a RuntimeError)
    ├── WaitTimeoutError                 the wait timed out (also the built-in TimeoutError)
    ├── TransportError                   no complete answer arrived
    │   ├── ConnectionFailedError            no connection was made: nothing was sent
    │   │   └── TLSError                         the certificate or the handshake was refused
    │   ├── ConnectionLostError              the connection broke after the request may have been sent
    │   └── RequestTimeoutError              the call timed out (also the built-in TimeoutError)
    ├── ResponseError                    an HTTP response says no, or is unusable; `http_status`, `retry_after`
    │   ├── InvalidResponseError             the answer is not GenAuth's
    │   │   ├── NotJSONError                     HTML from a proxy, plain text
    │   │   ├── TruncatedResponseError           the body is truncated
    │   │   ├── EmptyResponseError               no body
    │   │   ├── ResponseTooLargeError            more bytes than `max_response_bytes`
    │   │   ├── UnexpectedRedirectError          3xx: never followed, since it would redirect credentials
    │   │   └── UnexpectedShapeError             JSON that does not match the documents; the message has the path
    │   ├── GenAuthAPIError                  the API refused: statusCode, apiCode, message, requestId
    │   │   ├── InvalidArgumentError             400
    │   │   ├── NotSignedInError                 401; 2020, 2021, 2206, 2207
    │   │   ├── PlanLimitError                   402; 4021, 3720001 to 3720003
    │   │   ├── ForbiddenError                   403; 1576 to 1578
    │   │   ├── NotFoundError                    404
    │   │   │   ├── ApplicationNotFoundError         apiCode 2011
    │   │   │   └── UserPoolNotFoundError            apiCode 2224
    │   │   ├── ConflictError                    409; 2026, 2034, 2035, 2200, 1320004
    │   │   ├── PayloadTooLargeError             413
    │   │   ├── InvalidOperationError            422
    │   │   ├── RateLimitedError                 429, of a gateway too; 1002, 2080, 2100, 4004
    │   │   ├── ServerError                      500 to 599, of a gateway too
    │   │   ├── ThirdPartyError                  601 to 603
    │   │   ├── PasswordDecryptionError          apiCode 2016: the server could not decrypt the password
    │   │   └── SignInError                      the call did not sign the user in
    │   │       ├── InvalidCredentialsError          2333, 2006, 2203, 1320011: account or password wrong
    │   │       ├── InvalidPassCodeError             2001, 2300, 500: verification code wrong or expired
    │   │       ├── CaptchaRequiredError             2000
    │   │       ├── UserNotFoundError                2004
    │   │       ├── AccountLockedError               2005, 2057, 1643
    │   │       ├── SignUpDisabledError              2031
    │   │       ├── PasswordResetRequiredError       1639, 2058, 2071; `reset_token`
    │   │       ├── MFARequiredError                 1635, 1636; `mfa_token`, `factors`
    │   │       ├── IdentityBindingRequiredError     1640, 1641
    │   │       ├── ProfileCompletionRequiredError   1642
    │   │       ├── SignInStepRequiredError          2921 and others: only the hosted page can go on
    │   │       ├── TOTPError                        6001 to 6004
    │   │       ├── TenantError                      2120008, 2130010
    │   │       └── LDAPError                        2820002
    │   └── OAuthError                       an OAuth 2.0 error answer (RFC 6749 section 5.2, RFC 6750 section 3)
    │       ├── InvalidGrantError                invalid_grant
    │       └── InvalidClientError               invalid_client; also a wrong secret at a sign-in, 1300 to 1306
    ├── TokenVerificationError           a token is invalid, or cannot be verified
    │   ├── MalformedTokenError              not a signed JWT
    │   ├── TokenKindError                   an ID token instead of an access token, or the reverse
    │   ├── AlgorithmNotAllowedError         signed with another algorithm, or unsigned
    │   ├── UnknownKeyError                  signed with a key that the server does not publish
    │   ├── SignatureInvalidError            the signature is wrong
    │   ├── TokenExpiredError                exp is in the past
    │   ├── TokenNotYetValidError            iat or nbf is in the future
    │   ├── TokenIssuerError                 iss is another server's
    │   ├── TokenAudienceError               aud or azp is another application's
    │   ├── NonceMismatchError               nonce is another login attempt's
    │   ├── AccessTokenHashError             at_hash is another access token's
    │   ├── InsufficientAuthenticationError  signed in too long ago, or too weakly
    │   ├── InsufficientScopeError           scope is insufficient; `required`, `granted`
    │   └── KeysUnavailableError             the server's keys are unavailable; the token may be valid
    ├── CallbackError                    the callback of the hosted sign-in page is invalid
    │   ├── StateMismatchError               it belongs to another login attempt, or is forged
    │   ├── IssuerMismatchError              it comes from another server (RFC 9207)
    │   └── LoginExpiredError                the login attempt expired
    └── SessionError                     a TokenSession has no valid access token
        ├── SessionExpiredError              permanent: the user has to sign in again
        └── RefreshUnavailableError          temporary: the session is kept
            └── StoreError                       its store failed
                ├── StoreLockedError             the store's lock is held elsewhere
                └── StoreUnusableError           its store needs another setup

`is_transient` tells of each error whether the same call may succeed later: no answer, 5xx, 429, a refresh that failed.

Every class pickles, copies, and can be called with its args alone, as Celery does. None shows a password, secret, code
or token in its message, repr, args or pickle. Texts of the server are escaped and truncated in messages.
"""

from __future__ import annotations

from ._api import (
    AccountLockedError,
    ApplicationNotFoundError,
    CaptchaRequiredError,
    ConflictError,
    ForbiddenError,
    GenAuthAPIError,
    IdentityBindingRequiredError,
    InvalidArgumentError,
    InvalidCredentialsError,
    InvalidOperationError,
    InvalidPassCodeError,
    LDAPError,
    MFARequiredError,
    NotFoundError,
    NotSignedInError,
    PasswordDecryptionError,
    PasswordResetRequiredError,
    PayloadTooLargeError,
    PlanLimitError,
    ProfileCompletionRequiredError,
    RateLimitedError,
    ServerError,
    SignInError,
    SignInStepRequiredError,
    SignUpDisabledError,
    TenantError,
    ThirdPartyError,
    TOTPError,
    UserNotFoundError,
    UserPoolNotFoundError,
)
from ._base import (
    ClientClosedError,
    ConfigurationError,
    GenAuthError,
    PasswordEncryptionError,
    ResponseError,
    SyncBridgeError,
    WaitTimeoutError,
)
from ._oidc import (
    AccessTokenHashError,
    AlgorithmNotAllowedError,
    CallbackError,
    InsufficientAuthenticationError,
    InsufficientScopeError,
    InvalidClientError,
    InvalidGrantError,
    IssuerMismatchError,
    KeysUnavailableError,
    LoginExpiredError,
    MalformedTokenError,
    NonceMismatchError,
    OAuthError,
    SignatureInvalidError,
    StateMismatchError,
    TokenAudienceError,
    TokenExpiredError,
    TokenIssuerError,
    TokenKindError,
    TokenNotYetValidError,
    TokenVerificationError,
    UnknownKeyError,
)
from ._sessions import (
    RefreshUnavailableError,
    SessionError,
    SessionExpiredError,
    StoreError,
    StoreLockedError,
    StoreUnusableError,
)
from ._transport import (
    ConnectionFailedError,
    ConnectionLostError,
    EmptyResponseError,
    InvalidResponseError,
    NotJSONError,
    RequestTimeoutError,
    ResponseTooLargeError,
    TLSError,
    TransportError,
    TruncatedResponseError,
    UnexpectedRedirectError,
    UnexpectedShapeError,
)

__all__ = [
    "AccessTokenHashError",
    "AccountLockedError",
    "AlgorithmNotAllowedError",
    "ApplicationNotFoundError",
    "CallbackError",
    "CaptchaRequiredError",
    "ClientClosedError",
    "ConfigurationError",
    "ConflictError",
    "ConnectionFailedError",
    "ConnectionLostError",
    "EmptyResponseError",
    "ForbiddenError",
    "GenAuthAPIError",
    "GenAuthError",
    "IdentityBindingRequiredError",
    "InsufficientAuthenticationError",
    "InsufficientScopeError",
    "InvalidArgumentError",
    "InvalidClientError",
    "InvalidCredentialsError",
    "InvalidGrantError",
    "InvalidOperationError",
    "InvalidPassCodeError",
    "InvalidResponseError",
    "IssuerMismatchError",
    "KeysUnavailableError",
    "LDAPError",
    "LoginExpiredError",
    "MFARequiredError",
    "MalformedTokenError",
    "NonceMismatchError",
    "NotFoundError",
    "NotJSONError",
    "NotSignedInError",
    "OAuthError",
    "PasswordDecryptionError",
    "PasswordEncryptionError",
    "PasswordResetRequiredError",
    "PayloadTooLargeError",
    "PlanLimitError",
    "ProfileCompletionRequiredError",
    "RateLimitedError",
    "RefreshUnavailableError",
    "RequestTimeoutError",
    "ResponseError",
    "ResponseTooLargeError",
    "ServerError",
    "SessionError",
    "SessionExpiredError",
    "SignInError",
    "SignInStepRequiredError",
    "SignUpDisabledError",
    "SignatureInvalidError",
    "StateMismatchError",
    "StoreError",
    "StoreLockedError",
    "StoreUnusableError",
    "SyncBridgeError",
    "TLSError",
    "TOTPError",
    "TenantError",
    "ThirdPartyError",
    "TokenAudienceError",
    "TokenExpiredError",
    "TokenIssuerError",
    "TokenKindError",
    "TokenNotYetValidError",
    "TokenVerificationError",
    "TransportError",
    "TruncatedResponseError",
    "UnexpectedRedirectError",
    "UnexpectedShapeError",
    "UnknownKeyError",
    "UserNotFoundError",
    "UserPoolNotFoundError",
    "WaitTimeoutError",
]

# Tracebacks, pickles and documents name the module that users import them from.
for _name in __all__:
    globals()[_name].__module__ = __name__
