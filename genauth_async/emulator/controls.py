"""The controls of an emulator, by which tests see and change its state."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from typing import get_args

from .minting import Mint, MintedTokens, SignedBy
from .state import revocation, tokens
from .state.apps import DEFAULT_AUTH_METHOD, App, AuthMethod, new_app
from .state.grants import ALL_SCOPES, Grant
from .state.keys import SigningKeys
from .state.state import State
from .state.tokens import IssuedTokens
from .state.users import User


class EmulatorControls:
    """The controls that tests have over an emulator: its application, its users and all that belongs to them.

    Attributes:
        app_id: the application's id.
        account_rules: whether strangers can sign up, and the least length of passwords.
        grants: the grants of users and programs to applications: how many are `alive`, `revoked`, `reused`.
        factors: the second factors: `enroll` gives a user one, `totp_for` returns a one-time password; `offered` are
            the types that the applications have switched on.
        events: the subscribers of events: `publish` sends one, `drop_connections` breaks the connections.
        passkeys: the passkeys that users have registered, and the domain that they are for.
        access: roles, groups, tenants and resources, and the permissions on them.
        access_accounts: keys for programs: `add` makes one, for the grant type client_credentials.
        hosted_login: the hosted login: `allow_redirect` registers an address, `consent` and `sign_out` are what a user
            does.
        ext_idps: the connections to external identity providers; `link` gives a user an identity there.
        invitations: invitations to become a user: `invite` makes one, `approve` lets those in who wait.
        inbox: the pass codes that were sent.
        captchas: the captchas that were drawn: `code_for` returns the characters of a picture.
        devices: the devices with which users signed in: `of` a user.
        login_history: the sign-ins and failed attempts: `of` a user.
        public_accounts: the public accounts that users may switch to: `allow` and `forbid`.
        pushes: the requests pushed to users' phones: `pending` for a user; `confirm` and `cancel` are what a user does.
        qr_codes: the QR codes for signing in: `scan`, `confirm` and `cancel` are what a user does on the phone.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._strangers = SigningKeys()
        self.app_id = state.default_app.app_id
        self.account_rules = state.account_rules
        self.grants = state.grants
        self.factors = state.factors
        self.events = state.events
        self.passkeys = state.passkeys
        self.access = state.access
        self.access_accounts = state.access_accounts
        self.hosted_login = state.hosted_login
        self.ext_idps = state.ext_idps
        self.invitations = state.invitations
        self.inbox = state.inbox
        self.captchas = state.captchas
        self.devices = state.devices
        self.login_history = state.history
        self.public_accounts = state.public_accounts
        self.pushes = state.pushes
        self.qr_codes = state.qr_codes

    @property
    def app_secret(self) -> str:
        """The application's secret; not an attribute, so that `vars()` does not show it."""
        return self._state.default_app.app_secret

    @property
    def default_app(self) -> App:
        """The application that the emulator was created with."""
        return self._state.default_app

    @property
    def issuer(self) -> str:
        """The issuer of all tokens."""
        return self._state.issuer

    @property
    def wrap_system(self) -> bool:
        """True if GET /api/v3/system answers inside an envelope."""
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
        """Add a further application of the same users."""
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
        user_id: str | None = None,
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
        """Add a user, who can sign in with each of the given names, addresses and numbers.

        Args:
            user_id: the id, which tokens have as their subject; random by default.
            username: signs in with the password, as do the next two.
            email: also receives pass codes; upper and lower case are the same.
            phone: the number without its country code; also receives pass codes.
            phone_country_code: shown in the profile. It does not distinguish phone numbers.
            sam_account_name: the name in the LDAP or Active Directory connection.
            password: the same for all connections. Without one, only pass codes work.
            name: the full name.
            nickname: the casual name.
            profile: further texts of the profile by their names in the API, such as {"givenName": "Ada"}.
            custom_data: the custom data that get-profile returns on request.
            identities: the identities that get-profile returns on request, as the API's IdentityDto.

        Raises:
            ValueError: another user has the id, username, address, number or name, or none is given.
        """
        if user_id is not None and self._state.users.find(user_id):
            raise ValueError(f"there is a user with the id {user_id} already")
        user = User(
            id=user_id or secrets.token_hex(12),
            created_at=self._state.clock.now(),
            username=username,
            email=email,
            phone=phone,
            phone_country_code=phone_country_code,
            sam_account_name=sam_account_name,
            password=password,
            name=name,
            nickname=nickname,
            profile=dict(profile or {}),
            custom_data=dict(custom_data or {}),
            identities=[dict(identity) for identity in identities],
        )
        return self._state.users.add(user)

    def find_user(self, *, username: str | None = None, email: str | None = None, phone: str | None = None) -> User:
        """Find a user, for instance one who signed up.

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
        """Remove a user and revoke their tokens, as if they had deleted their account."""
        revocation.remove_user(self._state, user)

    def add_social_code(self, connection: str, code: str, user: User) -> None:
        """Register a code of an identity provider, by which a user signs in with sign_in_by_mobile.

        Args:
            connection: the provider, such as "github".
            code: of its application: a code, good once, or an access token.
            user: the user whom it signs in.

        Raises:
            ValueError: there is no such connection.
        """
        self._state.social_codes.add(connection, code, user)

    def lock_user(self, user: User) -> None:
        """Lock a user; revoke their tokens and end their sessions at the login page.

        Only `user.locked = False` lets them sign in again, not a new password.
        """
        revocation.lock_user(self._state, user)

    def issue_tokens(self, user: User, *, scope: str = ALL_SCOPES, app: App | None = None) -> IssuedTokens:
        """Issue tokens as a sign-in does, for tests of what follows it."""
        return tokens.sign_in(self._state, app or self._state.default_app, user, scope)

    def mint(
        self,
        user: User | None = None,
        *,
        claims: Mapping[str, object] | None = None,
        without: Collection[str] = (),
        expires_in: float | None = None,
        signed_by: SignedBy = "server",
        scope: str = ALL_SCOPES,
        app: App | None = None,
    ) -> MintedTokens:
        """Issue tokens with chosen claims and signatures, for tests of an application's own verification.

        What is not chosen is as in `issue_tokens`. An access token that the server signed is good at the API as well,
        until it expires.

        Args:
            user: the user; by default a new one.
            claims: claims of both tokens, which replace those of the emulator, such as {"aud": "another", "roles": []}.
            without: the names of claims that both tokens lack.
            expires_in: seconds until the tokens expire; negative for tokens that have expired.
            signed_by: "server", or for tokens that have to be refused: "stranger" has a key that is not published,
                "impostor" has it under the id of the published key, "none" does not sign (the algorithm none).
            scope: the scope; there is an ID token if it contains openid.
            app: the application; by default the emulator's first.

        Raises:
            ValueError: signed_by is unknown.
        """
        if signed_by not in get_args(SignedBy):
            raise ValueError(f"signed_by must be one of {', '.join(get_args(SignedBy))}, not {signed_by!r}")
        mint = Mint(
            state=self._state,
            strangers=self._strangers,
            claims=dict(claims or {}),
            without=without,
            expires_in=expires_in,
            signed_by=signed_by,
        )
        user = user or self.add_user(username=f"user-{secrets.token_hex(4)}")
        return mint.tokens_of(user, app or self._state.default_app, scope)

    def revoke_grant(self, grant_or_token: Grant | str) -> None:
        """Revoke all tokens of a sign-in.

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
        """Replace the keys that encrypt passwords; ciphertexts for the old ones are refused."""
        self._state.password_keys.rotate()

    def rotate_signing_key(self, *, keep_previous: bool = True) -> None:
        """Sign tokens with a new key.

        Args:
            keep_previous: whether the old keys stay in the JSON Web Key Set, so that older tokens can be verified.
        """
        self._state.signing_keys.rotate(keep_previous=keep_previous)
