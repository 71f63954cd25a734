"""Signed tokens as they are written: reading one, and verifying its signature against a key that is handed in.

joserfc verifies the signature. What is checked here besides is what it leaves to its callers, or sees more loosely:
one spelling for each token, no member twice, no algorithm and no key by the token's own choice.
"""

from __future__ import annotations

import re
import string
from binascii import a2b_base64
from collections.abc import Collection, Mapping
from functools import cache, lru_cache
from json import JSONDecoder
from typing import TYPE_CHECKING, Final, Literal, NoReturn

from attrs import define, field, frozen

from ..errors import AlgorithmNotAllowedError, MalformedTokenError, SignatureInvalidError, TokenKindError

if TYPE_CHECKING:
    from joserfc.jwk import OctKey, RSAKey
    from joserfc.jws import JWSRegistry

Kind = Literal["access", "id"]

MAX_LENGTH: Final = 16 * 1024
_PARTS: Final = 3
_DEEPEST: Final = 64  # callers copy claims, and write them as JSON, level by level
_SHOWN: Final = 100
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]+")
_DIGITS: Final = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
# The last digits of texts by their length modulo 4: the bits that stand for nothing are 0, and one digit is no byte.
_LAST_DIGITS: Final = (_DIGITS, "", _DIGITS[::16], _DIGITS[::4])
_HEADERS_KEPT: Final = 32
# Where keys come from, and what is signed, is not for the token to say.
_REFUSED_HEADERS: Final = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64"})
_TEXT_HEADERS: Final = ("alg", "cty", "kid", "typ", "x5t", "x5t#S256")
_TYPES: Final[Mapping[Kind, frozenset[str | None]]] = {
    "access": frozenset({None, "jwt", "at+jwt"}),
    "id": frozenset({None, "jwt"}),
}
_OF_ID_TOKENS: Final = frozenset({"nonce", "at_hash", "c_hash"})
_NAMES: Final[Mapping[Kind, str]] = {"access": "an access token", "id": "an ID token"}


@frozen(eq=False)
class _Header:
    algorithm: str | None
    key_id: str | None
    type_: str | None


@define(eq=False)  # not frozen, which is slower
class Parsed:
    """A token that was read; nothing in it is verified.

    Attributes:
        algorithm: by which it claims to be signed.
        key_id: the key with which it claims to be signed.
        type_: the media type that the header names, shortened (RFC 7515 section 4.1.9), or None.
        claims: what it says.
    """

    algorithm: str
    key_id: str | None
    type_: str | None
    claims: dict[str, object] = field(repr=False)


def parse(token: str, algorithms: Collection[str]) -> Parsed:
    """Reads a compact JWS (RFC 7515 section 7.1) that may be signed by one of these algorithms.

    Raises:
        MalformedTokenError: it is none, or not written in the one way that is right.
        AlgorithmNotAllowedError: it is signed by another algorithm, or by none.
    """
    check_length(token)
    parts = token.split(".")
    if len(parts) != _PARTS:
        raise MalformedTokenError(f"The token has {len(parts)} parts; a signed token has {_PARTS}")
    header = _read_header(parts[0])
    algorithm = header.algorithm
    if algorithm is None or algorithm not in algorithms:
        raise AlgorithmNotAllowedError(
            f"The token is signed by {shown(algorithm)}; expected {' or '.join(sorted(algorithms)) or 'none at all'}"
        )
    claims = _json_object("payload", parts[1])
    if not _is_base64url(parts[2]):
        raise MalformedTokenError("The token's signature is not base64url")
    return Parsed(algorithm, header.key_id, header.type_, claims)


# A server's tokens all have the same header, letter by letter.
@lru_cache(_HEADERS_KEPT)
def _read_header(text: str) -> _Header:
    header = _json_object("header", text)
    if refused := sorted(_REFUSED_HEADERS & header.keys()):
        raise MalformedTokenError(f"The token's header has {', '.join(refused)}, which is refused")
    texts: dict[str, str] = {}
    for name in _TEXT_HEADERS:
        value = header.get(name, "")
        if not isinstance(value, str):
            raise MalformedTokenError(f"The token's header has a {name} that is no text")
        if name in header:
            texts[name] = value
    type_ = texts.get("typ")
    return _Header(
        algorithm=texts.get("alg"),
        key_id=texts.get("kid"),
        type_=None if type_ is None else type_.lower().removeprefix("application/"),
    )


def check_length(token: str) -> None:
    """What is checked of a token before anything else is done with it.

    Raises:
        MalformedTokenError: it is no text, too long, or has characters that no token has.
    """
    if not isinstance(token, str):
        raise MalformedTokenError(f"A token is text, not {type(token).__name__}")
    if len(token) > MAX_LENGTH:
        raise MalformedTokenError(f"The token has {len(token)} characters; at most {MAX_LENGTH} are read")
    if not token.isascii():
        raise MalformedTokenError("The token has characters that are not ASCII")


def decoded(text: str) -> bytes | None:
    """The bytes of a base64url text without padding; None when it is none, or not the one way to write them."""
    if not _is_base64url(text):
        return None
    return a2b_base64(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4))


def _is_base64url(text: str) -> bool:
    return _BASE64URL.fullmatch(text) is not None and text[-1] in _LAST_DIGITS[len(text) % 4]


class _UnfitError(ValueError):
    """JSON that readers could understand differently."""


def _json_object(part: str, text: str) -> dict[str, object]:
    problem = "is not base64url"
    content = decoded(text)
    if content is not None:
        try:
            value = _JSON.decode(content.decode())
        except _UnfitError as error:
            problem = str(error)
        except (ValueError, RecursionError):
            problem = "is not JSON"
        else:
            if not isinstance(value, dict):
                problem = "is not a JSON object"
            # With fewer brackets than levels there is nothing to look for.
            elif content.count(b"{") + content.count(b"[") > _DEEPEST and _is_deep(value, _DEEPEST):
                problem = "is nested too deep"
            else:
                return value
    # Out here, since the exceptions hold the text.
    raise MalformedTokenError(f"The token's {part} {problem}")


def _is_deep(value: object, levels: int) -> bool:
    """Whether lists and objects are in each other on more levels than these."""
    if not isinstance(value, (dict, list)):
        return False
    items = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deep(item, levels - 1) for item in items)


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _UnfitError("has a member twice")
    return members


def _refuse_constant(_: str) -> NoReturn:
    raise _UnfitError("has a number that is no JSON")


_JSON: Final = JSONDecoder(object_pairs_hook=_members, parse_constant=_refuse_constant)


def kind_of(parsed: Parsed) -> Kind:
    """Which kind it seems to be; `check_kind` says whether it is one."""
    return "access" if parsed.type_ == "at+jwt" or "scope" in parsed.claims else "id"


def check_kind(parsed: Parsed, kind: Kind) -> None:
    """Tells access tokens and ID tokens apart, which one key may sign for one audience.

    An access token says so in its `typ` (RFC 9068), or has a `scope`, which an ID token never has. An ID token is bound
    to a login by `nonce`, `at_hash` or `c_hash`, which no access token has. Tokens of other types, and those
    with `events`, such as logout tokens, are neither.

    Raises:
        TokenKindError: it is of the other kind, or of neither.
    """
    if parsed.type_ not in _TYPES[kind] or "events" in parsed.claims:
        raise TokenKindError(f"The token is of type {shown(parsed.type_)}, which is not {_NAMES[kind]}")
    bound = sorted(_OF_ID_TOKENS & parsed.claims.keys())
    if kind == "access" and (bound or kind_of(parsed) != "access"):
        why = f"it has {', '.join(bound)}" if bound else "it has no scope"
        raise TokenKindError(f"This is an ID token, not an access token: {why}")
    if kind == "id" and kind_of(parsed) != "id":
        raise TokenKindError("This is an access token, not an ID token: it has a scope")


def is_signed(token: str, algorithm: str, key: RSAKey | OctKey) -> bool:
    """Whether a token's signature was made with this key, by this algorithm, whatever its header says."""
    by = registry_of(algorithm).get_alg(algorithm)
    content, _, last = token.rpartition(".")
    signature = decoded(last)
    # joserfc decodes the whole token once more where it is given one; its algorithms take what is decoded.
    return signature is not None and key.key_type == by.key_type and by.verify(content.encode(), signature, key)


def wrong_signature(algorithm: str) -> SignatureInvalidError:
    """What is raised of a token that no key fits."""
    return SignatureInvalidError(f"The token's {algorithm} signature is wrong: it is forged, damaged, or another key's")


@cache
def registry_of(algorithm: str) -> JWSRegistry:
    """joserfc's settings for one algorithm. The first call imports joserfc, and is not to be made on an event loop."""
    from joserfc.jws import JWSRegistry

    return JWSRegistry(algorithms=[algorithm])


def shown(value: object) -> str:
    """A value for a message; cut, since whoever made the token may have made it long."""
    text = "nothing" if value is None else ascii(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
