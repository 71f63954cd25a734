"""Browser sessions: a cookie with the session's id; the tokens stay in the store."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import anyio
from attrs import frozen

from .._crypto.sealing import Seal
from .._jwt.jws import parse
from ..errors import GenAuthError, RefreshUnavailableError, SessionError
from ..models.tokens import OIDCTokenResponse
from ..session import TokenSession
from ..stores import TokenStore
from ._cookies import CookieNames
from ._replies import Refusal, RefusedError, unavailable
from ._resolved_session import RequestSession

if TYPE_CHECKING:
    from ..client import AuthenticationClient

_log: Final = logging.getLogger(__name__)
_STORE_SECONDS: Final = 10.0
_REVOCATION_SECONDS: Final = 10.0


@frozen
class _Content:
    """The content of a session cookie."""

    key: str
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
    """

    def __init__(
        self, client: AuthenticationClient, store: TokenStore, seal: Seal, names: CookieNames, *, lifetime: float
    ) -> None:
        self._client = client
        self._store = store
        self._seal = seal
        self._names = names
        self._lifetime = lifetime

    async def begin(self, tokens: OIDCTokenResponse, cookies: Mapping[str, str]) -> str:
        """Begin a session and end the browser's previous one.

        Returns:
            The value of the Set-Cookie header.

        Raises:
            SessionError, RefusedError: the store failed. The tokens are revoked, if the server can be reached.
        """
        session_id = secrets.token_urlsafe(32)  # always new: an id from before the sign-in may be known to an attacker
        until = self._client.settings.clock.wall() + self._lifetime
        cookie = self._names.set(
            self._names.session,
            self._seal.seal({"id": session_id, "until": until, "sub": self._subject(tokens)}),
            self._lifetime,
        )
        try:
            with _store_failures():
                session = self._client.session(tokens, store=self._store, key=_key(session_id), expires_at=until)
                await session.access_token()  # stores them
        except (SessionError, RefusedError):
            await self._revoke(tokens)
            raise
        if (content := self._content(cookies)) is not None:
            await self._forget(content.key)
        return cookie

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
        if self._client.settings.clock.wall() > content.until:
            await self._forget(content.key)
            raise RefusedError(self._signed_out("The session has expired", forget=True))
        session = RequestSession(self._client, self._store, content.key)
        await self.access_token(session)
        return session

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
            await self._forget(content.key)
        return id_token, (self._names.clear(self._names.session),)

    async def _id_token(self, key: str) -> str | None:
        try:
            with anyio.move_on_after(_STORE_SECONDS):
                record = await self._store.get(key)
                return None if record is None else record.tokens.id_token
        except Exception as error:  # noqa: BLE001 - a store may raise anything; the sign-out goes on
            _log.warning("The sessions' store failed: %s", type(error).__name__)
        return None

    async def _forget(self, key: str) -> None:
        try:
            await self._client.session(None, store=self._store, key=key).logout()
        except GenAuthError as error:
            _log.warning("A session was removed, but its tokens could not be revoked: %s", type(error).__name__)
        except Exception as error:  # noqa: BLE001 - a store may raise anything; the cookie is gone in any case
            _log.warning("A session stays in the store: the store failed (%s)", type(error).__name__)

    async def _revoke(self, tokens: OIDCTokenResponse) -> None:
        with anyio.move_on_after(_REVOCATION_SECONDS) as scope:
            try:
                await self._client.revoke_token(tokens.refresh_token or tokens.access_token)
            except GenAuthError as error:
                _log.warning("The tokens of a failed sign-in could not be revoked: %s", type(error).__name__)
        if scope.cancelled_caught:
            _log.warning("The tokens of a failed sign-in could not be revoked within %g s", _REVOCATION_SECONDS)

    def _subject(self, tokens: OIDCTokenResponse) -> str | None:
        # The sign-in has verified this ID token; those of later refreshes are not verified.
        if tokens.id_token is None or self._client.settings.protocol != "oidc":
            return None
        return str(parse(tokens.id_token, ("RS256", "HS256")).claims["sub"])

    def _content(self, cookies: Mapping[str, str]) -> _Content | None:
        content = self._seal.opened(cookies.get(self._names.session, "")) or {}
        session_id, until, subject = content.get("id"), content.get("until"), content.get("sub")
        if isinstance(session_id, str) and isinstance(until, (int, float)):
            return _Content(_key(session_id), until, subject if isinstance(subject, str) else None)
        return None

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
    raise RefusedError(unavailable("The sessions cannot be reached now", None))


def _key(session_id: str) -> str:
    # A digest, so that a reader of the store cannot forge cookies.
    return sha256(session_id.encode("utf-8", "replace")).hexdigest()
