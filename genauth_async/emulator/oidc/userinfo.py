"""The userinfo endpoints: /oidc/me (OpenID Connect Core 5.3) and /oauth/me.

For /oauth/me, that the scope `user` opens all claims is a guess.
"""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from ..http.arguments import read_form
from ..http.replies import oauth_response
from ..http.routes import Handler, Routes
from ..state.errors import OAuthError
from ..state.grants import EVERY_CLAIM, OAUTH_USER, OPENID, Protocol
from ..state.state import State


async def _user_info(protocol: Protocol, state: State, request: Request) -> Response:
    """Return the claims about the user of an access token."""
    tokens = await _bearer_tokens(request)
    if not tokens:
        # A request without a token is no mistake, so that the challenge names no error (RFC 6750 section 3.1).
        return Response(
            status_code=401, headers={"www-authenticate": 'Bearer realm="oidc"', "cache-control": "no-store"}
        )
    if len(tokens) > 1:
        raise OAuthError("invalid_request", "the access token is given more than once", scheme="Bearer")
    found = state.grants.active_access_token(tokens[0])
    if found is None:
        raise _invalid_token("the access token is unknown, expired or revoked")
    needed = OPENID if protocol == "oidc" else OAUTH_USER
    if needed not in found.scope.split():
        raise OAuthError("insufficient_scope", f"the scope {needed} is missing", http_status=403, scheme="Bearer")
    user = state.users.find(found.grant.user_id)
    if user is None:
        raise _invalid_token("the access token belongs to no user")
    return oauth_response(user.claims(found.scope if protocol == "oidc" else EVERY_CLAIM))


async def _bearer_tokens(request: Request) -> list[str]:
    """Read the tokens in the three places that RFC 6750 section 2 allows."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    found = [value.strip()] if scheme.lower() == "bearer" else []
    found += request.query_params.getlist("access_token")
    if request.method == "POST" and "x-www-form-urlencoded" in request.headers.get("content-type", "").lower():
        form = await read_form(request)
        found += [form["access_token"]] if "access_token" in form else []
    return found


def _invalid_token(description: str) -> OAuthError:
    return OAuthError("invalid_token", description, http_status=401, scheme="Bearer")


def _routes_of(protocol: Protocol) -> dict[str, Handler]:
    handler = partial(_user_info, protocol)
    return {"GET": handler, "POST": handler}


ROUTES: Routes = {
    "/oidc/me": _routes_of("oidc"),
    "/oauth/me": _routes_of("oauth"),
}
