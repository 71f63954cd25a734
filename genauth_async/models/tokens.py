"""Tokens as the OIDC endpoints give them, and as a session keeps them."""

from __future__ import annotations

from ._base import Dto
from ._fields import dto, wire_field


@dto
class OIDCTokenResponse(Dto):
    """The answer of the token endpoint (RFC 6749 section 5.1, OpenID Connect Core section 3.1.3.3).

    Attributes:
        access_token: for calling APIs on the user's behalf.
        token_type: `Bearer`.
        expires_in: the access token's life in seconds.
        refresh_token: replaces the one that was used, where the server rotates them.
        id_token: who the user is (a JWT).
        scope: what was granted, separated by spaces.
        rejected_scope: what was asked for and not granted, where the server says so, as for a programmatic account.
    """

    wire_case = "snake"

    access_token: str = wire_field(secret=True)
    token_type: str | None = None
    expires_in: int | None = wire_field(default=None, aliases=("expire_in",))
    refresh_token: str | None = wire_field(default=None, secret=True)
    id_token: str | None = wire_field(default=None, secret=True)
    scope: str | None = None
    rejected_scope: str | None = None


@dto
class TokenSet(OIDCTokenResponse):
    """Tokens of a user, as a TokenSession keeps and a TokenStore stores them.

    Attributes:
        obtained_at: when the tokens arrived, in seconds since the epoch.
    """

    obtained_at: float


@dto
class IntrospectionResponse(Dto):
    """Introspection response (RFC 7662 section 2.2). Only `active` is always there."""

    wire_case = "snake"

    active: bool
    scope: str | None = None
    client_id: str | None = None
    username: str | None = None
    token_type: str | None = None
    exp: int | None = None
    iat: int | None = None
    nbf: int | None = None
    sub: str | None = None
    aud: object = None
    iss: str | None = None
    jti: str | None = None


@dto
class UserInfo(Dto):
    """Claims about the user (OpenID Connect Core section 5.1); which are there depends on the scopes granted.

    One but `sub` that is not of its type reads as None, and is kept in `extra` as it came: so does an `email_verified`
    that is the text `"true"`.
    """

    wire_case = "snake"
    is_of_claims = True

    sub: str
    name: str | None = None
    nickname: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    birthdate: str | None = None
    gender: str | None = None
    picture: str | None = None
    updated_at: object = None
    zoneinfo: str | None = None
    preferred_username: str | None = None
    locale: str | None = None
    email: str | None = None
    email_verified: bool | None = None
    phone_number: str | None = None
    phone_number_verified: bool | None = None
