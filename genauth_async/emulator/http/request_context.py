"""The context of a request: its origin, the application and the signed-in user that make it.

The sign-in methods' names are guesses, but for the one documented example "loginByEmail".
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from starlette.requests import Request

from ..state.apps import App
from ..state.errors import no_such_app, not_signed_in
from ..state.grants import AccessToken
from ..state.origin import Origin, use_origin
from ..state.state import State
from ..state.users import User
from .arguments import Arguments

_APP_ID_HEADERS = ("x-genauth-app-id", "x-authing-app-id")
_LANG_HEADERS = ("x-genauth-lang", "x-authing-lang")
_LOGIN_METHODS = {
    "/api/v3/check-pushcode-status": "loginByPush",
    "/api/v3/check-qrcode-status": "loginByQrcode",
    "/api/v3/exchange-tokenset-with-qrcode-ticket": "loginByQrcode",
    "/api/v3/get-qrcode-status": "loginByQrcode",
    "/api/v3/qrcode-app-login": "loginByFastpass",
    "/api/v3/signin-by-mobile": "loginBySocial",
    "/api/v3/switch-login-by-user": "loginBySwitch",
    "/api/v3/webauthn/authentication": "loginByWebAuthn",
}


def use_origin_of(request: Request) -> AbstractContextManager[None]:
    """Record sign-ins under the origin of this request inside the block."""
    path: str = request.scope["path"]
    peer = request.client.host if request.client is not None else ""
    origin = Origin(
        client_ip=request.headers.get("x-real-ip", "").strip() or peer,
        user_agent=request.headers.get("user-agent", ""),
        login_method=_LOGIN_METHODS.get(path) or ("loginByMfa" if "/mfa/" in path else "login"),
        lang=next((request.headers[name] for name in _LANG_HEADERS if name in request.headers), "").lower(),
    )
    return use_origin(origin)


def named_app_id(request: Request) -> str | None:
    """Return the app id that a call names in its headers, unauthenticated; None if it names none."""
    return next((request.headers[name] for name in _APP_ID_HEADERS if name in request.headers), None)


def require_known_app(state: State, request: Request) -> str | None:
    """Return the app id that an API call names in its headers, unauthenticated; None if it names none."""
    app_id = named_app_id(request)
    if app_id is not None and app_id not in state.apps:
        raise no_such_app()
    return app_id


def calling_app(state: State, request: Request) -> App:
    """Return the application that a call names, unauthenticated; the default one if it names none."""
    return state.apps[require_known_app(state, request) or state.default_app.app_id]


def require_user(state: State, request: Request) -> tuple[User, AccessToken]:
    """Return the signed-in user who makes an API call, and their access token."""
    require_known_app(state, request)
    found = state.grants.active_access_token(bearer_token(request))
    if found is None:
        raise not_signed_in()
    return state.users.by_id(found.grant.user_id), found


def bearer_token(request: Request) -> str:
    """Read the Authorization header; the vendor's SDKs send the bare token, others as RFC 6750 says."""
    scheme, space, rest = request.headers.get("authorization", "").partition(" ")
    return rest if space and scheme.lower() == "bearer" else scheme


async def read_user_call(state: State, request: Request) -> tuple[User, AccessToken, Arguments]:
    """Return the signed-in user who makes an API call, their access token, and the body."""
    user, token = require_user(state, request)
    return user, token, await Arguments.read(request)


async def read_app_call(state: State, request: Request) -> Arguments:
    """Return the body of an API call that needs no sign-in."""
    require_known_app(state, request)
    return await Arguments.read(request)
