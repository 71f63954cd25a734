"""Introspection (RFC 7662) and revocation (RFC 7009) of tokens.

Introspection answers the members of the published sample: no audience, and token_type for refresh tokens as well.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ..http.arguments import read_form, required
from ..http.client_auth import authenticate_at_oidc
from ..http.replies import oauth_response
from ..http.routes import Routes
from ..state.errors import OAuthError
from ..state.state import State


async def revoke(state: State, request: Request) -> Response:
    """Revoke the grant of a token; an unknown token counts as revoked."""
    form = await read_form(request)
    app = authenticate_at_oidc(state, request, form, "revocation")
    grant = state.grants.find_by_token(required(form, "token"))
    if grant is not None:
        if grant.app_id != app.app_id:
            raise OAuthError("invalid_grant", "the token was issued to another client")
        grant.revoked = True
    return Response()


async def introspect(state: State, request: Request) -> Response:
    """Describe a token as it stands now."""
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
        "iss": state.issuer,
        "jti": found.id,
        "iat": found.issued_at,
        "exp": found.expires_at,
        "scope": found.grant.scope if access_token is None else access_token.scope,
        "token_type": "Bearer",
    }
    if not found.grant.of_program:
        claims["sub"] = found.grant.user_id
    return claims


ROUTES: Routes = {
    "/oidc/token/revocation": {"POST": revoke},
    "/oidc/token/introspection": {"POST": introspect},
    "/oauth/token/revocation": {"POST": revoke},
    "/oauth/token/introspection": {"POST": introspect},
}
