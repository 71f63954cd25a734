"""Switching between the user's own account and public accounts.

Tokens remember the user who switched. From a public account they lead back to that user, or to another of that user's
public accounts only. The old tokens stay valid; whether the service revokes them is not documented.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ..http.arguments import query_flag
from ..http.replies import success
from ..http.request_context import read_user_call, require_user
from ..http.routes import Routes
from ..http.user_arguments import scope_argument
from ..state.sign_in import complete_sign_in
from ..state.state import State
from ..state.users import User

_PERSONAL, _PUBLIC = "1", "2"


async def list_public_accounts(state: State, request: Request) -> Response:
    """List the public accounts that the user may switch to."""
    user, token = require_user(state, request)
    origin = state.public_accounts.origin(token.grant, user)
    accounts = [_account(target, _PUBLIC) for target in state.public_accounts.of(origin)]
    answer: dict[str, object] = {"publicAccounts": accounts}
    if query_flag(request, "withOriginUser"):
        answer["originUser"] = _account(origin, _PERSONAL)
    return success([answer])  # an array of one, as the DTO has it


def _account(user: User, usertype: str) -> dict[str, object]:
    return {"userId": user.id, "avatar": user.photo, "displayName": user.display_name, "usertype": usertype}


async def switch_login_by_user(state: State, request: Request) -> Response:
    """Issue tokens of the other account to the application that the user is signed in to."""
    user, token, body = await read_user_call(state, request)
    scope = scope_argument(body.optional_object("options"))
    target = state.public_accounts.target(token.grant, user, body.text("targetUserId"))
    app, origin = state.apps[token.grant.app_id], state.public_accounts.origin(token.grant, user)
    return success(complete_sign_in(state, app, target, scope, origin=origin))


ROUTES: Routes = {
    "/api/v3/get-user-select-login-public-accounts": {"GET": list_public_accounts},
    "/api/v3/switch-login-by-user": {"POST": switch_login_by_user},
}
