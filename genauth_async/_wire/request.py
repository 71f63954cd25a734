"""A request as frozen data, and what builds it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Any, Final, Literal
from urllib.parse import quote, urlencode

from attrs import field, frozen

from ..errors import ConfigurationError
from ..models._base import Dto
from ..models._fields import is_exactly, required_attributes, scalar_attributes, wire_names

Method = Literal["GET", "POST", "PUT", "DELETE"]
ClientAuth = Literal["token", "introspection", "revocation"]


class Repeat(Enum):
    """What a second try could do. It decides which outcomes are tried again."""

    SAFE = "safe"
    """Nothing: reading."""
    HARMFUL = "harmful"
    """Harm, where the first try was carried out and its answer lost: a refresh token used twice, two messages sent."""


@frozen(kw_only=True)
class Request:
    """One call, before it is addressed to a host.

    Attributes:
        method: the HTTP method.
        path: its segments; each is quoted, so that none can leave its place.
        query: query parameters; None is left out, booleans are true and false.
        json: the body of a JSON call; None members are left out by whoever builds it.
        form: the body of a form call.
        headers: besides those that every call has.
        client_auth: which of the settings says how the application proves itself to this endpoint, if it must.
        user_token: the user's access token, sent as Bearer (RFC 6750 section 2.1).
        repeat: what a second try could do.
    """

    method: Method
    path: tuple[str, ...]
    query: Mapping[str, str | int | bool | None] = field(factory=dict, repr=False)
    json: Mapping[str, object] | None = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    client_auth: ClientAuth | None = None
    user_token: str | None = field(default=None, repr=False)
    repeat: Repeat = Repeat.HARMFUL

    @property
    def target(self) -> str:
        """The path and query."""
        path = _quoted(self.path)
        if not self.query:
            return path
        query = urlencode({name: _text(value) for name, value in self.query.items() if value is not None})
        return f"{path}?{query}" if query else path

    @property
    def name(self) -> str:
        """The method and path, for messages: without the query, which may hold secrets."""
        return f"{self.method} /{'/'.join(self.path)}"

    def body(self) -> tuple[bytes | None, str | None]:
        """The body's bytes and its media type.

        Raises:
            ConfigurationError: an argument is of a type that cannot be sent.
        """
        try:
            if self.json is not None:
                # ASCII, so that even half a character in a password can be sent, and is not quoted by an error.
                return json.dumps(self.json, separators=(",", ":"), allow_nan=False).encode(), "application/json"
            if self.form is not None:
                return urlencode(self.form).encode(), "application/x-www-form-urlencoded"
        except UnicodeError:
            problem = "has half a character (a lone surrogate)"
        except (TypeError, ValueError, RecursionError) as error:
            problem = f"cannot be sent as JSON: {error}"
        else:
            return None, None
        # Out here, since the exception holds the whole body.
        raise ConfigurationError("an argument", problem)


@lru_cache
def _quoted(segments: tuple[str, ...]) -> str:
    return "/" + "/".join(quote(segment, safe="") for segment in segments)


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def get(*path: str, **query: str | int | bool | None) -> Request:
    """A request that reads."""
    return Request(method="GET", path=path, query=query, repeat=Repeat.SAFE)


def post(*path: str, body: Dto, **options: Any) -> Request:
    """A request that does something, unless `repeat` says that it only reads."""
    return Request(method="POST", path=path, json=_checked(body).to_dict(), **options)


def put(*path: str, body: Dto) -> Request:
    """A request that changes something."""
    return Request(method="PUT", path=path, json=_checked(body).to_dict())


def _checked(body: Dto) -> Dto:
    """The body, if it has what it needs, of the right types."""
    required, scalars = required_attributes(type(body)), scalar_attributes(type(body))
    for attribute in wire_names(type(body)):
        value = getattr(body, attribute)
        if value is None:
            if attribute in required:
                raise ConfigurationError(attribute, "is needed, and is None")
        elif attribute in scalars:
            if not is_exactly(value, scalars[attribute]):
                problem = f"is {_KINDS[scalars[attribute]]}, not {type(value).__name__}"
                raise ConfigurationError(attribute, problem)
        elif isinstance(value, Dto):
            _checked(value)
    return body


_KINDS: Final[Mapping[type, str]] = {str: "text", int: "a whole number", bool: "True or False"}
