"""What an emulator holds, as its users' tests see and change it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .endpoints.signin import ALL_SCOPES
from .state import revocation, tokens
from .state.access.access import Access
from .state.access_accounts import AccessAccounts
from .state.account_rules import AccountRules
from .state.captchas import Captchas
from .state.device_codes.pushes import Pushes
from .state.device_codes.qr_codes import QrCodes
from .state.devices import Devices
from .state.ext_idps import ExtIdps
from .state.factors import Factors
from .state.grants import Grant, Grants
from .state.hosted.hosted_login import HostedLogin
from .state.inbox import Inbox
from .state.invitations import Invitations
from .state.login_history import LoginHistory
from .state.passkeys import Passkeys
from .state.public_accounts import PublicAccounts
from .state.state import DEFAULT_AUTH_METHOD, App, AuthMethod, State, new_app
from .state.subscribers import Events
from .state.tokens import IssuedTokens
from .state.users import User


class World:
    """An application, its users, and all that belongs to them."""

    def __init__(self, state: State) -> None:
        self._state = state

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
        """What the users who signed in gave to applications: how many are `alive`, `revoked`, `reused`."""
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
    def access_accounts(self) -> AccessAccounts:
        """Keys for programs: `add` makes one, for the grant type client_credentials."""
        return self._state.access_accounts

    @property
    def hosted_login(self) -> HostedLogin:
        """The hosted login: `allow_redirect` registers an address, `consent` and `sign_out` are what a user does."""
        return self._state.hosted_login

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
            created_at=self._state.clock.now(),
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
        revocation.remove(self._state, user)

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
        """Let the user sign in no more, and their tokens and their browsers' sessions at the login page die.

        Only `user.locked = False` lets them sign in again, not a new password.
        """
        user.locked = True
        self.grants.revoke_all_of(user.id)
        self.public_accounts.end_sessions_of(user)
        self.hosted_login.sessions.end_all_of(user.id)

    def issue_tokens(self, user: User, *, scope: str = ALL_SCOPES, app: App | None = None) -> IssuedTokens:
        """Tokens as after a sign-in, for tests whose subject is what comes after it."""
        return tokens.sign_in(self._state, app or self._state.default_app, user, scope)

    def revoke_grant(self, grant_or_token: Grant | str) -> None:
        """Let all tokens of a sign-in die.

        Args:
            grant_or_token: one of `grants`, or any access or refresh token that belongs to it.

        Raises:
            LookupError: the token was not issued here, or so long ago that it is forgotten.
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
