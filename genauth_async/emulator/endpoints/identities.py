"""The signed-in user's accounts at external identity providers: which there are, links for more, and parting."""

from __future__ import annotations

from typing import cast
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization
from starlette.requests import Request
from starlette.responses import Response

from ..http.arguments import Arguments, query_text
from ..http.client_auth import require_known_app
from ..http.replies import ApiError, not_modelled, success
from ..http.request_context import require_user
from ..http.routes import Routes
from ..state.state import App, State
from ..state.users import User

LINK_PATH = "/api/v3/link-extidp"
_PASSED_ON = ("need_url_redirect", "only_redirect_token", "need_form_post", "target_url")


async def get_identities(state: State, request: Request) -> Response:
    """All identities of the user."""
    user, _ = require_user(state, request)
    return success(list(user.identities))


async def unlink_ext_idp(state: State, request: Request) -> Response:
    """Remove the user's identities at a provider, unless they could not sign in without."""
    user, _ = require_user(state, request)
    ext_idp_id = (await Arguments.read(request)).text("extIdpId")
    linked = [identity for identity in user.identities if identity.get("extIdpId") == ext_idp_id]
    if not linked:
        raise ApiError(404, "the user has no identity at this external identity provider")
    if len(linked) == len(user.identities) and not _can_sign_in_without(state, user):
        raise ApiError(422, "this is the only way in which the user can sign in")
    for identity in linked:
        user.identities.remove(identity)  # one by one: a test may add others at the same time
    return success()


async def generate_link_ext_idp_url(state: State, request: Request) -> Response:
    """A link by which the user of an ID token could link an account."""
    require_known_app(state, request)
    identifier = query_text(request, "ext_idp_conn_identifier")
    app = state.apps.get(query_text(request, "app_id"))
    if app is None:
        raise ApiError(404, "the application does not exist", api_code=2011)
    id_token = query_text(request, "id_token")
    if all(each.identifier != identifier for each in state.ext_idps.enabled_in(app.app_id)):
        raise ApiError(404, "the application has no such connection to an external identity provider")
    _check_id_token(state, app, id_token)
    query = {"ext_idp_conn_identifier": identifier, "app_id": app.app_id, "id_token": id_token}
    query |= {name: request.query_params[name] for name in _PASSED_ON if name in request.query_params}
    return success({"url": f"{state.url}{LINK_PATH}?{urlencode(query)}"})


async def link_ext_idp(_state: State, _request: Request) -> Response:
    """Where such links lead: a provider would have to be there."""
    raise not_modelled("signing in at external identity providers; ext_idps.link() has the same effect")


def _can_sign_in_without(state: State, user: User) -> bool:
    if user.password is not None or user.email is not None or user.phone is not None:
        return True
    return bool(state.passkeys.of(user))


def _check_id_token(state: State, app: App, id_token: str) -> None:
    algorithm = state.settings.id_token_alg
    key = (
        app.signing_key
        if algorithm == "HS256"
        else KeySet.import_key_set(cast("KeySetSerialization", state.signing_keys.jwks()))
    )
    registry = jwt.JWTClaimsRegistry(
        now=lambda: int(state.clock.now()),
        iss={"essential": True, "value": state.issuer},
        aud={"essential": True, "value": app.app_id},
        exp={"essential": True},
    )
    try:
        claims = jwt.decode(id_token, key, algorithms=[algorithm]).claims
        registry.validate(claims)
    except (JoseError, ValueError) as error:
        raise ApiError(401, "the ID token is not valid for this application, or no longer") from error
    if state.users.find(str(claims.get("sub"))) is None:
        raise ApiError(404, "the user of the ID token does not exist, or no longer", api_code=2004)


ROUTES: Routes = {
    "/api/v3/get-identities": {"GET": get_identities},
    "/api/v3/unlink-extidp": {"POST": unlink_ext_idp},
    "/api/v3/generate-link-extidp-url": {"GET": generate_link_ext_idp_url},
    LINK_PATH: {"GET": link_ext_idp},
}
