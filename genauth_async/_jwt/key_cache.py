"""A cache of the server's JSON Web Key Set."""

from __future__ import annotations

import copy
import logging
import math
import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Final

import anyio
from attrs import field, frozen

from .._core.per_loop import PerLoop
from .._core.shielding import finish
from .._core.worker_threads import Threads
from ..errors import (
    GenAuthAPIError,
    InvalidResponseError,
    KeysUnavailableError,
    OAuthError,
    RequestTimeoutError,
    TransportError,
    UnknownKeyError,
)
from .jwks import KeySet, read_key_set
from .jws import registry_of

if TYPE_CHECKING:
    from joserfc.jwk import OctKey

_log: Final = logging.getLogger(__name__)

_USUAL_AGE: Final = 3600.0
_AGES: Final = (60.0, 12 * 3600.0)
_STALE_AGE: Final = 24 * 3600.0
# The part of their life after which keys are fetched again, while they are still good enough to fall back to.
_EARLY: Final = 0.8
_COOLDOWN_SECONDS: Final = 30.0
# How long a caller waits for newer keys where older ones would do.
_PATIENCE_SECONDS: Final = 3.0
# How long nobody asks again after a failure, where there are no keys at all.
_PAUSE_SECONDS: Final = 3.0
_THREADS: Final = 2


@frozen
class Published:
    """What the server answered.

    Attributes:
        document: the set.
        max_age: for how many seconds it may be kept.
    """

    document: object = field(repr=False)
    max_age: float


def max_age(cache_control: str) -> float:
    """How long keys may be kept (RFC 9111 section 5.2.2), within bounds: keys seldom change, and never each minute."""
    low, high = _AGES
    if re.search(r"\bno-(store|cache)\b", cache_control, re.IGNORECASE):
        return low
    told = re.search(r"(?<![\w-])max-age=\"?(\d{1,10})", cache_control, re.IGNORECASE)
    return _USUAL_AGE if told is None else min(max(float(told[1]), low), high)


@frozen
class Asking:
    """How one caller asks.

    Attributes:
        fetch: gets the set from the server.
        now: the monotonic time.
        seconds: for how long this caller waits.
    """

    fetch: Callable[[], Awaitable[Published]]
    now: Callable[[], float]
    seconds: float

    def briefly(self) -> Asking:
        """The same, for no longer than is worth waiting where the present keys may do."""
        return Asking(self.fetch, self.now, min(self.seconds, _PATIENCE_SECONDS))


@frozen(eq=False)
class _Held:
    keys: KeySet
    refresh_at: float
    fresh_until: float
    stale_until: float


class KeyCache:
    """The keys of one server, shared by a client and its copies.

    One fetch is in flight on an event loop, however many ask. Towards the end of the keys' life, the one caller who
    finds them so fetches new ones, and waits a few seconds for them at most; the others go on with the present ones. No
    task runs in the background, which trio has no place for. When newer keys cannot be had, the old ones serve for
    a day. A token that names an unknown key, or that no key has signed, makes for one fetch in half a minute at most,
    so that forged tokens cannot be used to flood the server.
    """

    def __init__(self) -> None:
        self._lock = PerLoop(anyio.Lock)
        self._held: _Held | None = None
        self._fetches = 0
        self._failure: KeysUnavailableError | None = None
        self._content_until = self._missed_until = self._paused_until = -math.inf
        self._secret_key: OctKey | None = None
        self._threads = Threads(_THREADS)

    def current(self, now: float) -> KeySet | None:
        """The keys, while they will do without asking the server."""
        held = self._held
        if held is not None and (now < held.refresh_at or now < min(self._content_until, held.stale_until)):
            return held.keys
        return None

    async def ready(self, asking: Asking) -> KeySet:
        """The keys, once they are there.

        Raises:
            KeysUnavailableError: there are none, and the server cannot be asked.
        """
        return await self._keys(asking, self._fetches)

    async def verify(self, token: str, key_id: str | None, asking: Asking) -> KeySet:
        """The keys, one of which has signed this token.

        Raises:
            UnknownKeyError: the server publishes no key of this id.
            SignatureInvalidError: it does, but that one has not signed it.
            KeysUnavailableError: nobody knows of this id, and the server cannot be asked.
        """
        seen = self._fetches
        keys = self.current(asking.now()) or await self._keys(asking, seen)
        refused = keys.refusal(token, key_id)
        if refused is not None and seen == self._fetches and asking.now() >= self._missed_until:
            newer = await self._newer(keys, isinstance(refused, UnknownKeyError), asking, seen)
            if newer is not keys:
                keys, refused = newer, newer.refusal(token, key_id)
        if refused is None:
            return keys
        if seen != self._fetches:
            self._missed_until = asking.now() + _COOLDOWN_SECONDS
        if self._failure is not None and isinstance(refused, UnknownKeyError):
            raise self._failed_before()
        raise refused

    async def read(self, document: object) -> KeySet:
        """The keys of a document; beside the event loop, for the import's sake."""
        return await self._threads.run(partial(read_key_set, document))

    async def of_secret(self, secret: str) -> OctKey:
        """The application's secret as a key; the same one each time."""
        if self._secret_key is None:
            key = await self._threads.run(partial(_secret_key, secret))  # which imports joserfc
            self._secret_key = self._secret_key or key
        return self._secret_key

    async def _newer(self, keys: KeySet, is_unknown: bool, asking: Asking, seen: int) -> KeySet:
        """The keys as they are now, for a token that those we have do not fit."""
        try:
            return await self._fetched(asking if is_unknown else asking.briefly(), seen)
        except KeysUnavailableError as error:
            self._missed_until = asking.now() + _COOLDOWN_SECONDS
            if is_unknown:
                raise
            # By the keys that are in use, the signature is wrong: being out of reach makes no forgery look better.
            _log.warning("Whether the keys were replaced cannot be seen, so they stay in use: %s", error)
            return keys

    async def _keys(self, asking: Asking, seen: int) -> KeySet:
        now = asking.now()
        keys = self.current(now)
        if keys is not None:
            return keys
        held = self._held
        if held is None or now >= held.stale_until:
            if now < self._paused_until:
                raise self._failed_before()
            return await self._fetched(asking, seen)
        if now < held.fresh_until and self._lock.get().locked():
            return held.keys
        try:
            return await self._fetched(asking.briefly(), seen)
        except KeysUnavailableError as error:
            self._content_until = asking.now() + _COOLDOWN_SECONDS
            _log.warning("The keys are %.0f s over their time, and stay in use: %s", now - held.fresh_until, error)
            return held.keys

    async def _fetched(self, asking: Asking, seen: int) -> KeySet:
        """The keys from the server, by a fetch that ended after `seen` were counted: another caller's, or our own."""
        with anyio.move_on_after(asking.seconds) as scope:
            async with self._lock.get():
                if self._fetches != seen:
                    if self._failure is None and self._held is not None:
                        return self._held.keys
                    # That another caller's time was up is nothing to us.
                    if self._failure is not None and not isinstance(self._failure.__cause__, RequestTimeoutError):
                        raise self._failed_before()
                left = scope.deadline - anyio.current_time()
                return await finish(lambda: self._fetch(asking, left))
        raise _too_late(asking.seconds)

    async def _fetch(self, asking: Asking, seconds: float) -> KeySet:
        failure, cause = _too_late(asking.seconds), None
        try:
            with anyio.move_on_after(seconds):
                published = await asking.fetch()
                keys = await self.read(published.document)
                return self._hold(keys, published.max_age, asking.now())
        except KeysUnavailableError as error:
            failure = error
        except (TransportError, InvalidResponseError, OAuthError, GenAuthAPIError) as error:
            failure, cause = KeysUnavailableError(f"The server's keys cannot be fetched: {error}"), error
        finally:
            self._fetches += 1
        if cause is not None:
            failure.__cause__ = cause
        self._failure = failure
        # That a caller had little time says nothing of the server.
        if cause is not None or seconds >= _PATIENCE_SECONDS:
            self._paused_until = asking.now() + _PAUSE_SECONDS
        raise self._failed_before()

    def _hold(self, keys: KeySet, age: float, now: float) -> KeySet:
        held = self._held
        if held is not None and held.keys.numbers == keys.numbers:
            keys = held.keys  # what they verified stays verified
        self._failure, self._paused_until = None, -math.inf
        self._held = _Held(keys, now + _EARLY * age, now + age, now + _STALE_AGE)
        return keys

    def _failed_before(self) -> KeysUnavailableError:
        failure = self._failure
        assert failure is not None  # noqa: S101 - for the type checker
        again = copy.copy(failure)
        again.__cause__ = failure.__cause__
        return again


def _too_late(seconds: float) -> KeysUnavailableError:
    failure = KeysUnavailableError(f"The server's keys did not come within {seconds:.3g} s")
    failure.__cause__ = RequestTimeoutError("The time was up", sent=True)
    return failure


def _secret_key(secret: str) -> OctKey:
    from joserfc.jwk import OctKey

    registry_of("HS256")
    key = secret.encode()
    return OctKey(key, key)  # `import_key` takes secrets for PEM first, and warns of short ones
