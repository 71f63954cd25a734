"""GET /api/v3/get-profile: the signed-in user."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from .client_auth import require_known_app
from .replies import ApiError, success
from .state import State


async def get_profile(state: State, request: Request) -> Response:
    """The user to whom the access token belongs."""
    require_known_app(state, request)
    # The vendor's SDKs send the bare token; others send it as RFC 6750 says.
    scheme, space, rest = request.headers.get("authorization", "").partition(" ")
    found = state.grants.active_access_token(rest if space and scheme.lower() == "bearer" else scheme)
    if found is None:
        raise ApiError(401, "not signed in, or no longer", api_code=2020)
    return success(
        state.users.by_id(found.grant.user_id).to_dto(
            found.scope,
            with_custom_data=_flag(request, "withCustomData"),
            with_identities=_flag(request, "withIdentities"),
        )
    )


def _flag(request: Request, name: str) -> bool:
    value = request.query_params.get(name, "false").lower()  # Python clients send "True"
    if value not in {"true", "false"}:
        raise ApiError(400, f"{name} must be true or false")
    return value == "true"
