"""The settings of an emulator: the fixed ones, and the account rules that tests may change."""

from __future__ import annotations

from typing import Literal

from attrs import define, field, frozen, validators

from .errors import ApiError

IdTokenAlg = Literal["HS256", "RS256"]

DEFAULT_ALGORITHM: IdTokenAlg = "HS256"


@frozen(kw_only=True)
class Settings:
    """Settings that are fixed when an emulator is created. Lifetimes are in seconds."""

    id_token_alg: IdTokenAlg = field(validator=validators.in_(("HS256", "RS256")))
    access_token_lifetime: int
    id_token_lifetime: int
    max_password_failures: int


@define(kw_only=True)
class AccountRules:
    """Rules for new accounts and passwords, which a test may set at any time.

    Attributes:
        sign_up_enabled: whether strangers can sign up.
        min_password_length: applies to passwords that users choose, not to those that a test gives to its users.
    """

    sign_up_enabled: bool = True
    min_password_length: int = 6

    def require_sign_up_enabled(self) -> None:
        if not self.sign_up_enabled:
            raise ApiError(403, "sign-up is disabled for the application", api_code=2031)

    def require_strong(self, password: str) -> None:
        if len(password) < self.min_password_length:
            raise ApiError(400, f"a password has at least {self.min_password_length} characters", api_code=2029)
