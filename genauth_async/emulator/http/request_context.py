"""Whose access token came with a request."""

from __future__ import annotations

from starlette.requests import Request

from ..state.grants import AccessToken
from ..state.state import State
from ..state.users import User
from .client_auth import require_known_app
from .replies import ApiError


def require_user(state: State, request: Request) -> tuple[User, AccessToken]:
    """The signed-in user who makes an API call, and the access token with which they do."""
    require_known_app(state, request)
    found = state.grants.active_access_token(bearer_token(request))
    if found is None:
        raise ApiError(401, "not signed in, or no longer", api_code=2020)
    return state.users.by_id(found.grant.user_id), found


def bearer_token(request: Request) -> str:
    """What stands in the Authorization header; the vendor's SDKs send the bare token, others as RFC 6750 says."""
    scheme, space, rest = request.headers.get("authorization", "").partition(" ")
    return rest if space and scheme.lower() == "bearer" else scheme
