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
from .._core.shielding import run_shielded
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
# The fraction of their life after which keys are fetched again, while the present ones can still serve.
_EARLY: Final = 0.8
_COOLDOWN_SECONDS: Final = 30.0
# Seconds a caller waits for newer keys while older ones can serve.
_PATIENCE_SECONDS: Final = 3.0
# Seconds without another fetch after a failure, while there are no keys at all.
_PAUSE_SECONDS: Final = 3.0
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
        fetch: fetches the set from the server.
        now: returns the monotonic time.
        seconds: this caller's timeout.
    """

    fetch: Callable[[], Awaitable[Published]]
    now: Callable[[], float]
    seconds: float

    def with_patience_limit(self) -> KeyRequest:
        """Return a copy with a timeout of a few seconds at most, for when the present keys can serve."""
        return KeyRequest(self.fetch, self.now, min(self.seconds, _PATIENCE_SECONDS))


@frozen(eq=False)
class _CachedKeys:
    keys: KeySet
    refresh_at: float
    fresh_until: float
    stale_until: float


class KeyCache:
    """The keys of one server, shared by a client and its copies.

    Each event loop has at most one fetch in flight. Towards the end of the keys' life one caller fetches new ones and
    waits a few seconds at most; the others use the present keys. No task runs in the background: trio does not allow
    it. If the fetch fails, old keys serve for a day. A token with an unknown key, or with a wrong signature, causes one
    fetch per 30 seconds at most, so forged tokens cannot flood the server.
    """

    def __init__(self) -> None:
        self._lock = PerLoop(anyio.Lock)
        self._cached: _CachedKeys | None = None
        self._fetches = 0
        self._failure: KeysUnavailableError | None = None
        self._next_soft_refresh = self._next_miss_fetch = self._next_retry = -math.inf
        self._secret_key: OctKey | None = None
        self._threads = Threads(_THREADS)

    def current(self, now: float) -> KeySet | None:
        """Return the cached keys while they need no fetch, else None."""
        cached = self._cached
        if cached is not None and (now < cached.refresh_at or now < min(self._next_soft_refresh, cached.stale_until)):
            return cached.keys
        return None

    async def ready(self, request: KeyRequest) -> KeySet:
        """Return the keys, fetched when needed.

        Raises:
            KeysUnavailableError: there are no keys, and the fetch failed.
        """
        return await self._keys(request, self._fetches)

    async def verify(self, token: str, key_id: str | None, request: KeyRequest) -> KeySet:
        """Return the keys, one of which has signed this token.

        Raises:
            UnknownKeyError: the server publishes no key of this id.
            SignatureInvalidError: the published key has not signed it.
            KeysUnavailableError: the id is unknown, and the fetch failed.
        """
        seen = self._fetches
        keys = self.current(request.now()) or await self._keys(request, seen)
        refused = keys.refusal(token, key_id)
        if refused is not None and seen == self._fetches and request.now() >= self._next_miss_fetch:
            newer = await self._newer(keys, isinstance(refused, UnknownKeyError), request, seen)
            if newer is not keys:
                keys, refused = newer, newer.refusal(token, key_id)
        if refused is None:
            return keys
        if seen != self._fetches:
            self._next_miss_fetch = request.now() + _COOLDOWN_SECONDS
        if self._failure is not None and isinstance(refused, UnknownKeyError):
            raise self._previous_failure()
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

    async def _newer(self, keys: KeySet, is_unknown: bool, request: KeyRequest, seen: int) -> KeySet:
        """Fetch the keys again, for a token that the cached keys do not verify."""
        try:
            return await self._fetched(request if is_unknown else request.with_patience_limit(), seen)
        except KeysUnavailableError as error:
            self._next_miss_fetch = request.now() + _COOLDOWN_SECONDS
            if is_unknown:
                raise
            # The cached keys say that the signature is wrong: an unreachable server must not make a forgery valid.
            _log.warning("The keys could not be fetched again; still using the cached ones: %s", error)
            return keys

    async def _keys(self, request: KeyRequest, seen: int) -> KeySet:
        now = request.now()
        keys = self.current(now)
        if keys is not None:
            return keys
        cached = self._cached
        if cached is None or now >= cached.stale_until:
            if now < self._next_retry:
                raise self._previous_failure()
            return await self._fetched(request, seen)
        if now < cached.fresh_until and self._lock.get().locked():
            return cached.keys
        try:
            return await self._fetched(request.with_patience_limit(), seen)
        except KeysUnavailableError as error:
            self._next_soft_refresh = request.now() + _COOLDOWN_SECONDS
            late = now - cached.fresh_until
            _log.warning("The keys expired %.0f s ago and could not be renewed; still using them: %s", late, error)
            return cached.keys

    async def _fetched(self, request: KeyRequest, seen: int) -> KeySet:
        """Return the keys of the first fetch that ended after `seen` fetches: another caller's, or our own."""
        with anyio.move_on_after(request.seconds) as scope:
            async with self._lock.get():
                if self._fetches != seen:
                    if self._failure is None and self._cached is not None:
                        return self._cached.keys
                    # Another caller's timeout does not count for this one.
                    if self._failure is not None and not isinstance(self._failure.__cause__, RequestTimeoutError):
                        raise self._previous_failure()
                left = scope.deadline - anyio.current_time()
                return await run_shielded(lambda: self._fetch(request, left))
        raise _timed_out(request.seconds)

    async def _fetch(self, request: KeyRequest, seconds: float) -> KeySet:
        failure, cause = _timed_out(request.seconds), None
        try:
            with anyio.move_on_after(seconds):
                published = await request.fetch()
                keys = await self.read(published.document)
                return self._store(keys, published.max_age, request.now())
        except KeysUnavailableError as error:
            failure = error
        except (TransportError, InvalidResponseError, OAuthError, GenAuthAPIError) as error:
            failure, cause = KeysUnavailableError(f"The server's keys cannot be fetched: {error}"), error
        finally:
            self._fetches += 1
        if cause is not None:
            failure.__cause__ = cause
        self._failure = failure
        # A caller's short timeout says nothing about the server.
        if cause is not None or seconds >= _PATIENCE_SECONDS:
            self._next_retry = request.now() + _PAUSE_SECONDS
        raise self._previous_failure()

    def _store(self, keys: KeySet, age: float, now: float) -> KeySet:
        cached = self._cached
        if cached is not None and cached.keys.numbers == keys.numbers:
            keys = cached.keys  # tokens verified with them stay cached
        self._failure, self._next_retry = None, -math.inf
        self._cached = _CachedKeys(keys, now + _EARLY * age, now + age, now + _STALE_AGE)
        return keys

    def _previous_failure(self) -> KeysUnavailableError:
        failure = self._failure
        assert failure is not None  # noqa: S101 - for the type checker
        again = copy.copy(failure)
        again.__cause__ = failure.__cause__
        return again


def _timed_out(seconds: float) -> KeysUnavailableError:
    failure = KeysUnavailableError(f"The server's keys did not arrive within {seconds:.3g} s")
    failure.__cause__ = RequestTimeoutError("The wait timed out", sent=True)
    return failure


def _import_secret(secret: str) -> OctKey:
    from joserfc.jwk import OctKey

    registry_of("HS256")
    key = secret.encode()
    return OctKey(key, key)  # `import_key` would try PEM first and warn of short secrets
