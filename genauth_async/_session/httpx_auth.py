"""Session authentication for httpx, httpx2 and requests: `httpx.AsyncClient(auth=session.auth)`."""

from __future__ import annotations

import functools
import inspect
import re
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from importlib import import_module
from typing import Any, Final, Protocol, TypeVar

from anyio import from_thread, to_thread

from .._arguments.numbers import require_bool
from .._arguments.urls import is_loopback
from ..errors import ConfigurationError

_UNAUTHORIZED: Final = 401
_Request = TypeVar("_Request")


class Session(Protocol):
    """The required part of a TokenSession, async or blocking."""

    @property
    def access_token(self) -> Callable[[], Awaitable[str] | str]: ...
    @property
    def invalidate(self) -> Callable[[str, str], Awaitable[None] | None]: ...


class SessionAuth:
    """Sends a session's access token with each request of an httpx client, or with one request (RFC 6750).

    It works with requests, too: `requests.get(url, auth=session.auth)` with a session of genauth_sync.

    If the API answers 401, the session refreshes the token, and the request is sent once more. All refused requests
    share that refresh. A request with a streamed body cannot be repeated: the caller gets its 401, and the next request
    has the new token. An origin that refuses the new token, too, causes no refresh for 10 seconds: the caller gets its
    401. A redirect to another origin goes without the token. The exception is a redirect from http to https on the same
    loopback host with default ports, which httpx treats as the same origin.

    The client sends the token to any address that it is given; `for_origins` restricts that. Plain http:// is refused,
    except to this machine, and there if the environment has a proxy for it: the proxy would see the token. A proxy that
    is given to the client itself is not seen here.

    It is an `httpx.Auth`, and an `httpx2.Auth` if httpx2 is imported.
    """

    def __init__(
        self, session: Session, origins: frozenset[str] | None = None, *, allow_insecure_http: bool = False
    ) -> None:
        self._session = session
        self._origins = origins
        self._allow_insecure_http = allow_insecure_http
        self._is_blocking = not inspect.iscoroutinefunction(session.access_token)

    def __repr__(self) -> str:
        where = "" if self._origins is None else f" for {', '.join(sorted(self._origins))}"
        return f"<SessionAuth of {self._session!r}{where}>"

    @staticmethod
    def of(session: Session) -> SessionAuth:
        """Create the authentication of a session for the libraries imported so far."""
        return _class_for(*_libraries())(session)

    def for_origins(self, *origins: str, allow_insecure_http: bool = False) -> SessionAuth:
        """Return a copy restricted to these origins; requests to any other are sent without the token.

        Args:
            origins: such as "https://api.example.com" or "http://localhost:8000". Subdomains are other origins.
            allow_insecure_http: send the token unencrypted to those of these origins that are http://, such as
                "http://orders.svc.cluster.local", and through proxies: every machine on the way can read it.

        Raises:
            ConfigurationError: one is no origin, or is plain http:// on another machine; or none is given.
        """
        if not origins:
            raise ConfigurationError("origins", "must not be empty: the token would go nowhere")
        require_bool("allow_insecure_http", allow_insecure_http)
        checked = frozenset(_checked_origin(origin, allow_insecure_http=allow_insecure_http) for origin in origins)
        return type(self)(self._session, checked, allow_insecure_http=allow_insecure_http)

    def __call__(self, request: _Request) -> _Request:
        """Set the token of a request of the library requests, which calls this before it sends it."""
        prepared: Any = request
        if self._may_go_to(_url(prepared.url)):
            _bear(prepared, self._wait(self._session.access_token))
            prepared.register_hook("response", self._resend)
        return request

    def _resend(self, response: Any, **options: Any) -> Any:
        """Return a response of requests, or that to the same request with a new token."""
        refused = response.request
        url = _url(refused.url)
        is_borne = str(refused.headers.get("Authorization", "")).startswith("Bearer ")
        if response.status_code != _UNAUTHORIZED or not is_borne or not self._may_go_to(url):
            return response
        self._wait(self._session.invalidate, _borne(refused), _origin(url))
        can_be_repeated = isinstance(refused.body, (str, bytes, type(None)))
        if not (can_be_repeated and _bear(refused, self._wait(self._session.access_token))):
            return response
        response.content  # noqa: B018 - read, so that the connection can be used again
        response.close()
        again = response.connection.send(refused.copy(), **options)
        again.history.append(response)
        return again

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        """Run the flow for httpx.Client."""
        # Keep tokens out of local variables: tracebacks show them.
        if not self._may_go_to(request.url):
            yield request
            return
        _bear(request, self._wait(self._session.access_token))
        response = yield request
        if not _is_refused(response, request):
            return
        refused = response.request
        self._wait(self._session.invalidate, _borne(refused), _origin(refused.url))
        if _can_be_repeated(refused) and _bear(refused, self._wait(self._session.access_token)):
            yield refused

    async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
        """Run the flow for httpx.AsyncClient."""
        if not self._may_go_to(request.url):
            yield request
            return
        _bear(request, await self._await(self._session.access_token))
        response = yield request
        if not _is_refused(response, request):
            return
        refused = response.request
        await self._await(self._session.invalidate, _borne(refused), _origin(refused.url))
        if _can_be_repeated(refused) and _bear(refused, await self._await(self._session.access_token)):
            yield refused

    def _may_go_to(self, url: Any) -> bool:
        """Return True if a request to this URL is to have the token.

        Raises:
            ConfigurationError: others could read it on its way.
        """
        if self._origins is not None and _origin(url) not in self._origins:
            return False
        if not self._allow_insecure_http:
            _check_scheme(url)
            _check_proxy(url)
        return True

    def _wait(self, method: Callable[..., Any], *arguments: str) -> Any:
        if self._is_blocking:
            return method(*arguments)
        try:
            from_thread.check_cancelled()
        except RuntimeError:
            raise ConfigurationError(
                "auth",
                "of an async session must be used with an httpx.AsyncClient, not a blocking httpx.Client or requests; "
                "use the auth of a genauth_sync session, or run it in a worker thread of anyio.to_thread.run_sync",
            ) from None
        return from_thread.run(method, *arguments)

    async def _await(self, method: Callable[..., Any], *arguments: str) -> Any:
        if self._is_blocking:
            # A cancelled caller need not wait: a refresh in progress is completed and stored without it.
            return await to_thread.run_sync(method, *arguments, abandon_on_cancel=True)
        return await method(*arguments)


@functools.cache
def _class_for(*libraries: str) -> type[SessionAuth]:
    """Create SessionAuth as a subclass of those libraries' Auth, which their clients require."""
    bases = [SessionAuth, *(import_module(library).Auth for library in libraries)]
    return type("SessionAuth", tuple(bases), {"__module__": __name__, "__doc__": SessionAuth.__doc__})


def _libraries() -> list[str]:
    """Return the libraries imported so far, or httpx."""
    return [name for name in ("httpx", "httpx2") if name in sys.modules] or ["httpx"]


def _origin(url: Any) -> str:
    """Return the origin of a library's URL, which omits default ports but keeps IPv6 addresses as written."""
    return f"{url.scheme}://{url.netloc.decode('ascii').lower()}"


def _url(text: str) -> Any:
    """Return the text as a URL of the library whose URLs this module reads."""
    return import_module(_libraries()[0]).URL(text)


def _checked_origin(text: str, *, allow_insecure_http: bool) -> str:
    library = import_module(_libraries()[0])
    try:
        url = library.URL(text)
    except (TypeError, library.InvalidURL) as error:
        raise ConfigurationError("origins", f"must be URLs: {error}") from None
    is_whole = url.raw_path == b"/" and not (url.userinfo or url.fragment)
    if url.scheme not in {"http", "https", "ws", "wss"} or not url.host or "*" in url.host or not is_whole:
        raise ConfigurationError("origins", "must be scheme, host and port only, such as https://api.example.com")
    if not allow_insecure_http:
        _check_scheme(url)
    return _origin(url)


def _check_scheme(url: Any) -> None:
    if url.scheme in {"http", "ws"} and not is_loopback(url.host):
        raise ConfigurationError(
            "auth",
            f"must not send the access token to {url.host} unencrypted; use {url.scheme}s://, or, inside a cluster, "
            f'auth.for_origins("{_origin(url)}", allow_insecure_http=True)',
        )


def _check_proxy(url: Any) -> None:
    """Refuse plain http to this machine through the environment's proxy.

    NO_PROXY counts only if it names the host as such, since the libraries differ about everything else in it.
    """
    if url.scheme not in {"http", "ws"}:
        return
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    if not (proxies.get("http") or proxies.get("all")):
        return
    named = re.split(r"[\s,]+", proxies.get("no", "").lower())
    if not ({"*", url.host, f"[{url.host}]"} & set(named) or ("no" not in proxies and proxy_bypass(url.host))):
        raise ConfigurationError(
            "auth",
            f"must not send the access token for {url.host} to the environment's proxy unencrypted; add {url.host} to "
            f'NO_PROXY, or, for a client that uses no proxy, auth.for_origins("{_origin(url)}", '
            "allow_insecure_http=True)",
        )


def _bear(request: Any, token: str) -> bool:
    """Set the request's bearer token; return True if that changed it."""
    before = request.headers.get("Authorization")
    request.headers["Authorization"] = f"Bearer {token}"
    return bool(request.headers["Authorization"] != before)


def _borne(request: Any) -> str:
    return str(request.headers["Authorization"]).removeprefix("Bearer ")


def _is_refused(response: Any, request: Any) -> bool:
    """Return True if the API refused the token, rather than a redirect's target that was not sent it."""
    borne = response.request.headers.get("Authorization")
    return bool(response.status_code == _UNAUTHORIZED and borne == request.headers["Authorization"])


def _can_be_repeated(request: Any) -> bool:
    """Return True if the body is in memory; httpx and httpx2 each have a class for that."""
    return type(request.stream).__name__ == "ByteStream"
