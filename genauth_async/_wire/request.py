"""Requests as frozen data, and their builders."""

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
from ..models._fields import is_exact_type, required_attributes, scalar_attributes, wire_names

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
ClientAuth = Literal["token", "introspection", "revocation"]


class Idempotency(Enum):
    """The effect of a repeated request (RFC 9110 section 9.2.2). It decides which outcomes are retried."""

    SAFE = "safe"
    """No effect: it only reads."""
    UNSAFE = "harmful"
    """Harm, if the first was carried out and its answer lost: a refresh token used twice, two messages sent."""


@frozen(kw_only=True)
class Request:
    """One call, without its host.

    Attributes:
        method: the HTTP method.
        path: its segments; each is quoted, so that none can leave its place.
        query: query parameters; None is omitted, booleans are true and false.
        json: the body of a JSON call; its builder omits None members.
        form: the body of a form call.
        headers: in addition to those of every call.
        client_auth: the setting that selects the client authentication of this endpoint (RFC 6749 section 2.3), or
            None.
        user_token: the user's access token, sent as Bearer (RFC 6750 section 2.1).
        idempotency: the effect of a repeated request.
        single_use: whether it spends a credential that works once. It then goes out on a new connection: a used one may
            be closed by the server in that moment, and the outcome would be unknown.
    """

    method: Method
    path: tuple[str, ...]
    query: Mapping[str, str | int | bool | None] = field(factory=dict, repr=False)
    json: Mapping[str, object] | None = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    client_auth: ClientAuth | None = None
    user_token: str | None = field(default=None, repr=False)
    idempotency: Idempotency = Idempotency.UNSAFE
    single_use: bool = False

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
        return f"{self.method} {_quoted(self.path)}"

    def body(self) -> tuple[bytes | None, str | None]:
        """Return the body's bytes and its media type.

        Raises:
            ConfigurationError: an argument has a type that cannot be sent.
        """
        try:
            if self.json is not None:
                # ASCII can carry even a lone surrogate in a password, so that no error quotes it.
                return json.dumps(self.json, separators=(",", ":"), allow_nan=False).encode(), "application/json"
            if self.form is not None:
                return urlencode(self.form).encode(), "application/x-www-form-urlencoded"
        except UnicodeError:
            problem = "contains a lone surrogate"
        except (TypeError, ValueError, RecursionError) as error:
            problem = f"cannot be sent as JSON: {error}"
        else:
            return None, None
        raise ConfigurationError("an argument", problem)


@lru_cache
def _quoted(segments: tuple[str, ...]) -> str:
    return "/" + "/".join(quote(segment, safe="") for segment in segments)


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def get(*path: str, **query: str | int | bool | None) -> Request:
    """Build a request that only reads."""
    return Request(method="GET", path=path, query=query, idempotency=Idempotency.SAFE)


def post(*path: str, body: Dto, **options: Any) -> Request:
    """Build a request with an effect, unless `idempotency` says that it only reads."""
    return Request(method="POST", path=path, json=_checked(body).to_dict(), **options)


def put(*path: str, body: Dto) -> Request:
    """Build a request that changes something."""
    return Request(method="PUT", path=path, json=_checked(body).to_dict())


def _checked(body: Dto) -> Dto:
    """Check that a body has its required members, of the right types, and return it."""
    required, scalars = required_attributes(type(body)), scalar_attributes(type(body))
    for attribute in wire_names(type(body)):
        value = getattr(body, attribute)
        if value is None:
            if attribute in required:
                raise ConfigurationError(attribute, "must not be None")
        elif (kind := scalars.get(attribute)) is not None:
            if type(value) is not kind and not is_exact_type(value, kind):
                raise ConfigurationError(attribute, f"must be {_KINDS[kind]}, not {type(value).__name__}")
        elif isinstance(value, Dto):
            _checked(value)
    return body


_KINDS: Final[Mapping[type, str]] = {str: "a str", int: "an int", bool: "a bool"}
