"""Arguments that describe a user: addresses, profile fields, custom data, and the scope of a sign-in."""

from __future__ import annotations

from collections.abc import Iterable

from ..state.errors import ApiError, Refusal
from ..state.grants import ALL_SCOPES
from .arguments import Arguments

DEFAULT_COUNTRY_CODE = "+86"
PROFILE_TEXTS = (
    "company",
    "photo",
    "device",
    "browser",
    "givenName",
    "familyName",
    "middleName",
    "profile",
    "preferredUsername",
    "website",
    "birthdate",
    "zoneinfo",
    "locale",
    "address",
    "formatted",
    "streetAddress",
    "locality",
    "region",
    "postalCode",
    "country",
)
"""The profile fields that sign-up and invitations take as texts."""
_GENDERS = ("M", "F", "U")


def email_argument(arguments: Arguments, name: str) -> str:
    """Read a required email address."""
    address = arguments.text(name)
    if "@" not in address:
        raise Refusal.NO_EMAIL_ADDRESS.error(f"{name} must be an email address")
    return address


def phone_argument(arguments: Arguments, name: str) -> str:
    """Read a required phone number, without its country code."""
    number = arguments.text(name)
    if not number.isascii() or not number.isdigit():
        raise ApiError(400, f"{name} must consist of digits")
    return number


def country_code_argument(arguments: Arguments, name: str) -> str:
    """Read the country code of a phone number; mainland China's by default."""
    return arguments.optional_text(name) or DEFAULT_COUNTRY_CODE


def scope_argument(options: Arguments) -> str:
    """Read the scope that a sign-in asks for."""
    # Without a scope the service answers with everything, offline_access included; an explicit one has to name it.
    scope = options.optional_text("scope") or ALL_SCOPES
    if not scope.isascii() or not scope.isprintable():
        raise ApiError(400, "options.scope must be printable ASCII")
    return scope


def text_arguments(arguments: Arguments, names: Iterable[str]) -> dict[str, str]:
    """Read those profile fields that are given."""
    texts = {name: arguments.optional_text(name) for name in names}
    return {name: text for name, text in texts.items() if text is not None}


def gender_argument(arguments: Arguments) -> dict[str, str]:
    """Read the gender, if it is given."""
    return {"gender": arguments.choice("gender", _GENDERS)} if arguments.has("gender") else {}


def custom_data_argument(arguments: Arguments, name: str) -> dict[str, object]:
    """Read values of the user's own fields, if they are given."""
    value = arguments.raw(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ApiError(400, f"{name} must be an object")
    return value
