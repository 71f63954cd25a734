"""Who may sign up, and which passwords are good enough."""

from __future__ import annotations

from attrs import define

from ..http.replies import ApiError


@define(kw_only=True)
class AccountRules:
    """What a test may set at any time.

    Attributes:
        sign_up_enabled: whether strangers can sign up.
        min_password_length: asked of passwords that users choose, not of those that a test gives to its users.
    """

    sign_up_enabled: bool = True
    min_password_length: int = 6

    def refuse_strangers(self) -> None:
        if not self.sign_up_enabled:
            raise ApiError(403, "the application lets nobody sign up", api_code=2031)

    def refuse_weak(self, password: str) -> None:
        if len(password) < self.min_password_length:
            raise ApiError(400, f"a password has at least {self.min_password_length} characters", api_code=2029)


def password_level(password: str | None) -> int:
    """How many of letters, digits and other characters a password mixes; 0 without one."""
    if not password:
        return 0
    kinds = {"letter" if char.isalpha() else "digit" if char.isdigit() else "other" for char in password}
    return len(kinds)
