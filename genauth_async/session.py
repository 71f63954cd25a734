"""Sessions of signed-in users: a valid access token for every caller, refreshed once for all."""

from __future__ import annotations

import copy
import inspect
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import Final, NoReturn, TypeAlias, TypeVar

import anyio
from attrs import evolve

from ._arguments.numbers import require_bool
from ._core.shielding import run_shielded
from ._core.tracebacks import ClearsTracebackFrames
from ._session.grants import predecessors
from ._session.httpx_auth import SessionAuth
from ._session.stored_tokens import StoredTokens
from ._session.token_sets import TokensLike, is_unused, merge_refresh, token_set
from .api._base import parts_of
from .errors import GenAuthError, InvalidGrantError, RefreshUnavailableError, SessionExpiredError, StoreError
from .models.tokens import TokenSet
from .oidc.tokens import Tokens
from .stores import SessionRecord, TokenStore

OnTokens: TypeAlias = Callable[[TokenSet], Awaitable[None] | None]
"""Called with new tokens, after they are stored and before any caller gets them."""

_log: Final = logging.getLogger(__name__)

_T = TypeVar("_T")


class TokenSession(ClearsTracebackFrames):
    """The session of a signed-in user.

    It is cheap: it owns no task, thread or timer. Sessions with the same store and key are one session. So are sessions
    of one client created from the same tokens. The first caller that finds the access token expired refreshes it; the
    others wait and get the new one. Cancelling a caller does no harm: the session stores a refresh that was sent.

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
        ConfigurationError: `tokens` has no access token, or neither tokens nor store and key are given.
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
        settings, shared = parts_of(client)
        self._client = client
        self._clock = settings.clock
        self._seconds = settings.refresh_timeout
        self._grants = shared.grants
        self._on_tokens = on_tokens
        self._stored = StoredTokens(
            self._grants,
            None if tokens is None else token_set(tokens, self._clock.wall()),
            store,
            key,
            clock=self._clock,
            leeway=leeway,
            expires_at=expires_at,
        )

    def __repr__(self) -> str:
        if not hasattr(self, "_stored"):
            return "<TokenSession: not initialised>"
        state = self._stored.ended or ("fresh" if self._stored.life.is_fresh() else "to be refreshed")
        return f"<TokenSession {self.key!r}: {state}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A TokenSession is not pickled; give each process a store and the session's key")

    @property
    def key(self) -> str:
        """Return the session's name in its store."""
        return self._stored.grant.key

    @property
    def tokens(self) -> TokenSet:
        """Return the newest tokens that this session has seen, valid or not.

        Raises:
            SessionExpiredError: the session has none yet; `access_token()` reads them from the store.
        """
        tokens = self._stored.tokens
        if tokens is None:
            raise SessionExpiredError("The session has not been read from its store yet: call access_token() first")
        return tokens

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

        Raises:
            SessionExpiredError: the session has ended; the user has to sign in again.
            RefreshUnavailableError: the token has expired and cannot be refreshed now; the session is kept.
        """
        stored = self._stored
        if stored.tokens is None:
            await stored.read()
        if stored.tokens is not None and stored.is_synced:
            if stored.life.is_fresh():
                return stored.tokens.access_token
            if stored.life.is_valid() and stored.grant.is_paused(stored.tokens, self._clock.monotonic()):
                return stored.tokens.access_token
        try:
            return (await self._refreshed_tokens(stored.life.is_fresh, resend=False)).access_token
        except RefreshUnavailableError as error:
            if stored.tokens is None or not stored.life.is_valid():
                raise
            self._grants.pause(stored.grant, stored.tokens, self._clock.monotonic(), error.retry_after)
            return stored.tokens.access_token

    async def refresh(self, *, resend: bool = False) -> TokenSet:
        """Refresh the tokens, even valid ones. Concurrent callers share one refresh.

        Args:
            resend: send the refresh token although an earlier refresh was sent and its answer lost. The server then
                either answers or revokes the grant.

        Raises:
            ConfigurationError: `resend` is not a bool.
            SessionExpiredError: the session has ended; the user has to sign in again.
            RefreshUnavailableError: the refresh failed for now; the session is kept.
        """
        require_bool("resend", resend)
        seen, life = self._stored.tokens, self._stored.life

        def refreshed_meanwhile() -> bool:
            return seen is not None and seen.access_token != self.tokens.access_token and life.is_fresh()

        return await self._refreshed_tokens(refreshed_meanwhile, resend=resend)

    async def invalidate(self, token: str, by: str | None = None) -> None:
        """Reject an access token that an API refused, so that no caller gets it again.

        Args:
            token: the refused token; ignored when it is no longer the present one.
            by: the API's origin, or another name; its refusals count once in 10 seconds, lest each cause a refresh.
        """
        stored = self._stored
        is_present = stored.tokens is not None and stored.tokens.access_token == token
        if is_present and self._grants.counts_refusal(stored.grant, by, self._clock.monotonic()):
            stored.life.reject(token)

    async def logout(self) -> None:
        """Revoke the tokens (RFC 7009) and remove them from the store.

        The session ends in any case; an error means that the server, or the store, may not know.

        Raises:
            OAuthError, TransportError, InvalidResponseError: the revocation failed.
            StoreError: the removal failed.
        """
        failure: Exception | None = None
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(self._stored.grant.store.lock(self.key))
            except Exception as error:  # noqa: BLE001 - a store may raise anything
                failure = error
            await run_shielded(lambda: self._log_out(failure))

    async def _log_out(self, failure: Exception | None) -> None:
        if self._stored.ended is not None:
            return
        reason = "the user logged out"
        tokens: TokenSet | None = None
        if failure is None:
            try:
                tokens = await self._within_refresh_timeout(self._stored.log_out(reason), "the store")
            except Exception as error:  # noqa: BLE001
                failure = error
        if failure is not None:
            tokens = self._stored.tokens_to_revoke(reason)
        if tokens is not None:
            await self._client.revoke_token(tokens.refresh_token or tokens.access_token)
        if failure is not None:
            raise failure

    async def _refreshed_tokens(self, satisfied: Callable[[], bool], *, resend: bool) -> TokenSet:
        stored, grant = self._stored, self._stored.grant
        refreshes = grant.refreshes
        stored.raise_if_ended()
        async with grant.store.lock(self.key):
            stored.raise_if_ended()
            record = await stored.sync_with_store()
            if satisfied():
                return record.tokens
            if grant.failure is not None and grant.refreshes != refreshes:
                raise copy.copy(grant.failure) from grant.failure.__cause__
            return await run_shielded(lambda: self._refresh_and_notify(record, resend=resend))

    async def _refresh_and_notify(self, record: SessionRecord, *, resend: bool) -> TokenSet:
        grant = self._stored.grant
        grant.failure = None
        try:
            new, is_mine = await self._refresh(record, resend=resend)
            if is_mine:
                await self._notify(new)
        except RefreshUnavailableError as error:
            _log.warning("%s (session %s)", error, self.key)
            grant.failure = error
            raise
        else:
            return new
        finally:
            grant.refreshes += 1

    async def _notify(self, new: TokenSet) -> None:
        if self._on_tokens is None:
            return
        try:
            waiting = self._on_tokens(new)
            if inspect.isawaitable(waiting):
                await self._within_refresh_timeout(waiting, "on_tokens")
        except Exception as error:
            # The caller may be cancelled and not see the error.
            _log.warning("on_tokens failed (%s); the tokens are stored (session %s)", type(error).__name__, self.key)
            raise

    async def _refresh(self, record: SessionRecord, *, resend: bool) -> tuple[TokenSet, bool]:
        """Refresh and store the tokens; return them, and True if this session refreshed them itself."""
        stored, old = self._stored, record.tokens
        refresh_token = await self._within_refresh_timeout(
            self._usable_refresh_token(record, resend=resend), "the store"
        )
        sent = await self._within_refresh_timeout(stored.record_attempt(record), "the store")
        if sent is None:
            # Our lock expired while this process was suspended; another process may have refreshed.
            return await self._within_refresh_timeout(stored.tokens_written_by_others(), "the store"), False
        try:
            answer = await self._client.get_new_access_token_by_refresh_token(refresh_token, timeout=self._seconds)
        except InvalidGrantError as error:
            return await self._within_refresh_timeout(self._end(sent, error), "the store"), False
        except GenAuthError as error:
            raise await self._failed(sent, error) from error
        new = merge_refresh(old, answer, self._clock.wall())
        rotated = SessionRecord(
            tokens=new,
            generation=sent.generation + 1,
            predecessors=predecessors(record, new),
            expires_at=record.expires_at,
        )
        if not await self._within_refresh_timeout(stored.write_or_queue(rotated, sent.generation), "the store"):
            try:
                return await self._within_refresh_timeout(stored.tokens_written_by_others(), "the store"), False
            except SessionExpiredError:
                # The user logged out after our lock expired: these tokens must not outlive that.
                with suppress(GenAuthError):
                    await self._client.revoke_token(new.refresh_token or new.access_token, timeout=self._seconds)
                raise
        return new, True

    async def _within_refresh_timeout(self, work: Awaitable[_T], what: str) -> _T:
        """Limit the time of work that has no timeout and cannot be cancelled from outside."""
        with anyio.move_on_after(self._seconds):
            return await work
        raise StoreError(f"The session's refresh: {what} took longer than {self._seconds:g} s")

    async def _usable_refresh_token(self, record: SessionRecord, *, resend: bool) -> str:
        """Return the refresh token, if there is one that may be sent."""
        stored = self._stored
        if record.tokens.refresh_token is None:
            if not stored.life.is_valid():
                reason = "the access token has expired, and there is no refresh token (scope offline_access)"
                await stored.forget(reason, record)
            stored.raise_if_ended()
            raise RefreshUnavailableError("There is no refresh token; sign in with the scope offline_access to get one")
        if record.refresh_sent and not resend:
            raise RefreshUnavailableError(
                "A refresh was sent and its answer lost: the refresh token may be spent. refresh(resend=True) sends it "
                "again, at the risk that the server revokes the grant; signing in again is safe",
                outcome_unknown=True,
            )
        return record.tokens.refresh_token

    async def _end(self, sent: SessionRecord, error: InvalidGrantError) -> TokenSet:
        """End the session: the server no longer accepts the refresh token."""
        newer = await self._stored.replacement_for(sent)
        if newer is not None:
            return newer
        try:
            await self._stored.forget("the server no longer accepts the refresh token", sent)
        except Exception as failure:  # noqa: BLE001 - a store may raise anything; the session has ended in any case
            _log.warning("An ended session stays in its store: the store failed (%s)", type(failure).__name__)
        raise self._stored.expired() from error

    async def _failed(self, sent: SessionRecord, error: GenAuthError) -> RefreshUnavailableError:
        """Return the error for any other failure; the session is kept."""
        unknown = not is_unused(error)
        if not unknown:
            unsent = evolve(sent, generation=sent.generation + 1, refresh_sent=False)
            await self._within_refresh_timeout(self._stored.write_or_queue(unsent, sent.generation), "the store")
        return RefreshUnavailableError(
            f"The access token could not be refreshed: {error}",
            outcome_unknown=unknown,
            retry_after=getattr(error, "retry_after", None),
        )
