"""The settings of an emulator: the fixed ones, and the account rules that tests may change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias, get_args

from attrs import Attribute, define, field, frozen

from .errors import Refusal

IdTokenAlg = Literal["HS256", "RS256"]
RefreshTokens = Literal["rotate", "rotate_with_grace", "same", "omit"]
MfaAtSignin = Literal["error", "ignore"]

DEFAULT_ALGORITHM: IdTokenAlg = "HS256"
DAY = 24 * 60 * 60

_Validator: TypeAlias = Callable[[Any, "Attribute[Any]", Any], None]


def _one_of(literal: object) -> _Validator:
    values = get_args(literal)

    def check(_: object, attribute: Attribute[Any], value: object) -> None:
        if value not in values:
            raise ValueError(f"{attribute.name} must be {' or '.join(map(repr, values))}, not {value!r}")

    return check


def _at_least(least: int) -> _Validator:
    def check(_: object, attribute: Attribute[Any], value: object) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ValueError(f"{attribute.name} must be a whole number, at least {least}, not {value!r}")

    return check


def _is_bool(_: object, attribute: Attribute[Any], value: object) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"{attribute.name} must be True or False, not {value!r}")  # noqa: TRY004 - as the others


@frozen(kw_only=True)
class Settings:
    """Settings that are fixed when an emulator is created; `Emulator` describes them. Lifetimes are in seconds."""

    id_token_alg: IdTokenAlg = field(default=DEFAULT_ALGORITHM, validator=_one_of(IdTokenAlg))
    access_token_lifetime: int = field(default=14 * DAY, validator=_at_least(1))
    id_token_lifetime: int = field(default=14 * DAY, validator=_at_least(1))
    refresh_tokens: RefreshTokens = field(default="rotate", validator=_one_of(RefreshTokens))
    refresh_token_lifetime: int = field(default=30 * DAY, validator=_at_least(1))
    refresh_token_grace: int = field(default=60, validator=_at_least(0))
    authorization_code_lifetime: int = field(default=600, validator=_at_least(1))
    callback_iss: bool = field(default=False, validator=_is_bool)
    pass_code_lifetime: int = field(default=60, validator=_at_least(1))
    pass_code_attempts: int = field(default=5, validator=_at_least(1))
    max_password_failures: int = field(default=5, validator=_at_least(1))
    mfa_at_signin: MfaAtSignin = field(default="error", validator=_one_of(MfaAtSignin))
    show_users: bool = field(default=False, validator=_is_bool)


@define(kw_only=True)
class AccountRules:
    """Rules for new accounts and passwords, which a test may set at any time.

    Attributes:
        sign_up_enabled: whether strangers can sign up.
        min_password_length: applies to passwords that users choose, not to those that a test gives to its users.
    """

    sign_up_enabled: bool = field(default=True, validator=_is_bool)
    min_password_length: int = field(default=6, validator=_at_least(0))

    def require_sign_up_enabled(self) -> None:
        if not self.sign_up_enabled:
            raise Refusal.SIGN_UP_DISABLED.error()

    def require_strong(self, password: str) -> None:
        if len(password) < self.min_password_length:
            raise Refusal.WEAK_PASSWORD.error(f"a password has at least {self.min_password_length} characters")
