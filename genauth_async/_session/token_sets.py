"""Converts sign-in answers to TokenSets and merges refresh responses."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TypeAlias

from .. import models
from .._arguments.text import described
from .._core.redaction import is_mapping
from .._wire.converter import ShapeError, structure
from ..errors import (
    ConfigurationError,
    GenAuthAPIError,
    GenAuthError,
    InvalidGrantError,
    InvalidResponseError,
    OAuthError,
)
from ..models.tokens import OIDCTokenResponse, TokenSet
from .id_tokens import id_token_to_keep

TokensLike: TypeAlias = (
    "models.LoginTokenRespDto | models.LoginTokenResponseDataDto | OIDCTokenResponse | Mapping[str, object]"
)
"""A sign-in response, its data, a token response, a TokenSet, or a mapping with the same wire names."""


def token_set(tokens: TokensLike, now: float) -> TokenSet:
    """Convert tokens to a TokenSet.

    Args:
        tokens: in any form that a session accepts.
        now: seconds since the epoch, for tokens without obtained_at.

    Raises:
        ConfigurationError: the access token is missing, or the form is another.
    """
    if isinstance(tokens, TokenSet):
        return tokens
    if not is_mapping(tokens):
        raise ConfigurationError("tokens", f"must be a sign-in response or a mapping, not {described(tokens)}")
    found = tokens
    if "access_token" not in found and is_mapping(inner := found.get("data")):
        found = inner
    given = {name: value for name, value in found.items() if value is not None}
    try:
        return structure({"obtained_at": now, **given}, TokenSet)
    except ShapeError as error:
        problem = f"must be a sign-in response: {error}"
    raise ConfigurationError("tokens", problem)


def merge_refresh(old: TokenSet, answer: OIDCTokenResponse, now: float) -> TokenSet:
    """Merge a refresh response into the old tokens: omitted fields keep their values (RFC 6749 section 6)."""
    kept = {name: old[name] for name in ("refresh_token", "scope", "token_type")}
    given = {name: value for name, value in answer.items() if value is not None}
    id_token = id_token_to_keep(old.id_token, answer.id_token)
    return structure({**kept, **given, "id_token": id_token, "obtained_at": now}, TokenSet)


def is_unused(error: GenAuthError) -> bool:
    """Return True if the refresh token was certainly not used: it was not sent, or the server's own words say so.

    A gateway may answer 5xx, or anything that is not of the protocol, after its backend has rotated the token.
    """
    if isinstance(error, InvalidGrantError):
        return True
    if isinstance(error, OAuthError):
        return HTTPStatus.BAD_REQUEST <= error.http_status < HTTPStatus.INTERNAL_SERVER_ERROR
    if isinstance(error, (GenAuthAPIError, InvalidResponseError)):
        return False
    return not getattr(error, "sent", False)
