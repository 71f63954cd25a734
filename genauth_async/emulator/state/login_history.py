"""The login history: sign-ins and failed attempts."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from attrs import define, frozen

from .clock import Clock
from .errors import ApiError
from .origin import current_origin
from .users import User

_MOST = 10_000


@frozen(kw_only=True)
class SignInRecord:
    """A sign-in; `error_message` is the reason of a failed one, else None."""

    user_id: str
    app_id: str
    at: float
    client_ip: str
    user_agent: str
    login_method: str
    error_message: str | None = None


@define
class Attempt:
    """A sign-in under way; `user` is set as soon as it is known."""

    user: User | None = None


class LoginHistory:
    """The sign-ins of all users over the network, without tokens that a test issued.

    It keeps the latest ten thousand of each user.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._records: defaultdict[str, deque[SignInRecord]] = defaultdict(lambda: deque(maxlen=_MOST))

    def of(self, user: User) -> list[SignInRecord]:
        """List the records of a user, the latest first."""
        with self._lock:
            return [*reversed(self._records[user.id])]

    def note(self, user: User, app_id: str, *, error_message: str | None = None) -> None:
        """Record the result of the current request."""
        origin = current_origin()
        if origin is None:
            return
        record = SignInRecord(
            user_id=user.id,
            app_id=app_id,
            at=self._clock.now(),
            client_ip=origin.client_ip,
            user_agent=origin.user_agent,
            login_method=origin.login_method,
            error_message=error_message,
        )
        with self._lock:
            self._records[user.id].append(record)

    @contextmanager
    def attempt(self, app_id: str, user: User | None = None) -> Iterator[Attempt]:
        """Record a refusal inside the block as a failed sign-in, if its user is known."""
        attempt = Attempt(user)
        try:
            yield attempt
        except ApiError as error:
            if attempt.user is not None:
                self.note(attempt.user, app_id, error_message=str(error))
            raise
