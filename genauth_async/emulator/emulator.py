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
from .request_log import LogLine, RequestLog
from .saved_state import SavedState, StatePath, damage_reported
from .seed import Seed, SeedSource
from .server.app import EmulatorApp
from .server.server_thread import ServerThread
from .state.apps import DEFAULT_AUTH_METHOD, AuthMethod, new_app
from .state.clock import Clock
from .state.keys import EmulatorKeys
from .state.settings import DAY, DEFAULT_ALGORITHM, IdTokenAlg, MfaAtSignin, RefreshTokens, Settings
from .state.state import State

if TYPE_CHECKING:
    from typing import Self


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
        app_name: its name, which the pages show; the id by default.
        token_endpoint_auth_method: how the application authenticates at the token endpoint and at sign-in:
            "client_secret_post", "client_secret_basic" or "none".
        introspection_endpoint_auth_method: the same for introspection; that of the token endpoint by default.
        revocation_endpoint_auth_method: the same for revocation.
        id_token_alg: "HS256", as the console has it by default, signs ID tokens with the application's secret, "RS256"
            with the published key.
        access_token_lifetime: in seconds, as all lifetimes.
        id_token_lifetime: of ID tokens.
        refresh_tokens: the refresh token that a refresh answers: "rotate" gives a new one and takes a second use of the
            old one for theft, "rotate_with_grace" answers the old one for `refresh_token_grace` seconds more, "same"
            gives the same one each time, "omit" gives none, and the old one stays good.
        refresh_token_lifetime: of refresh tokens, each from its own rotation on.
        refresh_token_grace: for "rotate_with_grace".
        authorization_code_lifetime: of authorization codes.
        callback_iss: whether callbacks name their issuer (RFC 9207); nothing is published of GenAuth doing so.
        pass_code_lifetime: of pass codes.
        pass_code_attempts: the number of wrong tries that makes a pass code worthless.
        max_password_failures: the number of wrong passwords in a row that locks a user.
        captcha_after_failures: the number of wrong passwords in a row after which a user needs a captcha; None for
            never. Later it is `captchas.required_after`.
        mfa_at_signin: "error" refuses users with `mfa_required` at /api/v3/signin; "ignore" lets them in, as
            the vendor's documents say that this call knows no second factor.
        show_users: whether the sign-in page offers the users for a click.
        wrap_system: whether GET /api/v3/system answers inside an envelope, as the vendor's mobile SDKs and mini
            programs read it, or bare, as its documents and @authing/web have it; also an attribute.
        clock: the time source of all lifetimes.
        keys: the pool from which it takes its key pairs; by default it makes its own.
        log: takes a line for each request, with all secrets masked, in the server's thread; `print` prints them.

    Raises:
        ValueError: `url` is not the URL of a server, or a setting has no possible value.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        url: str | None = None,
        app_id: str | None = None,
        app_secret: str | None = None,
        app_name: str = "",
        token_endpoint_auth_method: AuthMethod = DEFAULT_AUTH_METHOD,
        introspection_endpoint_auth_method: AuthMethod | None = None,
        revocation_endpoint_auth_method: AuthMethod | None = None,
        id_token_alg: IdTokenAlg = DEFAULT_ALGORITHM,
        access_token_lifetime: int = 14 * DAY,
        id_token_lifetime: int = 14 * DAY,
        refresh_tokens: RefreshTokens = "rotate",
        refresh_token_lifetime: int = 30 * DAY,
        refresh_token_grace: int = 60,
        authorization_code_lifetime: int = 600,
        callback_iss: bool = False,
        pass_code_lifetime: int = 60,
        pass_code_attempts: int = 5,
        max_password_failures: int = 5,
        captcha_after_failures: int | None = None,
        mfa_at_signin: MfaAtSignin = "error",
        show_users: bool = False,
        wrap_system: bool = True,
        clock: Clock | None = None,
        keys: EmulatorKeys | None = None,
        log: LogLine | None = None,
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
                refresh_tokens=refresh_tokens,
                refresh_token_lifetime=refresh_token_lifetime,
                refresh_token_grace=refresh_token_grace,
                authorization_code_lifetime=authorization_code_lifetime,
                callback_iss=callback_iss,
                pass_code_lifetime=pass_code_lifetime,
                pass_code_attempts=pass_code_attempts,
                max_password_failures=max_password_failures,
                mfa_at_signin=mfa_at_signin,
                show_users=show_users,
            ),
            clock=self.clock,
            default_app=new_app(
                app_id=app_id,
                app_secret=app_secret,
                name=app_name,
                token_endpoint_auth_method=token_endpoint_auth_method,
                introspection_endpoint_auth_method=introspection_endpoint_auth_method,
                revocation_endpoint_auth_method=revocation_endpoint_auth_method,
            ),
            wrap_system=wrap_system,
            keys=keys,
        )
        state.captchas.required_after = captcha_after_failures
        super().__init__(state)
        self._app: ASGIApp = EmulatorApp(state, self.requests, self.faults)
        if log is not None:
            self._app = RequestLog(self._app, state, log)
        self._server = ServerThread(self._app, host, port)
        state.url = self._public_url or self._server.url

    @classmethod
    def from_seed(
        cls,
        seed: SeedSource | Seed,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        url: str | None = None,
        clock: Clock | None = None,
        keys: EmulatorKeys | None = None,
        log: LogLine | None = None,
    ) -> Self:
        """Create an emulator with the applications, users and settings of a TOML file; docs/emulator-seed.toml has all.

        Args:
            seed: the path of the file, or a mapping of the same form.
            host: as for `Emulator`.
            port: as for `Emulator`.
            url: as for `Emulator`.
            clock: as for `Emulator`.
            keys: as for `Emulator`.
            log: as for `Emulator`.

        Raises:
            SeedError: an unknown key, a value of another type, a user twice; the message names file, table and key.
        """
        read = seed if isinstance(seed, Seed) else Seed.read(seed)
        return read.plant(cls(**read.arguments, host=host, port=port, url=url, clock=clock, keys=keys, log=log))

    @classmethod
    def load(
        cls,
        path: StatePath | SavedState,
        *,
        host: str = "127.0.0.1",
        port: int | None = None,
        url: str | None = None,
        clock: Clock | None = None,
        log: LogLine | None = None,
    ) -> Self:
        """Create an emulator that goes on where another one was when it was saved: its tokens are good here.

        Args:
            path: the file that `save` wrote.
            host: as for `Emulator`.
            port: the port to listen on; by default the one of the saved emulator, which its tokens name.
            url: as for `Emulator`; by default that of the saved emulator.
            clock: as for `Emulator`; by default a new one, as far ahead as that of the saved emulator.
            log: as for `Emulator`.

        Raises:
            SavedStateError: the file cannot be read, is damaged, or of another version.
        """
        saved = path if isinstance(path, SavedState) else SavedState.read(path)
        if clock is None:
            clock = Clock()
            clock.advance(saved.clock_ahead)
        with damage_reported(saved.path):
            emulator = cls(
                **saved.arguments,
                host=host,
                port=saved.port if port is None else port,
                url=saved.url if url is None else url,
                clock=clock,
                log=log,
            )
            saved.restore(emulator._state)
        return emulator

    def save(self, path: StatePath) -> None:
        """Write the state to a file, which `load` reads: applications, users, grants with their tokens, and keys.

        The file is replaced atomically, and only its owner may read it. docs/emulator.md says what is not saved.

        Args:
            path: the file.

        Raises:
            SavedStateError: it cannot be written.
        """
        SavedState.of(self._state, url=self._public_url, port=self._server.port).write(path)

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
