"""The userinfo endpoints: /oidc/me (OpenID Connect Core 5.3) and /oauth/me.

For /oauth/me, that the scope `user` opens all claims is a guess.
"""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from ..http.arguments import read_form
from ..http.cross_origin import cross_origin
from ..http.replies import oauth_response
from ..http.routes import Handler, Routes
from ..state.errors import OAuthError
from ..state.grants import ALL_SCOPES, OAUTH_USER, OPENID, Protocol
from ..state.state import State


async def _user_info(protocol: Protocol, state: State, request: Request) -> Response:
    """Return the claims about the user of an access token."""
    found = state.grants.active_access_token(await _bearer_token(request))
    if found is None:
        raise _invalid_token("the access token is unknown, expired or revoked")
    needed = OPENID if protocol == "oidc" else OAUTH_USER
    if needed not in found.scope.split():
        raise OAuthError("insufficient_scope", f"the scope {needed} is missing", http_status=403, scheme="Bearer")
    user = state.users.find(found.grant.user_id)
    if user is None:
        raise _invalid_token("the access token belongs to no user")
    return oauth_response(user.claims(found.scope if protocol == "oidc" else ALL_SCOPES))


async def _bearer_token(request: Request) -> str:
    """Read the token from one of the three places that RFC 6750 section 2 allows."""
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, value = header.partition(" ")
        if scheme.lower() != "bearer":
            raise _invalid_token("the Authorization header holds no Bearer token")
        return value.strip()
    if "access_token" in request.query_params:
        return request.query_params["access_token"]
    if "content-type" in request.headers:
        form = await read_form(request)
        if "access_token" in form:
            return form["access_token"]
    raise _invalid_token("there is no access token")


def _invalid_token(description: str) -> OAuthError:
    return OAuthError("invalid_token", description, http_status=401, scheme="Bearer")


def _routes_of(protocol: Protocol) -> dict[str, Handler]:
    handler = partial(_user_info, protocol)
    return {"GET": handler, "POST": handler}


ROUTES: Routes = {
    "/oidc/me": cross_origin(_routes_of("oidc")),
    "/oauth/me": cross_origin(_routes_of("oauth")),
}
