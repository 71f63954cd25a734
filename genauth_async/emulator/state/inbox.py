"""The inbox: text messages and emails that GenAuth would have sent."""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterator
from threading import Lock
from typing import Literal

from attrs import define, field

from genauth_async._core.redaction import redact

from .clock import Clock
from .encoding import same_text
from .errors import Refusal
from .settings import Settings

LOGIN_CHANNEL = "CHANNEL_LOGIN"
REGISTER_CHANNEL = "CHANNEL_REGISTER"
_SECONDS_BETWEEN = 60


@define(eq=False, kw_only=True)
class Message:
    """A message with a pass code."""

    kind: Literal["sms", "email"]
    channel: str
    to: str
    phone_country_code: str | None
    code: str = field(repr=redact)
    sent_at: float
    expires_at: float
    most_wrong_tries: int
    used: bool = False
    wrong_tries: int = 0

    @property
    def is_blocked(self) -> bool:
        """True after so many wrong codes that the right one is worthless."""
        return self.wrong_tries >= self.most_wrong_tries

    def is_good_at(self, now: float) -> bool:
        """Return whether the code is neither used, nor expired, nor blocked by too many wrong ones."""
        return not self.used and not self.is_blocked and now < self.expires_at


class Inbox:
    """All pass codes sent so far, oldest first."""

    def __init__(self, clock: Clock, settings: Settings) -> None:
        self._clock = clock
        self._settings = settings
        self._lock = Lock()
        self._messages: list[Message] = []
        self._latest: dict[tuple[str, str], Message] = {}
        self._fixed: dict[str, str] = {}

    def fix_code(self, to: str, code: str) -> None:
        """Have all messages to an email address or phone number carry the same code.

        Args:
            to: the address, or the number without its country code.
            code: the code.
        """
        self._fixed[to.lower()] = code

    def fixed_codes(self) -> dict[str, str]:
        """Return the fixed codes by address."""
        return dict(self._fixed)

    def code_for(self, to: str, *, channel: str | None = None) -> str:
        """Return the latest usable code that was sent to an email address or phone number.

        Args:
            to: the address, or the number without its country code.
            channel: the purpose of the code, such as "CHANNEL_LOGIN"; None for any.

        Raises:
            LookupError: there is none.
        """
        now = self._clock.now()
        with self._lock:
            for message in reversed(self._messages):
                fits = message.to == to.lower() and channel in {None, message.channel}
                if fits and message is self._latest[message.channel, message.to] and message.is_good_at(now):
                    return message.code
        raise LookupError(f"no pass code that could be used was sent to {to}")

    def send(
        self, kind: Literal["sms", "email"], channel: str, to: str, *, phone_country_code: str | None = None
    ) -> None:
        """Send a new code, which replaces earlier ones of the same channel."""
        now = self._clock.now()
        key = channel, to.lower()
        with self._lock:
            previous = self._latest.get(key)
            if previous is not None and now < previous.sent_at + _SECONDS_BETWEEN:
                wait = math.ceil(previous.sent_at + _SECONDS_BETWEEN - now)
                refusal = Refusal.SENT_TOO_OFTEN_BY_SMS if kind == "sms" else Refusal.SENT_TOO_OFTEN_BY_EMAIL
                raise refusal.error(f"sent too often, try again in {wait} seconds", retry_after=wait)
            message = Message(
                kind=kind,
                channel=channel,
                to=to.lower(),
                phone_country_code=phone_country_code,
                code=self._fixed.get(to.lower()) or f"{secrets.randbelow(1_000_000):06}",
                sent_at=now,
                expires_at=now + self._settings.pass_code_lifetime,
                most_wrong_tries=self._settings.pass_code_attempts,
            )
            self._latest[key] = message
            self._messages.append(message)

    def redeem(self, to: str, code: str, *channels: str) -> None:
        """Use up a code that was sent for one of these channels."""
        with self._lock:
            self._checked(to, code, channels).used = True

    def check(self, to: str, code: str, *channels: str) -> None:
        """Check a code without using it up."""
        with self._lock:
            self._checked(to, code, channels)

    def _checked(self, to: str, code: str, channels: tuple[str, ...]) -> Message:
        latest = [self._latest.get((channel, to.lower())) for channel in channels]
        asked = [message for message in latest if message is not None and not message.used]
        for message in asked:
            if message.is_blocked or not same_text(code, message.code):
                continue
            if self._clock.now() >= message.expires_at:
                raise Refusal.EXPIRED_PASS_CODE.error()
            return message
        for message in asked:
            message.wrong_tries += 1  # against trying all the million codes
        raise Refusal.WRONG_PASS_CODE.error()

    def __iter__(self) -> Iterator[Message]:
        return iter(list(self._messages))

    def __len__(self) -> int:
        return len(self._messages)
