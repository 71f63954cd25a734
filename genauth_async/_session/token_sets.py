"""What a session takes for tokens, to a TokenSet; what comes after them, and whether they are used up."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TypeAlias

from .. import models
from .._wire.converter import ShapeError, structure
from ..errors import (
    ClientClosedError,
    ConfigurationError,
    GenAuthAPIError,
    GenAuthError,
    InvalidResponseError,
    OAuthError,
    TransportError,
)
from ..models.tokens import OIDCTokenResponse, TokenSet

TokensLike: TypeAlias = (
    "models.LoginTokenRespDto | models.LoginTokenResponseDataDto | OIDCTokenResponse | Mapping[str, object]"
)
"""A sign-in's answer, its data, the token endpoint's answer, a TokenSet, or a mapping with the same wire names."""


def token_set(tokens: TokensLike, now: float) -> TokenSet:
    """Makes a TokenSet.

    Args:
        tokens: in any of the forms that a session takes.
        now: seconds since the epoch, for tokens that do not say when they were obtained.

    Raises:
        ConfigurationError: there is no access token in it, or it has another form.
    """
    if isinstance(tokens, TokenSet):
        return tokens
    if not isinstance(tokens, Mapping):
        raise ConfigurationError("tokens", f"takes a sign-in's answer or a mapping, not {type(tokens).__name__}")
    found: Mapping[str, object] = tokens
    if "access_token" not in found and isinstance(inner := found.get("data"), Mapping):
        found = inner
    given = {name: value for name, value in found.items() if value is not None}
    try:
        return structure({"obtained_at": now, **given}, TokenSet)
    except ShapeError as error:
        problem = f"are not tokens: {error}"
    raise ConfigurationError("tokens", problem)


def succeeding(old: TokenSet, answer: OIDCTokenResponse, now: float) -> TokenSet:
    """The tokens after a refresh: what the answer left out stays as it was (RFC 6749 section 6)."""
    kept = {name: old[name] for name in ("refresh_token", "id_token", "scope", "token_type")}
    given = {name: value for name, value in answer.items() if value is not None}
    return structure({**kept, **given, "obtained_at": now}, TokenSet)


def is_unspent(error: GenAuthError) -> bool:
    """Whether the refresh token certainly was not used: nothing was sent, or whoever answered refused to look at it.

    A server error may come from a gateway whose backend had rotated the token, or from the backend after that.
    """
    if isinstance(error, (TransportError, ClientClosedError)):
        return not error.sent
    if isinstance(error, InvalidResponseError):
        return error.http_status >= HTTPStatus.MULTIPLE_CHOICES and _is_refusal(error.http_status)
    if isinstance(error, OAuthError):
        return _is_refusal(error.http_status)
    return not isinstance(error, GenAuthAPIError) or _is_refusal(error.status_code)


def _is_refusal(status: int) -> bool:
    # Elsewhere (3xx), no (4xx), or not now (503).
    return status < HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.SERVICE_UNAVAILABLE
