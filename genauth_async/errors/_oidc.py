"""OAuth and OpenID Connect errors: refusals, invalid tokens and callbacks."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from .._core.redaction import plain_text
from ._base import GenAuthError, ResponseError

_TRANSIENT: Final = frozenset({"server_error", "temporarily_unavailable", "slow_down", "authorization_pending"})


class OAuthError(ResponseError):
    """An error answer of an OAuth 2.0 or OpenID Connect endpoint (RFC 6749 section 5.2, RFC 6750 section 3).

    Attributes:
        error: the error code, such as invalid_request.
        error_description: the server's explanation, or None.
        error_uri: a page about the error, or None.
    """

    def __init__(
        self,
        error: str,
        error_description: str | None = None,
        *,
        error_uri: str | None = None,
        http_status: int = HTTPStatus.BAD_REQUEST,
        retry_after: float | None = None,
        request_id: str | None = None,
        endpoint: str = "",
    ) -> None:
        text = f"{error}: {error_description}" if error_description else error
        super().__init__(
            text, http_status=http_status, retry_after=retry_after, request_id=request_id, endpoint=endpoint
        )
        error, _, described = plain_text(text).partition(": ")
        self.error = error
        self.error_description = described or None
        self.error_uri = None if error_uri is None else plain_text(error_uri)

    def _may_pass(self) -> bool:
        return super()._may_pass() or self.error in _TRANSIENT


class InvalidGrantError(OAuthError):
    """invalid_grant: the code or refresh token is wrong, expired, used before, or revoked."""


class InvalidClientError(OAuthError):
    """invalid_client: the application's id, secret or authentication method is wrong."""


class TokenVerificationError(GenAuthError):
    """A token is invalid, or cannot be verified. No message shows the token."""


class MalformedTokenError(TokenVerificationError):
    """The token is not a signed JWT, lacks a claim, or has a claim of another type."""


class TokenKindError(TokenVerificationError):
    """The token is an ID token instead of an access token, the reverse, or neither."""


class AlgorithmNotAllowedError(TokenVerificationError):
    """The token is unsigned, or signed with an algorithm that this kind of token may not have."""


class UnknownKeyError(TokenVerificationError):
    """The token is signed with a key that the server does not publish."""


class SignatureInvalidError(TokenVerificationError):
    """The token's signature is wrong."""


class TokenExpiredError(TokenVerificationError):
    """The token has expired."""


class TokenNotYetValidError(TokenVerificationError):
    """The token is not valid yet, by this machine's clock."""


class TokenIssuerError(TokenVerificationError):
    """Another server issued the token; the message shows both."""


class TokenAudienceError(TokenVerificationError):
    """The token is for another application; the message shows both."""


class NonceMismatchError(TokenVerificationError):
    """The ID token belongs to another login attempt."""


class AccessTokenHashError(TokenVerificationError):
    """The ID token and the access token do not belong together."""


class InsufficientScopeError(TokenVerificationError):
    """The token is valid, but its scope is insufficient.

    Attributes:
        required: the scopes that the caller required.
        granted: the scopes of the token.
    """

    def __init__(self, message: str, *, required: tuple[str, ...] = (), granted: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.required = required
        self.granted = granted


class InsufficientAuthenticationError(TokenVerificationError):
    """The user signed in too long ago, or too weakly, for this login attempt (RFC 9470); begin another one."""


class KeysUnavailableError(TokenVerificationError):
    """The server's keys are unavailable, so the token may be valid. `__cause__` tells why."""

    def _may_pass(self) -> bool:
        return not isinstance(self.__cause__, GenAuthError) or self.__cause__.is_transient


class CallbackError(GenAuthError):
    """The callback of the hosted sign-in page is invalid; restart the sign-in."""


class StateMismatchError(CallbackError):
    """The callback belongs to another login attempt, or is forged."""


class IssuerMismatchError(CallbackError):
    """The callback comes from another server (RFC 9207)."""


class LoginExpiredError(CallbackError):
    """The login attempt expired before the user came back."""
