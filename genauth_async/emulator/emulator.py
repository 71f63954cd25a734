"""The emulator as its users see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio
from anyio import to_thread
from starlette.types import ASGIApp

from . import endings, tokens
from .access import Access
from .account_rules import AccountRules
from .app import EmulatorApp
from .captcha import Captchas
from .clock import Clock
from .counter import RequestCounter
from .devices import Devices
from .ext_idps import ExtIdps
from .factors import Factors
from .faults import Faults
from .grants import Grant, Grants
from .history import LoginHistory
from .inbox import Inbox
from .invitations import Invitations
from .passkeys import Passkeys
from .public_accounts import PublicAccounts
from .pushes import Pushes
from .qrcodes import QrCodes
from .server import ServerThread
from .signin import ALL_SCOPES
from .state import DEFAULT_ALGORITHM, DEFAULT_AUTH_METHOD, App, AuthMethod, IdTokenAlg, Settings, State, new_app
from .subscribers import Events
from .tokens import IssuedTokens
from .users import User, Users

if TYPE_CHECKING:
    from typing_extensions import Self

_DAY = 24 * 60 * 60


class Emulator:
    """A GenAuth-compatible server, in memory, with one application and the users that a test gives it.

    It serves while its `with` or `async with` block lasts, on the loopback interface; the state outlasts the block, so
    that a second one is a restart. `app` is the same thing as a bare ASGI application, for clients that need no socket.

    Args:
        host: the address to listen on.
        port: the port to listen on; 0 takes a free one.
        url: by what its clients reach it, where that is not the address itself, such as "https://login.test" behind a
            proxy: tokens name it as their issuer, and QR codes and links lead there.
        app_id: the application's id; made up unless given.
        app_secret: its secret; made up unless given.
        token_endpoint_auth_method: how the application authenticates at the token endpoint and at sign-in.
        introspection_endpoint_auth_method: the same for introspection; as at the token endpoint unless given.
        revocation_endpoint_auth_method: the same for revocation.
        id_token_alg: HS256, as the console has it by default, signs ID tokens with the application's secret.
        access_token_lifetime: in seconds, as all lifetimes.
        id_token_lifetime: how long ID tokens are valid.
        refresh_token_lifetime: how long refresh tokens are valid, each from its own rotation on.
        pass_code_lifetime: how long pass codes are valid.
        max_password_failures: after how many wrong passwords in a row a user is locked.
        captcha_after_failures: after how many wrong passwords in a row a user needs a captcha; never unless given.
            Later it is `captchas.required_after`.
        wrap_system: whether GET /api/v3/system answers inside an envelope, as the service does; also an attribute.
        clock: the time by which all of that expires.

    Raises:
        ValueError: `url` is no URL of a server.
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
        self._state = State(
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
            users=Users(),
            grants=Grants(self.clock, refresh_token_lifetime),
            inbox=Inbox(self.clock, pass_code_lifetime),
            url="",
            wrap_system=wrap_system,
        )
        self._state.captchas.required_after = captcha_after_failures
        self._app = EmulatorApp(self._state, self.requests, self.faults)
        self._server = ServerThread(self._app, host, port)
        self._state.url = self._public_url or self._server.url

    @property
    def app(self) -> ASGIApp:
        """The emulator as an ASGI application; it needs no start, and cannot break connections."""
        return self._app

    @property
    def url(self) -> str:
        """Where it serves: the `app_host` of an SDK."""
        return self._state.url

    @property
    def websocket_url(self) -> str:
        """Where it serves events: the `websocket_host` of an SDK."""
        return self._state.url.replace("http", "ws", 1)

    @property
    def issuer(self) -> str:
        """What its tokens name as their issuer."""
        return self._state.issuer

    @property
    def app_id(self) -> str:
        """The application's id."""
        return self._state.default_app.app_id

    @property
    def app_secret(self) -> str:
        """The application's secret."""
        return self._state.default_app.app_secret

    @property
    def account_rules(self) -> AccountRules:
        """Whether strangers can sign up, and how long passwords have to be."""
        return self._state.account_rules

    @property
    def grants(self) -> Grants:
        """What the users who signed in gave to applications: how many are `alive`, how many `revoked`."""
        return self._state.grants

    @property
    def factors(self) -> Factors:
        """The second factors: `enroll` gives a user one, `totp_for` tells a one-time password."""
        return self._state.factors

    @property
    def events(self) -> Events:
        """Who receives events: `publish` sends one, `drop_connections` breaks the connections."""
        return self._state.events

    @property
    def passkeys(self) -> Passkeys:
        """The passkeys that users have registered, and the domain that they are for."""
        return self._state.passkeys

    @property
    def access(self) -> Access:
        """Roles, groups, tenants and resources, and who may do what with them."""
        return self._state.access

    @property
    def ext_idps(self) -> ExtIdps:
        """The connections to external identity providers; `link` gives a user an identity there."""
        return self._state.ext_idps

    @property
    def invitations(self) -> Invitations:
        """Invitations to become a user: `invite` makes one, `approve` lets those in who wait."""
        return self._state.invitations

    @property
    def inbox(self) -> Inbox:
        """The pass codes that were sent."""
        return self._state.inbox

    @property
    def captchas(self) -> Captchas:
        """The captchas that were drawn: `code_for` tells what a picture shows."""
        return self._state.captchas

    @property
    def devices(self) -> Devices:
        """The devices with which users signed in: `of` a user."""
        return self._state.devices

    @property
    def login_history(self) -> LoginHistory:
        """The sign-ins and failed attempts: `of` a user."""
        return self._state.history

    @property
    def public_accounts(self) -> PublicAccounts:
        """Who may switch to which public account: `allow` and `forbid`."""
        return self._state.public_accounts

    @property
    def pushes(self) -> Pushes:
        """What was pushed to the users' phones: `pending` for a user; `confirm` and `cancel` are what a user does."""
        return self._state.pushes

    @property
    def qr_codes(self) -> QrCodes:
        """The QR codes for signing in: `scan`, `confirm` and `cancel` are what a user does on the phone."""
        return self._state.qr_codes

    @property
    def wrap_system(self) -> bool:
        """Whether GET /api/v3/system answers inside an envelope."""
        return self._state.wrap_system

    @wrap_system.setter
    def wrap_system(self, wrap: bool) -> None:
        self._state.wrap_system = wrap

    def add_app(
        self,
        *,
        app_id: str | None = None,
        app_secret: str | None = None,
        name: str = "",
        token_endpoint_auth_method: AuthMethod = DEFAULT_AUTH_METHOD,
        introspection_endpoint_auth_method: AuthMethod | None = None,
        revocation_endpoint_auth_method: AuthMethod | None = None,
    ) -> App:
        """A further application of the same users."""
        app = new_app(
            app_id=app_id,
            app_secret=app_secret,
            name=name,
            token_endpoint_auth_method=token_endpoint_auth_method,
            introspection_endpoint_auth_method=introspection_endpoint_auth_method,
            revocation_endpoint_auth_method=revocation_endpoint_auth_method,
        )
        if app.app_id in self._state.apps:
            raise ValueError(f"there is an application {app.app_id} already")
        self._state.apps[app.app_id] = app
        return app

    def add_user(
        self,
        *,
        username: str | None = None,
        email: str | None = None,
        phone: str | None = None,
        phone_country_code: str = "+86",
        sam_account_name: str | None = None,
        password: str | None = None,
        name: str | None = None,
        nickname: str | None = None,
        profile: Mapping[str, str] | None = None,
        custom_data: Mapping[str, object] | None = None,
        identities: Sequence[Mapping[str, object]] = (),
    ) -> User:
        """A user who can sign in by whatever is given here.

        Args:
            username: signs in with the password, as do the next two.
            email: also receives pass codes; upper and lower case are the same.
            phone: the number without its country code; also receives pass codes.
            phone_country_code: shown in the profile. Phone numbers are told apart without it.
            sam_account_name: the name in the LDAP or Active Directory connection.
            password: the same for all connections. Without one, only pass codes work.
            name: the full name.
            nickname: the casual name.
            profile: further texts of the profile by their names in the API, such as {"givenName": "Ada"}.
            custom_data: what get-profile adds when asked for custom data.
            identities: what get-profile adds when asked for identities, as the API's IdentityDto.

        Raises:
            ValueError: somebody has the username, address, number or name already, or the user has none of them.
        """
        return self._state.users.add(
            created_at=self.clock.now(),
            username=username,
            email=email,
            phone=phone,
            phone_country_code=phone_country_code,
            sam_account_name=sam_account_name,
            password=password,
            name=name,
            nickname=nickname,
            profile=profile or {},
            custom_data=custom_data or {},
            identities=identities,
        )

    def find_user(self, *, username: str | None = None, email: str | None = None, phone: str | None = None) -> User:
        """A user who is known by one of these, for instance because they signed up.

        Raises:
            LookupError: there is none.
        """
        users = self._state.users
        found = (
            (username and users.by_username(username))
            or (email and users.by_email(email))
            or (phone and users.by_phone(phone))
        )
        if not found:
            raise LookupError("there is no such user")
        return found

    def remove_user(self, user: User) -> None:
        """Let the user vanish and their tokens die, as if they had deleted their account."""
        endings.remove(self._state, user)

    def add_social_code(self, connection: str, code: str, user: User) -> None:
        """Let a code of an identity provider stand for a user, in sign_in_by_mobile.

        Args:
            connection: the provider, such as "github".
            code: what its application would have given: a code, good for once, or an access token.
            user: who is signed in with it.

        Raises:
            ValueError: there is no such connection.
        """
        self._state.social_codes.add(connection, code, user)

    def lock_user(self, user: User) -> None:
        """Let the user sign in no more; only `user.locked = False` undoes it, not a new password."""
        user.locked = True

    def issue_tokens(self, user: User, *, scope: str = ALL_SCOPES, app: App | None = None) -> IssuedTokens:
        """Tokens as after a sign-in, for tests whose subject is what comes after it."""
        return tokens.sign_in(self._state, app or self._state.default_app, user, scope)

    def revoke_grant(self, grant_or_token: Grant | str) -> None:
        """Let all tokens of a sign-in die.

        Args:
            grant_or_token: one of `grants`, or any access or refresh token that belongs to it.

        Raises:
            LookupError: the token was not issued here.
        """
        grant = self.grants.find_by_token(grant_or_token) if isinstance(grant_or_token, str) else grant_or_token
        if grant is None:
            raise LookupError("the token was not issued here")
        grant.revoked = True

    def rotate_keys(self) -> None:
        """Make new keys for the encryption of passwords; ciphertexts for the old ones are refused from now on."""
        self._state.password_keys.rotate()

    def rotate_signing_key(self, *, keep_previous: bool = True) -> None:
        """Sign tokens with a new key.

        Args:
            keep_previous: whether the old keys stay in the JSON Web Key Set, so that older tokens can be verified.
        """
        self._state.signing_keys.rotate(keep_previous=keep_previous)

    def start(self) -> None:
        """Serve until `stop`; what entering the `with` block does.

        Raises:
            EmulatorStartError: the port is taken, or it serves already.
        """
        self._server.start()
        self._state.url = self._public_url or self._server.url

    def stop(self) -> None:
        """Stop at once, whatever is connected or under way; harmless when it does not serve."""
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
        raise ValueError("url is the address of a server, such as http://login.test:9000")
    return url.rstrip("/")
