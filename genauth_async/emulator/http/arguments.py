"""The arguments of requests: JSON bodies, queries and forms, with errors that name the argument."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from typing import TypeGuard
from urllib.parse import parse_qsl

from starlette.requests import Request

from ..state.errors import ApiError, OAuthError, Refusal

_DEEPEST = 100
_ONLY_COMPARED = frozenset(
    {"captchaCode", "client_secret", "newPassword", "oldPassword", "passCode", "password", "recoveryCode", "totp"}
)
_SHOWN = frozenset({"context", "customData"})  # in which all names are the user's own
_MOST_DIGITS = 15
_LARGEST_PAGE = 50


class Arguments:
    """A JSON object of the API, read member by member; null counts as absent."""

    def __init__(self, members: Mapping[str, object], path: str = "") -> None:
        self._members = members
        self._path = path

    @classmethod
    async def read(cls, request: Request) -> Arguments:
        """Read the body of a request."""
        try:
            body: object = json.loads(await request.body(), parse_constant=_no_number, parse_float=_finite)
        except (ValueError, RecursionError) as error:
            raise ApiError(400, "the body must be JSON") from error
        if not _is_object(body):
            raise ApiError(400, "the body must be a JSON object")
        _refuse_unprintable(body)
        return cls(body)

    def has(self, name: str) -> bool:
        return self._members.get(name) is not None

    def asks_for(self, name: str) -> bool:
        """Return whether an option is present and not switched off."""
        return self._members.get(name) not in (None, False, "")

    def text(self, name: str, *, missing: Refusal | None = None) -> str:
        """Read a required text, not empty; a missing one may have a refusal of its own."""
        value = self.optional_text(name)
        if not value:
            raise missing.error() if missing else ApiError(400, f"{self._path}{name} is required")
        return value

    def optional_text(self, name: str) -> str | None:
        value = self._members.get(name)
        if value is None or isinstance(value, str):
            return value
        raise ApiError(400, f"{self._path}{name} must be a string")

    def choice(self, name: str, allowed: Collection[str], default: str | None = None) -> str:
        value = self.optional_text(name) or default
        if value is not None and value in allowed:
            return value
        raise ApiError(400, f"{self._path}{name} must be one of {', '.join(allowed)}")

    def optional_flag(self, name: str, *, default: bool = False) -> bool:
        value = self._members.get(name)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        raise ApiError(400, f"{self._path}{name} must be true or false")

    def texts(self, name: str) -> list[str]:
        """Read a required list of texts, not empty."""
        value = self._members.get(name)
        if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
            return value
        raise ApiError(400, f"{self._path}{name} must be a list of strings")

    def raw(self, name: str) -> object:
        """Return a member of any type, such as customData."""
        return self._members.get(name)

    def object(self, name: str) -> Arguments:
        """Read a required object."""
        if not self.has(name):
            raise ApiError(400, f"{self._path}{name} is required")
        return self.optional_object(name)

    def optional_object(self, name: str) -> Arguments:
        value = self._members.get(name)
        if value is None:
            value = {}
        if not _is_object(value):
            raise ApiError(400, f"{self._path}{name} must be an object")
        return Arguments(value, f"{self._path}{name}.")


def _no_number(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")  # though Python reads and writes it


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("the number is too large")
    return number


def _refuse_unprintable(body: dict[str, object]) -> None:
    """Refuse lone surrogates and excessive nesting, which no answer could repeat.

    A password or a code with a surrogate is merely wrong.
    """
    layer: list[tuple[str, object]] = [("", body)]
    for _ in range(_DEEPEST):
        below: list[tuple[str, object]] = []
        for path, value in layer:
            if isinstance(value, dict):
                _refuse_surrogates(path or "the body", "".join(value))
                prefix = path and f"{path}."
                below += [(f"{prefix}{name}", item) for name, item in value.items() if not _is_compared(path, name)]
            elif isinstance(value, list):
                below += [(path, item) for item in value]
            elif isinstance(value, str):
                _refuse_surrogates(path, value)
        if not below:
            return
        layer = below
    raise ApiError(400, f"{layer[0][0].partition('.')[0]} is nested too deeply")


def _is_compared(path: str, name: str) -> bool:
    """Return whether a value is only compared and never shown again."""
    return name in _ONLY_COMPARED and _SHOWN.isdisjoint(path.split("."))


def _refuse_surrogates(path: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ApiError(400, f"{path} holds half a character: a surrogate without its other half") from error


def _is_object(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict)


def query_flag(request: Request, name: str) -> bool:
    """Read a boolean from the query; Python clients send "True"."""
    value = request.query_params.get(name, "false").lower()
    if value not in {"true", "false"}:
        raise ApiError(400, f"{name} must be true or false")
    return value == "true"


def query_text(request: Request, name: str) -> str:
    """Read a required parameter of the query."""
    value = request.query_params.get(name)
    if not value:
        raise ApiError(400, f"{name} is required")
    return value


def query_number(request: Request, name: str, default: int, *, least: int = 1) -> int:
    """Read a number from the query, such as a page."""
    value = request.query_params.get(name)
    if value is None:
        return default
    if not value.isascii() or not value.isdigit() or len(value) > _MOST_DIGITS or int(value) < least:
        raise ApiError(400, f"{name} must be a number of at least {least}, and no more than {_MOST_DIGITS} digits")
    return int(value)


async def read_form(request: Request) -> dict[str, str]:
    """Read the parameters of an OAuth request, none of which may be repeated (RFC 6749 section 3.2)."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/x-www-form-urlencoded":
        raise OAuthError("invalid_request", "the content type must be application/x-www-form-urlencoded")
    try:
        pairs = parse_qsl((await request.body()).decode(), keep_blank_values=True)
    except ValueError as error:
        raise OAuthError("invalid_request", "the body is no form in UTF-8") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise OAuthError("invalid_request", "a parameter is given more than once")
    return {name: value for name, value in form.items() if value}


def required(form: Mapping[str, str], name: str) -> str:
    """Read a required parameter of an OAuth request."""
    if name not in form:
        raise OAuthError("invalid_request", f"{name} is required")
    return form[name]


def query_page(request: Request) -> tuple[int, int]:
    """Read the page and its length from the query, as the first index and the one after the last."""
    page, limit = query_number(request, "page", 1), query_number(request, "limit", 10)
    if limit > _LARGEST_PAGE:
        raise ApiError(400, f"limit must be at most {_LARGEST_PAGE}")
    return (page - 1) * limit, page * limit
