"""The emulator's public class."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio
from anyio import to_thread
from starlette.types import ASGIApp

from .controls import EmulatorControls
from .http.counter import RequestCounter
from .http.faults import Faults
from .server.app import EmulatorApp
from .server.server_thread import ServerThread
from .state.apps import DEFAULT_AUTH_METHOD, AuthMethod, new_app
from .state.clock import Clock
from .state.settings import DEFAULT_ALGORITHM, IdTokenAlg, Settings
from .state.state import State

if TYPE_CHECKING:
    from typing import Self

_DAY = 24 * 60 * 60


class Emulator(EmulatorControls):
    """A GenAuth-compatible server, in memory, with one application and the users that a test gives it.

    It serves while its `with` or `async with` block lasts, on the loopback interface; the state outlasts the block, so
    that a second one is a restart. `app` is the same thing as a bare ASGI application, for clients that need no socket.

    Args:
        host: the address to listen on.
        port: the port to listen on; 0 takes a free one.
        url: the URL by which clients reach it, where it differs from the address, such as "https://login.test" behind a
            proxy. It is the issuer of tokens, and QR codes and links lead there.
        app_id: the application's id; random by default.
        app_secret: its secret; random by default.
        token_endpoint_auth_method: how the application authenticates at the token endpoint and at sign-in.
        introspection_endpoint_auth_method: the same for introspection; that of the token endpoint by default.
        revocation_endpoint_auth_method: the same for revocation.
        id_token_alg: HS256, as the console has it by default, signs ID tokens with the application's secret.
        access_token_lifetime: in seconds, as all lifetimes.
        id_token_lifetime: of ID tokens.
        refresh_token_lifetime: of refresh tokens, each from its own rotation on.
        pass_code_lifetime: of pass codes.
        max_password_failures: the number of wrong passwords in a row that locks a user.
        captcha_after_failures: the number of wrong passwords in a row after which a user needs a captcha; None for
            never. Later it is `captchas.required_after`.
        wrap_system: whether GET /api/v3/system answers inside an envelope, as the service does; also an attribute.
        clock: the time source of all lifetimes.

    Raises:
        ValueError: `url` is not the URL of a server.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        url: str | None = None,
        app_id: str | None = None,
        app_secret: str | None = None,
        token_endpoint_auth_method: AuthMethod = DEFAULT_AUTH_METHOD,
        introspection_endpoint_auth_method: AuthMethod | None = None,
        revocation_endpoint_auth_method: AuthMethod | None = None,
        id_token_alg: IdTokenAlg = DEFAULT_ALGORITHM,
        access_token_lifetime: int = 14 * _DAY,
        id_token_lifetime: int = 14 * _DAY,
        refresh_token_lifetime: int = 30 * _DAY,
        pass_code_lifetime: int = 300,
        max_password_failures: int = 5,
        captcha_after_failures: int | None = None,
        wrap_system: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self._public_url = None if url is None else _checked_url(url)
        self.clock = clock or Clock()
        self.requests = RequestCounter()
        self.faults = Faults()
        state = State(
            settings=Settings(
                id_token_alg=id_token_alg,
                access_token_lifetime=access_token_lifetime,
                id_token_lifetime=id_token_lifetime,
                max_password_failures=max_password_failures,
            ),
            clock=self.clock,
            default_app=new_app(
                app_id=app_id,
                app_secret=app_secret,
                token_endpoint_auth_method=token_endpoint_auth_method,
                introspection_endpoint_auth_method=introspection_endpoint_auth_method,
                revocation_endpoint_auth_method=revocation_endpoint_auth_method,
            ),
            refresh_token_lifetime=refresh_token_lifetime,
            pass_code_lifetime=pass_code_lifetime,
            wrap_system=wrap_system,
        )
        state.captchas.required_after = captcha_after_failures
        super().__init__(state)
        self._app = EmulatorApp(state, self.requests, self.faults)
        self._server = ServerThread(self._app, host, port)
        state.url = self._public_url or self._server.url

    @property
    def app(self) -> ASGIApp:
        """The emulator as an ASGI application; it needs no start, and cannot break connections."""
        return self._app

    @property
    def url(self) -> str:
        """The URL that it serves: the `app_host` of an SDK."""
        return self._state.url

    @property
    def websocket_url(self) -> str:
        """The URL of its events: the `websocket_host` of an SDK."""
        return self._state.url.replace("http", "ws", 1)

    def start(self) -> None:
        """Serve until `stop`, as the `with` block does.

        Raises:
            EmulatorStartError: the port is taken, or it serves already.
        """
        self._server.start()
        self._state.url = self._public_url or self._server.url

    def stop(self) -> None:
        """Stop at once and cancel all requests; harmless when it does not serve."""
        self._server.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        try:
            await to_thread.run_sync(self.start)
        except BaseException:
            # A cancelled task leaves its worker thread behind, which may have started the server by now.
            self.stop()
            raise
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(self.stop)

    def __repr__(self) -> str:
        return f"<Emulator {self.url} app_id={self.app_id}>"


def _checked_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
        raise ValueError(f"url must be the URL of a server, such as http://login.test:9000, not {url!r}")
    return url.rstrip("/")
