"""The user's identities at external identity providers: listed, linked and unlinked."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from ..http.arguments import query_text
from ..http.replies import success
from ..http.request_context import read_user_call, require_known_app, require_user
from ..http.routes import Routes
from ..state.errors import ApiError, no_such_app, not_modelled
from ..state.ext_idps import LINK_PATH
from ..state.id_tokens import require_valid_id_token
from ..state.state import State
from ..state.users import User

_PASSED_ON = ("need_url_redirect", "only_redirect_token", "need_form_post", "target_url")


async def get_identities(state: State, request: Request) -> Response:
    """List all identities of the user."""
    user, _ = require_user(state, request)
    return success(list(user.identities))


async def unlink_ext_idp(state: State, request: Request) -> Response:
    """Remove the user's identities at a provider, unless they are the only way to sign in."""
    user, _, body = await read_user_call(state, request)
    ext_idp_id = body.text("extIdpId")
    linked = [identity for identity in user.identities if identity.get("extIdpId") == ext_idp_id]
    if not linked:
        raise ApiError(404, "the user has no identity at this external identity provider")
    if len(linked) == len(user.identities) and not _can_sign_in_without(state, user):
        raise ApiError(422, "this is the only way in which the user can sign in")
    for identity in linked:
        user.identities.remove(identity)  # one by one: a test may add others at the same time
    return success()


async def generate_link_ext_idp_url(state: State, request: Request) -> Response:
    """Generate a link by which the user of an ID token could link an account."""
    require_known_app(state, request)
    identifier = query_text(request, "ext_idp_conn_identifier")
    app = state.apps.get(query_text(request, "app_id"))
    if app is None:
        raise no_such_app()
    id_token = query_text(request, "id_token")
    if all(each.identifier != identifier for each in state.ext_idps.enabled_in(app.app_id)):
        raise ApiError(404, "the application has no such connection to an external identity provider")
    require_valid_id_token(state, app, id_token)
    query = {"ext_idp_conn_identifier": identifier, "app_id": app.app_id, "id_token": id_token}
    query |= {name: request.query_params[name] for name in _PASSED_ON if name in request.query_params}
    return success({"url": f"{state.url}{LINK_PATH}?{urlencode(query)}"})


async def link_ext_idp(_state: State, _request: Request) -> Response:
    """Refuse the request that such a link leads to: it needs a real provider."""
    raise not_modelled("signing in at external identity providers; ext_idps.link() has the same effect")


def _can_sign_in_without(state: State, user: User) -> bool:
    if user.password is not None or user.email is not None or user.phone is not None:
        return True
    return bool(state.passkeys.of(user))


ROUTES: Routes = {
    "/api/v3/get-identities": {"GET": get_identities},
    "/api/v3/unlink-extidp": {"POST": unlink_ext_idp},
    "/api/v3/generate-link-extidp-url": {"GET": generate_link_ext_idp_url},
    LINK_PATH: {"GET": link_ext_idp},
}
