"""Browser sessions: a cookie with the session's id; the tokens stay in the store."""

from __future__ import annotations

import logging
import math
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import anyio
from attrs import frozen

from .._core.shielding import run_shielded
from .._crypto.sealing import Seal
from .._jwt.jws import parse
from .._session.identity import first_record
from .._session.token_sets import token_set
from ..errors import (
    ConfigurationError,
    GenAuthError,
    RefreshUnavailableError,
    SessionError,
    StoreError,
    StoreLockedError,
)
from ..models.tokens import OIDCTokenResponse
from ..session import TokenSession
from ..stores import MemoryStore, SessionRecord, TokenStore
from ..stores._protocol import index_of, require_index
from ._cookies import CookieNames
from ._replies import Refusal, RefusedError, unavailable
from ._resolved_session import RequestSession

if TYPE_CHECKING:
    from ..client import AuthenticationClient

_log: Final = logging.getLogger(__name__)
_STORE_SECONDS: Final = 10.0
# The last resort for a store whose lock has no limit of its own.
_LOCK_SECONDS: Final = 120.0
_REVOCATION_SECONDS: Final = 10.0
_REMEMBERED: Final = 4096
_UNREACHABLE: Final = "The sessions cannot be reached now"


@frozen
class _Content:
    """The content of a session cookie.

    Attributes:
        key: the session's key in the store.
        user: the user's name in the store's index.
        until: the end of the session, in seconds since the epoch.
        subject: the subject (sub) of the sign-in's ID token.
    """

    key: str
    user: str
    until: float
    subject: str | None


class BrowserSessions:
    """Finds a browser's session by its cookie.

    Args:
        client: the application's.
        store: the store of the tokens.
        seal: the seal of the session cookies.
        names: the names of the cookies.
        lifetime: seconds after which the user must sign in again, regardless of activity.
        idle: seconds without a request after which the user must sign in again; the store must be a SessionIndex.
    """

    def __init__(
        self,
        client: AuthenticationClient,
        store: TokenStore,
        seal: Seal,
        names: CookieNames,
        *,
        lifetime: float,
        idle: float | None,
    ) -> None:
        self._client = client
        self._store = store
        self._seal = seal
        self._names = names
        self._lifetime = lifetime
        self._idle = math.inf if idle is None else idle
        self._index = index_of(store)
        # The times at which this process told the store that a session is in use, the latest last.
        self._touched: OrderedDict[str, float] = OrderedDict()
        self._has_warned = False

    async def begin(
        self, session_id: str, sign_in: Callable[[], Awaitable[OIDCTokenResponse]], cookies: Mapping[str, str]
    ) -> str:
        """Begin a session and end the browser's previous one.

        If the session exists, the callback came twice: it is returned as it is, and `sign_in` is not called.

        Args:
            session_id: chosen for this sign-in.
            sign_in: exchanges the code.
            cookies: the request's.

        Returns:
            The value of the Set-Cookie header.

        Raises:
            SessionError, RefusedError: the store failed. The tokens are revoked, if the server can be reached, unless
                another callback of the sign-in is under way.
            GenAuthError: by `sign_in`.
        """
        key = _key(session_id)
        # A browser that ends the first of two callbacks must not lose the tokens that it gets.
        record = await run_shielded(partial(self._begun, key, sign_in))
        if (content := self._content(cookies)) is not None and content.key != key:
            await self._forget(content)
        until = record.expires_at or 0.0
        value = self._seal.seal({"id": session_id, "until": until, "sub": self._subject(record.tokens)})
        return self._names.set(self._names.session, value, until - self._client.settings.clock.wall())

    async def is_live(self, cookies: Mapping[str, str]) -> bool:
        """Return True if the browser has a session that can be used now."""
        try:
            await self.find(cookies)
        except RefusedError:
            return False
        return True

    async def find(self, cookies: Mapping[str, str]) -> RequestSession:
        """Return the browser's session, with a valid access token.

        Raises:
            RefusedError: there is no session, it has ended, or its token cannot be refreshed now.
        """
        if self._names.session not in cookies:
            raise RefusedError(self._signed_out("Not signed in", forget=False))
        content = self._content(cookies)
        if content is None:
            raise RefusedError(self._signed_out("The session cookie is invalid", forget=True))
        try:
            return await self._live(content)
        except RefusedError as error:
            if error.reply.status == HTTPStatus.UNAUTHORIZED:
                await self._forget(content)
            raise

    def subject(self, cookies: Mapping[str, str]) -> str | None:
        """Return the subject (sub) of the sign-in's ID token, or None without one."""
        content = self._content(cookies)
        return None if content is None else content.subject

    async def access_token(self, session: TokenSession) -> str:
        """Return the session's access token.

        Raises:
            RefusedError: the session has ended, or its token cannot be refreshed now.
        """
        refusal: Refusal
        try:
            with _store_failures():
                return await session.access_token()
        except SessionError as error:
            refusal = self.refusal(error)
        raise RefusedError(refusal)

    def refusal(self, error: SessionError) -> Refusal:
        """Return the answer to a session's error.

        Args:
            error: the session's error.
        """
        if not isinstance(error, RefreshUnavailableError):
            return self._signed_out("The session has ended", forget=True)
        return unavailable("The session cannot be refreshed now", error.retry_after)

    async def end(self, cookies: Mapping[str, str]) -> tuple[str | None, tuple[str, ...]]:
        """End the browser's session locally, and on the server if it can be reached.

        Returns:
            The user's ID token, and the values of the Set-Cookie headers.
        """
        if self._names.session not in cookies:
            return None, ()
        id_token = None
        if (content := self._content(cookies)) is not None:
            id_token = await self._id_token(content.key)
            await self._forget(content)
        return id_token, (self._names.clear(self._names.session),)

    async def _id_token(self, key: str) -> str | None:
        try:
            with anyio.move_on_after(_STORE_SECONDS):
                record = await self._store.get(key)
                return None if record is None else record.tokens.id_token
        except Exception as error:  # noqa: BLE001 - a store may raise anything; the sign-out goes on
            _log.warning("The sessions' store failed: %s", type(error).__name__)
        return None

    async def end_all(self, subject: str) -> int:
        """End all sessions of a user; return their number.

        Args:
            subject: the user's `sub`.

        Raises:
            ConfigurationError: the store is no SessionIndex, or the protocol is not oidc.
            StoreError: the store failed, so that sessions may be left.
        """
        index, user, protocol = require_index("store", self._store), self._user(subject), self._client.settings.protocol
        if protocol != "oidc":
            raise ConfigurationError("protocol", f"must be oidc, not {protocol}: no ID token says whose a session is")
        ended: list[str] = []
        failures: list[Exception] = []

        async def end(key: str) -> None:
            try:
                # Without a record it has ended, or is about to be stored: its entry expires by itself.
                if await self._get(key) is not None:
                    await self._log_out(key)
                    ended.append(key)
                    await index.remove_session(user, key)
            except Exception as error:  # noqa: BLE001 - a store may raise anything; the other sessions have to end
                failures.append(error)

        try:
            with anyio.fail_after(_STORE_SECONDS):
                keys = await index.sessions_of(user, now=self._client.settings.clock.wall())
        except Exception as error:  # noqa: BLE001 - as above
            keys = ()
            failures.append(error)
        async with anyio.create_task_group() as tasks:
            for key in keys:
                tasks.start_soon(end, key)
        if failures:
            reason = type(failures[0]).__name__
            raise StoreError(f"The sessions' store failed ({reason}), so sessions of the user may be left; call again")
        return len(ended)

    async def _live(self, content: _Content) -> RequestSession:
        """Return a session, with a valid access token."""
        if self._client.settings.clock.wall() > content.until:
            raise RefusedError(self._signed_out("The session has expired", forget=True))
        if not await self._is_in_use(content):
            raise RefusedError(self._signed_out("The session was not used for too long", forget=True))
        session = RequestSession(self._client, self._store, content.key)
        is_in_memory = isinstance(self._store, MemoryStore)
        # A session that this process has may have been ended by another process.
        if (session.is_read or is_in_memory) and await self._get(content.key) is None:
            if is_in_memory and not session.is_read:
                self._warn_of_memory()
            raise RefusedError(self._signed_out("The session has ended", forget=True))
        await self.access_token(session)
        return session

    async def _is_in_use(self, content: _Content) -> bool:
        """Tell the store that the session is in use; return False if it was not for too long."""
        now = self._client.settings.clock.wall()
        if self._index is None or self._idle == math.inf or now < self._touched.get(content.key, 0.0) + self._idle / 10:
            return True
        until = min(content.until, now + self._idle)
        with _store_failures(), anyio.fail_after(_STORE_SECONDS):
            is_live = await self._index.touch_session(content.user, content.key, now=now, until=until)
        if is_live:
            self._touched[content.key] = now
            self._touched.move_to_end(content.key)
            if len(self._touched) > _REMEMBERED:
                self._touched.popitem(last=False)
        return is_live

    def _warn_of_memory(self) -> None:
        """Log once that a session is not in this process's memory."""
        if not self._has_warned:
            self._has_warned = True
            _log.warning(
                "A session cookie is valid, but its session is not in this process's memory: another worker process "
                "began it, or it has ended, or this process was restarted. Several processes need a store that they "
                "share, such as FileStore() or RedisStore(...)"
            )

    async def _log_out(self, key: str) -> None:
        try:
            await self._client.session(None, store=self._store, key=key).logout()
        except SessionError:
            raise
        except GenAuthError as error:
            _log.warning("A session was removed, but its tokens could not be revoked: %s", type(error).__name__)

    async def _forget(self, content: _Content) -> None:
        try:
            await self._log_out(content.key)
            if self._index is not None:
                with anyio.fail_after(_STORE_SECONDS):
                    await self._index.remove_session(content.user, content.key)
        except Exception as error:  # noqa: BLE001 - a store may raise anything; the cookie is gone in any case
            _log.warning("A session stays in the store: the store failed (%s)", type(error).__name__)

    async def _begun(self, key: str, sign_in: Callable[[], Awaitable[OIDCTokenResponse]]) -> SessionRecord:
        """Return the session's record: the one in the store, or that of the tokens of `sign_in`."""
        tokens = None
        try:
            with anyio.move_on_after(_LOCK_SECONDS) as limit:
                async with self._lock(f"login-{key}"):
                    limit.deadline = math.inf
                    if (present := await self._get(key)) is not None:
                        return present
                    tokens = await sign_in()
                    return await self._written(key, tokens)
            raise RefusedError(unavailable(_UNREACHABLE, None))  # noqa: TRY301 - both mean that the store failed
        except StoreLockedError:
            raise  # another callback is under way, and has sent the code
        except (SessionError, RefusedError):
            if tokens is None:
                await self._revoke(await sign_in())
                raise
            await self._revoke(tokens)
            with suppress(Exception), anyio.move_on_after(_STORE_SECONDS):
                await self._store.delete(key)  # the write may have been made although it failed
            raise

    async def _written(self, key: str, tokens: OIDCTokenResponse) -> SessionRecord:
        settings = self._client.settings
        now = settings.clock.wall()
        record = first_record(token_set(tokens, now), settings.app_id, settings.app_host, now + self._lifetime)
        with _store_failures(), anyio.fail_after(_STORE_SECONDS):
            if self._index is not None:
                user = self._user(self._subject(tokens) or key)
                until = now + min(self._lifetime, self._idle)
                await self._index.add_session(user, key, now=now, until=until)
            is_written = await self._store.compare_and_set(key, record, expected=None)
        # If not, the lock has expired, and another callback was faster.
        present = record if is_written else await self._get(key)
        if present is None:
            raise RefusedError(unavailable(_UNREACHABLE, None))
        return present

    async def _get(self, key: str) -> SessionRecord | None:
        with _store_failures(), anyio.fail_after(_STORE_SECONDS):
            return await self._store.get(key)

    @asynccontextmanager
    async def _lock(self, name: str) -> AsyncIterator[None]:
        """Hold a lock; a failure to release it changes nothing."""
        with _store_failures():
            lock = self._store.lock(name)
            await lock.__aenter__()
        try:
            yield
        finally:
            try:
                await lock.__aexit__(None, None, None)
            except Exception as error:  # noqa: BLE001 - a store may raise anything
                _log.warning("The lock of a sign-in could not be released: %s", type(error).__name__)

    async def _revoke(self, tokens: OIDCTokenResponse) -> None:
        with anyio.move_on_after(_REVOCATION_SECONDS) as scope:
            try:
                await self._client.revoke_token(tokens.refresh_token or tokens.access_token)
            except GenAuthError as error:
                _log.warning("The tokens of a failed sign-in could not be revoked: %s", type(error).__name__)
        if scope.cancelled_caught:
            _log.warning("The tokens of a failed sign-in could not be revoked within %g s", _REVOCATION_SECONDS)

    def _subject(self, tokens: OIDCTokenResponse) -> str | None:
        # The sign-in has verified this ID token; a refresh must bring one of the same user.
        if tokens.id_token is None or self._client.settings.protocol != "oidc":
            return None
        return str(parse(tokens.id_token).claims["sub"])

    def _content(self, cookies: Mapping[str, str]) -> _Content | None:
        content = self._seal.opened(cookies.get(self._names.session, "")) or {}
        session_id, until, subject = content.get("id"), content.get("until"), content.get("sub")
        if not isinstance(session_id, str) or not isinstance(until, (int, float)):
            return None
        key = _key(session_id)
        subject = subject if isinstance(subject, str) else None
        return _Content(key, self._user(subject or key), until, subject)

    def _user(self, subject: str) -> str:
        settings = self._client.settings
        return _key(f"{settings.app_host} {settings.app_id} {subject}")

    def _signed_out(self, detail: str, *, forget: bool) -> Refusal:
        cleared = (self._names.clear(self._names.session),) if forget else ()
        return Refusal(status=401, detail=detail, www_authenticate="Cookie", set_cookies=cleared)


@contextmanager
def _store_failures() -> Iterator[None]:
    """Turn any exception of the store into a 503."""
    try:
        yield
    except (GenAuthError, RefusedError):
        raise
    except Exception as error:  # noqa: BLE001
        _log.warning("The sessions' store failed: %s", type(error).__name__)
    else:
        return
    raise RefusedError(unavailable(_UNREACHABLE, None))


def _key(text: str) -> str:
    # A digest, so that a reader of the store can neither forge cookies nor read the names of users.
    return sha256(text.encode("utf-8", "replace")).hexdigest()
