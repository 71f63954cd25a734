"""The OAuth and OpenID Connect endpoints under /oidc and /oauth that applications call."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..endpoints.signin import ALL_SCOPES
from ..http.arguments import read_form, required
from ..http.client_auth import authenticate_at_oidc
from ..http.cross_origin import cross_origin
from ..http.replies import OAuthError, invalid_token, oauth_response
from ..http.routes import Routes
from ..state import tokens
from ..state.grants import AccessToken, Grant, Protocol
from ..state.hosted.authorization_codes import CHALLENGE_METHODS
from ..state.scopes import OAUTH_USER, OPENID, REFRESHABLE
from ..state.state import App, State
from . import client_credentials
from .authorization_request import PROMPTS, RESPONSE_MODES

_AUTH_METHODS = ["client_secret_post", "client_secret_basic", "none"]


_GRANT_TYPES = ("authorization_code", "refresh_token", "client_credentials")


async def token(state: State, request: Request) -> Response:
    """Tokens for a code, for a refresh token, or for the client itself."""
    return await _token(state, request, "oidc")


async def oauth_token(state: State, request: Request) -> Response:
    """The same for OAuth 2.0 without OpenID Connect."""
    return await _token(state, request, "oauth")


async def _token(state: State, request: Request, protocol: Protocol) -> Response:
    form = await read_form(request)
    grant_type = form.get("grant_type")
    if grant_type == "client_credentials":
        return client_credentials.answer(state, request, form)
    app = authenticate_at_oidc(state, request, form, "token")
    required(form, "grant_type")
    if grant_type == "authorization_code":
        return _for_code(state, app, form, protocol)
    if grant_type == "refresh_token":
        return _for_refresh_token(state, app, form, protocol)
    raise OAuthError("unsupported_grant_type", f"the emulator models the grant types {', '.join(_GRANT_TYPES)} only")


def _for_code(state: State, app: App, form: Mapping[str, str], protocol: Protocol) -> Response:
    required(form, "code")
    required(form, "redirect_uri")
    redeemed = state.hosted_login.codes.redeem(form, app.app_id, protocol)
    grant = redeemed.grant
    _refuse_unfit(state, grant)
    issued = tokens.issue(state, app, state.users.by_id(grant.user_id), grant, grant.scope, nonce=redeemed.nonce)
    if REFRESHABLE in grant.scope.split():
        issued["refresh_token"] = state.grants.new_refresh_token(grant)
    return oauth_response({**issued})


def _for_refresh_token(state: State, app: App, form: Mapping[str, str], protocol: Protocol) -> Response:
    grant, scope, refresh_token = state.grants.rotate(
        required(form, "refresh_token"),
        app_id=app.app_id,
        protocol=protocol,
        scope=form.get("scope"),
        refuse_unfit=lambda grant: _refuse_unfit(state, grant),
    )
    issued = tokens.issue(state, app, state.users.by_id(grant.user_id), grant, scope)
    return oauth_response({**issued, "refresh_token": refresh_token})


def _refuse_unfit(state: State, grant: Grant) -> None:
    """Stops what would give tokens to a user who could not sign in now."""
    user = state.users.by_id(grant.user_id)
    for each in (user, state.public_accounts.origin(grant, user)):
        if each.locked:
            # Wrong passwords alone must not sign anybody out for good: a stranger can type them.
            grant.revoked = grant.revoked or each.locked_by_administrator
            raise OAuthError("invalid_grant", "the user is locked")
    if user.password_reset_required:
        raise OAuthError("invalid_grant", "the user has to reset the password first")
    if user.mfa_required and not grant.second_factor:
        raise OAuthError("invalid_grant", "the user has to pass a second factor first")


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
    return _claims_about_user(state, found, OPENID, found.scope)


async def oauth_user_info(state: State, request: Request) -> Response:
    """The same for OAuth 2.0 without OpenID Connect, whose scope `user` opens everything: a guess."""
    found = state.grants.active_access_token(await _bearer_token(request))
    if found is None:
        raise invalid_token("the access token is unknown, expired or revoked")
    return _claims_about_user(state, found, OAUTH_USER, ALL_SCOPES)


def _claims_about_user(state: State, found: AccessToken, needed: str, opened: str) -> Response:
    if needed not in found.scope.split():
        raise OAuthError("insufficient_scope", f"the scope {needed} is missing", http_status=403, scheme="Bearer")
    user = state.users.find(found.grant.user_id)
    if user is None:
        raise invalid_token("the access token belongs to no user")
    return oauth_response(user.claims(opened))


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
            "response_modes_supported": list(RESPONSE_MODES),
            "grant_types_supported": list(_GRANT_TYPES),
            "code_challenge_methods_supported": list(CHALLENGE_METHODS),
            "prompt_values_supported": list(PROMPTS),
            "authorization_response_iss_parameter_supported": True,
            "request_uri_parameter_supported": False,
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
    "/oidc/token": cross_origin({"POST": token}),
    "/oidc/token/revocation": cross_origin({"POST": revoke}),
    "/oidc/token/introspection": {"POST": introspect},
    "/oidc/me": cross_origin({"GET": user_info, "POST": user_info}),
    "/oidc/.well-known/openid-configuration": cross_origin({"GET": discovery}),
    "/oidc/.well-known/jwks.json": cross_origin({"GET": jwks}),
    "/oauth/token": cross_origin({"POST": oauth_token}),
    "/oauth/token/revocation": cross_origin({"POST": revoke}),
    "/oauth/token/introspection": {"POST": introspect},
    "/oauth/me": cross_origin({"GET": oauth_user_info, "POST": oauth_user_info}),
}
