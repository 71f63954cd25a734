"""Everything configurable, validated once."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal, NoReturn, get_args

from attrs import field, frozen, validators

from ._arguments.text import one_of
from ._arguments.timeouts import Deadline, Timeout
from ._core.redaction import masked
from .errors import ConfigurationError

__all__ = ["ClientAuthMethod", "Clock", "HeaderPrefix", "ProtocolType", "RetryPolicy", "Settings", "Timeout"]

ClientAuthMethod = Literal["client_secret_post", "client_secret_basic", "none"]
ProtocolType = Literal["oidc", "oauth", "saml", "cas"]
HeaderPrefix = Literal["x-genauth", "x-authing"]


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
class RetryPolicy:
    """How often and how patiently a call is tried again.

    Which outcomes are tried again does not depend on this, but on what a second try could do: a connection that was
    never made and 429 always are; 503 and a lost answer only where the call reads, never for a refresh, a code
    exchange, a sign-up or a message sent.

    Attributes:
        attempts: tries in all; 1 turns retrying off.
        backoff: seconds before the second try at most; doubles with each further one. The wait is drawn evenly between
            zero and this, so that clients do not come back all at once.
        max_backoff: seconds between two tries at most.
        max_retry_after: the longest Retry-After, in seconds, that is waited for; a longer one is raised to the caller.
    """

    attempts: int = field(default=3, validator=validators.ge(1))
    backoff: float = field(default=0.25, validator=validators.ge(0))
    max_backoff: float = field(default=4.0, validator=validators.ge(0))
    max_retry_after: float = field(default=20.0, validator=validators.ge(0))


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
