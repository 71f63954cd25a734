"""Fast authentication; `state.device_codes.fastpass_codes` describes the order of the calls."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ..http.arguments import Arguments, query_text
from ..http.replies import success
from ..http.request_context import calling_app, read_user_call, require_known_app
from ..http.routes import Routes
from ..http.user_arguments import custom_data_argument, scope_argument
from ..state.errors import ApiError
from ..state.state import State
from ._device_codes import brief_user, refuse_other_app, sign_in_owner

_SCENE = "FASTPASS"  # a guess: the documents name the field only


async def gene_fastpass_qrcode_info(state: State, request: Request) -> Response:
    """Return the content of the QR code that the browser of a signed-in user shows."""
    user, token, body = await read_user_call(state, request)
    options = body.optional_object("options")
    custom_data = custom_data_argument(options, "customData")
    code = state.fastpass_codes.show(user, token.grant, _scope_within(token.scope, options), custom_data)
    return success(
        {
            "scene": _SCENE,
            "qrcodeId": code.id,
            "apiHost": state.url,
            "user": {"id": user.id, "displayName": user.display_name, "photo": user.photo},
            "appId": code.app_id,
            "userpool": {"id": state.user_pool_id, "displayName": "emulator", "photo": ""},
        }
    )


def _scope_within(held: str, options: Arguments) -> str:
    """Read the requested scope, which must be within that of the access token, its default."""
    if not options.optional_text("scope"):
        return held
    scope = scope_argument(options)
    if not set(scope.split()) <= set(held.split()):
        raise ApiError(400, "options.scope is wider than that of the access token")
    return scope


async def get_fastpass_client_apps(state: State, request: Request) -> Response:
    """List the applications that the scanned code may sign in to: all that the emulator has."""
    require_known_app(state, request)
    state.fastpass_codes.scan(query_text(request, "qrcodeId"), query_text(request, "appId"))
    apps = [{"id": app.app_id, "name": app.display_name, "logo": ""} for app in list(state.apps.values())]
    return success({"relationApps": apps})


async def get_app_login_qrcode_status(state: State, request: Request) -> Response:
    """Return the status of a code to the browser that shows it."""
    code = state.fastpass_codes.find(query_text(request, "qrcodeId"))
    refuse_other_app(state, request, code)
    answer: dict[str, object] = {"status": code.status}
    if code.status in {"SCANNED", "AUTHORIZED"}:
        answer["briefUserInfo"] = brief_user(code)
    return success(answer)


async def qrcode_app_login(state: State, request: Request) -> Response:
    """Sign the user who shows the code in to the application that scanned it."""
    app = calling_app(state, request)
    body = await Arguments.read(request)
    body.choice("action", ("APP_LOGIN",))
    code = state.fastpass_codes.redeem(body.text("qrcodeId"))
    return success(sign_in_owner(state, code, app))


ROUTES: Routes = {
    "/api/v3/gene-fastpass-qrcode-info": {"POST": gene_fastpass_qrcode_info},
    "/api/v3/get-fastpass-client-apps": {"GET": get_fastpass_client_apps},
    "/api/v3/get-app-login-qrcode-status": {"GET": get_app_login_qrcode_status},
    "/api/v3/qrcode-app-login": {"POST": qrcode_app_login},
}
