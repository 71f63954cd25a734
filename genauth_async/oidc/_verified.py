"""Tokens that were verified, for services that see the same one with each request."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final, Generic, TypeVar

from attrs import field, frozen

from .._wire import ShapeError, structure
from ..errors import MalformedTokenError
from ..models._base import Dto, wire_names
from ._claims import Claims

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
    whole: dict[str, object] = {
        name: value // 1 for name in ("auth_time", "exp", "iat") if isinstance(value := raw.get(name), float)
    }
    scope = raw.get("scope")
    if isinstance(scope, list):
        whole["scope"] = " ".join(scope)
    given = {**raw, **whole}
    made = _read(given, cls)
    odd: dict[str, object] = {}
    if isinstance(made, ShapeError):
        strict = {name: value for name, value in given.items() if name in _STRICT}
        odd = {
            name: value
            for name, value in given.items()
            if name not in strict and isinstance(_read({**strict, name: value}, cls), ShapeError)
        }
        made = _read({name: value for name, value in given.items() if name not in odd}, cls)
    if isinstance(made, ShapeError):
        raise MalformedTokenError(f"The token's claims do not fit {cls.__name__}: {made}")
    plain: dict[str, Any] = {}
    extra = {**made.extra, **odd}
    nested: dict[str, Any] = {"extra": extra} if extra else {}
    for name in wire_names(cls):
        value = getattr(made, name)
        (nested if isinstance(value, (dict, list)) else plain)[name] = value
    return Verified(claims, by, cls, plain, nested)


def _read(given: Mapping[str, object], cls: type[_DtoT]) -> _DtoT | ShapeError:
    try:
        return structure(given, cls)
    except ShapeError as error:
        return error


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
