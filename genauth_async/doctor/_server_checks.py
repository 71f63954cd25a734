"""Checks of the configuration, the connection, and the server's metadata."""

from __future__ import annotations

import secrets
import ssl
from importlib.util import find_spec
from typing import Final
from urllib.parse import urlsplit

import anyio
from anyio.streams.tls import TLSAttribute

from .._arguments.urls import is_loopback, require_redirect_uri
from .._http.tls import is_verified
from .._http.transport import Transport
from .._wire.request import Idempotency, Request
from .._wire.responses import Response, http_date, read_oauth
from ..api._base import parts_of
from ..client import AuthenticationClient
from ..errors import (
    ConfigurationError,
    GenAuthError,
    InvalidClientError,
    KeysUnavailableError,
)
from ..models._base import Dto
from ..models._fields import dto
from ..settings import Settings
from ._findings import Report

_SECONDS: Final = 10.0
_SKEW_SEEN: Final = 1.5
_SKEW_NOTED: Final = 5.0
_SKEW_REFUSED: Final = 60.0
_DAYS_NOTED: Final = 14


@dto
class _Discovery(Dto):
    """The checked part of the server's metadata (OpenID Connect Discovery section 3)."""

    wire_case = "snake"

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


async def examine_server(client: AuthenticationClient, report: Report) -> None:
    """Examine all but the stores; if the server cannot be reached, skip the checks that need it.

    Args:
        client: the application's.
        report: receives the findings.
    """
    settings, shared = parts_of(client)
    transport = shared.transport
    _configuration(settings, report)
    await _connection(settings, transport, report)
    path = settings.oauth_path(".well-known", "openid-configuration")
    request = Request(method="GET", path=path, idempotency=Idempotency.SAFE)
    try:
        asked_at = settings.clock.wall()
        response = await transport.send(request, settings, _SECONDS)
    except GenAuthError as error:
        report.wrong("server", f"{error}. The other checks of the server were skipped")
        return
    _clock(response, (asked_at + settings.clock.wall()) / 2, report)
    _discovery(response, settings, report)
    await _keys(client, report)
    await _application(client, report)
    await _password_keys(client, report)


def _configuration(settings: Settings, report: Report) -> None:
    carrier = "aiohttp" if find_spec("aiohttp") is not None else "httpx"
    report.ok("configuration", f"application {settings.app_id} at {settings.app_host}; {carrier} carries the requests")
    if carrier == "httpx":
        report.note(
            "speed", "for many concurrent calls, aiohttp has several times the throughput: genauth-async[aiohttp]"
        )
    uri = settings.redirect_uri
    if uri is None:
        report.note("redirect_uri", "is not set; signing in at the hosted page needs it")
        return
    try:
        require_redirect_uri("redirect_uri", uri)
    except ConfigurationError as error:
        report.wrong("redirect_uri", str(error).removeprefix("redirect_uri: "))
        return
    if urlsplit(uri).scheme != "https" and not is_loopback(urlsplit(uri).hostname or ""):
        report.wrong("redirect_uri", f"{uri} must be https, or other machines on the way can read the code")


async def _connection(settings: Settings, transport: Transport, report: Report) -> None:
    address = urlsplit(settings.app_host)
    host = address.hostname or ""
    if address.scheme != "https":
        if is_loopback(host):
            report.note("TLS", "none, on this machine")
        else:
            report.wrong("TLS", f"none: passwords and tokens go to {host} in clear; use https")
        return
    context = await transport.tls_context(secure=True)
    if context is None or not is_verified(context):
        report.wrong("TLS", "the server's certificate is not verified; any machine in between may read and change all")
        return
    try:
        with anyio.fail_after(_SECONDS):
            # Not every server closes TLS by the standard, which does no harm.
            stream = await anyio.connect_tcp(
                host, address.port or 443, tls=True, ssl_context=context, tls_standard_compatible=False
            )
            async with stream:
                version = stream.extra(TLSAttribute.tls_version)  # noqa: S610 - no Django
                certificate = stream.extra(TLSAttribute.peer_certificate, None) or {}  # noqa: S610
    except ssl.SSLCertVerificationError as error:
        report.wrong(
            "TLS",
            f"the certificate of {host} is not trusted: {error.verify_message}. If a proxy signs for it: "
            "verify='/path/to/ca.pem', or SSL_CERT_FILE in the environment",
        )
    except (OSError, TimeoutError, anyio.BrokenResourceError, anyio.EndOfStream) as error:
        report.note(
            "TLS", f"no direct connection to {host}: {str(error) or type(error).__name__}; perhaps through a proxy"
        )
    else:
        _certificate(certificate, f"{version}, certificate verified", settings, report)


def _certificate(certificate: object, seen: str, settings: Settings, report: Report) -> None:
    until = certificate.get("notAfter") if isinstance(certificate, dict) else None
    if not isinstance(until, str):
        report.ok("TLS", seen)
        return
    days = (ssl.cert_time_to_seconds(until) - settings.clock.wall()) / 86400
    verdict = report.ok if days > _DAYS_NOTED else report.note
    verdict("TLS", f"{seen}, valid for {days:.0f} more days")


def _clock(response: Response, now: float, report: Report) -> None:
    date = http_date(response.headers.get("date", ""))
    if date is None:
        report.note("clock", "the server's answer has no Date")
        return
    # The header has whole seconds, rounded down.
    behind = date + 0.5 - now
    direction = "behind" if behind > 0 else "ahead of"
    message = f"this machine's is {abs(behind):.1f} s {direction} the server's"
    if abs(behind) >= _SKEW_REFUSED:
        report.wrong("clock", f"{message}; tokens appear expired, or not yet valid. Set the clock (NTP)")
    elif abs(behind) >= _SKEW_NOTED:
        report.note("clock", f"{message}; up to {_SKEW_REFUSED:.0f} s are tolerated")
    elif abs(behind) >= _SKEW_SEEN:
        report.ok("clock", message)
    else:
        report.ok("clock", "it matches the server's")


def _discovery(response: Response, settings: Settings, report: Report) -> None:
    try:
        found = read_oauth(response, _Discovery)
    except GenAuthError as error:
        report.wrong("discovery", str(error))
        return
    if found.issuer != settings.issuer:
        report.wrong(
            "discovery",
            f"the issuer must be {settings.issuer!r}, not {found.issuer!r}, which the server's tokens name. If "
            "app_host is the address that the console shows, pass issuer= (GENAUTH_ISSUER)",
        )
        return
    hosts = {urlsplit(url).netloc for url in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri)}
    elsewhere = hosts - {urlsplit(settings.app_host).netloc}
    if elsewhere:
        report.note("discovery", f"some endpoints are at {', '.join(sorted(elsewhere))}; the SDK uses app_host")
    else:
        report.ok("discovery", f"issuer {found.issuer}")


async def _keys(client: AuthenticationClient, report: Report) -> None:
    try:
        await client.fetch_keys(timeout=_SECONDS)
    except KeysUnavailableError as error:
        report.wrong("keys", f"{error}; no token can be verified")
    else:
        report.ok("keys", "the server publishes keys that verify tokens")


async def _application(client: AuthenticationClient, report: Report) -> None:
    method = client.settings.introspection_endpoint_auth_method
    if method == "none":
        report.note("application", "a public client; whether the server knows it was not checked")
        return
    try:
        # A token that does not exist: the server answers that it is inactive, if it knows the application.
        await client.introspect_token(secrets.token_urlsafe(24), timeout=_SECONDS)
    except InvalidClientError as error:
        report.wrong("application", f"the server does not accept the app_id with this app_secret ({method}): {error}")
    except GenAuthError as error:
        report.note("application", f"its secret could not be checked: {error}")
    else:
        report.ok("application", f"the server accepts its secret ({method})")


async def _password_keys(client: AuthenticationClient, report: Report) -> None:
    try:
        await client.get_system_info(timeout=_SECONDS)
    except GenAuthError as error:
        report.note("passwords", f"passwords cannot be encrypted: {error}")
    else:
        report.ok("passwords", "passwords can be encrypted with rsa or sm2")
