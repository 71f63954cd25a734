"""POST /api/v3/signin-by-mobile: by what an identity provider's own application handed to ours."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ..http.arguments import Arguments
from ..http.client_auth import authenticate_at_api
from ..http.replies import ApiError, not_modelled
from ..http.routes import Routes
from ..state.social_codes import CONNECTIONS
from ..state.state import State
from .signin import refuse_locked, requested_scope, signed_in


async def sign_in_by_mobile(state: State, request: Request) -> Response:
    """Tokens for the user whom a registered code stands for; nobody is registered on the way.

    Which connection a request names is looked at where there are any in `ext_idps`.
    """
    body = await Arguments.read(request)
    app = authenticate_at_api(state, request, body)
    identifier = body.text("extIdpConnidentifier")
    if len(state.ext_idps) and all(each.identifier != identifier for each in state.ext_idps.enabled_in(app.app_id)):
        raise ApiError(404, "the application has no such connection to an external identity provider")
    connection = body.choice("connection", CONNECTIONS)
    options = body.optional_object("options")
    if options.asks_for("tenantId"):
        raise not_modelled("options.tenantId")
    scope = requested_scope(options)
    with state.history.attempt(app.app_id) as attempt:
        user = attempt.user = state.social_codes.redeem(connection, body)
        if state.users.find(user.id) is None:
            raise ApiError(404, "the user does not exist", api_code=2004)
        refuse_locked(user)
        return signed_in(state, app, user, scope)


ROUTES: Routes = {
    "/api/v3/signin-by-mobile": {"POST": sign_in_by_mobile},
}
