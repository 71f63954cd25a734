"""Checks of a token's claims (RFC 7519 4.1, OpenID Connect Core 3.1.3.7): pure functions."""

from __future__ import annotations

import hashlib
import math
from base64 import urlsafe_b64encode
from collections.abc import Collection, Mapping
from hmac import compare_digest
from typing import Final

from attrs import define, field

from .._core.scopes import split_scope
from ..errors import (
    AccessTokenHashError,
    InsufficientAuthenticationError,
    InsufficientScopeError,
    MalformedTokenError,
    NonceMismatchError,
    TokenAudienceError,
    TokenExpiredError,
    TokenIssuerError,
    TokenNotYetValidError,
)
from .jws import Kind, shown

_AUTH_TIME_LEEWAY: Final = 60.0
_LATEST: Final = 2**53  # floats above this lose whole seconds


@define(eq=False)  # creating a frozen instance takes longer than all other steps here
class Claims:
    """The claims of a token, with checked types.

    Attributes:
        issuer: iss.
        audiences: aud, as a tuple.
        authorized_party: azp.
        expires_at: exp.
        starts: iat and nbf, each as (name, epoch seconds).
        scopes: scope, split.
        nonce: nonce.
        access_token_hash: at_hash.
    """

    issuer: str | None
    audiences: tuple[str, ...]
    authorized_party: str | None
    expires_at: float
    starts: tuple[tuple[str, float], ...]
    scopes: frozenset[str]
    nonce: str | None = field(repr=False)
    access_token_hash: str | None


def read_claims(claims: Mapping[str, object], kind: Kind) -> Claims:
    """Read the claims and check the types of those that matter.

    Raises:
        MalformedTokenError: a claim has another type, or a required one is missing.
    """
    _text(claims, "jti")
    expires_at = _time(claims, "exp")
    starts = [(name, value) for name in ("iat", "nbf") if (value := _time(claims, name)) is not None]
    subject = _text(claims, "sub")
    if kind == "id" and subject is None:
        raise MalformedTokenError("The token has no sub")
    if expires_at is None:
        raise MalformedTokenError("The token has no exp")
    if kind == "id" and claims.get("iat") is None:
        raise MalformedTokenError("The token has no iat")
    return Claims(
        issuer=_text(claims, "iss"),
        audiences=_texts("aud", claims.get("aud")),
        authorized_party=_text(claims, "azp"),
        expires_at=expires_at,
        starts=tuple(starts),
        scopes=frozenset(read_scopes(claims.get("scope"))),
        nonce=_text(claims, "nonce"),
        access_token_hash=_text(claims, "at_hash"),
    )


def read_scopes(scope: object) -> list[str]:
    """Read a scope claim, which some servers write as a list. An item with a space names no scope.

    Raises:
        MalformedTokenError: it is of another type.
    """
    if scope is None or isinstance(scope, str):
        return split_scope(scope)
    return [name for name in _texts("scope", scope) if name and " " not in name]


def _text(claims: Mapping[str, object], name: str) -> str | None:
    value = claims.get(name)
    if value is None or isinstance(value, str):
        return value
    raise MalformedTokenError(f"The token's {name} must be a string, not {type(value).__name__}")


def _texts(name: str, value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise MalformedTokenError(f"The token's {name} must be a string or a list of strings")


def _time(claims: Mapping[str, object], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool) and -_LATEST <= value <= _LATEST:
        return value
    raise MalformedTokenError(f"The token's {name} must be a time in seconds")


def check_times(claims: Claims, now: float, leeway: float) -> None:
    """Check exp, iat and nbf.

    Raises:
        TokenExpiredError, TokenNotYetValidError: the difference exceeds the leeway (seconds).
    """
    if now >= claims.expires_at + leeway:
        raise TokenExpiredError(
            f"The token expired {now - claims.expires_at:.0f} s ago: exp is {claims.expires_at:.0f}, the time here "
            f"{now:.0f}, the leeway {leeway:g} s"
        )
    for name, start in claims.starts:
        if now < start - leeway:
            raise TokenNotYetValidError(
                f"The token is {math.ceil(start - now)} s too new: {name} is {start:.0f}, the time here {now:.0f}, the "
                f"leeway {leeway:g} s; is this machine's clock right?"
            )


def check_issuer(claims: Claims, issuer: str) -> None:
    """Check iss, which must match exactly.

    Raises:
        TokenIssuerError: iss differs.
    """
    if claims.issuer != issuer:
        raise TokenIssuerError(f"The token's issuer is {shown(claims.issuer)}; expected {shown(issuer)}")


def check_audience(claims: Claims, expected: tuple[str, ...]) -> None:
    """Check that aud contains one of the expected audiences.

    Raises:
        TokenAudienceError: aud contains none of them.
    """
    for audience in expected:
        if audience in claims.audiences:
            return
    raise TokenAudienceError(f"The token is for {_listed(claims.audiences)}; expected {_listed(expected)}")


def check_authorized_party(claims: Claims, app_id: str) -> None:
    """Check azp, where it is present or required (OpenID Connect Core section 3.1.3.7, points 4 and 5).

    Raises:
        TokenAudienceError: azp names another application, or is missing despite several audiences.
    """
    party = claims.authorized_party
    if party != app_id and (party is not None or len(claims.audiences) > 1):
        raise TokenAudienceError(
            f"The ID token for {_listed(claims.audiences)} was issued to {shown(party)} (azp); expected {shown(app_id)}"
        )


def check_scopes(claims: Claims, required: Collection[str]) -> None:
    """Check that scope contains all required scopes.

    Raises:
        InsufficientScopeError: a required scope is missing.
    """
    if missing := [scope for scope in required if scope not in claims.scopes]:
        raise InsufficientScopeError(
            f"The token lacks the scope {shown(' '.join(missing))}; it has {shown(' '.join(sorted(claims.scopes)))}",
            required=tuple(required),
            granted=tuple(sorted(claims.scopes)),
        )


def check_nonce(claims: Claims, nonce: str) -> None:
    """Check nonce.

    Raises:
        NonceMismatchError: nonce differs or is missing.
    """
    if claims.nonce is None:
        raise NonceMismatchError("The ID token has no nonce, though the login attempt had one")
    if not _same(claims.nonce, nonce):
        raise NonceMismatchError("The ID token's nonce differs from the login attempt's: it belongs to another attempt")


def check_access_token_hash(claims: Claims, access_token: str) -> None:
    """Check at_hash, which is optional in the code flow (OpenID Connect Core section 3.1.3.6).

    Raises:
        AccessTokenHashError: at_hash is that of another token.
    """
    if claims.access_token_hash is None:
        return
    # RS256 and HS256 both use SHA-256.
    half = hashlib.sha256(access_token.encode("utf-8", "replace")).digest()[:16]
    if not _same(claims.access_token_hash, urlsafe_b64encode(half).rstrip(b"=").decode()):
        raise AccessTokenHashError("The ID token's at_hash belongs to another access token")


def check_authentication(auth_time: int | None, acr: str | None, earliest: float | None, accepted: str | None) -> None:
    """Check auth_time and acr, where the ID token has them (OpenID Connect Core section 3.1.3.7, points 12 and 13).

    Raises:
        InsufficientAuthenticationError: the user signed in before `earliest`, or in none of the accepted classes.
    """
    if earliest is not None and auth_time is not None and auth_time < earliest - _AUTH_TIME_LEEWAY:
        raise InsufficientAuthenticationError(
            f"The user signed in {earliest - auth_time:.0f} s too early for max_age or prompt=login"
        )
    if accepted and acr and acr not in accepted.split(" "):
        raise InsufficientAuthenticationError(f"The user signed in with acr {shown(acr)}; expected {shown(accepted)}")


def _same(one: str, other: str) -> bool:
    return compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def _listed(values: tuple[str, ...]) -> str:
    return shown(values[0] if len(values) == 1 else list(values)) if values else "no audience"
