"""Carries out the turns of grants: awaits the store, the token endpoint, and time."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import anyio
from anyio.abc import TaskStatus
from attrs import evolve, frozen

from .._arguments.timeouts import Deadline, deadline
from .._core.background import Background, unlist_current_task
from .._core.redaction import fingerprint
from .._http.attempt import BeforeSend
from ..errors import ConfigurationError, GenAuthError, RefreshUnavailableError, StoreError, StoreUnusableError
from ..models.tokens import OIDCTokenResponse, TokenSet
from .grants import KEEP_SECONDS, Grant, Grants
from .turn import Do, Effect, Limits, Remove, Revoke, Turn, Wait, Want, Write, turn

Notify = Callable[[TokenSet], Awaitable[None]]

_log: Final = logging.getLogger(__name__)
# Seconds between attempts to store tokens after a failure.
_STORE_PAUSES: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
# Seconds for which a grant without sessions is kept if its store lacks its tokens.
_UNSTORED_SECONDS: Final = 86400.0
# The last resort for a store whose lock has no limit of its own, in times of the refresh timeout.
_LOCK_FACTOR: Final = 4.0
# Other processes cannot change a record so often within one turn.
_MOST_REFUSALS: Final = 20


class TokenEndpoint(Protocol):
    """Sends a refresh token once, and revokes tokens."""

    async def refresh(self, refresh_token: str, timeout: Deadline, before_send: BeforeSend) -> OIDCTokenResponse: ...
    async def revoke(self, token: str, timeout: float) -> object: ...


@frozen
class Driver:
    """Carries out the turns of grants.

    Attributes:
        grants: of the client.
        endpoint: the token endpoint.
        limits: the options of the turns.
        leeway: seconds before its expiry from which an access token is due.
    """

    grants: Grants
    endpoint: TokenEndpoint
    limits: Limits
    leeway: float

    def start(
        self, grant: Grant, turn: Turn, notify: Notify | None = None, *, want: Want | None = None
    ) -> tuple[Background, bool]:
        """Start a turn in the background, unless one is under way.

        Args:
            grant: the grant.
            turn: the turn.
            notify: awaited with new tokens, after they are stored and before callers get them.
            want: the tokens that the turn is to end with, if it is for that.

        Returns:
            The turn under way, and True if it is this one.
        """
        return self.grants.begin(grant, lambda: self._run(grant, turn, notify, want))

    def refresh(self, grant: Grant, want: Want, notify: Notify | None = None) -> tuple[Background, bool]:
        """Start a turn that ends with the tokens that the caller wants, unless one is under way."""
        return self.start(grant, turn(grant.state, want, self.leeway, self.limits), notify, want=want)

    async def _run(self, grant: Grant, turn: Turn, notify: Notify | None, want: Want | None) -> None:
        state = grant.state
        run = _Run(self, grant, turn)
        failure = await run.until_end()
        if run.is_refreshed and state.ended is None and notify is not None:
            await notify(state.known.tokens)
        is_passing = failure is None or (
            isinstance(failure, StoreError) and not isinstance(failure, StoreUnusableError)
        )
        if is_passing or state.was_stored:
            state.publish()
        self._log(grant, failure, want)
        is_unstored = state.ended is None and not state.is_stored
        self.grants.end(grant, _UNSTORED_SECONDS if is_unstored else min(state.pause(), KEEP_SECONDS))
        may_pass = not isinstance(failure, (StoreUnusableError, ConfigurationError))
        if is_unstored and may_pass and not (grant.storing and grant.storing.is_running()):
            grant.storing = Background(lambda: self._store_later(grant))
        if failure is not None:
            raise failure

    async def _store_later(self, grant: Grant) -> None:
        """Store what a failed write was to store, though no caller asks: other processes need it."""
        for pause in _STORE_PAUSES:
            goes_on = grant.storing is None or await grant.storing.sleep(pause)
            if grant.state.is_stored or grant.state.ended is not None:
                break
            flight, _ = self.refresh(grant, "stored")
            await flight.wait()
            if not goes_on:
                break
        grant.storing = None

    def _log(self, grant: Grant, failure: Exception | None, want: Want | None) -> None:
        # The records must not keep the error, whose frames lead to tokens.
        session = fingerprint(grant.key)
        has_failed = isinstance(failure, StoreError) or (failure is None and not grant.state.is_stored)
        if has_failed and not grant.has_failed_store:
            later = (
                "" if isinstance(failure, StoreUnusableError) else "; the tokens are kept in memory, and stored later"
            )
            _log.warning("%s%s (session %s)", str(failure or "The store failed"), later, session)
        elif isinstance(failure, RefreshUnavailableError) and not has_failed and failure.__cause__ is not None:
            # Callers get the present token as long as it is valid, and the error otherwise.
            is_silent = want == "fresh" and grant.state.is_valid()
            _log.log(logging.WARNING if is_silent else logging.DEBUG, "%s (session %s)", str(failure), session)
        grant.has_failed_store = has_failed


class _Run:
    """One turn under way.

    Attributes:
        is_refreshed: new tokens have come.
    """

    def __init__(self, driver: Driver, grant: Grant, turn: Turn) -> None:
        self._driver = driver
        self._grant = grant
        self._turn = turn
        self._tasks = anyio.create_task_group()
        self._has_ended = anyio.Event()
        self._limit: Deadline | None = None
        self._refusals = 0
        self.is_refreshed = False

    async def until_end(self) -> Exception | None:
        """Carry out the effects of the turn; return its error."""
        failure: Exception | None = None
        async with self._tasks:
            try:
                effect = self._advance(None)
                while effect is not None:
                    if effect is Do.CONNECT:
                        effect = await self._exchange()
                    else:
                        effect = self._advance(await self._carry_out(effect))
            except Exception as error:  # noqa: BLE001 - the task group would wrap it
                # Without this frame, which goes on, as in _advance.
                failure = error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)
            self._has_ended.set()
        return failure

    def _advance(self, outcome: object) -> Effect | None:
        """Give the turn the outcome of its effect, which may be an exception; return its next effect."""
        try:
            if not isinstance(outcome, Exception):
                return self._turn.send(outcome)
            raised = outcome.__traceback__
            effect = self._turn.throw(outcome)
        except StopIteration:
            return None
        # Without the frames of the turn, which goes on: a store may raise one error in two turns, and the first to end
        # clears its frames.
        outcome.__traceback__ = raised
        return effect

    async def _exchange(self) -> Effect | None:
        """Send the refresh token, unless the turn decides otherwise once the connection is up."""
        effect: Effect | None = Do.CONNECT
        failure: Exception | None = None

        async def before_send() -> None:
            nonlocal effect, failure
            try:
                effect = self._advance(None)
                if isinstance(effect, Write):
                    effect = self._advance(await self._carry_out(effect))
            except Exception as error:
                failure = error
                raise
            if effect is not Do.SEND:
                raise _NotSent

        try:
            outcome: object = await self._driver.endpoint.refresh(
                self._grant.state.known.tokens.refresh_token or "", self._deadline(), before_send
            )
            self.is_refreshed = True
        except _NotSent:
            return effect
        except GenAuthError as error:
            if error is failure:
                raise
            outcome = error
        return self._advance(outcome)

    def _deadline(self) -> Deadline:
        """Return the deadline of all attempts of this turn."""
        if self._limit is None:
            limit = deadline(self._driver.limits.seconds)
            self._limit = evolve(limit, end=anyio.current_time() + limit.total)
        return self._limit

    async def _carry_out(self, effect: Effect) -> object:
        """Return the outcome of an effect, or its exception."""
        try:
            return await self._outcome(effect)
        except Exception as error:  # noqa: BLE001 - the turn gets it
            return error

    async def _outcome(self, effect: Effect) -> object:
        store, key, seconds = self._grant.store, self._grant.key, self._driver.limits.seconds
        work: Awaitable[object]
        match effect:
            case Wait(pause):
                if self._grant.flight is None or await self._grant.flight.sleep(pause):
                    return None
                raise RefreshUnavailableError("The client is being closed")
            case Revoke(tokens):
                return await self._driver.endpoint.revoke(tokens.refresh_token or tokens.access_token, seconds)
            case Do.LOCK:
                self._grant.state.publish()  # in step with the store; a refresh begins
                with anyio.move_on_after(_LOCK_FACTOR * seconds):
                    return await self._tasks.start(self._hold_lock)
                raise StoreError(f"The store gave no lock for {_LOCK_FACTOR * seconds:g} s; its holder is stuck")
            case Do.BORROW:
                return await self._borrowed()
            case Write(record, over):
                work = store.compare_and_set(key, record, expected=over)
            case Remove(over):
                work = store.delete(key, expected=over)
            case _:
                work = store.get(key)
        # Shielded from the deadline of the exchange in which an attempt is stored.
        with anyio.move_on_after(seconds, shield=True):
            outcome = await work
            self._refusals += isinstance(effect, (Write, Remove)) and not outcome
            if self._refusals <= _MOST_REFUSALS:
                return outcome
            raise StoreUnusableError(
                f"The session's store refused {self._refusals} writes of one turn: compare_and_set and delete must "
                "return True when they have written"
            )
        raise StoreError(f"The session's store did not answer for {seconds:g} s")

    async def _hold_lock(self, *, task_status: TaskStatus[None]) -> None:
        """Hold the lock until the turn ends, in a task of its own: no scope of the lock's is in the way of ours."""
        is_held = False
        unlist_current_task()
        try:
            async with self._grant.store.lock(self._grant.key):
                is_held = True
                task_status.started()
                await self._has_ended.wait()
        except Exception as error:
            if not is_held:
                raise
            _log.warning("A session lock could not be released (%s)", type(error).__name__)

    async def _borrowed(self) -> TokenSet | None:
        """Return newer tokens from a session under another key that was given the same refresh token."""
        grants, grant = self._driver.grants, self._grant
        holder = grants.holder(grant)
        if holder is grant:
            return None
        known = grant.state.known.tokens
        state = holder.state

        def is_newer() -> bool:
            return state.latest.tokens.access_token != known.access_token and not state.is_due(self._driver.leeway)

        if not is_newer():
            flight, _ = self._driver.refresh(holder, "new")
            await flight.wait()
            if flight.failure is not None:
                raise flight.failure
        self.is_refreshed = True
        return state.latest.tokens


class _NotSent(Exception):  # noqa: N818 - no error, but a decision
    """The turn does not send after all."""
