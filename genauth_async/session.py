"""Sessions of signed-in users: a valid access token for every caller, refreshed once for all."""

from __future__ import annotations

import copy
import inspect
import logging
import math
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from typing import Final, NoReturn, TypeAlias, TypeVar

import anyio

from ._arguments.numbers import require_seconds
from ._arguments.text import described, require_str
from ._core.background import Background
from ._core.redaction import fingerprint
from ._core.shielding import run_shielded
from ._core.tracebacks import ClearsTracebackFrames
from ._session.driver import Driver
from ._session.grants import Grant
from ._session.httpx_auth import SessionAuth
from ._session.identity import first_record, is_owned_by
from ._session.state import REFUSAL_SECONDS, GrantState, expired
from ._session.token_sets import TokensLike, token_set
from ._session.turn import Limits, Want, log_out
from .api._base import parts_of
from .errors import ConfigurationError, RefreshUnavailableError, SessionError, SessionExpiredError, StoreError
from .models.tokens import TokenSet
from .oidc.tokens import SessionEndpoint, Tokens
from .stores import TokenStore
from .stores._protocol import require_store

OnTokens: TypeAlias = Callable[[TokenSet], Awaitable[None] | None]
"""Called with new tokens, after they are stored and before any caller gets them."""

# Set while on_tokens runs: the state whose new tokens it gets, before other callers do.
_notified: Final[ContextVar[GrantState | None]] = ContextVar("_notified", default=None)
_T = TypeVar("_T")
_log: Final = logging.getLogger(__name__)
_draw: Final = secrets.SystemRandom().random
# Seconds for which the caller that starts an early refresh waits for the new token, though the present one is valid.
_EARLY_SECONDS: Final = 1.0


class TokenSession(ClearsTracebackFrames):
    """The session of a signed-in user.

    It is a handle on the state of a grant, and cheap: it owns no task, thread or timer. Sessions of one client with the
    same store and key are one session, as long as they are of one sign-in; a new sign-in under the key ends the others.
    The first caller that finds the access token expired refreshes it; the others wait and get the new one. Cancelling a
    caller does no harm: the refresh goes on without it.

    Args:
        client: the client that refreshes and revokes the tokens.
        tokens: a sign-in response, a token response, a TokenSet, or a mapping with the same names. None: the tokens
            that the store has under the key.
        store: the store of the tokens; this process's memory when None.
        key: the session's name in the store; a digest of the refresh token when None. Processes that share a store must
            give one: their digests would differ after a refresh.
        leeway: seconds before its expiry from which the access token is refreshed.
        on_tokens: called (and awaited) with new tokens after they are stored and before any caller gets them. It must
            not refresh or log out this session.
        expires_at: the time (epoch seconds) from which the store may drop a session that begins with these tokens.

    Raises:
        ConfigurationError: an argument is invalid; `tokens` has no access token; or neither tokens nor store and key
            are given.
    """

    def __init__(
        self,
        client: Tokens,
        tokens: TokensLike | None,
        *,
        store: TokenStore | None = None,
        key: str | None = None,
        leeway: float = 60.0,
        on_tokens: OnTokens | None = None,
        expires_at: float | None = None,
    ) -> None:
        self._client = client
        self._settings, shared = parts_of(client)
        self._grants = shared.grants
        self._leeway = require_seconds("leeway", leeway)
        self._on_tokens = on_tokens
        self._grant: Grant | None = None
        if store is not None:
            require_store("store", store)
        if key is not None:
            require_str("key", key)
        if on_tokens is not None and not callable(on_tokens):
            raise ConfigurationError("on_tokens", f"must be a function, not {described(on_tokens)}")
        if expires_at is not None:
            require_seconds("expires_at", expires_at)
        if tokens is not None:
            clock, settings = self._settings.clock, self._settings
            first = first_record(token_set(tokens, clock.wall()), settings.app_id, settings.app_host, expires_at)
            self._grant = self._grants.sign_in(first, store, key, clock)
        elif store is None or key is None:
            raise ConfigurationError("tokens", "must be given, unless store and key say where they are kept")
        else:
            self._grant = self._grants.present(store, key)
            self._unread = store, key

    def __repr__(self) -> str:
        grant = getattr(self, "_grant", None)
        if grant is None:
            return "<TokenSession: not read yet>"
        state = grant.state
        described = state.ended or ("to be refreshed" if state.is_due(self._leeway) else "fresh")
        return f"<TokenSession {fingerprint(grant.key)}: {described}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A TokenSession is not pickled; give each process a store and the session's key")

    @property
    def key(self) -> str:
        """Return the session's name in its store."""
        return self._unread[1] if self._grant is None else self._grant.key

    @property
    def tokens(self) -> TokenSet:
        """Return the newest tokens of the session in this process, valid or not.

        Raises:
            SessionExpiredError: they have not been read from the store yet; `access_token()` reads them.
        """
        if self._grant is None:
            raise expired("not_signed_in")
        state = self._grant.state
        return (state.given or state.latest).tokens

    @property
    def auth(self) -> SessionAuth:
        """Return an httpx or httpx2 Auth with this session's access token: `httpx.Client(auth=session.auth)`.

        If the API answers 401, the session refreshes the token, once in 10 seconds at most, and the request is sent
        once more. The client sends the token with each request. It follows a redirect to another origin without the
        token, and refuses http:// to another machine. `session.auth.for_origins("https://api.example.com")` restricts
        it further.
        """
        return SessionAuth.of(self)

    async def access_token(self) -> str:
        """Return a valid access token, refreshed when needed.

        A token that is valid is returned at once; the caller that starts an early refresh waits a second at most.

        Raises:
            SessionExpiredError: the session has ended; the user has to sign in again. `reason` tells why.
            RefreshUnavailableError: the token has expired and cannot be refreshed now; the session is kept.
            StoreUnusableError: the store cannot be used as it is set up.
            ConfigurationError: another application's session is stored under the key.
        """
        grant = self._grant or await self._read()
        state = grant.state
        if _notified.get() is state:
            return state.latest.tokens.access_token
        given = state.given
        if given is not None and state.is_stored and given.is_fresh(self._leeway):
            return given.tokens.access_token
        await self._obtain(grant, "fresh")
        if state.given is None:
            raise expired(state.ended or "logged_out")
        return state.given.tokens.access_token

    async def refresh(self) -> TokenSet:
        """Refresh the tokens, even valid ones. Concurrent callers share one refresh.

        Raises:
            SessionExpiredError: the session has ended; the user has to sign in again. `reason` tells why.
            RefreshUnavailableError: the refresh failed for now; the session is kept.
            ConfigurationError: another application's session is stored under the key.
        """
        grant = self._grant or await self._read()
        state = grant.state
        await self._obtain(grant, "new")
        return state.latest.tokens

    async def invalidate(self, token: str, by: str | None = None) -> None:
        """Reject an access token that an API refused, so that no caller gets it again.

        Args:
            token: the refused token; ignored when it is no longer the present one.
            by: the API's origin, or another name; its refusals count once in 10 seconds, lest each cause a refresh.
        """
        require_str("token", token)
        with suppress(SessionError):
            grant = self._grant or await self._read()
            grant.state.reject(token, by)
            self._grants.keep(grant, REFUSAL_SECONDS)

    async def logout(self) -> None:
        """Revoke the tokens (RFC 7009) and remove them from the store.

        The session ends in any case; an error means that the server, or the store, may not know.

        Raises:
            ResponseError, TransportError: the revocation failed.
            StoreError: the removal failed.
        """
        try:
            grant = self._grant or await self._read()
        except SessionExpiredError:
            return
        self._refuse_in_on_tokens(grant)
        is_own = False
        while not is_own:
            flight, is_own = self._driver().start(grant, log_out(grant.state))
            await run_shielded(flight.wait)  # a cancelled caller must not leave the user half signed out
            if is_own:
                _raise_copy(flight.failure)

    def _refuse_in_on_tokens(self, grant: Grant) -> None:
        if _notified.get() is grant.state:
            raise ConfigurationError("on_tokens", "must not refresh or log out its own session")

    async def _read(self) -> Grant:
        """Find the session in the store."""
        store, key = self._unread
        settings = self._settings
        record = await _in_time(store.get(key), settings.refresh_timeout, "The session's store")
        if record is None or not is_owned_by(record, settings.app_id, settings.app_host):
            raise expired("not_signed_in")
        self._grant = self._grants.stored(record, store, key, settings.clock)
        return self._grant

    async def _obtain(self, grant: Grant, want: Want) -> None:
        """Run turns until the newest tokens are what the caller wants.

        Args:
            grant: the grant.
            want: "fresh": a valid access token will do as well, if a refresh fails or takes longer than a second.
        """
        state = grant.state
        early, seen = want == "fresh", state.refreshes
        self._refuse_in_on_tokens(grant)
        while True:
            state.raise_if_ended()
            if early and state.is_valid() and (grant.under_way() or state.pause() > 0):
                return
            errors: list[Exception] = []
            flight, is_own = self._driver().refresh(grant, want, partial(self._notify, errors))
            await _wait(flight, state, early=early)
            if flight.is_running():
                return
            if errors:
                raise errors[0]
            if not is_own:
                state.raise_if_ended()  # by a logout, whose error is not this caller's
            if early and state.is_valid() and isinstance(flight.failure, RefreshUnavailableError):
                return
            _raise_copy(flight.failure)
            if is_own or (not state.is_due(self._leeway) and (early or state.refreshes != seen)):
                return

    async def _notify(self, errors: list[Exception], new: TokenSet) -> None:
        if self._on_tokens is None or self._grant is None:
            return
        _notified.set(self._grant.state)
        try:
            waiting = self._on_tokens(new)
            if inspect.isawaitable(waiting):
                await _in_time(waiting, self._settings.refresh_timeout, "on_tokens")
        except Exception as error:  # noqa: BLE001 - the caller gets it, if it still waits
            session = fingerprint(self.key)
            _log.warning("on_tokens failed (%s); the tokens are stored (session %s)", type(error).__name__, session)
            errors.append(error)

    def _driver(self) -> Driver:
        settings = self._settings
        limits = Limits(
            seconds=settings.refresh_timeout,
            retry=settings.retry,
            resends=settings.resend_refresh_token,
            new_id=partial(secrets.token_hex, 8),
            draw=_draw,
        )
        return Driver(self._grants, SessionEndpoint(self._client), limits, self._leeway)


def _raise_copy(failure: Exception | None) -> None:
    """Raise a copy of a turn's error, whose traceback will have the frames of one caller."""
    if failure is None:
        return
    error = failure
    with suppress(Exception):  # a store's error may be of any class
        error = copy.copy(failure)
    raise error from failure.__cause__


async def _in_time(work: Awaitable[_T], seconds: float, what: str) -> _T:
    with anyio.move_on_after(seconds):
        return await work
    raise StoreError(f"{what} took longer than {seconds:g} s")


async def _wait(flight: Background, state: GrantState, *, early: bool) -> None:
    """Wait for a turn; if `early`, for a second at most while the present token is valid."""
    while flight.is_running():
        with anyio.move_on_after(_EARLY_SECONDS if early else math.inf):
            await flight.wait()
        if early and state.is_valid():
            return
