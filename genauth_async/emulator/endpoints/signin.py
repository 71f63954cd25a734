"""POST /api/v3/signin: by password, pass code, LDAP or Active Directory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from ..http.arguments import Arguments
from ..http.client_auth import authenticate_at_api, require_known_app
from ..http.passwords import sent_password
from ..http.replies import ApiError, not_modelled, success
from ..http.routes import Routes
from ..state import tokens
from ..state.captchas import captcha_required
from ..state.inbox import LOGIN_CHANNEL
from ..state.login_history import Attempt
from ..state.mfa_challenges import mfa_required
from ..state.origin import current_origin
from ..state.state import App, State
from ..state.users import AlreadyTakenError, User

ALL_SCOPES = "openid profile email phone address username offline_access"
_ACCOUNT_KINDS = ("account", "email", "username", "phone")


async def sign_in(state: State, request: Request) -> Response:
    """Tokens for a user who proves to be who they say."""
    body = await Arguments.read(request)
    app = authenticate_at_api(state, request, body)
    connection = body.choice("connection", _CONNECTIONS)
    options = body.optional_object("options")
    if options.asks_for("tenantId"):
        raise not_modelled("options.tenantId")
    if options.asks_for("autoRegister") and connection != "PASSCODE":
        raise not_modelled(f"options.autoRegister with the connection {connection}")
    scope = requested_scope(options)
    _note_client_ip(options)
    with state.history.attempt(app.app_id) as attempt:
        user = attempt.user = await _CONNECTIONS[connection](state, body, options, attempt)
        return signed_in(state, app, user, scope)


def signed_in(state: State, app: App, user: User, scope: str) -> Response:
    """Tokens for a user who has proved who they are, if nothing else stands in the way."""
    refuse_unfinished(state, app, user, scope)
    return success(tokens.token_set(tokens.sign_in(state, app, user, scope)))


def _note_client_ip(options: Arguments) -> None:
    # Servers that sign users in tell here where those are.
    address = options.optional_text("clientIp")
    origin = current_origin()
    if origin is not None and address:
        origin.client_ip = address


def _note_method(name: str) -> None:
    origin = current_origin()
    if origin is not None:
        origin.login_method = f"loginBy{name}"


def requested_scope(options: Arguments) -> str:
    """The scope that a sign-in asks for."""
    # Without a scope the service answers with everything, offline_access included; an explicit one has to name it.
    scope = options.optional_text("scope") or ALL_SCOPES
    if not scope.isascii() or not scope.isprintable():
        raise ApiError(400, "options.scope must be printable ASCII")
    return scope


async def _by_password(state: State, body: Arguments, options: Arguments, attempt: Attempt) -> User:
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
    _note_method(kind.capitalize())
    attempt.user = finders[kind](account)
    return _check_password(state, attempt.user, password, options)


def check_account_password(state: State, account: str, password: str, attempt: Attempt) -> User:
    """The user of an account, by their password in the clear; locks and captchas hold as for the API."""
    _note_method("Account")
    attempt.user = state.users.by_account(account)
    return _check_password(state, attempt.user, password, Arguments({}))


async def _by_directory(state: State, payload: Arguments, options: Arguments, attempt: Attempt) -> User:
    name = payload.text("sAMAccountName")
    password = await sent_password(state, payload, options)
    attempt.user = state.users.by_sam_account_name(name)
    return _check_password(state, attempt.user, password, options)


async def _by_ldap(state: State, body: Arguments, options: Arguments, attempt: Attempt) -> User:
    _note_method("Ldap")
    return await _by_directory(state, body.object("ldapPayload"), options, attempt)


async def _by_ad(state: State, body: Arguments, options: Arguments, attempt: Attempt) -> User:
    _note_method("Ad")
    return await _by_directory(state, body.object("adPayload"), options, attempt)


async def _by_pass_code(state: State, body: Arguments, options: Arguments, attempt: Attempt) -> User:
    payload = body.object("passCodePayload")
    find: Callable[[str], User | None]
    code = payload.text("passCode")
    if payload.has("email"):
        kind, address, find = "email", payload.text("email"), state.users.by_email
    elif payload.has("phone"):
        kind, address, find = "phone", payload.text("phone"), state.users.by_phone
    else:
        raise ApiError(400, "passCodePayload.email is required, or phone instead of it")
    _note_method(f"{kind.capitalize()}Code")
    attempt.user = find(address)
    _check_captcha(state, attempt.user, options)
    state.inbox.redeem(address, code, LOGIN_CHANNEL)
    user = attempt.user or _register(state, payload, options)
    refuse_locked(user)
    return user


_CONNECTIONS: dict[str, Callable[[State, Arguments, Arguments, Attempt], Awaitable[User]]] = {
    "PASSWORD": _by_password,
    "PASSCODE": _by_pass_code,
    "LDAP": _by_ldap,
    "AD": _by_ad,
}


def _register(state: State, payload: Arguments, options: Arguments) -> User:
    """A new user for an address or number that was just proved, if that is wanted."""
    if not options.optional_flag("autoRegister"):
        raise ApiError(404, "the user does not exist", api_code=2004)
    state.account_rules.refuse_strangers()
    try:
        return state.users.add(
            created_at=state.clock.now(),
            email=payload.optional_text("email"),
            phone=None if payload.has("email") else payload.text("phone"),
            phone_country_code=payload.optional_text("phoneCountryCode") or "+86",
            source="register",
        )
    except AlreadyTakenError as error:
        raise ApiError(409, "another user has this as their username", api_code=2026) from error


def _check_captcha(state: State, user: User | None, options: Arguments) -> None:
    """The captcha, if one is given, and whether the user needs one."""
    if options.asks_for("captchaCode") or options.asks_for("captchaToken"):
        state.captchas.redeem(options.text("captchaToken"), options.text("captchaCode"))
    elif user is not None and state.captchas.required_from(user.failed_passwords):
        raise captcha_required()


def _check_password(state: State, user: User | None, password: str, options: Arguments) -> User:
    _check_captcha(state, user, options)
    # An unknown account and a wrong password look alike, or strangers could find out who has an account.
    wrong = ApiError(400, "the account or the password is wrong", api_code=2333)
    if user is None:
        raise wrong
    refuse_locked(user)
    if not user.has_password(password):
        user.count_wrong_password(state.settings.max_password_failures)
        raise wrong
    user.failed_passwords = 0
    return user


def refuse_locked(user: User) -> None:
    """Stops the sign-in of a user who may not sign in at all."""
    if user.locked:
        raise ApiError(403, "the user is locked", api_code=2005)


def refuse_unfinished(state: State, app: App, user: User, scope: str, *, origin: User | None = None) -> None:
    """Stops the sign-in of a user who has proved who they are, but has something to do first."""
    refuse_old_password(user)
    if user.mfa_required:
        raise mfa_required(state, app, user, scope, origin=origin)


def refuse_old_password(user: User) -> None:
    """Stops the sign-in of a user whose password has to be replaced, however they sign in."""
    if user.password_reset_required:
        raise ApiError(403, "the password has to be reset first", api_code=1639)


async def get_captcha_code(state: State, request: Request) -> Response:
    """A captcha, for the options of a sign-in."""
    require_known_app(state, request)
    token, picture = state.captchas.issue()
    return success({"captchaCodeSvg": picture, "captchaToken": token})


ROUTES: Routes = {
    "/api/v3/get-captcha-code": {"GET": get_captcha_code},
    "/api/v3/signin": {"POST": sign_in},
}
