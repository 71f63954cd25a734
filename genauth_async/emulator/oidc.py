"""The OAuth and OpenID Connect endpoints under /oidc."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from . import tokens
from .arguments import read_form, required
from .client_auth import authenticate_at_oidc
from .replies import OAuthError, invalid_token, oauth_response
from .routes import Routes
from .signin import ALL_SCOPES
from .state import State

_AUTH_METHODS = ["client_secret_post", "client_secret_basic", "none"]


async def token(state: State, request: Request) -> Response:
    """The next tokens for a refresh token, which is used up by it."""
    form = await read_form(request)
    app = authenticate_at_oidc(state, request, form, "token")
    grant_type = required(form, "grant_type")
    if grant_type != "refresh_token":
        raise OAuthError("unsupported_grant_type", "the emulator models the grant type refresh_token only")
    grant, scope, refresh_token = state.grants.rotate(required(form, "refresh_token"), app.app_id, form.get("scope"))
    issued = tokens.issue(state, app, state.users.by_id(grant.user_id), grant, scope)
    return oauth_response({**issued, "refresh_token": refresh_token})


async def revoke(state: State, request: Request) -> Response:
    """End the grant to which a token belongs (RFC 7009); an unknown token is as good as revoked."""
    form = await read_form(request)
    app = authenticate_at_oidc(state, request, form, "revocation")
    grant = state.grants.find_by_token(required(form, "token"))
    if grant is not None:
        if grant.app_id != app.app_id:
            raise OAuthError("invalid_grant", "the token was issued to another client")
        grant.revoked = True
    return Response()


async def introspect(state: State, request: Request) -> Response:
    """What a token is worth now (RFC 7662)."""
    form = await read_form(request)
    app = authenticate_at_oidc(state, request, form, "introspection")
    return oauth_response(_introspection(state, required(form, "token"), app.app_id))


def _introspection(state: State, value: str, app_id: str) -> dict[str, object]:
    access_token = state.grants.active_access_token(value)
    found = access_token or state.grants.active_refresh_token(value)
    if found is None or found.grant.app_id != app_id:
        return {"active": False}
    claims: dict[str, object] = {
        "active": True,
        "client_id": app_id,
        "sub": found.grant.user_id,
        "iss": state.issuer,
        "aud": app_id,
        "iat": found.issued_at,
        "exp": found.expires_at,
        "scope": found.grant.scope,
    }
    if access_token is not None:
        claims |= {"scope": access_token.scope, "jti": access_token.id, "token_type": "Bearer"}
    return claims


async def user_info(state: State, request: Request) -> Response:
    """The claims about the user to whom an access token belongs (OpenID Connect Core 5.3)."""
    found = state.grants.active_access_token(await _bearer_token(request))
    if found is None:
        raise invalid_token("the access token is unknown, expired or revoked")
    if tokens.OPENID not in found.scope.split():
        raise OAuthError("insufficient_scope", "the scope openid is missing", http_status=403, scheme="Bearer")
    return oauth_response(state.users.by_id(found.grant.user_id).claims(found.scope))


async def _bearer_token(request: Request) -> str:
    """The token, from any of the three places where it may be (RFC 6750 section 2)."""
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, value = header.partition(" ")
        if scheme.lower() != "bearer":
            raise invalid_token("the Authorization header holds no Bearer token")
        return value.strip()
    if "access_token" in request.query_params:
        return request.query_params["access_token"]
    if "content-type" in request.headers:
        form = await read_form(request)
        if "access_token" in form:
            return form["access_token"]
    raise invalid_token("there is no access token")


async def discovery(state: State, _request: Request) -> Response:
    """Where everything is, and what it can do (OpenID Connect Discovery 1.0)."""
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
            "scopes_supported": ALL_SCOPES.split(),
            "response_types_supported": ["code"],
            "grant_types_supported": ["refresh_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["HS256", "RS256"],
            "token_endpoint_auth_methods_supported": _AUTH_METHODS,
            "revocation_endpoint_auth_methods_supported": _AUTH_METHODS,
            "introspection_endpoint_auth_methods_supported": _AUTH_METHODS,
        }
    )


async def jwks(state: State, _request: Request) -> Response:
    """The public keys of RS256 tokens."""
    return JSONResponse(state.signing_keys.jwks())


ROUTES: Routes = {
    "/oidc/token": {"POST": token},
    "/oidc/token/revocation": {"POST": revoke},
    "/oidc/token/introspection": {"POST": introspect},
    "/oidc/me": {"GET": user_info, "POST": user_info},
    "/oidc/.well-known/openid-configuration": {"GET": discovery},
    "/oidc/.well-known/jwks.json": {"GET": jwks},
}
