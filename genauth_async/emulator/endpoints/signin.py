"""POST /api/v3/signin: by password, pass code, LDAP or Active Directory; captchas."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from ..http.arguments import Arguments
from ..http.client_auth import authenticate_at_api
from ..http.passwords import check_captcha, check_password, sent_password
from ..http.replies import success
from ..http.request_context import require_known_app
from ..http.routes import Routes
from ..http.user_arguments import country_code_argument, scope_argument
from ..state.errors import ApiError, Refusal, no_such_user, not_modelled
from ..state.inbox import LOGIN_CHANNEL
from ..state.login_history import Attempt
from ..state.origin import current_origin, note_login_method
from ..state.sign_in import complete_sign_in
from ..state.state import State
from ..state.users import AlreadyTakenError, User

_ACCOUNT_KINDS = ("account", "email", "username", "phone")
_NO_ACCOUNT = (
    "Parameter passwordPayload must include account, email, username or phone when authenticationType is PASSWORD."
)


async def sign_in(state: State, request: Request) -> Response:
    """Authenticate a user and issue tokens."""
    body = await Arguments.read(request)
    app = authenticate_at_api(state, request, body)
    connection = body.choice("connection", _CONNECTIONS)
    options = body.optional_object("options")
    if options.asks_for("tenantId"):
        raise not_modelled("options.tenantId")
    if options.asks_for("autoRegister") and connection != "PASSCODE":
        raise not_modelled(f"options.autoRegister with the connection {connection}")
    scope = scope_argument(options)
    _note_client_ip(options)
    with state.history.attempt(app.app_id) as attempt:
        user = attempt.user = await _CONNECTIONS[connection](state, body, options, attempt)
    mfa_passed = state.settings.mfa_at_signin == "ignore"
    return success(complete_sign_in(state, app, user, scope, mfa_passed=mfa_passed))


def _note_client_ip(options: Arguments) -> None:
    # Servers that sign users in send the address of the user here.
    address = options.optional_text("clientIp")
    origin = current_origin()
    if origin is not None and address:
        origin.client_ip = address


async def _by_password(state: State, body: Arguments, options: Arguments, attempt: Attempt) -> User:
    payload = body.object("passwordPayload")
    given = [kind for kind in _ACCOUNT_KINDS if payload.has(kind)]
    if not given:
        raise ApiError(400, _NO_ACCOUNT)
    kind = given[0]
    finders: dict[str, Callable[[str], User | None]] = {
        "account": state.users.by_account,
        "email": state.users.by_email,
        "username": state.users.by_username,
        "phone": state.users.by_phone,
    }
    account = payload.text(kind)
    password = await sent_password(state, payload, options)
    note_login_method(kind.capitalize())
    attempt.user = finders[kind](account)
    return check_password(state, attempt.user, password, options)


async def _by_directory(name: str, state: State, body: Arguments, options: Arguments, attempt: Attempt) -> User:
    note_login_method(name)
    payload = body.object(f"{name.lower()}Payload")
    account = payload.text("sAMAccountName")
    password = await sent_password(state, payload, options)
    attempt.user = state.users.by_sam_account_name(account)
    return check_password(state, attempt.user, password, options)


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
    note_login_method(f"{kind.capitalize()}Code")
    attempt.user = find(address)
    check_captcha(state, attempt.user, options)
    state.inbox.redeem(address, code, LOGIN_CHANNEL)
    return attempt.user or _register(state, payload, options)


_CONNECTIONS: dict[str, Callable[[State, Arguments, Arguments, Attempt], Awaitable[User]]] = {
    "PASSWORD": _by_password,
    "PASSCODE": _by_pass_code,
    "LDAP": partial(_by_directory, "Ldap"),
    "AD": partial(_by_directory, "Ad"),
}


def _register(state: State, payload: Arguments, options: Arguments) -> User:
    """Register a user with the address or number that the pass code proved, if the request asks for it."""
    if not options.optional_flag("autoRegister"):
        raise no_such_user()
    state.account_rules.require_sign_up_enabled()
    user = User(
        created_at=state.clock.now(),
        email=payload.optional_text("email"),
        phone=None if payload.has("email") else payload.text("phone"),
        phone_country_code=country_code_argument(payload, "phoneCountryCode"),
        source="register",
    )
    try:
        return state.users.add(user)
    except AlreadyTakenError as error:
        raise Refusal.USER_EXISTS.error() from error


async def get_captcha_code(state: State, request: Request) -> Response:
    """Draw a captcha, for the options of a sign-in."""
    require_known_app(state, request)
    token, picture = state.captchas.issue()
    return success({"captchaCodeSvg": picture, "captchaToken": token})


ROUTES: Routes = {
    "/api/v3/get-captcha-code": {"GET": get_captcha_code},
    "/api/v3/signin": {"POST": sign_in},
}
