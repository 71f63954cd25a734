"""Reads ID tokens that come back as hints of who is meant; expired ones are as good."""

from __future__ import annotations

import json

from joserfc import jws, jwt
from joserfc.errors import JoseError

from .state import App, State


class InvalidHintError(ValueError):
    """An id_token_hint that was not issued here."""


def hinted_user(state: State, hint: str) -> tuple[App, str]:
    """The application that an ID token was issued to, and the id of its user.

    Raises:
        InvalidHintError: it was not issued here.
    """
    algorithm = state.settings.id_token_alg
    try:
        # The token itself tells whose secret signed it; one that names another application has a wrong signature.
        app = state.apps[json.loads(jws.extract_compact(hint.encode()).payload)["aud"]]
        key = app.signing_key if algorithm == "HS256" else state.signing_keys.key_set()
        claims = jwt.decode(hint, key, algorithms=[algorithm]).claims
    except (JoseError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise InvalidHintError("the id_token_hint was not issued here") from error
    # Access tokens may be signed with the same key, and are no hint.
    if claims.get("iss") != state.issuer or "at_hash" not in claims or "sub" not in claims:
        raise InvalidHintError("the id_token_hint is no ID token of this server")
    return app, str(claims["sub"])
