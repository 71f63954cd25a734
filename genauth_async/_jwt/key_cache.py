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

from .._core.background import Background
from .._core.tracebacks import clear_frames
from .._core.worker_threads import Threads
from ..errors import ClientClosedError, GenAuthError, KeysUnavailableError, RequestTimeoutError, UnknownKeyError
from .jwks import KeySet, read_key_set
from .jws import registry_of

if TYPE_CHECKING:
    from joserfc.jwk import OctKey

_log: Final = logging.getLogger(__name__)

_USUAL_AGE: Final = 3600.0
_AGES: Final = (60.0, 12 * 3600.0)
_STALE_AGE: Final = 24 * 3600.0
# The fraction of their life after which keys are fetched again, while the present ones can still serve.
_EARLY: Final = 0.8
# Seconds between the starts of two fetches, while there are keys and while there are none.
_COOLDOWN_SECONDS: Final = 30.0
_COLD_COOLDOWN_SECONDS: Final = 3.0
# The shortest and the longest limit of a fetch; the longest must not exceed the cool-down.
_FETCH_SECONDS: Final = (10.0, 30.0)
# Seconds from its start for which callers wait for a fetch while older keys can serve.
_PATIENCE_SECONDS: Final = 3.0
_THREADS: Final = 2


@frozen
class Published:
    """The server's key set response.

    Attributes:
        document: the decoded JSON.
        max_age: seconds for which it may be cached.
    """

    document: object = field(repr=False)
    max_age: float


def max_age(cache_control: str) -> float:
    """Return the keys' cache lifetime in seconds (RFC 9111 section 5.2.2), between 1 minute and 12 hours."""
    low, high = _AGES
    if re.search(r"\bno-(store|cache)\b", cache_control, re.IGNORECASE):
        return low
    found = re.search(r"(?<![\w-])max-age=\"?(\d{1,10})", cache_control, re.IGNORECASE)
    return _USUAL_AGE if found is None else min(max(float(found[1]), low), high)


@frozen
class KeyRequest:
    """One caller's request for keys.

    Attributes:
        fetch: fetches the set from the server within some seconds.
        now: returns the monotonic time.
        seconds: this caller's timeout.
    """

    fetch: Callable[[float], Awaitable[Published]]
    now: Callable[[], float]
    seconds: float


@frozen(eq=False)
class _CachedKeys:
    keys: KeySet
    refresh_at: float
    fresh_until: float
    stale_until: float


class KeyCache:
    """The keys of one server, shared by a client and its copies.

    One fetch runs at a time, in the background: it survives the callers that wait for it, each for its own timeout at
    most. Another fetch begins 30 s after the start of the last one at the earliest (3 s while there are no keys),
    whatever its outcome, unless it brought the key of a token that waited. So forged tokens cannot flood the server,
    and delay no token whose key is cached. Keys near the end of their life serve while newer ones are fetched; expired
    ones, too, after a failure or 3 s, for a day.
    """

    def __init__(self) -> None:
        self._cached: _CachedKeys | None = None
        self._fetching: Background | None = None
        self._begun_at = -math.inf
        self._failure: GenAuthError | None = None
        self._secret_key: OctKey | None = None
        self._threads = Threads(_THREADS, or_here=True)

    def current(self, now: float) -> KeySet | None:
        """Return the cached keys while they need neither a fetch nor a wait, else None."""
        cached = self._cached
        if cached is not None and (
            now < cached.refresh_at
            or (now < min(cached.stale_until, self._begun_at + _COOLDOWN_SECONDS) and self._patience(cached, now) <= 0)
        ):
            return cached.keys
        return None

    async def ready(self, request: KeyRequest) -> KeySet:
        """Return the keys, fetched when needed.

        Raises:
            KeysUnavailableError: there are no keys, and the fetch failed.
        """
        before = self._cached
        keys = await self._keys(request)
        self._lift_cooldown(before)
        return keys

    async def verify(self, token: str, key_id: str | None, request: KeyRequest) -> KeySet:
        """Return the keys, one of which has signed this token.

        Raises:
            UnknownKeyError: the server publishes no key of this id.
            SignatureInvalidError: the published key has not signed it.
            KeysUnavailableError: the id is unknown, and the fetch failed.
        """
        before = self._cached
        keys = self.current(request.now()) or await self._keys(request)
        refused = keys.refusal(token, key_id)
        if refused is not None and (fetching := self._begin(request)) is not None:
            is_unknown = isinstance(refused, UnknownKeyError)
            patience = self._begun_at + _PATIENCE_SECONDS - request.now()
            if await _has_ended(fetching, request.seconds if is_unknown else min(request.seconds, patience)):
                newest = self._cached
                if newest is not None and newest.keys is not keys:
                    keys, refused = newest.keys, newest.keys.refusal(token, key_id)
            elif is_unknown:
                raise _timed_out(request.seconds)
        if refused is None:
            self._lift_cooldown(before)
            return keys
        if self._failure is not None and isinstance(refused, UnknownKeyError):
            raise self._last_failure()
        # An unreachable server must not make a forgery anything else.
        raise refused

    async def read(self, document: object) -> KeySet:
        """Parse a key set in a worker thread, since the first call imports joserfc."""
        return await self._threads.run(partial(read_key_set, document))

    async def secret_key(self, secret: str) -> OctKey:
        """Return the application's secret as a key, cached."""
        if self._secret_key is None:
            key = await self._threads.run(partial(_import_secret, secret))  # imports joserfc
            self._secret_key = self._secret_key or key
        return self._secret_key

    async def _keys(self, request: KeyRequest) -> KeySet:
        now, cached = request.now(), self._cached
        if cached is not None and now < cached.refresh_at:
            return cached.keys
        if cached is not None and now < cached.stale_until:
            fetching = self._begin(request, is_due=True)
            if fetching is not None and (patience := self._patience(cached, now)) > 0:
                await _has_ended(fetching, min(request.seconds, patience))
            return (self._cached or cached).keys
        fetching = self._begin(request)
        if fetching is not None and not await _has_ended(fetching, request.seconds):
            raise _timed_out(request.seconds)
        if self._cached is None or self._cached is cached:
            raise self._last_failure()
        return self._cached.keys

    def _patience(self, cached: _CachedKeys, now: float) -> float:
        """Return the seconds to wait for newer keys than these; 0 or less if these serve at once."""
        if now < cached.fresh_until or self._failure is not None:
            return 0.0
        return self._begun_at + _PATIENCE_SECONDS - now

    def _begin(self, request: KeyRequest, *, is_due: bool = False) -> Background | None:
        """Return the fetch under way, or a new one; None during the cool-down.

        Args:
            request: the caller's.
            is_due: True if the keys' age is the reason for a fetch; no cool-down follows its success.
        """
        now, present = request.now(), self._fetching
        if present is not None and present.is_running() and now < self._begun_at + _FETCH_SECONDS[1]:
            return present
        has_keys = self._cached is not None and now < self._cached.stale_until
        # Without an outcome: its event loop has ended.
        was_lost = present is not None
        if not was_lost and now < self._begun_at + (_COOLDOWN_SECONDS if has_keys else _COLD_COOLDOWN_SECONDS):
            return None
        self._begun_at = now
        self._fetching = Background(lambda: self._fetch(request, is_due), is_dispensable=True)
        return self._fetching

    def _lift_cooldown(self, before: _CachedKeys | None) -> None:
        """End the cool-down if a caller needed the keys that came meanwhile."""
        if self._cached is not before and self._fetching is None:
            self._begun_at = -math.inf

    async def _fetch(self, request: KeyRequest, is_due: bool) -> None:
        low, high = _FETCH_SECONDS
        begun_at = -math.inf  # if the event loop ends meanwhile
        try:
            published = await request.fetch(min(max(request.seconds, low), high))
            keys = await self.read(published.document)
            self._store(keys, published.max_age, request.now())
            begun_at = -math.inf if is_due else self._begun_at
        except Exception as error:  # noqa: BLE001 - callers raise it
            clear_frames(error, None)
            self._failure = _unavailable(error)
            begun_at = self._begun_at
            if self._cached is not None and not isinstance(error, ClientClosedError):
                _log.warning("The keys could not be fetched again; still using the cached ones: %s", self._failure)
        finally:
            self._begun_at = begun_at
            self._fetching = None

    def _store(self, keys: KeySet, age: float, now: float) -> None:
        cached = self._cached
        if cached is not None and cached.keys.numbers == keys.numbers:
            keys = cached.keys  # tokens verified with them stay cached
        self._failure = None
        self._cached = _CachedKeys(keys, now + _EARLY * age, now + age, now + _STALE_AGE)

    def _last_failure(self) -> GenAuthError:
        failure = self._failure or KeysUnavailableError("The fetch of the server's keys was interrupted")
        again = copy.copy(failure)
        again.__cause__ = failure.__cause__
        return again


async def _has_ended(fetching: Background, seconds: float) -> bool:
    """Wait for a fetch; return False if it does not end within some seconds."""
    with anyio.move_on_after(seconds):
        await fetching.wait()
        return True
    return False


def _timed_out(seconds: float) -> KeysUnavailableError:
    failure = KeysUnavailableError(f"The server's keys did not arrive within {seconds:.3g} s")
    failure.__cause__ = RequestTimeoutError("The wait timed out", sent=True)
    return failure


def _unavailable(error: Exception) -> GenAuthError:
    if isinstance(error, (KeysUnavailableError, ClientClosedError)):
        return error
    failure = KeysUnavailableError(f"The server's keys cannot be fetched: {error}")
    failure.__cause__ = error
    return failure


def _import_secret(secret: str) -> OctKey:
    from joserfc.jwk import OctKey

    registry_of("HS256")
    key = secret.encode()
    return OctKey(key, key)  # `import_key` would try PEM first and warn of short secrets
