"""Signed tokens as they are written: reading one, and verifying its signature against a key that is handed in.

joserfc verifies the signature. What is checked here besides is what it leaves to its callers, or sees more loosely:
one spelling for each token, no member twice, no algorithm and no key by the token's own choice.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Mapping
from functools import cache
from typing import TYPE_CHECKING, Final, Literal, NoReturn

from attrs import field, frozen

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
# Where keys come from, and what is signed, is not for the token to say.
_REFUSED_HEADERS: Final = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64"})
_TYPES: Final[Mapping[Kind, frozenset[str | None]]] = {
    "access": frozenset({None, "jwt", "at+jwt"}),
    "id": frozenset({None, "jwt"}),
}
_OF_ID_TOKENS: Final = frozenset({"nonce", "at_hash", "c_hash"})
_NAMES: Final[Mapping[Kind, str]] = {"access": "an access token", "id": "an ID token"}


@frozen(eq=False)
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
    header = _json_object("header", parts[0])
    if refused := sorted(_REFUSED_HEADERS & header.keys()):
        raise MalformedTokenError(f"The token's header has {', '.join(refused)}, which is refused")
    for name in ("alg", "kid", "typ"):
        if not isinstance(header.get(name, ""), str):
            raise MalformedTokenError(f"The token's header has a {name} that is no text")
    algorithm = header.get("alg")
    if algorithm not in algorithms:
        raise AlgorithmNotAllowedError(
            f"The token is signed by {shown(algorithm)}; expected {' or '.join(sorted(algorithms)) or 'none at all'}"
        )
    claims = _json_object("payload", parts[1])
    if decoded(parts[2]) is None:
        raise MalformedTokenError("The token's signature is not base64url")
    type_ = header.get("typ")
    return Parsed(
        algorithm=str(algorithm),
        key_id=None if "kid" not in header else str(header["kid"]),
        type_=None if type_ is None else str(type_).lower().removeprefix("application/"),
        claims=claims,
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
    if not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        return None
    value = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return value if urlsafe_b64encode(value).rstrip(b"=") == text.encode() else None


class _UnfitError(ValueError):
    """JSON that readers could understand differently."""


def _json_object(part: str, text: str) -> dict[str, object]:
    problem = "is not base64url"
    content = decoded(text)
    if content is not None:
        try:
            value = json.loads(content.decode(), object_pairs_hook=_members, parse_constant=_refuse_constant)
        except _UnfitError as error:
            problem = str(error)
        except (ValueError, RecursionError):
            problem = "is not JSON"
        else:
            if isinstance(value, dict) and not _is_deep(value, _DEEPEST):
                return value
            problem = "is nested too deep" if isinstance(value, dict) else "is not a JSON object"
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
    from joserfc.errors import JoseError
    from joserfc.jws import deserialize_compact

    try:
        deserialize_compact(token, key, registry=registry_of(algorithm))
    except (JoseError, ValueError, TypeError):
        return False
    return True


def wrong_signature(algorithm: str) -> SignatureInvalidError:
    """What is raised of a token that no key fits."""
    return SignatureInvalidError(f"The token's {algorithm} signature is wrong: it is forged, damaged, or another key's")


@cache
def registry_of(algorithm: str) -> JWSRegistry:
    """joserfc's settings for one algorithm. The first call imports joserfc, and is not to be made on an event loop."""
    from joserfc.jws import JWSRegistry

    # Unknown headers are to be ignored (RFC 7515 section 4); those that matter were refused before.
    registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    registry.max_header_length = registry.max_payload_length = MAX_LENGTH
    registry.max_signature_length = MAX_LENGTH
    return registry


def shown(value: object) -> str:
    """A value for a message; cut, since whoever made the token may have made it long."""
    text = "nothing" if value is None else ascii(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
