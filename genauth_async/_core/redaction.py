"""Redaction of secrets in reprs, messages, excerpts and pickles."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

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


def redact_url(url: str) -> str:
    """Redact the secrets in a URL's query."""
    head, mark, query = url.partition("?")
    shown = []
    for pair in query.split("&"):
        name, sign, value = pair.partition("=")
        shown.append(f"{name}{sign}{MASK if is_secret_name(name) else value}")
    return head + mark + "&".join(shown)


class RedactedMapping(Mapping[str, object]):
    """A read-only mapping whose repr and pickle are redacted; its items are not."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, object]) -> None:
        self._items = dict(items)

    def __getitem__(self, key: str) -> object:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return repr(redact_values(self._items))

    def __reduce__(self) -> tuple[type[RedactedMapping], tuple[object]]:
        return RedactedMapping, (redact_values(self._items),)
