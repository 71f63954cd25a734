"""Settings from environment variables."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from ..errors import ConfigurationError

_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}


def _text(text: str) -> str:
    return text


def _boolean(text: str) -> bool:
    try:
        return _BOOLEANS[text.lower()]
    except KeyError:
        raise ValueError(f"must be true, false, 1 or 0, not {text!r}") from None


def _boolean_or_path(text: str) -> bool | str:
    return _BOOLEANS.get(text.lower(), text)


def _whole_number(text: str) -> int:
    if re.fullmatch(r"[0-9]{1,15}", text):
        return int(text)
    raise ValueError(f"must be a whole number, such as 1048576, not {text!r}")


def _number(text: str) -> float:
    if re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,15})?", text):
        return float(text)
    raise ValueError(f"must be a number, such as 2.5, not {text!r}")


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "app_id": _text,
    "app_host": _text,
    "app_secret": _text,
    "issuer": _text,
    "protocol": _text,
    "token_endpoint_auth_method": _text,
    "introspection_endpoint_auth_method": _text,
    "revocation_endpoint_auth_method": _text,
    "redirect_uri": _text,
    "post_logout_redirect_uri": _text,
    "lang": _text,
    "websocket_host": _text,
    "websocket_endpoint": _text,
    "user_pool_id": _text,
    "header_prefix": _text,
    "timeout": _number,
    "refresh_timeout": _number,
    "resend_refresh_token": _boolean,
    "max_response_bytes": _whole_number,
    "verify": _boolean_or_path,
    "proxy": _text,
    "allow_insecure_http": _boolean,
    "id_token_signed_response_alg": _text,
    "require_callback_iss": _boolean,
}


def settings_from_environment(environ: Mapping[str, str] | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return client parameters by name: the given ones that are not None, else those set in the environment.

    Raises:
        ConfigurationError: GENAUTH_APP_ID is missing, or a variable is not the text of a number or boolean.
    """
    environ = os.environ if environ is None else environ
    found = {name: value for name, value in given.items() if value is not None}
    for parameter, read in _READERS.items():
        variable = _variable(parameter)
        text = environ.get(variable) or ""
        if not isinstance(text, str):
            raise ConfigurationError(variable, f"must be a str, not {type(text).__name__}")
        if text.strip() and parameter not in found:
            try:
                found[parameter] = read(text.strip())
            except ValueError as error:
                raise ConfigurationError(variable, str(error)) from None
    if "app_id" not in found:
        raise ConfigurationError(_variable("app_id"), "must be set in the environment")
    return found


@contextmanager
def errors_name_variables(except_for: Collection[str]) -> Iterator[None]:
    """Let errors name the environment variable, unless they are about one of these parameters."""
    try:
        yield
    except ConfigurationError as error:
        if error.argument not in _READERS or error.argument in except_for:
            raise
        problem = error.message.removeprefix(f"{error.argument}: ")
        raise ConfigurationError(_variable(error.argument), problem) from None


def _variable(parameter: str) -> str:
    return f"GENAUTH_{parameter.upper()}"
