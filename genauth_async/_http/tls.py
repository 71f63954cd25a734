"""TLS contexts. Building one reads the trust store, so callers build it off the event loop."""

from __future__ import annotations

import ssl
import sys
from functools import cache
from pathlib import Path

from ..errors import ConfigurationError

Verify = bool | str | Path | ssl.SSLContext


def tls_context(verify: Verify) -> ssl.SSLContext:
    """Build the context for a client's `verify` setting.

    Args:
        verify: True for the operating system's trust store; a file or directory of CA certificates in PEM; a context,
            used unchanged; or False, which checks nothing.

    Raises:
        ConfigurationError: the path cannot be read.
    """
    if isinstance(verify, ssl.SSLContext):
        return verify
    if verify is True:
        return _system_context()
    if verify is False:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    path = Path(verify)
    try:
        if path.is_dir():
            return ssl.create_default_context(capath=path)
        return ssl.create_default_context(cafile=path)
    except OSError as error:
        raise ConfigurationError("verify", f"must be a readable path of CA certificates: {path}: {error}") from error


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
