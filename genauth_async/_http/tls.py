"""TLS contexts, from the setting `verify`."""

from __future__ import annotations

import logging
import re
import ssl
import sys
from functools import cache
from pathlib import Path
from typing import Final

from ..errors import ConfigurationError

Verify = bool | str | Path | ssl.SSLContext

_log: Final = logging.getLogger(__name__)
_HASHED_NAME: Final = re.compile(r"[0-9a-f]{8}\.[0-9]+")
_REMEDY: Final = "pass True, a path of CA certificates in PEM, an ssl.SSLContext, or False"
_BOOLEAN_TEXTS: Final = {"", "0", "1", "true", "false", "yes", "no", "on", "off", "none"}


def checked_verify(verify: Verify, *, is_switched_off: bool = False) -> bool | ssl.SSLContext:
    """Return a client's trust in servers: a path becomes a context.

    Args:
        verify: as `AuthenticationClient` documents it.
        is_switched_off: the caller switched verification off by another argument.

    Raises:
        ConfigurationError: it is no such value, the path has no certificates, or both arguments are given.
    """
    if is_switched_off and not isinstance(verify, bool):
        raise ConfigurationError(
            "verify", "must not be given with use_unverified_ssl=True or reject_unauthorized=False; remove those"
        )
    if isinstance(verify, bool):
        return verify and not is_switched_off
    if isinstance(verify, ssl.SSLContext):
        if verify.protocol == ssl.PROTOCOL_TLS_SERVER:
            raise ConfigurationError("verify", "must be a context for clients, not for servers: PROTOCOL_TLS_CLIENT")
        return verify
    if not isinstance(verify, (str, Path)):
        raise ConfigurationError("verify", f"must not be of type {type(verify).__name__}; {_REMEDY}")
    if str(verify).strip().lower() in _BOOLEAN_TEXTS:
        raise ConfigurationError("verify", f"must not be the text {str(verify)!r}; {_REMEDY}")
    return _context_of(Path(verify))


def tls_context(verify: bool | ssl.SSLContext) -> ssl.SSLContext:
    """Build the context for a checked `verify`. This reads the trust store, so callers do it off the event loop.

    Args:
        verify: True for the operating system's trust store; a context, used unchanged; or False, which checks nothing.
    """
    if isinstance(verify, ssl.SSLContext):
        return verify
    if verify:
        return _system_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def is_verified(verify: bool | ssl.SSLContext) -> bool:
    """Return True if certificates are verified, and the names in them."""
    if isinstance(verify, ssl.SSLContext):
        return verify.verify_mode != ssl.CERT_NONE and verify.check_hostname
    return verify


def warn_if_unverified(verify: bool | ssl.SSLContext, origin: str) -> None:
    """Log a warning if certificates are not verified."""
    if not is_verified(verify):
        _log.warning(
            "The TLS certificate of %s is not verified: any machine in between can read passwords and tokens. For a "
            "private CA, pass verify= with its certificate",
            origin,
        )


def _context_of(path: Path) -> ssl.SSLContext:
    problem = "it has no certificate"
    try:
        try:
            context = ssl.create_default_context(cafile=path)
        except (IsADirectoryError, PermissionError):  # the latter on Windows
            # OpenSSL looks certificates up by these names, at each handshake.
            if any(_HASHED_NAME.fullmatch(found.name) for found in path.iterdir()):
                return ssl.create_default_context(capath=path)
            problem = "it has no certificate under its hash; run openssl rehash"
        else:
            if context.cert_store_stats()["x509"]:
                return context
    except (OSError, ValueError) as error:
        problem = str(error)
    raise ConfigurationError(
        "verify", f"must be a readable path of CA certificates in PEM, not {str(path)!r}: {problem}"
    )


@cache
def _system_context() -> ssl.SSLContext:
    """Build one context for the whole process: it costs tens of milliseconds and suits every client."""
    if sys.platform.startswith("linux"):
        # On Linux, OpenSSL finds the system's store by itself (SSL_CERT_FILE and SSL_CERT_DIR included). truststore
        # would read it again for each connection, on the event loop: 20 ms each time.
        context = ssl.create_default_context()
        if context.get_ca_certs():
            return context
    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
