"""The whole state of one emulator."""

from __future__ import annotations

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
from .keys import PasswordKeys, SigningKeys
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
        refresh_token_lifetime: int,
        pass_code_lifetime: int,
        wrap_system: bool,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.default_app = default_app
        self.apps = {default_app.app_id: default_app}
        self.url = ""
        self.wrap_system = wrap_system
        self.users = Users()
        self.grants = Grants(clock, refresh_token_lifetime)
        self.inbox = Inbox(clock, pass_code_lifetime)
        self.tickets = Tickets(clock)
        self.account_rules = AccountRules()
        self.factors = Factors(clock)
        self.passkeys = Passkeys(clock)
        self.captchas = Captchas(self.tickets)
        self.devices = Devices(clock)
        self.history = LoginHistory(clock)
        self.hosted_login = HostedLogin(clock, default_app.app_id)
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
        self.signing_keys = SigningKeys()
        self.password_keys = PasswordKeys()

    @property
    def issuer(self) -> str:
        """The issuer of all tokens."""
        return f"{self.url}/oidc"
