"""The second factors of the users: one-time passwords, text messages and emails."""

from __future__ import annotations

import math
import re
import secrets
from collections.abc import Iterator
from hashlib import sha256
from threading import Lock
from typing import Literal

from attrs import define, field
from pyotp import random_base32
from pyotp.hotp import HOTP

from genauth_async._core.redaction import redact

from .clock import Clock
from .encoding import same_text
from .errors import ApiError, Refusal
from .users import User

FactorType = Literal["OTP", "SMS", "EMAIL"]

FACTOR_TYPES: tuple[FactorType, ...] = ("OTP", "SMS", "EMAIL")
TOTP_STEP = 30
MOST_WRONG_CODES = 10
LOCK_SECONDS = 300
_SKEW = 1  # steps before and after that are accepted, as the user's clock may be off (RFC 6238 section 5.2)


@define(eq=False, kw_only=True)
class Factor:
    """A second factor that a user has enrolled.

    Attributes:
        address: the receiver of the pass codes, for SMS and EMAIL.
        secret: the key of the one-time passwords in base32, for OTP.
        recovery_code: replaces a one-time password, once; each use gives a new one.
    """

    user_id: str
    type: FactorType
    id: str = field(factory=lambda: secrets.token_hex(12))
    address: str | None = None
    phone_country_code: str | None = None
    secret: str | None = field(default=None, repr=redact)
    recovery_code: str | None = field(default=None, repr=redact)
    _last_step: int = field(default=-1, init=False, repr=False)
    _wrong_codes: int = field(default=0, init=False, repr=False)
    _locked_until: float = field(default=0, init=False, repr=False)

    @property
    def masked_profile(self) -> dict[str, object]:
        """The redacted address: enough for its owner to recognise it, not for others to use it."""
        if self.type == "SMS":
            return {"phoneNumber": _masked_phone(self.address or ""), "phoneCountryCode": self.phone_country_code}
        if self.type == "EMAIL":
            return {"email": _masked_email(self.address or "")}
        return {}

    def next_step(self, now: float) -> int:
        """Return the first time step whose one-time password is unused."""
        return max(int(now // TOTP_STEP), self._last_step + 1)

    def totp_at(self, step: int) -> str:
        """Return the one-time password of a time step (RFC 6238 section 4.2)."""
        return HOTP(self.secret or "").at(step)

    def locked_for(self, now: float) -> int:
        """Return for how many seconds the factor is locked after too many wrong one-time passwords."""
        return max(math.ceil(self._locked_until - now), 0)

    def count_wrong_code(self, now: float) -> None:
        """Count a wrong one-time password; too many in a row, in any sign-ins, lock the factor for a while."""
        self._wrong_codes += 1
        if self._wrong_codes >= MOST_WRONG_CODES:
            self._wrong_codes, self._locked_until = 0, now + LOCK_SECONDS

    def forget_wrong_codes(self) -> None:
        """Reset the count after a right code."""
        self._wrong_codes, self._locked_until = 0, 0

    def accept_totp(self, code: str, now: float) -> bool:
        """Verify and use up a one-time password."""
        current = int(now // TOTP_STEP)
        for step in range(max(current - _SKEW, self._last_step + 1, 0), current + _SKEW + 1):
            if same_text(code, self.totp_at(step)):
                self._last_step = step
                return True
        return False


class Factors:
    """The enrolled factors of all users, no more than one of each type for each user.

    Attributes:
        offered: the types that the applications have switched on, in their order.
    """

    def __init__(self, clock: Clock) -> None:
        self.offered: tuple[FactorType, ...] = FACTOR_TYPES
        self._clock = clock
        self._lock = Lock()
        self._factors: dict[str, Factor] = {}

    def of(self, user: User) -> list[Factor]:
        """List the enrolled factors of a user, oldest first."""
        return [factor for factor in self if factor.user_id == user.id]

    def usable_by(self, user: User) -> list[Factor]:
        """List the factors with which a user can sign in: the enrolled ones, and a bound phone and email address."""
        enrolled = self.of(user)
        bound = {"SMS": user.phone, "EMAIL": user.email}
        types = {factor.type for factor in enrolled}
        return enrolled + [
            _bound_factor(user, kind) for kind in self.offered if bound.get(kind) is not None and kind not in types
        ]

    def find(self, user: User, kind: FactorType) -> Factor | None:
        """Find the user's enrolled factor of this type."""
        return next((factor for factor in self.of(user) if factor.type == kind), None)

    def enroll(self, user: User, kind: FactorType) -> Factor:
        """Enrol a factor as if the user had done so: their email address, their phone, or a new OTP secret.

        Raises:
            ValueError: the user has no such address, or a factor of this type already.
        """
        factor = _bound_factor(user, kind, id=secrets.token_hex(12))
        if kind == "OTP":
            factor.secret, factor.recovery_code = random_base32(), new_recovery_code()
        if kind != "OTP" and factor.address is None:
            raise ValueError(f"the user has no address for pass codes by {kind}")
        try:
            self.add(factor)
        except ApiError as error:
            raise ValueError(str(error)) from error
        return factor

    def totp_for(self, user: User) -> str:
        """Return a one-time password that the server will accept from this user now.

        Raises:
            LookupError: the user has no OTP factor, or it is locked, or those around the current time are used up:
                advance the clock.
        """
        factor = self.find(user, "OTP")
        if factor is None:
            raise LookupError("the user has not enrolled one-time passwords")
        now = self._clock.now()
        if seconds := factor.locked_for(now):
            raise LookupError(f"too many one-time passwords were wrong; advance the clock by {seconds}")
        step = factor.next_step(now)
        if step > now // TOTP_STEP + _SKEW:
            raise LookupError(f"the one-time passwords of this time are used up; advance the clock by {TOTP_STEP}")
        return factor.totp_at(step)

    def add(self, factor: Factor) -> None:
        """Enrol a factor; a second one of its type is refused."""
        with self._lock:
            for other in self._factors.values():
                if (other.user_id, other.type) == (factor.user_id, factor.type):
                    raise ApiError(409, f"a factor of type {factor.type} is enrolled already; reset it first")
            self._factors[factor.id] = factor

    def get(self, user: User, factor_id: str) -> Factor:
        """Return one of the user's own factors; those of other users look unknown."""
        for factor in self.usable_by(user):
            if factor.id == factor_id:
                return factor
        raise ApiError(404, "the user has no such factor")

    def remove(self, user: User, factor_id: str) -> None:
        """Remove one of the user's own factors; a bound phone or email address has to be unbound instead."""
        with self._lock:
            if self._factors.pop(self.get(user, factor_id).id, None) is None:
                raise ApiError(422, "the factor is the user's bound phone or email address, which can be unbound")

    def remove_all(self, user: User) -> None:
        """Remove all factors of a user."""
        with self._lock:
            for factor in self.of(user):
                del self._factors[factor.id]

    def accept_totp(self, user: User, code: str) -> bool:
        """Verify a one-time password of a user; none is accepted twice."""
        with self._lock:
            factor, now = self._otp(user), self._clock.now()
            if seconds := factor.locked_for(now):
                message = f"too many one-time passwords were wrong, try again in {seconds} seconds"
                raise Refusal.WRONG_TOTP.error(message)
            accepted = factor.accept_totp(code, now)
            if accepted:
                factor.forget_wrong_codes()
            else:
                factor.count_wrong_code(now)
            return accepted

    def accept_recovery_code(self, user: User, code: str) -> str | None:
        """Verify a recovery code; return the next one, or None if it is wrong."""
        with self._lock:
            factor = self._otp(user)
            if factor.recovery_code is None or not same_text(code, factor.recovery_code):
                return None
            factor.recovery_code = new_recovery_code()
            factor.forget_wrong_codes()
            return factor.recovery_code

    def _otp(self, user: User) -> Factor:
        factor = self.find(user, "OTP")
        if factor is None:
            raise Refusal.WRONG_TOTP.error("the user has not enrolled one-time passwords")
        return factor

    def __iter__(self) -> Iterator[Factor]:
        return iter(list(self._factors.values()))

    def __len__(self) -> int:
        return len(self._factors)


def _bound_factor(user: User, kind: FactorType, *, id: str = "") -> Factor:
    """Return the factor that a bound phone or email address is, without an enrolment; its id is always the same."""
    return Factor(
        user_id=user.id,
        type=kind,
        id=id or sha256(f"{user.id} {kind}".encode()).hexdigest()[:24],
        address=user.phone if kind == "SMS" else user.email if kind == "EMAIL" else None,
        phone_country_code=user.phone_country_code if kind == "SMS" else None,
    )


def new_recovery_code() -> str:
    """Generate a recovery code, grouped for people who write it down."""
    return "-".join(secrets.token_hex(2) for _ in range(6))


def _masked_phone(number: str) -> str:
    return f"{number[:3]}****{number[-4:]}" if len(number) > len("123") + len("4567") else "****"


def _masked_email(address: str) -> str:
    return re.sub(r"^(.).*(?=@)", r"\1***", address)
