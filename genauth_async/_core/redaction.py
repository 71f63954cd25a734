"""Redaction of secrets in reprs, messages, excerpts and pickles."""

from __future__ import annotations

import re
from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeGuard

MASK = "***"

_SECRET_WORDS = (
    "assertion",
    "authorization",
    "captchacode",
    "cookie",
    "credential",
    "password",
    "passcode",
    "passwd",
    "pwd",
    "privatekey",
    "secret",
    "ticket",
    "token",
    "verifier",
)
# The id of a QR code or push message is exchanged for tokens once the user has confirmed.
_SECRET_NAMES = frozenset({"code", "otp", "totp", "recoverycode", "codechallenge", "pushcodeid", "qrcodeid"})
_HARMLESS_NAMES = frozenset({"tokentype", "tokentypehint", "passwordencrypttype", "passwordsecuritylevel"})

_EXCERPT_CHARS = 200
_PAIR = re.compile(r"""(["']?)([\w.-]+)\1(\s*[:=]\s*)("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s&,;<>"']+)""")
_TOKEN_LIKE = re.compile(r"[\w+/=.-]{20,}")


def plain_name(name: str) -> str:
    """Normalize a name: snake_case, kebab-case and camelCase become the same."""
    return name.replace("_", "").replace("-", "").lower()


def is_secret_name(name: str) -> bool:
    """Return whether a field of this name may hold a secret."""
    plain = plain_name(name)
    if plain in _HARMLESS_NAMES:
        return False
    return plain in _SECRET_NAMES or any(word in plain for word in _SECRET_WORDS)


def redact(value: object) -> str:
    """Return the repr of a secret attribute: whether it is set, never its value."""
    return "None" if value is None else repr(MASK)


def redact_values(value: object, name: str = "") -> object:
    """Copy decoded JSON, with each value under a secret's name redacted."""
    if isinstance(value, Mapping):
        return {key: redact_values(item, str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [redact_values(item, name) for item in value]
    return MASK if value is not None and is_secret_name(name) else value


def excerpt(body: bytes | bytearray) -> str:
    """Return the beginning of an unreadable body, with possible secrets redacted."""

    def mask_pair(match: re.Match[str]) -> str:
        quote, name, between, _ = match.groups()
        return f"{quote}{name}{quote}{between}{MASK}" if is_secret_name(name) else match[0]

    # Truncated after redaction: half a secret would not be recognised. The window bounds the work on huge bodies.
    window = body[: 8 * _EXCERPT_CHARS].decode("utf-8", "replace")
    text = _TOKEN_LIKE.sub(MASK, _PAIR.sub(mask_pair, window))
    text = " ".join(text.split())
    return text if len(text) <= _EXCERPT_CHARS else text[:_EXCERPT_CHARS] + "…"


def plain_text(text: str, limit: int = 1000) -> str:
    """Escape the control, bidirectional and other unprintable characters of a text, and truncate it.

    The text of a server must not break a log's lines, move a terminal's cursor, or hide words. To apply it twice
    changes nothing.
    """
    shown = text[:limit]
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown)
    return shown if len(text) <= limit and len(shown) <= limit else shown[: limit - 1] + "…"


def fingerprint(secret: str) -> str:
    """Return a short digest, by which logs tell secrets apart."""
    return sha256(secret.encode("utf-8", "replace")).hexdigest()[:12]


def redact_url(url: str) -> str:
    """Redact the secrets in a URL's query."""
    head, mark, query = url.partition("?")
    shown = []
    for pair in query.split("&"):
        name, sign, value = pair.partition("=")
        shown.append(f"{name}{sign}{MASK if is_secret_name(name) else value}")
    return head + mark + "&".join(shown)


def is_mapping(value: object) -> TypeGuard[Mapping[Any, object] | MappingMethods]:
    """Return True for what can be read by name."""
    return isinstance(value, (Mapping, MappingMethods))


class MappingMethods:
    """The methods of a read-only mapping, for classes that are none.

    Error reporters walk each `collections.abc.Mapping`, and record its items; of any other object they record the repr.
    `dict(x)`, `{**x}` and `"name" in x` work without that base class.
    """

    __slots__ = ()

    if TYPE_CHECKING:

        def __getitem__(self, name: str) -> object: ...
        def __iter__(self) -> Iterator[str]: ...

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return any(name == held for held in self)

    def keys(self) -> KeysView[str]:
        """Return the names."""
        return KeysView(self)

    def items(self) -> ItemsView[str, object]:
        """Return the names with their values."""
        return ItemsView(self)

    def values(self) -> ValuesView[object]:
        """Return the values."""
        return ValuesView(self)

    def get(self, name: str, default: object = None) -> object:
        """Return the value of this name, or the default where there is none."""
        return self[name] if name in self else default  # noqa: SIM401 - this is that method


class RedactedMapping(MappingMethods):
    """Read-only items whose repr and pickle are redacted; the items themselves are not.

    It has the methods of a mapping. It is none, so that error reporters do not walk it; `dict(...)` makes one.
    """

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, object] | MappingMethods) -> None:
        self._items = dict(items)

    def __getitem__(self, name: str) -> object:
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, name: object) -> bool:
        return name in self._items

    def __eq__(self, other: object) -> bool:
        if is_mapping(other):
            return self._items == dict(other)
        return NotImplemented

    __hash__ = None  # type: ignore[assignment] # as any mapping that can be compared

    def __repr__(self) -> str:
        return repr(redact_values(self._items))

    def __reduce__(self) -> tuple[type[RedactedMapping], tuple[object]]:
        return RedactedMapping, (redact_values(self._items),)
