"""The discovery document (OpenID Connect Discovery 1.0) and the JSON Web Key Set (RFC 7517)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..http.routes import Routes
from ..state.grants import ALL_SCOPES, EVERY_CLAIM
from ..state.hosted.authorization_codes import CHALLENGE_METHODS
from ..state.state import State
from ..state.users import User
from .authorization_request import PROMPTS, RESPONSE_MODES
from .token_endpoint import GRANT_TYPES

_FURTHER_SCOPES = ("external_id", "unionid", "extended_fields")
_TOKEN_CLAIMS = ("iss", "aud", "exp", "iat", "nonce", "at_hash", "auth_time")
_CACHED = {"cache-control": "public, max-age=3600"}
_AUTH_METHODS = ["client_secret_post", "client_secret_basic", "none"]


async def discovery(state: State, _request: Request) -> Response:
    """Describe the endpoints and what they support."""
    issuer = state.issuer
    return JSONResponse(
        {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/auth",
            "token_endpoint": f"{issuer}/token",
            "userinfo_endpoint": f"{issuer}/me",
            "jwks_uri": f"{issuer}/.well-known/jwks.json",
            "revocation_endpoint": f"{issuer}/token/revocation",
            "introspection_endpoint": f"{issuer}/token/introspection",
            "end_session_endpoint": f"{issuer}/session/end",
            "scopes_supported": [*ALL_SCOPES.split(), *_FURTHER_SCOPES],
            "claims_supported": [*_TOKEN_CLAIMS, *User(username="x").claims(EVERY_CLAIM)],
            "claim_types_supported": ["normal"],
            "claims_parameter_supported": False,
            "request_parameter_supported": False,
            "response_types_supported": ["code"],
            "response_modes_supported": list(RESPONSE_MODES),
            "grant_types_supported": list(GRANT_TYPES),
            "code_challenge_methods_supported": list(CHALLENGE_METHODS),
            "prompt_values_supported": list(PROMPTS),
            "authorization_response_iss_parameter_supported": state.settings.callback_iss,
            "request_uri_parameter_supported": False,
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["HS256", "RS256"],
            "token_endpoint_auth_methods_supported": _AUTH_METHODS,
            "revocation_endpoint_auth_methods_supported": _AUTH_METHODS,
            "introspection_endpoint_auth_methods_supported": _AUTH_METHODS,
        },
        headers=_CACHED,
    )


async def jwks(state: State, _request: Request) -> Response:
    """Publish the public keys of RS256 tokens."""
    return JSONResponse(state.signing_keys.jwks(), headers=_CACHED)


ROUTES: Routes = {
    "/oidc/.well-known/openid-configuration": {"GET": discovery},
    "/oidc/.well-known/jwks.json": {"GET": jwks},
}
