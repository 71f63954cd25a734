"""Keeps secrets out of everything that is shown: reprs, messages, excerpts, pickles."""

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
# The ids of a QR code and a push message give the tokens once the user has confirmed.
_SECRET_NAMES = frozenset({"code", "otp", "totp", "recoverycode", "codechallenge", "pushcodeid", "qrcodeid"})
_HARMLESS_NAMES = frozenset({"tokentype", "tokentypehint", "passwordencrypttype", "passwordsecuritylevel"})

_EXCERPT_CHARS = 200
_PAIR = re.compile(r"""(["']?)([\w.-]+)\1(\s*[:=]\s*)("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s&,;<>"']+)""")
_TOKEN_LIKE = re.compile(r"[\w+/=.-]{20,}")


def plain_name(name: str) -> str:
    """A name without what tells its spellings apart: snake_case, kebab-case, camelCase."""
    return name.replace("_", "").replace("-", "").lower()


def is_secret_name(name: str) -> bool:
    """Whether a field of this name may hold something that opens a door."""
    plain = plain_name(name)
    if plain in _HARMLESS_NAMES:
        return False
    return plain in _SECRET_NAMES or any(word in plain for word in _SECRET_WORDS)


def masked(value: object) -> str:
    """The repr of a secret attribute: tells whether it is set, never what it is."""
    return "None" if value is None else repr(MASK)


def mask_values(value: object, name: str = "") -> object:
    """A copy of decoded JSON in which whatever stands under a secret's name is masked."""
    if isinstance(value, Mapping):
        return {key: mask_values(item, str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [mask_values(item, name) for item in value]
    return MASK if value is not None and is_secret_name(name) else value


def excerpt(body: bytes) -> str:
    """The beginning of a body that could not be read, with everything that may be a secret masked."""

    def mask_pair(match: re.Match[str]) -> str:
        quote, name, between, _ = match.groups()
        return f"{quote}{name}{quote}{between}{MASK}" if is_secret_name(name) else match[0]

    # Cut after masking: a secret cut in half would no longer be recognised. The window is bounded for huge bodies.
    window = body[: 8 * _EXCERPT_CHARS].decode("utf-8", "replace")
    text = _TOKEN_LIKE.sub(MASK, _PAIR.sub(mask_pair, window))
    text = " ".join(text.split())
    return text if len(text) <= _EXCERPT_CHARS else text[:_EXCERPT_CHARS] + "…"


def masked_url(url: str) -> str:
    """A URL whose query shows no secret."""
    head, mark, query = url.partition("?")
    shown = []
    for pair in query.split("&"):
        name, sign, value = pair.partition("=")
        shown.append(f"{name}{sign}{MASK if is_secret_name(name) else value}")
    return head + mark + "&".join(shown)


class MaskedMapping(Mapping[str, object]):
    """A read-only mapping whose repr and pickle hold no secret; what is read from it is whole."""

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
        return repr(mask_values(self._items))

    def __reduce__(self) -> tuple[type[MaskedMapping], tuple[object]]:
        return MaskedMapping, (mask_values(self._items),)
