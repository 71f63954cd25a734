"""Settings from environment variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from ..errors import ConfigurationError

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
    """Return the client parameters set in the environment, by parameter name.

    Raises:
        ConfigurationError: GENAUTH_APP_ID is missing.
    """
    environ = os.environ if environ is None else environ
    found = {parameter: environ[name] for name, parameter in _ENVIRONMENT.items() if environ.get(name)}
    if "app_id" not in found:
        raise ConfigurationError("GENAUTH_APP_ID", "must be set in the environment")
    return found
