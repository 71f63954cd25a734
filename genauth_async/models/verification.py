"""Claims of verified tokens."""

from __future__ import annotations

from .._core.scopes import split_scope
from ._base import Dto
from ._fields import dto
from .tokens import UserInfo


@dto
class AccessToken(Dto):
    """The claims of an access token (RFC 9068 section 2.2).

    Attributes:
        jti: the token's own id.
        sub: the user's id; None in a machine's token (client credentials).
        iat: when it was issued, in seconds since the epoch; fractions are cut off, here and below.
        exp: when it expires.
        scope: what it is good for, separated by spaces.
        iss: who issued it.
        aud: whom it is for: a text, or a list of texts.
        azp: the application to which it was issued.
    """

    wire_case = "snake"
    is_of_claims = True

    exp: int
    iss: str
    sub: str | None = None
    aud: object = None
    iat: int | None = None
    scope: str | None = None
    jti: str | None = None
    azp: str | None = None

    @property
    def scopes(self) -> frozenset[str]:
        """Scopes of the token."""
        return frozenset(split_scope(self.scope))


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
