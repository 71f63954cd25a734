"""Sign-in by push: the user names the account, and confirms on a phone that is signed in.

Only the user to whom it was pushed can confirm. The status of a confirmed request has the tokens, so its id is a
secret for as long as it lasts; applications other than the one that asked get no answer. A
confirmed request stands for the second factor, too, as only the user's own, signed-in phone can confirm it.
Which applications may confirm is a setting of the service's console; to the emulator, every application of its own may.
"""

from __future__ import annotations

from functools import partial
from typing import cast

from starlette.requests import Request
from starlette.responses import Response

from ..http.arguments import Arguments, query_text
from ..http.replies import success
from ..http.request_context import calling_app, read_user_call, require_known_app, require_user
from ..http.routes import Routes
from ..http.user_arguments import custom_data_argument, scope_argument
from ..state.device_codes.pushes import PushAction
from ..state.errors import ApiError, no_such_user
from ..state.sign_in import require_unlocked
from ..state.state import State
from ._device_codes import refuse_other_app, sign_in_owner

_ACTIONS = ("CONFIRM", "CANCEL")


async def sign_in_by_push(state: State, request: Request) -> Response:
    """Ask the user of an account to confirm."""
    app = calling_app(state, request)
    body = await Arguments.read(request)
    options = body.optional_object("options")
    scope, custom_data = scope_argument(options), custom_data_argument(options, "customData")
    with state.history.attempt(app.app_id) as attempt:
        user = attempt.user = state.users.by_account(body.text("account"))
        if user is None:
            raise no_such_user()
        require_unlocked(user)
    code = state.pushes.add(app_id=app.app_id, scope=scope, status="PUSHED", user=user, custom_data=custom_data)
    return success({"pushCodeId": code.id, "expireTime": state.pushes.lifetime})


async def check_push_code_status(state: State, request: Request) -> Response:
    """Return the status of a request, and the tokens once it is confirmed."""
    code = state.pushes.find(query_text(request, "pushCodeId"))
    refuse_other_app(state, request, code)
    answer: dict[str, object] = {"status": code.status}
    if code.status == "AUTHORIZED":
        app = state.apps[code.app_id]
        answer["tokenSet"] = state.pushes.collect(code, lambda: sign_in_owner(state, code, app, mfa_passed=True))
    return success(answer)


async def _change(data: object, state: State, request: Request) -> Response:
    """Confirm or cancel a request on the phone."""
    user, _, body = await read_user_call(state, request)
    action = cast("PushAction", body.choice("action", _ACTIONS))
    state.pushes.change(body.text("pushCodeId"), action, user)
    return success(data)


async def get_push_login_relation_apps(state: State, request: Request) -> Response:
    """List the applications that may confirm a request. An access token is optional, but must fit."""
    require_known_app(state, request)
    user = require_user(state, request)[0] if "authorization" in request.headers else None
    body = await Arguments.read(request)
    app_id = body.text("appId")
    code = state.pushes.find(body.text("pushCodeId"))
    if code.app_id != app_id or user not in {None, code.user}:
        raise ApiError(404, "the push code does not exist")
    return success({"appIds": list(state.apps)})


ROUTES: Routes = {
    "/api/v3/signin-by-push": {"POST": sign_in_by_push},
    "/api/v3/check-pushcode-status": {"GET": check_push_code_status},
    "/api/v3/change-pushcode-status": {"POST": partial(_change, None)},
    "/api/v3/set-pushcode-status": {"POST": partial(_change, {"success": True})},
    "/api/v3/get-pushlogin-relation-apps": {"POST": get_push_login_relation_apps},
}
