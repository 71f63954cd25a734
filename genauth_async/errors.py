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

from collections.abc import Mapping
from typing import TypeVar

from ._masking import MaskedMapping

_E = TypeVar("_E", bound="GenAuthError")


def _rebuild(cls: type[_E], message: str, state: Mapping[str, object]) -> _E:
    error = cls.__new__(cls, message)
    error.args = (message,)  # OSError, which TimeoutError is, leaves it to __init__
    error.__dict__.update(state)
    return error


class GenAuthError(Exception):
    """The base of everything raised by this package.

    Attributes:
        message: what happened, for people.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __reduce__(self) -> tuple[object, ...]:
        # Exception's own way calls the class with `args` alone, which fails for every class that needs more.
        return _rebuild, (type(self), self.message, self._public_state())

    def __copy__(self: _E) -> _E:
        return _rebuild(type(self), self.message, self.__dict__)

    def _public_state(self) -> dict[str, object]:
        return dict(self.__dict__)


class ConfigurationError(GenAuthError, ValueError):
    """An argument cannot be right; the message names it and says what to do.

    Attributes:
        argument: the name of the argument.
    """

    def __init__(self, argument: str, problem: str) -> None:
        super().__init__(f"{argument}: {problem}")
        self.argument = argument


class ClientClosedError(GenAuthError, RuntimeError):
    """The client was closed before this call, or during it.

    Attributes:
        sent: whether the request may have reached the server.
    """

    def __init__(self, message: str, *, sent: bool = False) -> None:
        super().__init__(message)
        self.sent = sent


class PasswordEncryptionError(GenAuthError, ValueError):
    """The password cannot be encrypted: it is too long for the key, or the key is not one."""


class SyncBridgeError(GenAuthError, RuntimeError):
    """A blocking call was made where it would block for ever."""


class WaitTimeoutError(GenAuthError, TimeoutError):
    """What was waited for did not happen in time; `__cause__` is the last failure meanwhile, if there was one."""


class TransportError(GenAuthError):
    """No complete answer arrived.

    Attributes:
        sent: whether the request may have reached the server. False: it is safe to try again.
    """

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class ConnectionFailedError(TransportError):
    """No connection was made; nothing was sent."""


class TLSError(ConnectionFailedError):
    """The TLS handshake failed: the certificate is not trusted, has expired, or names another host."""


class ConnectionLostError(TransportError):
    """The connection broke after the request may have gone out."""


class RequestTimeoutError(TransportError, TimeoutError):
    """The time for the call was up; `sent` tells whether the request may have reached the server."""


class InvalidResponseError(GenAuthError):
    """An answer arrived that is not GenAuth's: often a proxy, a gateway or a captive portal in between.

    Attributes:
        http_status: the HTTP status code.
        content_type: the Content-Type header, or "".
        excerpt: the beginning of the body, masked.
    """

    def __init__(self, message: str, *, http_status: int, content_type: str = "", excerpt: str = "") -> None:
        detail = f"{message} (HTTP {http_status}, {content_type or 'no content type'})"
        super().__init__(f"{detail}: {excerpt}" if excerpt else detail)
        self.http_status = http_status
        self.content_type = content_type
        self.excerpt = excerpt


class NotJSONError(InvalidResponseError):
    """The body is not JSON."""


class TruncatedResponseError(InvalidResponseError):
    """The body is JSON that breaks off."""


class EmptyResponseError(InvalidResponseError):
    """There is no body."""


class ResponseTooLargeError(InvalidResponseError):
    """The body is larger than `max_response_bytes`."""


class UnexpectedRedirectError(InvalidResponseError):
    """The server redirects; the SDK does not follow, since credentials would go along."""


class UnexpectedShapeError(InvalidResponseError):
    """The body is JSON of another form than documented; the message has the path."""


class GenAuthAPIError(GenAuthError):
    """The API answered with a statusCode other than 200.

    Attributes:
        status_code: the envelope's statusCode.
        api_code: the envelope's apiCode, which tells errors of one statusCode apart, or None.
        request_id: the envelope's requestId, for the vendor's support, or None.
        retry_after: seconds to wait as told by the server, or None.
        response: the whole answer, as decoded JSON; its repr is masked.
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
        self.response: Mapping[str, object] = MaskedMapping(response or {})

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
    """statusCode 404."""


class ApplicationNotFoundError(NotFoundError):
    """apiCode 2011: no application has this app_id."""


class UserPoolNotFoundError(NotFoundError):
    """apiCode 2224: no user pool has this id."""


class ConflictError(GenAuthAPIError):
    """statusCode 409."""


class PayloadTooLargeError(GenAuthAPIError):
    """statusCode 413."""


class InvalidOperationError(GenAuthAPIError):
    """statusCode 422: not possible in the present state."""


class RateLimitedError(GenAuthAPIError):
    """statusCode 429: too many calls; wait `retry_after` seconds where it is given."""


class ServerError(GenAuthAPIError):
    """statusCode 500 to 503: the fault is the server's."""


class ThirdPartyError(GenAuthAPIError):
    """statusCode 601 to 603: a service behind GenAuth failed."""


class PasswordDecryptionError(GenAuthAPIError):
    """apiCode 2016: the server could not decrypt the password, even under its newest public key."""


class SignInError(GenAuthAPIError):
    """The user is not signed in by this call; the subclasses say what is missing."""


class InvalidCredentialsError(SignInError):
    """apiCode 2333 or 2006: the account or the password is wrong."""


class InvalidPassCodeError(SignInError):
    """apiCode 2001 or 2300: the verification code, or the text of the captcha, is wrong or has expired."""


class CaptchaRequiredError(SignInError):
    """apiCode 2000: the text of a captcha is needed (`gene_catcha_code_and_token`)."""


class UserNotFoundError(SignInError):
    """apiCode 2004."""


class AccountLockedError(SignInError):
    """apiCode 2005 or 1643: the account is locked."""


class SignUpDisabledError(SignInError):
    """apiCode 2031: the application does not let new users sign up."""


class PasswordResetRequiredError(SignInError):
    """apiCode 2058 or 1639: the user has to set a new password first."""


class MFARequiredError(SignInError):
    """apiCode 1635 or 1636: a second factor is needed.

    Attributes:
        mfa_token: continues this sign-in with the second factor. Absent (None) from a pickle.
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


class OAuthError(GenAuthError):
    """An error answer of an OAuth 2.0 or OpenID Connect endpoint (RFC 6749 section 5.2).

    Attributes:
        error: the error code, such as invalid_request.
        error_description: the server's explanation, or None.
        error_uri: a page about the error, or None.
        http_status: the HTTP status code.
        retry_after: seconds to wait as told by the server, or None.
    """

    def __init__(
        self,
        error: str,
        error_description: str | None = None,
        *,
        error_uri: str | None = None,
        http_status: int = 400,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{error}: {error_description}" if error_description else error)
        self.error = error
        self.error_description = error_description
        self.error_uri = error_uri
        self.http_status = http_status
        self.retry_after = retry_after


class InvalidGrantError(OAuthError):
    """invalid_grant: the code or refresh token is wrong, expired, used before, or revoked."""


class InvalidClientError(OAuthError):
    """invalid_client: the application's id, secret or authentication method is wrong."""


class TokenVerificationError(GenAuthError):
    """A token is not good, or cannot be told to be. No message shows the token."""


class MalformedTokenError(TokenVerificationError):
    """It is not written as a signed token is, lacks a claim, or has one of another type."""


class TokenKindError(TokenVerificationError):
    """It is an ID token where an access token is needed, the reverse, or neither."""


class AlgorithmNotAllowedError(TokenVerificationError):
    """It is signed by an algorithm that this kind of token is not signed by, or by none."""


class UnknownKeyError(TokenVerificationError):
    """It is signed with a key that the server does not publish."""


class SignatureInvalidError(TokenVerificationError):
    """Its signature is wrong."""


class TokenExpiredError(TokenVerificationError):
    """It has expired."""


class TokenNotYetValidError(TokenVerificationError):
    """It is from the future, by this machine's clock."""


class TokenIssuerError(TokenVerificationError):
    """Another server issued it; the message shows both."""


class TokenAudienceError(TokenVerificationError):
    """It is for another application; the message shows both."""


class NonceMismatchError(TokenVerificationError):
    """The ID token belongs to another login attempt."""


class AccessTokenHashError(TokenVerificationError):
    """The ID token and the access token do not belong together."""


class InsufficientScopeError(TokenVerificationError):
    """The token is good, but not for this.

    Attributes:
        required: the scopes that were asked for.
        granted: those that the token has.
    """

    def __init__(self, message: str, *, required: tuple[str, ...] = (), granted: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.required = required
        self.granted = granted


class KeysUnavailableError(TokenVerificationError):
    """The server's keys are needed and cannot be had; says nothing about the token. `__cause__` tells why."""


class CallbackError(GenAuthError):
    """What came back from the hosted sign-in page is not good; begin the sign-in again."""


class StateMismatchError(CallbackError):
    """The callback belongs to another login attempt, or was made up."""


class IssuerMismatchError(CallbackError):
    """The callback comes from another server (RFC 9207)."""


class LoginExpiredError(CallbackError):
    """The user took longer than the login attempt's life."""


class SessionError(GenAuthError):
    """The session cannot give a valid access token."""


class SessionExpiredError(SessionError):
    """The session has ended; the user has to sign in again."""


class RefreshUnavailableError(SessionError):
    """The access token has expired and could not be refreshed now; the session is kept.

    Attributes:
        outcome_unknown: True when a refresh was sent and its answer lost. The server may have rotated the refresh
            token, and would revoke the whole grant if the old one came again, so the session does not send it again by
            itself. `refresh(resend=True)` takes that risk; signing the user in again avoids it.
        retry_after: seconds to wait as told by the server, or None.
    """

    def __init__(self, message: str, *, outcome_unknown: bool = False, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.outcome_unknown = outcome_unknown
        self.retry_after = retry_after


class StoreError(RefreshUnavailableError):
    """The session's store failed, nobody lets go of its lock, or its record cannot be read; the session is kept."""
