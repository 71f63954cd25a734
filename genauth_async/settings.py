"""Settings of a client, validated once."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final, Literal, NoReturn, get_args

from attrs import Attribute, field, frozen

from ._arguments.numbers import require_int, require_seconds
from ._arguments.text import described, one_of, require_token
from ._arguments.timeouts import Deadline, Timeout
from ._core.redaction import redact
from .errors import ConfigurationError

__all__ = [
    "ClientAuthMethod",
    "Clock",
    "HeaderPrefix",
    "IDTokenAlgorithm",
    "ProtocolType",
    "RetryPolicy",
    "Settings",
    "Timeout",
]

ClientAuthMethod = Literal["client_secret_post", "client_secret_basic", "none"]
ProtocolType = Literal["oidc", "oauth", "saml", "cas"]
HeaderPrefix = Literal["x-genauth", "x-authing"]
IDTokenAlgorithm = Literal["RS256", "HS256"]


@frozen
class Clock:
    """The source of time; tests pass their own.

    Attributes:
        monotonic: seconds that never decrease; expiry is measured with it.
        wall: seconds since the epoch, for times that other processes read.
    """

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time


def _check_seconds(_policy: object, attribute: Attribute[Any], value: object) -> None:
    require_seconds(attribute.name, value)


def _check_attempts(_policy: object, attribute: Attribute[Any], value: object) -> None:
    require_int(attribute.name, value)


@frozen(kw_only=True)
class RetryPolicy:
    """The number of attempts for a call, and the waits between them.

    It does not select the outcomes that are retried; the effect of a repeated request does. A connection that was never
    made and a 429 are always retried. A 503 and a lost answer are retried only if the call just reads: never for a
    refresh, a code exchange, a sign-up or a message sent. A TokenSession has rules of its own for refreshes.

    Attributes:
        attempts: attempts in all; 1 turns retrying off.
        backoff: the longest wait before the second attempt, in seconds; it doubles with each further attempt. The wait
            is drawn uniformly from zero to this, so that clients do not return all at once.
        max_backoff: the longest wait between two attempts, in seconds.
        max_retry_after: the longest Retry-After, in seconds, that is waited for; a longer one is raised to the caller.

    Raises:
        ConfigurationError: `attempts` is not an int above 0, or another attribute not a finite number of seconds.
    """

    attempts: int = field(default=3, validator=_check_attempts)
    backoff: float = field(default=0.25, validator=_check_seconds)
    max_backoff: float = field(default=4.0, validator=_check_seconds)
    max_retry_after: float = field(default=20.0, validator=_check_seconds)


_TEXTS: Final = (
    "app_id",
    "app_secret",
    "access_token",
    "redirect_uri",
    "post_logout_redirect_uri",
    "lang",
    "websocket_endpoint",
    "real_ip",
    "user_pool_id",
)


@frozen(kw_only=True)
class Settings:
    """A client's settings; AuthenticationClient documents each parameter."""

    app_id: str
    app_host: str
    issuer: str
    app_secret: str | None = field(default=None, repr=redact)
    access_token: str | None = field(default=None, repr=redact)
    timeout: Deadline
    refresh_timeout: float = 30.0
    resend_refresh_token: bool = True
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
    id_token_signed_response_alg: IDTokenAlgorithm | None = None
    require_callback_iss: bool = False

    def __attrs_post_init__(self) -> None:
        for argument in _TEXTS:
            value = getattr(self, argument)
            if value is not None and not isinstance(value, str):
                raise ConfigurationError(argument, f"must be a str, not {described(value)}")
        if not self.app_id:
            raise ConfigurationError("app_id", "must not be empty; see the application's page in the GenAuth console")
        if not isinstance(self.issuer, str) or not self.issuer:
            raise ConfigurationError("issuer", "must be a str that is not empty, exactly as in the tokens")
        self._check_authentication()
        self._check_sent_texts()
        if not isinstance(self.retry, RetryPolicy):
            raise ConfigurationError("retry", f"must be a RetryPolicy, not {type(self.retry).__name__}")
        if not isinstance(self.clock, Clock):
            raise ConfigurationError("clock", f"must be a Clock, not {type(self.clock).__name__}")
        require_int("max_response_bytes", self.max_response_bytes)

    def _check_authentication(self) -> None:
        for name in ("token", "introspection", "revocation"):
            argument = f"{name}_endpoint_auth_method"
            method = one_of(argument, getattr(self, argument), get_args(ClientAuthMethod))
            if method != "none" and not self.app_secret:
                raise ConfigurationError(
                    "app_secret",
                    f"must be set for {argument}={method!r}; pass the application's secret, or {argument}='none' if "
                    "the application is a public client",
                )
        if self.id_token_signed_response_alg == "HS256" and not self.app_secret:  # noqa: S105 - no secret
            problem = "must be set for id_token_signed_response_alg='HS256', which it verifies; or pass 'RS256'"
            raise ConfigurationError("app_secret", problem)
        if self.app_secret is not None and self.app_secret != self.app_secret.encode("utf-8", "ignore").decode():
            raise ConfigurationError("app_secret", "contains a lone surrogate")

    def _check_sent_texts(self) -> None:
        for argument in ("app_id", "lang", "real_ip", "user_pool_id"):
            value = getattr(self, argument)
            if value is not None and not (value.isascii() and value.isprintable()):
                raise ConfigurationError(argument, "must be printable ASCII, since it is sent in a header")
        if self.access_token:
            require_token(self.access_token)
        if not self.websocket_endpoint.isprintable():
            raise ConfigurationError("websocket_endpoint", "must be a path without line breaks and control characters")

    def __reduce__(self) -> NoReturn:
        raise TypeError("Settings hold the application's secret and are not pickled; create a client in each process")

    def oauth_path(self, *rest: str) -> tuple[str, ...]:
        """Return the path of an OAuth endpoint, which depends on the application's protocol."""
        return ("oidc" if self.protocol == "oidc" else "oauth", *rest)
