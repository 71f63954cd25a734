"""The whole state of one emulator."""

from __future__ import annotations

from hashlib import sha256

from .access.access import Access
from .apps import AccessAccounts, App
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
from .keys import EmulatorKeys, PasswordKeys, SigningKeys
from .login_history import LoginHistory
from .passkeys import Passkeys
from .public_accounts import PublicAccounts
from .settings import AccountRules, Settings
from .social_codes import SocialCodes
from .subscribers import Events
from .tickets import Tickets
from .users import Users


class State:
    """Everything that requests read and change."""

    def __init__(
        self,
        *,
        settings: Settings,
        clock: Clock,
        default_app: App,
        wrap_system: bool,
        keys: EmulatorKeys | None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.default_app = default_app
        self.apps = {default_app.app_id: default_app}
        self.url = ""
        self.wrap_system = wrap_system
        self.users = Users()
        self.grants = Grants(clock, settings)
        self.inbox = Inbox(clock, settings)
        self.tickets = Tickets(clock)
        self.account_rules = AccountRules()
        self.factors = Factors(clock)
        self.passkeys = Passkeys(clock)
        self.captchas = Captchas(self.tickets)
        self.devices = Devices(clock)
        self.history = LoginHistory(clock)
        self.hosted_login = HostedLogin(clock, settings, default_app.app_id)
        self.access_accounts = AccessAccounts(default_app.app_id)
        self.public_accounts = PublicAccounts()
        self.pushes = Pushes(clock)
        self.qr_codes = QrCodes(clock, self.tickets)
        self.fastpass_codes = FastpassCodes(clock)
        self.social_codes = SocialCodes()
        self.events = Events()
        self.access = Access(clock, default_app.app_id)
        self.ext_idps = ExtIdps()
        self.invitations = Invitations(clock, self.users)
        self.signing_keys = SigningKeys(keys)
        self.password_keys = PasswordKeys(keys)

    @property
    def user_pool_id(self) -> str:
        """The user pool's id, which follows from the first application's, so that a restart keeps it."""
        return sha256(self.default_app.app_id.encode()).hexdigest()[:24]

    @property
    def issuer(self) -> str:
        """The issuer of all tokens."""
        return f"{self.url}/oidc"
