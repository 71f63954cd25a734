"""POST /api/v3/signin: by password, pass code, LDAP or Active Directory."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from . import tokens
from .arguments import Arguments
from .client_auth import authenticate_at_api
from .encrypted import sent_password
from .inbox import LOGIN_CHANNEL
from .replies import ApiError, not_modelled, success
from .routes import Routes
from .state import State
from .users import User

ALL_SCOPES = "openid profile email phone address username offline_access"
_UNMODELLED_OPTIONS = ("autoRegister", "captchaCode", "captchaToken", "tenantId")
_ACCOUNT_KINDS = ("account", "email", "username", "phone")


async def sign_in(state: State, request: Request) -> Response:
    """Tokens for a user who proves to be who they say."""
    body = await Arguments.read(request)
    app = authenticate_at_api(state, request, body)
    identify = _CONNECTIONS[body.choice("connection", _CONNECTIONS)]
    options = body.optional_object("options")
    for name in _UNMODELLED_OPTIONS:
        if options.asks_for(name):
            raise not_modelled(f"options.{name}")
    scope = _scope(options)
    user = await identify(state, body, options)
    _refuse_unfinished(user)
    issued: dict[str, object] = {**tokens.sign_in(state, app, user, scope)}
    return success({"expire_in": issued.pop("expires_in"), **issued})  # so misspelt in this endpoint's DTO


def _scope(options: Arguments) -> str:
    # Without a scope the service answers with everything, offline_access included; an explicit one has to name it.
    scope = options.optional_text("scope") or ALL_SCOPES
    if not scope.isascii() or not scope.isprintable():
        raise ApiError(400, "options.scope must be printable ASCII")
    return scope


async def _by_password(state: State, body: Arguments, options: Arguments) -> User:
    payload = body.object("passwordPayload")
    given = [kind for kind in _ACCOUNT_KINDS if payload.has(kind)]
    if not given:
        raise ApiError(400, "passwordPayload.account is required, or email, username or phone instead of it")
    kind = given[0]
    finders: dict[str, Callable[[str], User | None]] = {
        "account": state.users.by_account,
        "email": state.users.by_email,
        "username": state.users.by_username,
        "phone": state.users.by_phone,
    }
    account = payload.text(kind)
    password = await sent_password(state, payload, options)
    return _check_password(state, finders[kind](account), password)


async def _by_directory(state: State, payload: Arguments, options: Arguments) -> User:
    name = payload.text("sAMAccountName")
    password = await sent_password(state, payload, options)
    return _check_password(state, state.users.by_sam_account_name(name), password)


async def _by_ldap(state: State, body: Arguments, options: Arguments) -> User:
    return await _by_directory(state, body.object("ldapPayload"), options)


async def _by_ad(state: State, body: Arguments, options: Arguments) -> User:
    return await _by_directory(state, body.object("adPayload"), options)


async def _by_pass_code(state: State, body: Arguments, _options: Arguments) -> User:
    payload = body.object("passCodePayload")
    find: Callable[[str], User | None]
    code = payload.text("passCode")
    if payload.has("email"):
        address, find = payload.text("email"), state.users.by_email
    elif payload.has("phone"):
        address, find = payload.text("phone"), state.users.by_phone
    else:
        raise ApiError(400, "passCodePayload.email is required, or phone instead of it")
    state.inbox.redeem(address, code, LOGIN_CHANNEL)
    user = find(address)
    if user is None:
        raise ApiError(404, "the user does not exist", api_code=2004)
    _refuse_locked(user)
    return user


_CONNECTIONS: dict[str, Callable[[State, Arguments, Arguments], Awaitable[User]]] = {
    "PASSWORD": _by_password,
    "PASSCODE": _by_pass_code,
    "LDAP": _by_ldap,
    "AD": _by_ad,
}


def _check_password(state: State, user: User | None, password: str) -> User:
    # An unknown account and a wrong password look alike, or strangers could find out who has an account.
    wrong = ApiError(400, "the account or the password is wrong", api_code=2333)
    if user is None:
        raise wrong
    _refuse_locked(user)
    if not user.has_password(password):
        user.failed_passwords += 1
        user.locked = user.failed_passwords >= state.settings.max_password_failures
        raise wrong
    user.failed_passwords = 0
    return user


def _refuse_locked(user: User) -> None:
    if user.locked:
        raise ApiError(403, "the user is locked", api_code=2005)


def _refuse_unfinished(user: User) -> None:
    if user.password_reset_required:
        raise ApiError(403, "the password has to be reset first", api_code=1639)
    if user.mfa_required:
        data = {"mfaToken": secrets.token_urlsafe(32), "applicationMfa": [{"mfaPolicy": "OTP", "status": 1, "sort": 0}]}
        raise ApiError(403, "a second factor is required", api_code=1636, data=data)


ROUTES: Routes = {
    "/api/v3/signin": {"POST": sign_in},
}
