"""Checks and sign-in that QR codes, push messages and fastpass share."""

from __future__ import annotations

from starlette.requests import Request

from ..http.request_context import calling_app
from ..state.apps import App
from ..state.device_codes.login_codes import LoginCode, owner_of
from ..state.errors import ApiError
from ..state.sign_in import complete_sign_in
from ..state.state import State


def refuse_other_app(state: State, request: Request, code: LoginCode) -> None:
    """Refuse applications other than the one that asked for the code; to them it does not exist."""
    if calling_app(state, request).app_id != code.app_id:
        raise ApiError(404, "the code does not exist")


def brief_user(code: LoginCode) -> dict[str, str]:
    """Describe the owner of a code, as far as strangers may see them."""
    user = owner_of(code)
    return {"displayName": user.display_name, "photo": user.photo}


def sign_in_owner(state: State, code: LoginCode, app: App, *, mfa_passed: bool = False) -> dict[str, object]:
    """Issue tokens to the owner of an authorised code."""
    return complete_sign_in(state, app, owner_of(code), code.scope, mfa_passed=mfa_passed)
