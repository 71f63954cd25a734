"""The names of an application's cookies."""

from __future__ import annotations

from ..errors import ConfigurationError
from ..oidc._login_states import HostCookies


class CookieNames(HostCookies):
    """The cookies of one application.

    Args:
        prefix: the prefix of their names; applications on one host need different ones.
        secure: True if the site uses https.
    """

    def __init__(self, prefix: str, *, secure: bool) -> None:
        if not (prefix.isascii() and prefix.replace("_", "").replace("-", "").isalnum()):
            raise ConfigurationError("cookie_prefix", "must have ASCII letters, digits, - and _ only")
        super().__init__(secure=secure)
        self.session = self.named(f"{prefix}_session")
        self.login_prefix = f"{prefix}_login_"
