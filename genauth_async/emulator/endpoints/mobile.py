"""POST /api/v3/signin-by-mobile: by a code or access token of an identity provider."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ..http.arguments import Arguments
from ..http.client_auth import authenticate_at_api
from ..http.replies import success
from ..http.routes import Routes
from ..http.user_arguments import scope_argument
from ..state.errors import ApiError, no_such_user, not_modelled
from ..state.sign_in import complete_sign_in
from ..state.social_codes import CONNECTIONS
from ..state.state import State


async def sign_in_by_mobile(state: State, request: Request) -> Response:
    """Sign in the user of a registered code; no user is created.

    The connection that a request names is checked if `ext_idps` has any.
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
    scope = scope_argument(options)
    with state.history.attempt(app.app_id) as attempt:
        user = attempt.user = state.social_codes.redeem(connection, *_proof(connection, body))
        if state.users.find(user.id) is None:
            raise no_such_user()
    return success(complete_sign_in(state, app, user, scope))


def _proof(connection: str, body: Arguments) -> tuple[str, str]:
    """Read the name and the value of the connection's proof: a code, or an access token."""
    where = CONNECTIONS[connection]
    payload = body.object(where.payload)
    if where.inner is not None:
        payload = payload.object(where.inner)
    name = next((name for name in where.proofs if payload.has(name)), where.proofs[0])
    return name, payload.text(name)


ROUTES: Routes = {"/api/v3/signin-by-mobile": {"POST": sign_in_by_mobile}}
