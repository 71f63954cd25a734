"""AuthenticationClient: settings, transport and the areas of the API."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self, get_args

from attrs import evolve

from ._arguments.environment import errors_name_variables, settings_from_environment
from ._arguments.numbers import require_bool
from ._arguments.text import one_of, stripped
from ._arguments.timeouts import deadline
from ._arguments.urls import require_app_host, require_websocket_host
from ._http.client_provider import ClientProvider, ConnectionOptions
from ._http.proxies import checked_proxy
from ._http.tls import Verify, checked_verify, warn_if_unverified
from ._http.transport import Transport
from ._http.types import AsyncHTTPClient, AsyncHTTPTransport
from ._session.token_sets import TokensLike
from .api._shared import Shared
from .api.account import Account
from .api.call import Call
from .api.contacts import Contacts
from .api.devices import Devices
from .api.events import Events
from .api.fastpass import Fastpass
from .api.identities import Identities
from .api.invitations import Invitations
from .api.messages import Messages
from .api.mfa import MFA
from .api.mini_programs import MiniPrograms
from .api.mobile import MobileSignIn
from .api.passkeys import Passkeys
from .api.permissions import Permissions
from .api.profile import Profile
from .api.public_accounts import PublicAccounts
from .api.push import Push
from .api.qrcode import QRCode
from .api.resources import Resources
from .api.signin import SignIn
from .api.signup import SignUp
from .api.system import System
from .api.webauthn import WebAuthn
from .api.wechat import Wechat
from .errors import ConfigurationError
from .oidc.cas import CAS
from .oidc.redirects import Redirects
from .session import OnTokens, TokenSession
from .settings import (
    ClientAuthMethod,
    Clock,
    HeaderPrefix,
    IDTokenAlgorithm,
    ProtocolType,
    RetryPolicy,
    Settings,
    Timeout,
)
from .stores import TokenStore


class AuthenticationClient(
    SignIn,
    SignUp,
    MobileSignIn,
    QRCode,
    Push,
    Fastpass,
    Passkeys,
    WebAuthn,
    Wechat,
    MFA,
    Messages,
    Profile,
    Account,
    Contacts,
    Identities,
    PublicAccounts,
    Devices,
    Resources,
    Permissions,
    Events,
    Invitations,
    MiniPrograms,
    System,
    Call,
    Redirects,
    CAS,
):
    """One application of a GenAuth user pool. It holds no user: create one and share it among all tasks.

    The constructor only checks its arguments; blanks around texts are removed, and hosts normalized. Connections
    are opened on first use and kept; close the client with `async with` or `aclose`. Signed-in users are TokenSessions
    (`client.session`).

    Args:
        app_id: the application's id.
        app_host: the application's address, such as https://example.genauth.ai.
        app_secret: the application's secret; required unless `token_endpoint_auth_method` is `none` (a public client).
        access_token: a user's access token for every call that needs one, for scripts; services use sessions.
        timeout: seconds for a whole call, retries included; or an httpx.Timeout, for the phases of each attempt.
        protocol: the application's protocol: oidc, oauth, saml or cas. It determines the paths of the OAuth endpoints.
        token_endpoint_auth_method: client authentication at the token endpoint: client_secret_post,
            client_secret_basic or none (RFC 6749 section 2.3). `none` is the other endpoints' default then, too.
        introspection_endpoint_auth_method: the same at the introspection endpoint.
        revocation_endpoint_auth_method: the same at the revocation endpoint.
        redirect_uri: the address to which the hosted sign-in page sends the user back.
        post_logout_redirect_uri: the address to which the hosted sign-out page sends the user back.
        use_unverified_ssl: the same as verify=False, under the vendor's name.
        lang: the language of the server's messages: zh-CN or en-US.
        websocket_host: the event server, such as wss://events.example.com; when None and app_host is under genauth.ai
            or authing.cn, the cloud's.
        websocket_endpoint: the path of its events.
        real_ip: the user's address, for the user pool's limits and policies; else the server sees this machine's.
        user_pool_id: sent to deployments that require it.
        header_prefix: x-genauth, or x-authing for private deployments of the older brand.
        verify: True for the operating system's trust store; a file or directory with CA certificates in PEM; an
            ssl.SSLContext; or False, which lets any machine in between read passwords and tokens, and is logged. A path
            is read by the constructor.
        reject_unauthorized: the name of verify in the vendor's Node SDK.
        proxy: a proxy's URL, such as http://proxy.example:3128 or its host and port; when None, the environment's
            (HTTPS_PROXY, ALL_PROXY, NO_PROXY).
        allow_insecure_http: accept http:// and ws:// to another machine.
        transport: an httpx transport to use instead of own connections, such as httpx.ASGITransport. The caller closes
            it.
        http_client: an httpx.AsyncClient to use instead of an own one. The caller closes it; its settings for TLS,
            proxies and connections apply.
        retry: the number and the delays of retries, where a retry is safe.
        refresh_timeout: seconds for a session's refresh, which no caller's cancellation or timeout cuts short.
        resend_refresh_token: send a refresh token again after its answer was lost. If the server takes that for theft,
            the user has to sign in again. If False, the session ends instead, once the access token has expired: for
            servers that raise an alarm.
        max_response_bytes: the maximum length of a response; a longer one is an error.
        clock: the source of time, for tests.
        issuer: the exact issuer (iss) that tokens must name; {app_host}/oidc when None.
        id_token_signed_response_alg: the only algorithm that ID tokens may be signed with: RS256 or HS256; either when
            None, HS256 only with an app_secret.
        require_callback_iss: refuse callbacks of the hosted page that do not name their issuer (RFC 9207).

    Raises:
        ConfigurationError: an argument is invalid; the message names it and the remedy.
    """

    def __init__(
        self,
        app_id: str,
        app_host: str | None = None,
        app_secret: str | None = None,
        access_token: str | None = None,
        timeout: Timeout = 10.0,
        protocol: ProtocolType | None = None,
        token_endpoint_auth_method: ClientAuthMethod | None = None,
        introspection_endpoint_auth_method: ClientAuthMethod | None = None,
        revocation_endpoint_auth_method: ClientAuthMethod | None = None,
        redirect_uri: str | None = None,
        post_logout_redirect_uri: str | None = None,
        use_unverified_ssl: bool = False,
        lang: str | None = None,
        websocket_host: str | None = None,
        websocket_endpoint: str | None = None,
        real_ip: str | None = None,
        *,
        user_pool_id: str | None = None,
        header_prefix: HeaderPrefix = "x-genauth",
        verify: Verify = True,
        reject_unauthorized: bool = True,
        proxy: str | None = None,
        allow_insecure_http: bool = False,
        transport: AsyncHTTPTransport | None = None,
        http_client: AsyncHTTPClient | None = None,
        retry: RetryPolicy | None = None,
        refresh_timeout: float = 30.0,
        resend_refresh_token: bool = True,
        max_response_bytes: int = 4 * 1024 * 1024,
        clock: Clock | None = None,
        issuer: str | None = None,
        id_token_signed_response_alg: IDTokenAlgorithm | None = None,
        require_callback_iss: bool = False,
    ) -> None:
        is_switched_off = require_bool("use_unverified_ssl", use_unverified_ssl)
        is_switched_off |= not require_bool("reject_unauthorized", reject_unauthorized)
        trust = checked_verify(verify, is_switched_off=is_switched_off)
        require_bool("allow_insecure_http", allow_insecure_http)
        host = require_app_host(app_host, allow_insecure_http=allow_insecure_http)
        # A public client has no secret for any endpoint.
        by_default: ClientAuthMethod = "none" if token_endpoint_auth_method == "none" else "client_secret_post"  # noqa: S105 - methods
        settings = Settings(
            # Blanks around a text come from files and environments: a secret, say, with its line break.
            app_id=stripped(app_id),
            app_host=host,
            app_secret=stripped(app_secret),
            access_token=stripped(access_token),
            timeout=deadline(timeout),
            refresh_timeout=deadline(refresh_timeout, "refresh_timeout").total,
            resend_refresh_token=require_bool("resend_refresh_token", resend_refresh_token),
            protocol=one_of("protocol", protocol or "oidc", get_args(ProtocolType)),
            token_endpoint_auth_method=token_endpoint_auth_method or by_default,
            introspection_endpoint_auth_method=introspection_endpoint_auth_method or by_default,
            revocation_endpoint_auth_method=revocation_endpoint_auth_method or by_default,
            redirect_uri=stripped(redirect_uri),
            post_logout_redirect_uri=stripped(post_logout_redirect_uri),
            lang=lang,
            websocket_host=require_websocket_host(websocket_host, allow_insecure_http=allow_insecure_http),
            websocket_endpoint=stripped(websocket_endpoint) or "/events/v1/authentication/sub",
            real_ip=real_ip,
            user_pool_id=stripped(user_pool_id),
            header_prefix=one_of("header_prefix", header_prefix, get_args(HeaderPrefix)),
            retry=RetryPolicy() if retry is None else retry,
            max_response_bytes=max_response_bytes,
            clock=Clock() if clock is None else clock,
            issuer=f"{host}/oidc" if issuer is None else stripped(issuer),
            id_token_signed_response_alg=None
            if id_token_signed_response_alg is None
            else one_of("id_token_signed_response_alg", id_token_signed_response_alg, get_args(IDTokenAlgorithm)),
            require_callback_iss=require_bool("require_callback_iss", require_callback_iss),
        )
        own_connections_only = {"verify": trust is not True, "proxy": proxy is not None}
        for argument, given in own_connections_only.items():
            if given and (transport is not None or http_client is not None):
                problem = "must not be given with a transport or http_client of yours; set it there"
                raise ConfigurationError(argument, problem)
        if transport is not None and http_client is not None:
            raise ConfigurationError("transport", "must not be given with http_client; give the client its transport")
        proxy = None if proxy is None else checked_proxy(proxy)
        provider = ClientProvider(
            ConnectionOptions(
                origin=settings.app_host, verify=trust, proxy=proxy, transport=transport, http_client=http_client
            )
        )
        warn_if_unverified(trust, settings.app_host)
        super().__init__(settings, Shared(Transport(provider)))

    @classmethod
    def from_env(
        cls,
        environ: Mapping[str, str] | None = None,
        *,
        timeout: Timeout | None = None,
        refresh_timeout: float | None = None,
        resend_refresh_token: bool | None = None,
        max_response_bytes: int | None = None,
        websocket_endpoint: str | None = None,
        verify: Verify | None = None,
        proxy: str | None = None,
        allow_insecure_http: bool | None = None,
        transport: AsyncHTTPTransport | None = None,
        http_client: AsyncHTTPClient | None = None,
        retry: RetryPolicy | None = None,
    ) -> AuthenticationClient:
        """Create a client configured by the environment.

        It reads GENAUTH_APP_ID, GENAUTH_APP_HOST, GENAUTH_APP_SECRET, GENAUTH_ISSUER, GENAUTH_PROTOCOL,
        GENAUTH_REDIRECT_URI, GENAUTH_POST_LOGOUT_REDIRECT_URI, GENAUTH_LANG, GENAUTH_WEBSOCKET_HOST,
        GENAUTH_WEBSOCKET_ENDPOINT, GENAUTH_USER_POOL_ID, GENAUTH_HEADER_PREFIX, GENAUTH_TIMEOUT,
        GENAUTH_REFRESH_TIMEOUT, GENAUTH_RESEND_REFRESH_TOKEN, GENAUTH_MAX_RESPONSE_BYTES, GENAUTH_VERIFY,
        GENAUTH_PROXY, GENAUTH_ALLOW_INSECURE_HTTP, GENAUTH_ID_TOKEN_SIGNED_RESPONSE_ALG,
        GENAUTH_REQUIRE_CALLBACK_ISS and GENAUTH_TOKEN_ENDPOINT_AUTH_METHOD (and the same with
        INTROSPECTION and REVOCATION); each is the parameter of that name. An empty variable counts as not set, and
        blanks around a value are removed. Booleans are true, false, 1 or 0; GENAUTH_VERIFY is one, or a path. The
        parameters below are the constructor's; one that is given wins over its variable.

        Args:
            environ: a mapping to read instead of the process's environment.
            timeout: seconds for a whole call, or an httpx.Timeout.
            refresh_timeout: seconds for a session's refresh.
            resend_refresh_token: send a refresh token again after its answer was lost.
            max_response_bytes: the maximum length of a response.
            websocket_endpoint: the path of the event server's events.
            verify: the trust in servers, as in the constructor.
            proxy: an HTTP proxy's URL.
            allow_insecure_http: accept http:// and ws:// to another machine.
            transport: an httpx transport to use.
            http_client: an httpx.AsyncClient to use.
            retry: the number and the delays of retries.

        Raises:
            ConfigurationError: GENAUTH_APP_ID is missing, or a value is invalid; the message names the variable.
        """
        given: dict[str, Any] = {
            "timeout": timeout,
            "refresh_timeout": refresh_timeout,
            "resend_refresh_token": resend_refresh_token,
            "max_response_bytes": max_response_bytes,
            "websocket_endpoint": websocket_endpoint,
            "verify": verify,
            "proxy": proxy,
            "allow_insecure_http": allow_insecure_http,
        }
        found = settings_from_environment(environ, given)
        with errors_name_variables(except_for=[name for name, value in given.items() if value is not None]):
            return cls(**found, transport=transport, http_client=http_client, retry=retry)

    @property
    def settings(self) -> Settings:
        """Return the checked configuration."""
        return self._settings

    def with_options(
        self,
        *,
        timeout: Timeout | None = None,
        retry: RetryPolicy | None = None,
        access_token: str | None = None,
        lang: str | None = None,
        real_ip: str | None = None,
    ) -> AuthenticationClient:
        """Return a copy with other settings, for a user or a call. It shares the connections; do not close it.

        Args:
            timeout: seconds for a whole call, or an httpx.Timeout.
            retry: the number and the delays of retries.
            access_token: a user's, for every call that needs one.
            lang: the language of the server's messages.
            real_ip: the user's address.

        Raises:
            ConfigurationError: an argument is invalid.
        """
        present = self._settings
        return self._copied(
            timeout=present.timeout if timeout is None else deadline(timeout),
            retry=present.retry if retry is None else retry,
            access_token=present.access_token if access_token is None else stripped(access_token),
            lang=present.lang if lang is None else lang,
            real_ip=present.real_ip if real_ip is None else real_ip,
        )

    def session(
        self,
        tokens: TokensLike | None,
        *,
        store: TokenStore | None = None,
        key: str | None = None,
        leeway: float = 60.0,
        on_tokens: OnTokens | None = None,
        expires_at: float | None = None,
    ) -> TokenSession:
        """Create a signed-in user's session; the parameters are TokenSession's.

        Args:
            tokens: a sign-in response, a token response, a TokenSet, or a mapping with the same names. None: the tokens
                that the store has under the key.
            store: the store of the tokens; this process's memory when None.
            key: the session's name in the store; a digest of the refresh token when None. Processes that share a store
                must give one: their digests would differ after a refresh.
            leeway: seconds before its expiry from which the access token is refreshed.
            on_tokens: called (and awaited) with new tokens after they are stored and before any caller gets them.
            expires_at: the time (epoch seconds) from which the store may drop a session that begins with these tokens.

        Raises:
            ConfigurationError: an argument is invalid, or neither tokens nor store and key are given.
        """
        return TokenSession(
            self, tokens, store=store, key=key, leeway=leeway, on_tokens=on_tokens, expires_at=expires_at
        )

    def set_access_token(self, access_token: str) -> None:
        """Set the user's access token for every later call of this client that needs one.

        For scripts with one user, as with the vendor's SDK. Services with many users use sessions, or `access_token=`.

        Args:
            access_token: the user's.
        """
        self._settings = evolve(self._settings, access_token=stripped(access_token))

    async def aclose(self) -> None:
        """Close this client's connections and event streams, and with them its copies."""
        await self._shared.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        settings = getattr(self, "_settings", None)  # None before __init__ has run
        of = "" if settings is None else f" {settings.app_id!r} at {settings.app_host}"
        return f"<AuthenticationClient{of}>"
