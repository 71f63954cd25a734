"""OAuth and OpenID Connect: refusals, tokens and callbacks that are not good."""

from __future__ import annotations

from ._base import GenAuthError


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
