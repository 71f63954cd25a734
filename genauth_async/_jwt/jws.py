"""JSON Web Signature (RFC 7515): parsing compact tokens and verifying signatures with a given key.

joserfc verifies the signature. This module checks what joserfc leaves to its callers or accepts more loosely: one
encoding per token, no duplicate member, no algorithm and no key of the token's own choice.
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
_PARTS_OF_JWE: Final = 5
_DEEPEST: Final = 64  # callers copy claims and encode them as JSON recursively
_SHOWN: Final = 100
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]+")
_DIGITS: Final = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
# Valid last digits by length modulo 4: unused bits must be 0, and a single digit encodes no byte.
_LAST_DIGITS: Final = (_DIGITS, "", _DIGITS[::16], _DIGITS[::4])
_HEADERS_KEPT: Final = 32
# A token must not choose its key source or what is signed.
_REFUSED_HEADERS: Final = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64"})
_TEXT_HEADERS: Final = ("alg", "cty", "kid", "typ", "x5t", "x5t#S256")
_EMPTY: Final[tuple[object, ...]] = (None, "", [], {})
# Empty ones mean absent. Other claims are kept as they came.
_CHECKED_CLAIMS: Final = frozenset(
    {"iss", "sub", "aud", "exp", "iat", "nbf", "jti", "azp", "nonce", "at_hash", "c_hash", "auth_time"}
)
# An empty scope makes an access token, and empty events a logout token; only null means absent.
_NULLABLE_CLAIMS: Final = frozenset({"scope", "events"})
_TYPES: Final[Mapping[Kind, frozenset[str | None]]] = {
    "access": frozenset({None, "jwt", "at+jwt"}),
    "id": frozenset({None, "jwt"}),
}
_OF_ID_TOKENS: Final = frozenset({"nonce", "at_hash", "c_hash"})
_NAMES: Final[Mapping[Kind, str]] = {"access": "an access token", "id": "an ID token"}
_INSTEAD: Final[Mapping[Kind, str]] = {
    "access": "send the access token of the same sign-in instead, or call verify_id_token",
    "id": "pass the ID token of the same sign-in instead, or call verify_access_token",
}


@frozen(eq=False)
class _Header:
    algorithm: str | None
    key_id: str | None
    type_: str | None


@define(eq=False)  # frozen would be slower
class Parsed:
    """A parsed token, not verified.

    Attributes:
        algorithm: alg of its header.
        key_id: kid of its header.
        type_: typ of its header, shortened (RFC 7515 section 4.1.9), or None.
        claims: its payload, without empty claims that matter.
        signature: encoded.
    """

    algorithm: str | None
    key_id: str | None
    type_: str | None
    claims: dict[str, object] = field(repr=False)
    signature: str = field(repr=False)


def parse(token: str) -> Parsed:
    """Parse a compact JWS (RFC 7515 section 7.1).

    Raises:
        MalformedTokenError: the token is no JWS, or not in canonical encoding.
    """
    check_length(token)
    parts = token.split(".")
    if len(parts) != _PARTS:
        raise MalformedTokenError(
            "The token is encrypted (JWE), which is not supported"
            if len(parts) == _PARTS_OF_JWE
            else f"The token is not a JWT: it has {len(parts)} parts, not {_PARTS}. The server knows opaque access and "
            "refresh tokens: call introspect_token"
        )
    header = _read_header(parts[0])
    claims = _json_object("payload", parts[1])
    if not all(claims.values()):
        claims = {
            name: value
            for name, value in claims.items()
            if not (value in _EMPTY and (name in _CHECKED_CLAIMS or (value is None and name in _NULLABLE_CLAIMS)))
        }
    return Parsed(header.algorithm, header.key_id, header.type_, claims, parts[2])


def check_form(parsed: Parsed, kind: Kind, algorithms: Collection[str]) -> None:
    """Check a token's kind, its algorithm against an allow-list, and the encoding of its signature.

    Raises:
        TokenKindError: the token is of the other kind, or of neither.
        AlgorithmNotAllowedError: alg is another algorithm, or missing.
        MalformedTokenError: the signature is not in canonical encoding.
    """
    check_kind(parsed, kind)
    if parsed.algorithm not in algorithms:
        raise AlgorithmNotAllowedError(
            f"{_NAMES[kind].capitalize()} must be signed by {' or '.join(sorted(algorithms))}, not "
            f"{shown(parsed.algorithm)}"
        )
    if not _is_base64url(parsed.signature):
        raise MalformedTokenError("The token's signature is not base64url")


# All tokens of a server have the same encoded header.
@lru_cache(_HEADERS_KEPT)
def _read_header(text: str) -> _Header:
    if text[:7].lower() == "bearer ":
        raise MalformedTokenError("The token must be given without `Bearer`")
    header = {
        name: value
        for name, value in _json_object("header", text).items()
        # RFC 7515 section 4.1.11 forbids an empty list.
        if value not in _EMPTY or (name == "crit" and value is not None)
    }
    if refused := sorted(_REFUSED_HEADERS & header.keys()):
        raise MalformedTokenError(f"The token's header has {', '.join(refused)}, which is refused")
    texts: dict[str, str] = {}
    for name in _TEXT_HEADERS:
        value = header.get(name, "")
        if not isinstance(value, str):
            raise MalformedTokenError(f"The token's header {name} must be a string")
        if name in header:
            texts[name] = value
    type_ = texts.get("typ")
    return _Header(
        algorithm=texts.get("alg"),
        key_id=texts.get("kid"),
        type_=None if type_ is None else type_.lower().removeprefix("application/"),
    )


def check_length(token: str) -> None:
    """Check a token's type, length and characters before parsing.

    Raises:
        MalformedTokenError: the token is no str, too long, or not ASCII.
    """
    if not isinstance(token, str):
        raise MalformedTokenError(f"A token must be a str, not {type(token).__name__}")
    if len(token) > MAX_LENGTH:
        raise MalformedTokenError(f"The token has {len(token)} characters; at most {MAX_LENGTH} are read")
    if not token.isascii():
        raise MalformedTokenError("The token has characters that are not ASCII")


def decoded(text: str) -> bytes | None:
    """Decode unpadded base64url (RFC 4648 section 5); return None unless the text is its canonical encoding."""
    if not _is_base64url(text):
        return None
    return a2b_base64(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4))


def _is_base64url(text: str) -> bool:
    return _BASE64URL.fullmatch(text) is not None and text[-1] in _LAST_DIGITS[len(text) % 4]


class _UnfitError(ValueError):
    """Ambiguous JSON (RFC 8259 section 4)."""


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
            # Fewer brackets than levels cannot be too deep.
            elif content.count(b"{") + content.count(b"[") > _DEEPEST and _is_deep(value, _DEEPEST):
                problem = "is nested too deeply"
            else:
                return value
    raise MalformedTokenError(f"The token's {part} {problem}")


def _is_deep(value: object, levels: int) -> bool:
    """Return True if lists and objects are nested on more levels than these."""
    if not isinstance(value, (dict, list)):
        return False
    items = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deep(item, levels - 1) for item in items)


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _UnfitError("has a duplicate member")
    return members


def _refuse_constant(_: str) -> NoReturn:
    raise _UnfitError("has a number that is not JSON")


_JSON: Final = JSONDecoder(object_pairs_hook=_members, parse_constant=_refuse_constant)


def kind_of(parsed: Parsed) -> Kind:
    """Guess the kind of a token; `check_kind` decides."""
    return "access" if parsed.type_ == "at+jwt" or "scope" in parsed.claims else "id"


def check_kind(parsed: Parsed, kind: Kind) -> None:
    """Check that a token is an access token or an ID token: one key may sign both for one audience.

    An access token has the `typ` at+jwt (RFC 9068) or a `scope`, which an ID token never has. An ID token is bound to a
    login by `nonce`, `at_hash` or `c_hash`, which no access token has. Tokens of other types, and those with `events`,
    such as logout tokens, are neither.

    Raises:
        TokenKindError: the token is of the other kind, or of neither.
    """
    if "events" in parsed.claims:
        raise TokenKindError(f"This is a logout token or another event, not {_NAMES[kind]}: it has events")
    if parsed.type_ not in _TYPES[kind]:
        raise TokenKindError(f"The token is of type {shown(parsed.type_)}, which is not {_NAMES[kind]}")
    bound = sorted(_OF_ID_TOKENS & parsed.claims.keys())
    is_access = kind_of(parsed) == "access"
    if kind == "access" and (bound or not is_access):
        if not bound and parsed.algorithm != "HS256":
            raise TokenKindError("This is not an access token: it has neither a scope nor the type at+jwt")
        why = f"it has {', '.join(bound)}" if bound else "it is signed by HS256 and has no scope"
        raise TokenKindError(f"This is an ID token, not an access token: {why}; {_INSTEAD[kind]}")
    if kind == "id" and is_access:
        raise TokenKindError(f"This is an access token, not an ID token: it has a scope; {_INSTEAD[kind]}")


def is_signed(token: str, algorithm: str, key: RSAKey | OctKey) -> bool:
    """Return True if this key signed the token by this algorithm, regardless of the token's header."""
    by = registry_of(algorithm).get_alg(algorithm)
    content, _, last = token.rpartition(".")
    signature = decoded(last)
    # joserfc would decode the whole token again; its algorithm objects take decoded parts.
    return signature is not None and key.key_type == by.key_type and by.verify(content.encode(), signature, key)


def wrong_signature(algorithm: str) -> SignatureInvalidError:
    """Return the error for a token that no key has signed."""
    return SignatureInvalidError(f"The token's {algorithm} signature is wrong: it is forged, damaged, or another key's")


@cache
def registry_of(algorithm: str) -> JWSRegistry:
    """Return joserfc's registry for one algorithm. Slow on the first call, which imports joserfc: use a thread."""
    from joserfc.jws import JWSRegistry

    return JWSRegistry(algorithms=[algorithm])


def shown(value: object) -> str:
    """Render a value for a message, truncated: a forged token's values may be long."""
    text = "nothing" if value is None else ascii(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
