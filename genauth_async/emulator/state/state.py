"""Everything that one emulator knows."""

from __future__ import annotations

import secrets
from functools import cached_property
from typing import Literal

from attrs import define, field, frozen, validators
from joserfc.jwk import OctKey

from genauth_async._core.redaction import masked

from .access.access import Access
from .access_accounts import AccessAccounts
from .account_rules import AccountRules
from .captchas import Captchas
from .clock import Clock
from .device_codes.fastpass_codes import FastpassCodes
from .device_codes.pushes import Pushes
from .device_codes.qr_codes import QrCodes
from .devices import Devices
from .ext_idps import ExtIdps
from .factors import Factors
from .grants import Grants
from .hosted.hosted_login import HostedLogin
from .inbox import Inbox
from .invitations import Invitations
from .keys import PasswordKeys, SigningKeys
from .login_history import LoginHistory
from .passkeys import Passkeys
from .public_accounts import PublicAccounts
from .social_codes import SocialCodes
from .subscribers import Events
from .tickets import Tickets
from .users import Users

AuthMethod = Literal["client_secret_post", "client_secret_basic", "none"]
Endpoint = Literal["token", "introspection", "revocation"]
IdTokenAlg = Literal["HS256", "RS256"]

DEFAULT_AUTH_METHOD: AuthMethod = "client_secret_post"
DEFAULT_ALGORITHM: IdTokenAlg = "HS256"

_auth_method = validators.in_(("client_secret_post", "client_secret_basic", "none"))


@frozen(kw_only=True, slots=False)
class App:
    """An application (an OAuth client), and how it has to authenticate at each kind of endpoint."""

    app_id: str
    app_secret: str = field(repr=masked)
    name: str = ""
    token_endpoint_auth_method: AuthMethod = field(validator=_auth_method)
    introspection_endpoint_auth_method: AuthMethod = field(validator=_auth_method)
    revocation_endpoint_auth_method: AuthMethod = field(validator=_auth_method)

    @property
    def display_name(self) -> str:
        """What users read."""
        return self.name or self.app_id

    @cached_property
    def signing_key(self) -> OctKey:
        """The secret, as the key of HS256 tokens."""
        secret = self.app_secret.encode()
        return OctKey(secret, secret)  # `import_key` would warn of the short secrets that tests like to choose

    def auth_method_at(self, endpoint: Endpoint) -> AuthMethod:
        """How it authenticates there."""
        if endpoint == "introspection":
            return self.introspection_endpoint_auth_method
        if endpoint == "revocation":
            return self.revocation_endpoint_auth_method
        return self.token_endpoint_auth_method


def new_app(
    *,
    app_id: str | None,
    app_secret: str | None,
    name: str = "",
    token_endpoint_auth_method: AuthMethod,
    introspection_endpoint_auth_method: AuthMethod | None,
    revocation_endpoint_auth_method: AuthMethod | None,
) -> App:
    """An application, with an id and a secret in the vendor's style unless given."""
    return App(
        app_id=app_id or secrets.token_hex(12),
        app_secret=app_secret or secrets.token_hex(16),
        name=name,
        token_endpoint_auth_method=token_endpoint_auth_method,
        introspection_endpoint_auth_method=introspection_endpoint_auth_method or token_endpoint_auth_method,
        revocation_endpoint_auth_method=revocation_endpoint_auth_method or token_endpoint_auth_method,
    )


@frozen(kw_only=True)
class Settings:
    """What is fixed when an emulator is made. Lifetimes are in seconds."""

    id_token_alg: IdTokenAlg = field(validator=validators.in_(("HS256", "RS256")))
    access_token_lifetime: int
    id_token_lifetime: int
    max_password_failures: int


@define(eq=False, kw_only=True)
class State:
    """What the requests read and change."""

    settings: Settings
    clock: Clock
    default_app: App
    users: Users
    grants: Grants
    inbox: Inbox
    url: str
    wrap_system: bool
    tickets: Tickets = field(init=False)
    account_rules: AccountRules = field(factory=AccountRules, init=False)
    factors: Factors = field(init=False)
    passkeys: Passkeys = field(init=False)
    captchas: Captchas = field(init=False)
    devices: Devices = field(init=False)
    fastpass_codes: FastpassCodes = field(init=False)
    history: LoginHistory = field(init=False)
    hosted_login: HostedLogin = field(init=False)
    access_accounts: AccessAccounts = field(init=False)
    public_accounts: PublicAccounts = field(factory=PublicAccounts, init=False)
    pushes: Pushes = field(init=False)
    qr_codes: QrCodes = field(init=False)
    social_codes: SocialCodes = field(factory=SocialCodes, init=False)
    events: Events = field(factory=Events, init=False)
    access: Access = field(init=False)
    ext_idps: ExtIdps = field(factory=ExtIdps, init=False)
    invitations: Invitations = field(init=False)
    apps: dict[str, App] = field(init=False)
    signing_keys: SigningKeys = field(factory=SigningKeys, init=False, repr=False)
    password_keys: PasswordKeys = field(factory=PasswordKeys, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.tickets = Tickets(self.clock)
        self.factors = Factors(self.clock)
        self.passkeys = Passkeys(self.clock)
        self.captchas = Captchas(self.tickets)
        self.devices = Devices(self.clock)
        self.fastpass_codes = FastpassCodes(self.clock)
        self.history = LoginHistory(self.clock)
        self.hosted_login = HostedLogin(self.clock, self.default_app.app_id)
        self.access_accounts = AccessAccounts(self.default_app.app_id)
        self.pushes = Pushes(self.clock)
        self.qr_codes = QrCodes(self.clock, self.tickets)
        self.access = Access(self.clock, self.default_app.app_id)
        self.invitations = Invitations(self.clock, self.users)
        self.apps = {self.default_app.app_id: self.default_app}

    @property
    def issuer(self) -> str:
        """What tokens name as their origin."""
        return f"{self.url}/oidc"
