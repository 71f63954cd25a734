"""Sessions that requests are given, and what is answered when one fails its request."""

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
    """The session of one request's browser, which knows its errors from those of others.

    Args:
        client: the application's.
        store: keeps the tokens.
        key: names the session in the store.
    """

    def __init__(self, client: AuthenticationClient, store: TokenStore, key: str) -> None:
        super().__init__(client, None, store=store, key=key)
        self._raised: WeakSet[SessionError] = WeakSet()

    async def access_token(self) -> str:
        """As TokenSession's."""
        with self._noting():
            return await super().access_token()

    async def refresh(self, *, resend: bool = False) -> TokenSet:
        """As TokenSession's."""
        with self._noting():
            return await super().refresh(resend=resend)

    async def logout(self) -> None:
        """As TokenSession's."""
        with self._noting():
            await super().logout()

    def has_raised(self, error: SessionError) -> bool:
        """Whether this session raised the error."""
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
class Given(Generic[SessionT]):
    """What a request is given.

    Attributes:
        session: the browser's session; None where there is none, and none is needed.
    """

    session: SessionT
    _refusal: Callable[[SessionError], Refusal | Redirect] = field(repr=False)

    def reply(self, error: Exception) -> Refusal | Redirect | None:
        """What to answer when the request fails; None when it does not fail because of its session.

        Args:
            error: the session's own, or a group of nothing else, as task groups raise it.
        """
        session, leaves = self.session, list(_leaves(error))
        if session is None:
            return None
        own = [leaf for leaf in leaves if isinstance(leaf, SessionError) and session.has_raised(leaf)]
        return self._refusal(own[0]) if own == leaves else None


def _leaves(error: Exception) -> Iterator[Exception]:
    parts = getattr(error, "exceptions", None)  # of an ExceptionGroup, which is no builtin before Python 3.11
    if isinstance(parts, tuple):
        for part in parts:
            yield from _leaves(part)
    else:
        yield error
