"""Where a request comes from, as the login history and the list of devices tell it.

It is kept in a context variable, so that whatever signs a user in is recorded without having to pass the request on.
How GenAuth calls the ways of signing in is documented by the one example "loginByEmail"; the others here are guesses.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from attrs import define
from starlette.requests import Request

_METHODS = {
    "/api/v3/check-pushcode-status": "loginByPush",
    "/api/v3/check-qrcode-status": "loginByQrcode",
    "/api/v3/exchange-tokenset-with-qrcode-ticket": "loginByQrcode",
    "/api/v3/get-qrcode-status": "loginByQrcode",
    "/api/v3/qrcode-app-login": "loginByFastpass",
    "/api/v3/signin-by-mobile": "loginBySocial",
    "/api/v3/switch-login-by-user": "loginBySwitch",
    "/api/v3/webauthn/authentication": "loginByWebAuthn",
}


@define
class Origin:
    """Attributes:
    client_ip: what the client says in x-real-ip, else the other end of the connection.
    user_agent: the header of that name.
    login_method: how a sign-in by this request is called.
    """

    client_ip: str
    user_agent: str
    login_method: str


_current: ContextVar[Origin | None] = ContextVar("origin", default=None)


@contextmanager
def request_under_way(request: Request) -> Iterator[None]:
    """While this lasts, the request is where sign-ins come from."""
    path: str = request.scope["path"]
    peer = request.client.host if request.client is not None else ""
    origin = Origin(
        client_ip=request.headers.get("x-real-ip", "").strip() or peer,
        user_agent=request.headers.get("user-agent", ""),
        login_method=_METHODS.get(path) or ("loginByMfa" if "/mfa/" in path else "login"),
    )
    before = _current.set(origin)
    try:
        yield
    finally:
        _current.reset(before)


def current_origin() -> Origin | None:
    """The origin of the request that is being answered; None outside of requests."""
    return _current.get()
