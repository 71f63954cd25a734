"""The signed-in user."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from .arguments import query_flag
from .replies import success
from .routes import Routes
from .state import State
from .user_auth import require_user


async def get_profile(state: State, request: Request) -> Response:
    """The user to whom the access token belongs."""
    user, token = require_user(state, request)
    dto = user.to_dto(
        token.scope,
        with_custom_data=query_flag(request, "withCustomData"),
        with_identities=query_flag(request, "withIdentities"),
    )
    return success(dto)


ROUTES: Routes = {
    "/api/v3/get-profile": {"GET": get_profile},
}
