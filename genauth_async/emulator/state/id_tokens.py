"""ID tokens that come back to the server: as hints, and as proof of the user who links an account."""

from __future__ import annotations

import json

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey

from .apps import App
from .errors import ApiError, no_such_user
from .state import State


class InvalidIdTokenError(ValueError):
    """An id_token_hint that was not issued here."""


def hinted_user(state: State, hint: str) -> tuple[App, str]:
    """Read the application and the user id of an id_token_hint, which may have expired.

    Raises:
        InvalidIdTokenError: it was not issued here.
    """
    try:
        # The token itself names the owner of the signing secret; a wrong name gives a wrong signature.
        app = state.apps[json.loads(jws.extract_compact(hint.encode()).payload)["aud"]]
        claims = _decode(state, app, hint).claims
    except (JoseError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise InvalidIdTokenError("the id_token_hint was not issued here") from error
    # Access tokens may be signed with the same key, and are no hint.
    if claims.get("iss") != state.issuer or "at_hash" not in claims or "sub" not in claims:
        raise InvalidIdTokenError("the id_token_hint is no ID token of this server")
    return app, str(claims["sub"])


def require_valid_id_token(state: State, app: App, id_token: str) -> None:
    """Refuse an ID token that is expired, of another application or of a removed user."""
    registry = jwt.JWTClaimsRegistry(
        now=lambda: int(state.clock.now()),
        iss={"essential": True, "value": state.issuer},
        aud={"essential": True, "value": app.app_id},
        exp={"essential": True},
    )
    try:
        claims = _decode(state, app, id_token).claims
        registry.validate(claims)
    except (JoseError, ValueError) as error:
        raise ApiError(401, "the ID token is not valid for this application, or no longer") from error
    if state.users.find(str(claims.get("sub"))) is None:
        raise no_such_user()


def _decode(state: State, app: App, id_token: str) -> jwt.Token:
    algorithm = state.settings.id_token_alg
    key: OctKey | KeySet = app.signing_key if algorithm == "HS256" else state.signing_keys.key_set()
    return jwt.decode(id_token, key, algorithms=[algorithm])
