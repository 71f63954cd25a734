"""A session's access token for any httpx or httpx2 client: `httpx.AsyncClient(auth=session.auth)`."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from anyio import from_thread, to_thread

from ..errors import ConfigurationError
from ..settings import is_loopback

_UNAUTHORIZED: Final = 401
_Request = TypeVar("_Request")


class Session(Protocol):
    """What is needed of a TokenSession, the awaited one or the blocking one."""

    @property
    def access_token(self) -> Callable[[], Awaitable[str] | str]: ...
    @property
    def invalidate(self) -> Callable[[str], Awaitable[None] | None]: ...


class SessionAuth:
    """Sends a session's access token with each request of the httpx client that it is given to, or of one request.

    When the API answers 401, the token is taken for invalid, and the request is sent once more with a new one, which
    all requests that were refused share. A request whose body is a stream cannot be sent again: its 401 is returned,
    and the next request has the new token. A redirect to another origin goes there without the token.

    It is an `httpx.Auth`, and an `httpx2.Auth` where httpx2 is imported.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._is_blocking = not inspect.iscoroutinefunction(session.access_token)

    def __repr__(self) -> str:
        return f"<SessionAuth of {self._session!r}>"

    @staticmethod
    def of(session: Session) -> SessionAuth:
        """The authentication of a session, for the libraries that are imported by now."""
        libraries = [name for name in ("httpx", "httpx2") if name in sys.modules]
        return _class_for(*libraries or ["httpx"])(session)

    if TYPE_CHECKING:
        # Type checkers know no class that is made at run time, and httpx's clients take callables, too.
        def __call__(self, request: _Request) -> _Request: ...

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        """What httpx.Client asks."""
        # No token is a local variable here: tracebacks show them.
        _check_scheme(request)
        _bear(request, self._wait(self._session.access_token))
        response = yield request
        if not _is_refused(response, request):
            return
        refused = response.request
        self._wait(self._session.invalidate, _borne(refused))
        if _can_be_repeated(refused):
            _bear(refused, self._wait(self._session.access_token))
            yield refused

    async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
        """What httpx.AsyncClient asks."""
        _check_scheme(request)
        _bear(request, await self._await(self._session.access_token))
        response = yield request
        if not _is_refused(response, request):
            return
        refused = response.request
        await self._await(self._session.invalidate, _borne(refused))
        if _can_be_repeated(refused):
            _bear(refused, await self._await(self._session.access_token))
            yield refused

    def _wait(self, method: Callable[..., Any], *arguments: str) -> Any:
        if self._is_blocking:
            return method(*arguments)
        try:
            from_thread.check_cancelled()
        except RuntimeError:
            raise ConfigurationError(
                "auth",
                "of a session that is awaited belongs to an httpx.AsyncClient; a blocking httpx.Client takes the auth "
                "of a genauth_sync session, or runs in a worker thread of anyio.to_thread.run_sync",
            ) from None
        return from_thread.run(method, *arguments)

    async def _await(self, method: Callable[..., Any], *arguments: str) -> Any:
        if self._is_blocking:
            # Whoever is cancelled need not wait: a refresh that has begun is finished and stored without him.
            return await to_thread.run_sync(method, *arguments, abandon_on_cancel=True)
        return await method(*arguments)


@functools.cache
def _class_for(*libraries: str) -> type[SessionAuth]:
    """SessionAuth as a subclass of those libraries' Auth, which their clients insist on."""
    bases = [SessionAuth, *(import_module(library).Auth for library in libraries)]
    return type("SessionAuth", tuple(bases), {"__module__": __name__, "__doc__": SessionAuth.__doc__})


def _check_scheme(request: Any) -> None:
    if request.url.scheme in {"http", "ws"} and not is_loopback(request.url.host):
        raise ConfigurationError(
            "auth",
            f"would send the access token to {request.url.host} unencrypted; use {request.url.scheme}s://",
        )


def _bear(request: Any, token: str) -> None:
    request.headers["Authorization"] = f"Bearer {token}"


def _borne(request: Any) -> str:
    return str(request.headers["Authorization"]).removeprefix("Bearer ")


def _is_refused(response: Any, request: Any) -> bool:
    """Whether the token was refused: a redirect may have led to where it was not sent."""
    borne = response.request.headers.get("Authorization")
    return bool(response.status_code == _UNAUTHORIZED and borne == request.headers["Authorization"])


def _can_be_repeated(request: Any) -> bool:
    """Whether the body is held in memory; httpx and httpx2 each have a class for it."""
    return type(request.stream).__name__ == "ByteStream"
