"""Everything configurable, validated once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Final, Literal, NoReturn, Protocol, TypeVar, get_args
from urllib.parse import urlsplit

from attrs import field, frozen

from ._masking import masked
from ._retry import RetryPolicy
from .errors import ConfigurationError

ClientAuthMethod = Literal["client_secret_post", "client_secret_basic", "none"]
ProtocolType = Literal["oidc", "oauth", "saml", "cas"]
HeaderPrefix = Literal["x-genauth", "x-authing"]

DEFAULT_HOST: Final = "https://api.genauth.ai"
DEFAULT_WEBSOCKET_HOST: Final = "wss://events.genauth.ai"
_MILLISECONDS_LIKELY: Final = 1000.0
_CONNECT_SECONDS: Final = 5.0

_EnumT = TypeVar("_EnumT", bound=str)


class PhaseTimeouts(Protocol):
    """What an httpx.Timeout and an httpx2.Timeout have in common: seconds for each phase, or None for no limit."""

    @property
    def connect(self) -> float | None: ...
    @property
    def read(self) -> float | None: ...
    @property
    def write(self) -> float | None: ...
    @property
    def pool(self) -> float | None: ...


Timeout = float | PhaseTimeouts
"""Seconds for a whole call, all tries included; or an httpx.Timeout, whose phases are kept and add up to the whole."""


@frozen
class Deadline:
    """A timeout, made precise. All in seconds.

    Attributes:
        total: for the whole call, all tries included.
        phases: for each phase of one try, by httpx's names.
    """

    total: float
    phases: Mapping[str, float]


def deadline(timeout: Timeout, argument: str = "timeout") -> Deadline:
    """Makes a timeout precise.

    Raises:
        ConfigurationError: it is not positive, unlimited, or looks like milliseconds.
    """
    if isinstance(timeout, (int, float)):
        if not 0 < timeout < _MILLISECONDS_LIKELY:
            hint = "; this looks like milliseconds" if timeout >= _MILLISECONDS_LIKELY else ""
            raise ConfigurationError(argument, f"is in seconds, above 0 and below 1000, not {timeout!r}{hint}")
        seconds = float(timeout)
        # Shorter for connecting, so that an unreachable host is told apart from a slow answer, and tried again safely.
        return Deadline(
            seconds, {"connect": min(seconds, _CONNECT_SECONDS), "read": seconds, "write": seconds, "pool": seconds}
        )
    phases: dict[str, float] = {}
    for name in ("connect", "read", "write", "pool"):
        seconds_or_none = getattr(timeout, name, None)
        if not isinstance(seconds_or_none, (int, float)) or seconds_or_none <= 0:
            raise ConfigurationError(
                argument, f"takes seconds or an httpx.Timeout without unlimited phases; {name} is {seconds_or_none!r}"
            )
        phases[name] = float(seconds_or_none)
    return Deadline(sum(phases.values()), phases)


@frozen
class Clock:
    """Where time comes from; tests hand in their own.

    Attributes:
        monotonic: seconds that never go back; expiry is measured with it.
        wall: seconds since the epoch; used where a time has to mean something to another process.
    """

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time


@frozen(kw_only=True)
class Settings:
    """A client's configuration; AuthenticationClient's parameters say what each means."""

    app_id: str
    app_host: str
    issuer: str
    app_secret: str | None = field(default=None, repr=masked)
    access_token: str | None = field(default=None, repr=masked)
    timeout: Deadline
    refresh_timeout: float = 30.0
    protocol: ProtocolType = "oidc"
    token_endpoint_auth_method: ClientAuthMethod = "client_secret_post"  # noqa: S105 - a method, not a secret
    introspection_endpoint_auth_method: ClientAuthMethod = "client_secret_post"
    revocation_endpoint_auth_method: ClientAuthMethod = "client_secret_post"
    redirect_uri: str | None = None
    post_logout_redirect_uri: str | None = None
    lang: str | None = None
    websocket_host: str | None = None
    websocket_endpoint: str = "/events/v1/authentication/sub"
    real_ip: str | None = None
    user_pool_id: str | None = None
    header_prefix: HeaderPrefix = "x-genauth"
    retry: RetryPolicy = field(factory=RetryPolicy)
    max_response_bytes: int = 4 * 1024 * 1024
    clock: Clock = field(factory=Clock, repr=False)

    def __attrs_post_init__(self) -> None:
        for argument in (
            "app_id",
            "app_secret",
            "access_token",
            "lang",
            "websocket_endpoint",
            "real_ip",
            "user_pool_id",
        ):
            value = getattr(self, argument)
            if value is not None and not isinstance(value, str):
                raise ConfigurationError(argument, f"is text, not {type(value).__name__}")
        if not self.app_id:
            raise ConfigurationError("app_id", "is empty; the GenAuth console shows it on the application's page")
        if not isinstance(self.issuer, str) or not self.issuer:
            raise ConfigurationError("issuer", "is text, exactly as the tokens have it")
        self._check_authentication()
        for argument in ("app_id", "lang", "real_ip", "user_pool_id"):
            value = getattr(self, argument)
            if value is not None and not (value.isascii() and value.isprintable()):
                raise ConfigurationError(argument, "goes into a header, and can have printable ASCII characters only")
        if not isinstance(self.retry, RetryPolicy):
            raise ConfigurationError("retry", f"takes a RetryPolicy, not {type(self.retry).__name__}")
        if not isinstance(self.clock, Clock):
            raise ConfigurationError("clock", f"takes a Clock, not {type(self.clock).__name__}")
        if not isinstance(self.max_response_bytes, int) or self.max_response_bytes <= 0:
            raise ConfigurationError("max_response_bytes", f"is a number above 0, not {self.max_response_bytes!r}")

    def _check_authentication(self) -> None:
        for name in ("token", "introspection", "revocation"):
            argument = f"{name}_endpoint_auth_method"
            method = one_of(argument, getattr(self, argument), get_args(ClientAuthMethod))
            if method != "none" and not self.app_secret:
                raise ConfigurationError(
                    "app_secret",
                    f"is needed for {argument}={method!r}; pass the application's secret, or {argument}='none' if the "
                    "application is a public client",
                )
        if self.app_secret is not None and self.app_secret != self.app_secret.encode("utf-8", "ignore").decode():
            raise ConfigurationError("app_secret", "has half a character (a lone surrogate)")

    def __reduce__(self) -> NoReturn:
        raise TypeError("Settings hold the application's secret and are not pickled; make a client in each process")

    def oauth_path(self, *rest: str) -> tuple[str, ...]:
        """The path of an OAuth endpoint, which depends on the application's protocol."""
        return ("oidc" if self.protocol == "oidc" else "oauth", *rest)


def one_of(argument: str, value: str, allowed: tuple[_EnumT, ...]) -> _EnumT:
    """The value as one of those allowed.

    Raises:
        ConfigurationError: it is none of them.
    """
    for known in allowed:
        if known == value:
            return known
    raise ConfigurationError(argument, f"must be one of {', '.join(allowed)}, not {value!r}")


def checked_host(app_host: str | None, *, allow_insecure_http: bool) -> str:
    """The application's base URL without a trailing slash.

    Raises:
        ConfigurationError: it is no base URL, or plain http to another machine.
    """
    exposed = None if allow_insecure_http else "passwords and tokens"
    example = "the application's address, like https://example.genauth.ai"
    url = DEFAULT_HOST if app_host is None else app_host
    return _checked_origin("app_host", url, "http", example, exposed)


def checked_websocket_host(websocket_host: str | None, *, allow_insecure_http: bool) -> str | None:
    """The event server's base URL without a trailing slash; None if none was given.

    Raises:
        ConfigurationError: it is no base URL, or plain ws to another machine.
    """
    if websocket_host is None:
        return None
    exposed = None if allow_insecure_http else "access tokens"
    example = f"the event server's address, like {DEFAULT_WEBSOCKET_HOST}"
    return _checked_origin("websocket_host", websocket_host, "ws", example, exposed)


def _checked_origin(argument: str, url: str, scheme: str, example: str, exposed: str | None) -> str:
    """A base URL without a trailing slash.

    Args:
        argument: where it comes from, for messages.
        url: what was given.
        scheme: the plain one; with an s at its end it is the secure one.
        example: what it should be, for messages.
        exposed: what the plain scheme would show to others, or None if it may.
    """
    if not isinstance(url, str):
        raise ConfigurationError(argument, f"is text, not {type(url).__name__}: {example}")
    host = url.strip().rstrip("/")
    try:
        parts = urlsplit(host)
        name, _port = parts.hostname, parts.port
        (name or "").encode("idna")
    except ValueError as error:
        raise ConfigurationError(argument, f"is not a URL: {error}") from error
    if parts.scheme not in {scheme, f"{scheme}s"} or not name:
        raise ConfigurationError(argument, f"must be {example}")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(argument, "must not have a user name or password in it")
    if parts.path or parts.query or parts.fragment:
        raise ConfigurationError(argument, f"takes the host alone: {parts.scheme}://{parts.netloc}")
    if parts.scheme == scheme and exposed is not None and not is_loopback(name):
        raise ConfigurationError(
            argument,
            f"{scheme}:// would send {exposed} to {name} unencrypted; use {scheme}s://, or pass "
            "allow_insecure_http=True if the network in between is trusted",
        )
    return host


def is_loopback(name: str) -> bool:
    """Whether a host name means this machine."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


_ENVIRONMENT: Final = {
    "GENAUTH_APP_ID": "app_id",
    "GENAUTH_APP_HOST": "app_host",
    "GENAUTH_APP_SECRET": "app_secret",
    "GENAUTH_ISSUER": "issuer",
    "GENAUTH_PROTOCOL": "protocol",
    "GENAUTH_TOKEN_ENDPOINT_AUTH_METHOD": "token_endpoint_auth_method",
    "GENAUTH_INTROSPECTION_ENDPOINT_AUTH_METHOD": "introspection_endpoint_auth_method",
    "GENAUTH_REVOCATION_ENDPOINT_AUTH_METHOD": "revocation_endpoint_auth_method",
    "GENAUTH_REDIRECT_URI": "redirect_uri",
    "GENAUTH_POST_LOGOUT_REDIRECT_URI": "post_logout_redirect_uri",
    "GENAUTH_LANG": "lang",
    "GENAUTH_WEBSOCKET_HOST": "websocket_host",
    "GENAUTH_USER_POOL_ID": "user_pool_id",
    "GENAUTH_HEADER_PREFIX": "header_prefix",
}


def settings_from_environment(environ: Mapping[str, str] | None) -> dict[str, str]:
    """The client parameters that the environment sets, by their names.

    Raises:
        ConfigurationError: GENAUTH_APP_ID is missing.
    """
    environ = os.environ if environ is None else environ
    found = {parameter: environ[name] for name, parameter in _ENVIRONMENT.items() if environ.get(name)}
    if "app_id" not in found:
        raise ConfigurationError("GENAUTH_APP_ID", "is not set in the environment")
    return found
