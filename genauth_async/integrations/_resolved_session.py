"""Sessions of requests, and the replies to their errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar
from weakref import WeakSet

from attrs import field, frozen

from ..errors import SessionError
from ..models.tokens import TokenSet
from ..session import TokenSession
from ..stores import TokenStore
from ._replies import Redirect, Refusal

if TYPE_CHECKING:
    from ..client import AuthenticationClient


class RequestSession(TokenSession):
    """The session of one request's browser, which recognises the errors that it raised.

    Args:
        client: the application's.
        store: the store of the tokens.
        key: the session's name in the store.
    """

    def __init__(self, client: AuthenticationClient, store: TokenStore, key: str) -> None:
        super().__init__(client, None, store=store, key=key)
        self._raised: WeakSet[SessionError] = WeakSet()

    @property
    def is_read(self) -> bool:
        """Return True if this process has the session, read from the store by this request or another."""
        return self._grant is not None

    async def access_token(self) -> str:
        """Return TokenSession's, noting its errors."""
        with self._noting():
            return await super().access_token()

    async def refresh(self) -> TokenSet:
        """Refresh as TokenSession does, noting its errors."""
        with self._noting():
            return await super().refresh()

    async def logout(self) -> None:
        """Log out as TokenSession does, noting its errors."""
        with self._noting():
            await super().logout()

    def has_raised(self, error: SessionError) -> bool:
        """Return True if this session raised the error."""
        return error in self._raised

    @contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except SessionError as error:
            self._raised.add(error)
            raise


SessionT = TypeVar("SessionT", RequestSession, RequestSession | None)


@frozen
class ResolvedSession(Generic[SessionT]):
    """The session of a request, and its reply to errors.

    Attributes:
        session: the browser's session; None if it is optional and absent.
    """

    session: SessionT
    _refusal: Callable[[SessionError], Refusal | Redirect] = field(repr=False)

    def reply(self, error: Exception) -> Refusal | Redirect | None:
        """Return the reply to a failed request, or None if its session is not the reason.

        Args:
            error: the request's error, or an ExceptionGroup of a task group.
        """
        session, raised = self.session, list(leaves(error))
        if session is None:
            return None
        own = [leaf for leaf in raised if isinstance(leaf, SessionError) and session.has_raised(leaf)]
        return self._refusal(own[0]) if own == raised else None


def leaves(error: Exception) -> Iterator[Exception]:
    """Yield the error, or those that a task group collected.

    Args:
        error: an exception, or a group of them.
    """
    if isinstance(error, ExceptionGroup):
        for part in error.exceptions:
            yield from leaves(part)
    else:
        yield error
