"""Claims of verified tokens."""

from __future__ import annotations

from ._base import Dto
from ._fields import dto
from .tokens import UserInfo


@dto
class AccessToken(Dto):
    """The claims of an access token (RFC 9068 section 2.2).

    Attributes:
        jti: the token's own id.
        sub: the user's id.
        iat: when it was issued, in seconds since the epoch; fractions are cut off, here and below.
        exp: when it expires.
        scope: what it is good for, separated by spaces.
        iss: who issued it.
        aud: whom it is for: a text, or a list of texts.
    """

    wire_case = "snake"

    sub: str
    exp: int
    iss: str
    aud: object = None
    iat: int | None = None
    scope: str | None = None
    jti: str | None = None

    @property
    def scopes(self) -> frozenset[str]:
        """Scopes of the token."""
        return frozenset((self.scope or "").split())


@dto
class IDToken(UserInfo):
    """The claims of an ID token (OpenID Connect Core section 2), those about the user among them.

    One about the user that is not of its type reads as None, and is kept in `extra` as it came: so does an
    `email_verified` that is the text `"true"`.

    Attributes:
        iss: who issued it.
        aud: whom it is for: a text, or a list of texts.
        exp: when it expires, in seconds since the epoch; fractions are cut off, here and below.
        iat: when it was issued.
        auth_time: when the user signed in.
        nonce: what the login attempt had sent along.
        acr: how strongly the user was authenticated.
        amr: by what means.
        azp: to whom it was issued.
        at_hash: binds it to its access token.
    """

    wire_case = "snake"

    iss: str
    exp: int
    iat: int
    aud: object = None
    auth_time: int | None = None
    nonce: str | None = None
    acr: str | None = None
    amr: object = None
    azp: str | None = None
    at_hash: str | None = None
