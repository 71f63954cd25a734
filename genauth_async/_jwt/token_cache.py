"""Tokens that were verified, for services that see the same one with each request."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, Generic, TypeVar

from attrs import field, fields, frozen

from .._wire.converter import ShapeError, structure_claims
from ..errors import MalformedTokenError
from ..models._base import Dto
from ..models._fields import attribute_names, required_attributes, scalar_attributes, wire_names
from .claims import Claims

_CAPACITY: Final = 1024
# The other claims are about the user; none of them is a reason to refuse a token.
_STRICT: Final = frozenset(
    {"iss", "sub", "aud", "exp", "iat", "nbf", "jti", "scope", "nonce", "at_hash", "azp", "auth_time"}
)
_DtoT = TypeVar("_DtoT", bound=Dto)


@frozen(eq=False)
class Verified(Generic[_DtoT]):
    """A token whose signature is good.

    Attributes:
        claims: what is checked each time.
        by: what verified it: the key set, or the key. It is not to outlive that.
        cls: the form of its claims.
    """

    claims: Claims
    by: object = field(repr=False)
    cls: type[_DtoT]
    _attributes: Mapping[str, Any] = field(repr=False)
    _nested: Mapping[str, Any] = field(repr=False)

    def dto(self) -> _DtoT:
        """The claims for the caller, who may change what is in them: so each has their own."""
        if not self._nested:
            return self.cls(**self._attributes)
        return self.cls(**self._attributes, **{name: _copied(value) for name, value in self._nested.items()})


def verified(raw: Mapping[str, object], claims: Claims, cls: type[_DtoT], by: object) -> Verified[_DtoT]:
    """Puts a token's claims into their form.

    What it says of the user in another type than the documented one is kept in `extra`, as it came.

    Raises:
        MalformedTokenError: one that matters is not of its documented type.
    """
    return _as_it_stands(raw, claims, cls, by) or _converted(raw, claims, cls, by)


def _as_it_stands(raw: Mapping[str, object], claims: Claims, cls: type[_DtoT], by: object) -> Verified[_DtoT] | None:
    """The same as `_converted`, in a fraction of the time, where each claim is of the very type of its attribute."""
    types, attributes = _types(cls), attribute_names(cls)
    plain: dict[str, Any] = {}
    nested: dict[str, Any] = {}
    extra: dict[str, object] = {}
    for name, value in raw.items():
        attribute = attributes.get(name)
        if attribute is None:
            extra[name] = value
        elif value is not None:
            expected = types.get(attribute)
            if expected is object and isinstance(value, (dict, list)):
                nested[attribute] = value
            elif expected is object or type(value) is expected:
                plain[attribute] = value
            else:
                return None
    if extra:
        nested["extra"] = extra
    return Verified(claims, by, cls, plain, nested) if _required(cls) <= plain.keys() else None


@cache
def _types(cls: type[Dto]) -> Mapping[str, type]:
    """The types of those attributes for which nothing has to be converted."""
    untyped = {attribute.name: object for attribute in fields(cls) if attribute.type == "object"}
    return {**untyped, **scalar_attributes(cls)}


@cache
def _required(cls: type[Dto]) -> frozenset[str]:
    return frozenset(required_attributes(cls))


def _converted(raw: Mapping[str, object], claims: Claims, cls: type[_DtoT], by: object) -> Verified[_DtoT]:
    whole: dict[str, object] = {
        name: value // 1
        for name in ("auth_time", "exp", "iat")
        if name in wire_names(cls) and isinstance(value := raw.get(name), float)
    }
    scope = raw.get("scope")
    if isinstance(scope, list):
        whole["scope"] = " ".join(scope)
    try:
        made = structure_claims({**raw, **whole}, cls, _STRICT)
    except ShapeError as error:
        raise MalformedTokenError(f"The token's claims do not fit {cls.__name__}: {error}") from None
    plain: dict[str, Any] = {}
    nested: dict[str, Any] = {"extra": made.extra} if made.extra else {}
    for name in wire_names(cls):
        value = getattr(made, name)
        (nested if isinstance(value, (dict, list)) else plain)[name] = value
    return Verified(claims, by, cls, plain, nested)


def _copied(value: Any) -> Any:
    """A copy of decoded JSON."""
    if isinstance(value, dict):
        return {name: _copied(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return value


class VerifiedTokens:
    """The tokens that were used last, by their digests: the tokens themselves are not kept. Threads may share it."""

    def __init__(self) -> None:
        self._found: OrderedDict[bytes, Verified[Any]] = OrderedDict()
        self._pid, self._lock = os.getpid(), threading.Lock()

    def _guard(self) -> threading.Lock:
        if self._pid != os.getpid():
            # Whoever held it when the process forked is not here to release it.
            self._pid, self._lock = os.getpid(), threading.Lock()
        return self._lock

    def get(self, digest: bytes, cls: type[_DtoT]) -> Verified[_DtoT] | None:
        """What is known of a token."""
        with self._guard():
            found = self._found.get(digest)
            if found is None or found.cls is not cls:
                return None
            self._found.move_to_end(digest)
        return found

    def add(self, digest: bytes, token: Verified[Any]) -> None:
        """Remembers a token, and forgets the one that was not used for longest."""
        with self._guard():
            self._found[digest] = token
            if len(self._found) > _CAPACITY:
                self._found.popitem(last=False)

    def remove(self, digest: bytes) -> None:
        """Forgets a token."""
        with self._guard():
            self._found.pop(digest, None)

    def __len__(self) -> int:
        return len(self._found)


def digest_of(token: str) -> bytes:
    """What a token is found by."""
    return hashlib.sha256(token.encode()).digest()
