"""The signed-in user: hands out a valid access token, and refreshes it once for all who ask."""

from __future__ import annotations

import copy
import inspect
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, NoReturn, TypeAlias, TypeVar

import anyio
from attrs import evolve

from ._grants import first_record, is_behind, is_new, token_name
from ._guard import FramesCleared
from ._refusals import Refusals
from ._shield import finish
from ._token_life import TokenLife
from ._token_set import TokensLike, is_unspent, succeeding, token_set
from .errors import ConfigurationError, GenAuthError, InvalidGrantError, RefreshUnavailableError, SessionExpiredError
from .integrations.httpx_auth import SessionAuth
from .models.tokens import TokenSet
from .oidc.tokens import Tokens
from .stores import SessionRecord, TokenStore

OnTokens: TypeAlias = Callable[[TokenSet], Awaitable[None] | None]
"""Told of new tokens, after they are stored and before anyone is given them."""

_log: Final = logging.getLogger(__name__)

_PREDECESSORS: Final = 16
_CHANGED: Final = "The session was changed in the store by someone without its lock; try again"
_T = TypeVar("_T")


class TokenSession(FramesCleared):
    """A signed-in user.

    Cheap: no task, thread or timer belongs to it. Sessions with the same store and key, and sessions of one client made
    from the same tokens, are one session: whoever finds the access token expired refreshes it, the others wait and get
    the new one. A caller that is cancelled meanwhile leaves no damage: a refresh that was sent is stored.

    Args:
        client: refreshes and revokes.
        tokens: a sign-in's answer, the token endpoint's, a TokenSet, or a mapping with the same names. None: what the
            store has under the key.
        store: keeps the tokens; in this process's memory when None.
        key: names the session in the store; a digest of the refresh token when None.
        leeway: seconds before its expiry from which the access token is refreshed.
        on_tokens: called (and awaited) with new tokens after they are stored and before anyone is given them. It may
            not refresh or log out this session.
        expires_at: from when the store may drop a session that begins with these tokens, in epoch seconds.

    Raises:
        ConfigurationError: there is no access token in `tokens`, or nothing to find the session by.
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
        self._clock = client._settings.clock  # noqa: SLF001 - both are parts of one client
        self._tokens = None if tokens is None else token_set(tokens, self._clock.wall())
        self._on_tokens = on_tokens
        self._seconds = client._settings.refresh_timeout  # noqa: SLF001
        self._grants = client._shared.grants  # noqa: SLF001
        # A key made from the refresh token stands for one grant: whatever is stored under it is as new or newer.
        self._keyed_by_grant = key is None
        if self._tokens is not None:
            key = key if key is not None else token_name(self._tokens)
        elif store is None or key is None:
            raise ConfigurationError("tokens", "are needed, unless store and key tell where they are kept")
        self._grant = self._grants.find(store, key)
        self._expires_at = expires_at
        # What the store has, as far as this session knows: `_tokens` are from it. None until it has met the store.
        self._record: SessionRecord | None = None
        self._ended: str | None = None
        self._life = TokenLife(self._clock, leeway)
        self._refusals = Refusals(self._clock)
        if self._tokens is not None:
            self._hold(self._tokens)

    def __repr__(self) -> str:
        if not hasattr(self, "_life"):
            return "<TokenSession: being made>"
        state = self._ended or ("fresh" if self._life.is_fresh() else "to be refreshed")
        return f"<TokenSession {self.key!r}: {state}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A TokenSession is not pickled; give each process a store and the session's key")

    @property
    def key(self) -> str:
        """The session's name in its store."""
        return self._grant.key

    @property
    def tokens(self) -> TokenSet:
        """The newest tokens that this session has seen, valid or not.

        Raises:
            SessionExpiredError: none yet; `access_token()` reads them from the store.
        """
        if self._tokens is None:
            raise SessionExpiredError("The session has not been read from its store yet: ask for access_token() first")
        return self._tokens

    @property
    def auth(self) -> SessionAuth:
        """This session's access token for an httpx or httpx2 client of your API: `httpx.Client(auth=session.auth)`.

        A token that the API refuses with 401 is replaced, once in 10 seconds at most, and the request sent once more. A
        client that is given this sends the token with each request, but follows a redirect to another origin without it
        and refuses http:// to another machine. `session.auth.for_origins("https://api.example.com")` limits it further.
        """
        return SessionAuth.of(self)

    async def access_token(self) -> str:
        """A valid access token: the present one, or a new one.

        Raises:
            SessionExpiredError: the session has ended; the user has to sign in again.
            RefreshUnavailableError: it has expired and cannot be refreshed now; the session is kept.
        """
        if self._tokens is None and self._grant.owes_nothing:  # such as a session of one request: no lock is taken
            record = await self._grant.store.get(self.key)
            if record is not None:
                self._adopt(record)
        # Not before the store was met, which gets a new session's tokens; nor while it lacks some that only this has.
        if self._tokens is not None and self._record is not None and self._grant.unstored is None:
            if self._life.is_fresh():
                return self._tokens.access_token
            if self._life.is_valid() and self._grant.is_paused(self._tokens, self._clock.monotonic()):
                return self._tokens.access_token
        try:
            return (await self._renewed(self._life.is_fresh, resend=False)).access_token
        except RefreshUnavailableError as error:
            if self._tokens is None or not self._life.is_valid():
                raise
            self._grants.pause(self._grant, self._tokens, self._clock.monotonic(), error.retry_after)
            return self._tokens.access_token

    async def refresh(self, *, resend: bool = False) -> TokenSet:
        """New tokens, even when the present ones are valid. Callers at the same time share one refresh.

        Args:
            resend: send the refresh token although an earlier refresh was sent and its answer lost. The server then
                either answers or revokes the grant.

        Raises:
            SessionExpiredError: the session has ended; the user has to sign in again.
            RefreshUnavailableError: not possible now; the session is kept.
        """
        seen = None if self._tokens is None else self._tokens.access_token

        def refreshed_meanwhile() -> bool:
            return seen is not None and seen != self.tokens.access_token and self._life.is_fresh()

        return await self._renewed(refreshed_meanwhile, resend=resend)

    async def invalidate(self, token: str, by: str | None = None) -> None:
        """Says that an API refused this access token, so that it is not handed out again.

        Args:
            token: the one that was refused; nothing happens when it is no longer the present one.
            by: the API's origin, or another name; its refusals count once in 10 seconds, lest each cost a refresh.
        """
        if self._tokens is not None and self._tokens.access_token == token and self._refusals.counts(by):
            self._life.reject(token)

    async def logout(self) -> None:
        """Revokes the tokens (RFC 7009) and forgets them, in the store too.

        They are forgotten in any case; an error means that the server, or the store, may not know.

        Raises:
            OAuthError, TransportError, InvalidResponseError: the server could not be told.
        """
        async with self._grant.store.lock(self.key):
            await finish(self._log_out)

    async def _log_out(self) -> None:
        if self._ended is not None:
            return
        grant = self._grant
        record, gone_elsewhere = None, False
        with anyio.move_on_after(self._seconds):
            record = await grant.store.get(self.key)
            gone_elsewhere = record is None and self._record is not None
        newest = self._tokens if record is None else record.tokens
        if grant.unstored is not None:
            newest, gone_elsewhere = grant.unstored[0].tokens, False
            self._grants.settle(grant)
        try:
            with anyio.move_on_after(self._seconds):
                await self._forget("the user logged out")
        finally:
            if newest is not None and not gone_elsewhere:
                await self._client.revoke_token(newest.refresh_token or newest.access_token)

    async def _renewed(self, satisfied: Callable[[], bool], *, resend: bool) -> TokenSet:
        grant = self._grant
        refreshes = grant.refreshes
        self._raise_if_ended()
        async with grant.store.lock(self.key):
            self._raise_if_ended()
            record = await self._met()
            if satisfied():
                return record.tokens
            if grant.failure is not None and grant.refreshes != refreshes:
                raise copy.copy(grant.failure) from grant.failure.__cause__
            return await finish(lambda: self._refresh_and_tell(record, resend=resend))

    async def _met(self) -> SessionRecord:
        """The store's record, in step with this session."""
        store, key = self._grant.store, self.key
        if (owed := await self._grant.owed()) is not None:
            await self._store_for_sure(*owed)
        record, known = await store.get(key), self._record
        if record is None:
            if known is not None:
                self._end_with(
                    "the store no longer has it: the user logged out elsewhere, it expired, or the store lost it"
                )
            if self._tokens is None:
                self._ended = "the store has no session under this key"
            self._raise_if_ended()
            record = first_record(self.tokens, self._expires_at)
            await self._write(record, expected=None)
        elif known is None and self._tokens is not None and not self._keyed_by_grant and is_new(self._tokens, record):
            expected = record.generation
            record = SessionRecord(tokens=self.tokens, generation=expected + 1, expires_at=self._expires_at)
            await self._write(record, expected=expected)
            self._grants.replaced(self._grant)
        elif known is not None and is_behind(record, known):
            expected = record.generation
            record = evolve(known, generation=max(expected, known.generation) + 1)
            await self._write(record, expected=expected)
        elif record != known:
            self._adopt(record)
        self._record = record
        return record

    async def _refresh_and_tell(self, record: SessionRecord, *, resend: bool) -> TokenSet:
        grant = self._grant
        grant.failure = None
        try:
            new, is_mine = await self._refresh(record, resend=resend)
            if is_mine and self._on_tokens is not None:
                waiting = self._on_tokens(new)
                if inspect.isawaitable(waiting):
                    await self._in_time(waiting, "on_tokens")
        except RefreshUnavailableError as error:
            _log.warning("%s (session %s)", error, self.key)
            grant.failure = error
            raise
        else:
            return new
        finally:
            grant.refreshes += 1

    async def _refresh(self, record: SessionRecord, *, resend: bool) -> tuple[TokenSet, bool]:
        """New tokens, stored; and whether it was this session that got them."""
        old = record.tokens
        refresh_token = await self._in_time(self._unspent(record, resend=resend), "the store")
        # Marked first: should this process die before the answer is stored, nobody sends the same token again.
        sent = evolve(record, generation=record.generation + 1, refresh_sent=True)
        self._grant.unsent = sent, record
        marking = self._grant.store.compare_and_set(self.key, sent, expected=record.generation)
        marked = await self._in_time(marking, "the store")
        self._grant.unsent = None
        if not marked:
            # This process stood still past its lock's life. Perhaps somebody else did what it was about to do.
            newer = await self._in_time(self._met(), "the store")
            if self._life.is_fresh():
                return newer.tokens, False
            raise RefreshUnavailableError(_CHANGED)
        self._record = sent
        try:
            answer = await self._client.get_new_access_token_by_refresh_token(refresh_token, timeout=self._seconds)
        except InvalidGrantError as error:
            return await self._in_time(self._end(sent, error), "the store"), False
        except GenAuthError as error:
            raise await self._failed(sent, error) from error
        new = succeeding(old, answer, self._clock.wall())
        rotated = SessionRecord(
            tokens=new,
            generation=sent.generation + 1,
            predecessors=(*record.predecessors, token_name(old))[-_PREDECESSORS:],
            expires_at=record.expires_at,
        )
        if not await self._in_time(self._store_for_sure(rotated, sent.generation), "the store"):
            try:
                return (await self._in_time(self._met(), "the store")).tokens, False
            except SessionExpiredError:
                # The user logged out meanwhile, without the lock that had run out: these must not outlive that.
                with suppress(GenAuthError):
                    await self._client.revoke_token(new.refresh_token or new.access_token, timeout=self._seconds)
                raise
        return new, True

    async def _in_time(self, work: Awaitable[_T], what: str) -> _T:
        """Bounds what has no limit of its own, since nobody can cancel it from outside."""
        with anyio.move_on_after(self._seconds):
            return await work
        raise RefreshUnavailableError(f"The session's refresh: {what} took longer than {self._seconds:g} s")

    async def _unspent(self, record: SessionRecord, *, resend: bool) -> str:
        """The refresh token, if there is one that may be sent."""
        if record.tokens.refresh_token is None:
            if not self._life.is_valid():
                await self._forget("the access token has expired, and there is no refresh token (scope offline_access)")
            self._raise_if_ended()
            raise RefreshUnavailableError("There is no refresh token; sign in with the scope offline_access for one")
        if record.refresh_sent and not resend:
            raise RefreshUnavailableError(
                "A refresh was sent and its answer lost: the refresh token may be spent. refresh(resend=True) sends it "
                "all the same, at the risk that the server revokes the grant; signing in again takes none",
                outcome_unknown=True,
            )
        return record.tokens.refresh_token

    async def _end(self, sent: SessionRecord, error: InvalidGrantError) -> TokenSet:
        """The server no longer accepts the refresh token."""
        newer = await self._grant.store.get(self.key)
        if newer is not None and newer != sent and not is_behind(newer, sent):
            # This process was paused past its lock's life: somebody else used the token, and kept what came.
            self._adopt(newer)
            return newer.tokens
        await self._forget("the server no longer accepts the refresh token")
        raise SessionExpiredError(f"The session has ended: {self._ended}") from error

    async def _failed(self, sent: SessionRecord, error: GenAuthError) -> RefreshUnavailableError:
        """Any other failure: the session is kept."""
        unknown = not is_unspent(error)
        if not unknown:
            unsent = evolve(sent, generation=sent.generation + 1, refresh_sent=False)
            await self._in_time(self._store_for_sure(unsent, sent.generation), "the store")
        return RefreshUnavailableError(
            f"The access token could not be refreshed: {error}",
            outcome_unknown=unknown,
            retry_after=getattr(error, "retry_after", None),
        )

    async def _store_for_sure(self, record: SessionRecord, expected: int) -> bool:
        """Stores what nobody else knows; should that fail, this session still has it, and tries again.

        Returns:
            False if the store has other tokens by now, which stay.
        """
        self._grants.owe(self._grant, record, expected, self._clock.monotonic())
        store, key = self._grant.store, self.key
        try:
            written = await store.compare_and_set(key, record, expected=expected)
            if not written and (present := await store.get(key)) is not None and is_behind(present, record):
                record = evolve(record, generation=max(present.generation, record.generation) + 1)
                written = await store.compare_and_set(key, record, expected=present.generation)
        except BaseException:
            self._hold(record.tokens)
            raise
        self._grants.settle(self._grant)
        if written:
            self._adopt(record)
        return written

    async def _write(self, record: SessionRecord, *, expected: int | None) -> None:
        if not await self._grant.store.compare_and_set(self.key, record, expected=expected):
            raise RefreshUnavailableError(_CHANGED)
        self._record = record

    async def _forget(self, reason: str) -> None:
        self._end_with(reason)
        await self._grant.store.delete(self.key)

    def _end_with(self, reason: str) -> None:
        self._ended = reason
        self._life.end()

    def _raise_if_ended(self) -> None:
        if self._ended is not None:
            raise SessionExpiredError(f"The session has ended: {self._ended}")

    def _adopt(self, record: SessionRecord) -> None:
        self._record = record
        self._hold(record.tokens)
        self._grants.rotated(self._grant, record.tokens)

    def _hold(self, tokens: TokenSet) -> None:
        """Makes these the present tokens; they may have arrived a while ago, by the wall clock."""
        self._tokens = tokens
        self._life.begin(tokens, self._clock.wall() - tokens.obtained_at)
