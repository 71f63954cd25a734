"""Everything that this package raises.

    GenAuthError
    ├── ConfigurationError               an argument cannot be right (also a ValueError)
    ├── ClientClosedError                the client was closed before, or meanwhile (also a RuntimeError)
    ├── PasswordEncryptionError          the password or the server's public key cannot be used (also a ValueError)
    ├── SyncBridgeError                  genauth_sync was called where it cannot work (also a RuntimeError)
    ├── WaitTimeoutError                 what was waited for did not happen in time (also the built-in TimeoutError)
    ├── TransportError                   no complete answer arrived
    │   ├── ConnectionFailedError            no connection was made: nothing was sent
    │   │   └── TLSError                         because the certificate or the handshake was refused
    │   ├── ConnectionLostError              the connection broke after the request may have gone out
    │   └── RequestTimeoutError              the time was up (also the built-in TimeoutError)
    ├── InvalidResponseError             an answer arrived that is not GenAuth's
    │   ├── NotJSONError                     HTML from a proxy, plain text
    │   ├── TruncatedResponseError           JSON that breaks off
    │   ├── EmptyResponseError               no body
    │   ├── ResponseTooLargeError            more bytes than `max_response_bytes`
    │   ├── UnexpectedRedirectError          3xx: never followed, it would carry credentials along
    │   └── UnexpectedShapeError             JSON of another form; the message has the path
    ├── GenAuthAPIError                  the API said no: statusCode, apiCode, message, requestId
    │   ├── InvalidArgumentError             400
    │   ├── NotSignedInError                 401, apiCode 2020
    │   ├── PlanLimitError                   402
    │   ├── ForbiddenError                   403
    │   ├── NotFoundError                    404
    │   │   ├── ApplicationNotFoundError         apiCode 2011
    │   │   └── UserPoolNotFoundError            apiCode 2224
    │   ├── ConflictError                    409
    │   ├── PayloadTooLargeError             413
    │   ├── InvalidOperationError            422
    │   ├── RateLimitedError                 429; `retry_after` in seconds
    │   ├── ServerError                      500 to 503
    │   ├── ThirdPartyError                  601 to 603
    │   ├── PasswordDecryptionError          apiCode 2016: the server could not decrypt the password
    │   └── SignInError                      this user is not signed in by this
    │       ├── InvalidCredentialsError          2333, 2006: account or password wrong
    │       ├── InvalidPassCodeError             2001, 2300: verification code wrong or expired
    │       ├── CaptchaRequiredError             2000
    │       ├── UserNotFoundError                2004
    │       ├── AccountLockedError               2005, 1643
    │       ├── SignUpDisabledError              2031
    │       ├── PasswordResetRequiredError       2058, 1639
    │       ├── MFARequiredError                 1635, 1636; `mfa_token`, `factors`
    │       ├── IdentityBindingRequiredError     1640, 1641
    │       ├── ProfileCompletionRequiredError   1642
    │       ├── TOTPError                        6001 to 6004
    │       ├── TenantError                      2120008, 2130010
    │       └── LDAPError                        2820002
    ├── OAuthError                       an OAuth 2.0 error answer (RFC 6749 section 5.2)
    │   ├── InvalidGrantError                invalid_grant
    │   └── InvalidClientError               invalid_client
    ├── TokenVerificationError           a token is not good, or cannot be told to be
    │   ├── MalformedTokenError              not written as a signed token is
    │   ├── TokenKindError                   an ID token for an access token, or the reverse
    │   ├── AlgorithmNotAllowedError         signed by another algorithm, or by none
    │   ├── UnknownKeyError                  signed with a key that the server does not publish
    │   ├── SignatureInvalidError            forged, or damaged
    │   ├── TokenExpiredError                exp is past
    │   ├── TokenNotYetValidError            iat or nbf is to come
    │   ├── TokenIssuerError                 iss is another server
    │   ├── TokenAudienceError               aud or azp is another application
    │   ├── NonceMismatchError               nonce is another login attempt's
    │   ├── AccessTokenHashError             at_hash is another access token's
    │   ├── InsufficientScopeError           scope lacks something; `required`, `granted`
    │   └── KeysUnavailableError             the server's keys cannot be had; says nothing about the token
    ├── CallbackError                    what came back from the hosted sign-in page is not good
    │   ├── StateMismatchError               it belongs to another login attempt, or was made up
    │   ├── IssuerMismatchError              it comes from another server (RFC 9207)
    │   └── LoginExpiredError                the user took too long
    └── SessionError                     a TokenSession cannot give a valid access token
        ├── SessionExpiredError              for good: the user has to sign in again
        └── RefreshUnavailableError          for now: the session is kept
            └── StoreError                       since its store failed, or nobody lets go of its lock

Every class pickles and copies. None shows a password, secret, code or token in its message, repr, args or pickle.
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
    SyncBridgeError,
    WaitTimeoutError,
)
from ._oidc import (
    AccessTokenHashError,
    AlgorithmNotAllowedError,
    CallbackError,
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
    "ResponseTooLargeError",
    "ServerError",
    "SessionError",
    "SessionExpiredError",
    "SignInError",
    "SignUpDisabledError",
    "SignatureInvalidError",
    "StateMismatchError",
    "StoreError",
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

# Tracebacks, pickles and documents name the module that everybody imports them from.
for _name in __all__:
    globals()[_name].__module__ = __name__
