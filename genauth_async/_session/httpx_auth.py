"""A session's access token for any httpx or httpx2 client: `httpx.AsyncClient(auth=session.auth)`."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from anyio import from_thread, to_thread

from .._arguments.urls import is_loopback
from ..errors import ConfigurationError

_UNAUTHORIZED: Final = 401
_Request = TypeVar("_Request")


class Session(Protocol):
    """What is needed of a TokenSession, the awaited one or the blocking one."""

    @property
    def access_token(self) -> Callable[[], Awaitable[str] | str]: ...
    @property
    def invalidate(self) -> Callable[[str, str], Awaitable[None] | None]: ...


class SessionAuth:
    """Sends a session's access token with each request of the httpx client that it is given to, or of one request.

    When the API answers 401, the token is taken for invalid, and the request is sent once more with a new one, which
    all requests that were refused share. A request whose body is a stream cannot be sent again: its 401 is returned,
    and the next request has the new token. An origin that refuses the new token as well gets no other for 10 seconds:
    its 401 is returned. A redirect to another origin goes there without the token, except for one from http to https of
    the same loopback host, with their own ports, which httpx takes for the same origin.

    The client may be given any address, and sends the token there: `for_origins` says where it may go.

    It is an `httpx.Auth`, and an `httpx2.Auth` where httpx2 is imported.
    """

    def __init__(self, session: Session, origins: frozenset[str] | None = None) -> None:
        self._session = session
        self._origins = origins
        self._is_blocking = not inspect.iscoroutinefunction(session.access_token)

    def __repr__(self) -> str:
        where = "" if self._origins is None else f" for {', '.join(sorted(self._origins))}"
        return f"<SessionAuth of {self._session!r}{where}>"

    @staticmethod
    def of(session: Session) -> SessionAuth:
        """The authentication of a session, for the libraries that are imported by now."""
        return _class_for(*_libraries())(session)

    def for_origins(self, *origins: str) -> SessionAuth:
        """The same for these origins alone: requests to any other are sent as they are, without the token.

        Args:
            origins: such as "https://api.example.com" or "http://localhost:8000". Subdomains are other origins.

        Raises:
            ConfigurationError: one is no origin, or is plain http:// on another machine; or there is none.
        """
        if not origins:
            raise ConfigurationError("origins", "are needed: without any, the token would go nowhere")
        return type(self)(self._session, frozenset(map(_checked_origin, origins)))

    if TYPE_CHECKING:
        # Type checkers know no class that is made at run time, and httpx's clients take callables, too.
        def __call__(self, request: _Request) -> _Request: ...

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        """What httpx.Client asks."""
        # No token is a local variable here: tracebacks show them.
        if not self._may_go_to(request.url):
            yield request
            return
        _check_scheme(request.url)
        _bear(request, self._wait(self._session.access_token))
        response = yield request
        if not _is_refused(response, request):
            return
        refused = response.request
        self._wait(self._session.invalidate, _borne(refused), _origin(refused.url))
        if _can_be_repeated(refused) and _bear(refused, self._wait(self._session.access_token)):
            yield refused

    async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
        """What httpx.AsyncClient asks."""
        if not self._may_go_to(request.url):
            yield request
            return
        _check_scheme(request.url)
        _bear(request, await self._await(self._session.access_token))
        response = yield request
        if not _is_refused(response, request):
            return
        refused = response.request
        await self._await(self._session.invalidate, _borne(refused), _origin(refused.url))
        if _can_be_repeated(refused) and _bear(refused, await self._await(self._session.access_token)):
            yield refused

    def _may_go_to(self, url: Any) -> bool:
        return self._origins is None or _origin(url) in self._origins

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


def _libraries() -> list[str]:
    """The libraries that are imported by now; one is, or has to be."""
    return [name for name in ("httpx", "httpx2") if name in sys.modules] or ["httpx"]


def _origin(url: Any) -> str:
    """The origin of a library's URL; which leaves out the scheme's own port, but keeps an IPv6 address as it is."""
    return f"{url.scheme}://{url.netloc.decode('ascii').lower()}"


def _checked_origin(text: str) -> str:
    library = import_module(_libraries()[0])
    try:
        url = library.URL(text)
    except (TypeError, library.InvalidURL) as error:
        raise ConfigurationError("origins", f"has what is no URL: {error}") from None
    is_whole = url.raw_path == b"/" and not (url.userinfo or url.fragment)
    if url.scheme not in {"http", "https", "ws", "wss"} or not url.host or "*" in url.host or not is_whole:
        raise ConfigurationError("origins", "are scheme, host and port without more, such as https://api.example.com")
    _check_scheme(url)
    return _origin(url)


def _check_scheme(url: Any) -> None:
    if url.scheme in {"http", "ws"} and not is_loopback(url.host):
        raise ConfigurationError("auth", f"would send the access token to {url.host} unencrypted; use {url.scheme}s://")


def _bear(request: Any, token: str) -> bool:
    """Gives the request this token; whether it is another than it had."""
    before = request.headers.get("Authorization")
    request.headers["Authorization"] = f"Bearer {token}"
    return bool(request.headers["Authorization"] != before)


def _borne(request: Any) -> str:
    return str(request.headers["Authorization"]).removeprefix("Bearer ")


def _is_refused(response: Any, request: Any) -> bool:
    """Whether the token was refused: a redirect may have led to where it was not sent."""
    borne = response.request.headers.get("Authorization")
    return bool(response.status_code == _UNAUTHORIZED and borne == request.headers["Authorization"])


def _can_be_repeated(request: Any) -> bool:
    """Whether the body is held in memory; httpx and httpx2 each have a class for it."""
    return type(request.stream).__name__ == "ByteStream"
