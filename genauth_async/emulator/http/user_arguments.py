"""Email addresses and phone numbers among the arguments."""

from __future__ import annotations

from .arguments import Arguments
from .replies import ApiError

DEFAULT_COUNTRY_CODE = "+86"


def email_argument(arguments: Arguments, name: str) -> str:
    """A required email address."""
    address = arguments.text(name)
    if "@" not in address:
        raise ApiError(400, f"{name} must be an email address", api_code=2003)
    return address


def phone_argument(arguments: Arguments, name: str) -> str:
    """A required phone number, without its country code."""
    number = arguments.text(name)
    if not number.isascii() or not number.isdigit():
        raise ApiError(400, f"{name} must consist of digits")
    return number


def country_code_argument(arguments: Arguments, name: str) -> str:
    """The country code of a phone number; mainland China's unless given."""
    return arguments.optional_text(name) or DEFAULT_COUNTRY_CODE
