"""Tokens signed with an emulator's own key, so that a test can forge exactly one member."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from genauth_async.emulator import Emulator

GONE = object()
Sign = Callable[[bytes], bytes]


def part(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def rs256(key: RSAPrivateKey) -> Sign:
    return lambda message: key.sign(message, PKCS1v15(), SHA256())


def hs256(secret: bytes) -> Sign:
    return lambda message: hmac.digest(secret, message, "sha256")


def serialized(header: bytes, payload: bytes, sign: Sign) -> str:
    message = f"{part(header)}.{part(payload)}"
    return f"{message}.{part(sign(message.encode()))}"


class Forge:
    """Signs tokens of one emulator. Keyword arguments replace members; GONE removes a member."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator

    @property
    def key(self) -> RSAPrivateKey:
        key = self.emulator._state.signing_keys.current.private_key
        assert isinstance(key, RSAPrivateKey)
        return key

    @property
    def key_id(self) -> str:
        return str(self.emulator._state.signing_keys.current.kid)

    def header(self, **changes: Any) -> dict[str, Any]:
        return changed({"alg": "RS256", "typ": "JWT", "kid": self.key_id}, changes)

    def access_claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "iss": self.emulator.issuer,
            "sub": "ada",
            "aud": self.emulator.app_id,
            "jti": "an-id",
            "scope": "openid profile",
            "iat": now,
            "exp": now + 600,
        }
        return changed(claims, changes)

    def id_claims(self, **changes: Any) -> dict[str, Any]:
        return changed(self.access_claims(scope=GONE, nonce="a-nonce", email="ada@example.com"), changes)

    def signed(self, claims: dict[str, Any], sign: Sign | None = None, **header: Any) -> str:
        whole = json.dumps(self.header(**header)).encode()
        return serialized(whole, json.dumps(claims).encode(), sign or rs256(self.key))

    def access(self, **changes: Any) -> str:
        return self.signed(self.access_claims(**changes))

    def id(self, **changes: Any) -> str:
        return self.signed(self.id_claims(**changes))

    def id_by_secret(self, secret: str | None = None, **changes: Any) -> str:
        return self.signed(self.id_claims(**changes), hs256((secret or self.emulator.app_secret).encode()), alg="HS256")

    def raw(self, header: str | None = None, payload: str | None = None) -> str:
        """Return a token with these exact parts and a valid signature."""
        whole = json.dumps(self.header()) if header is None else header
        claims = json.dumps(self.access_claims()) if payload is None else payload
        return serialized(whole.encode(), claims.encode(), rs256(self.key))


def changed(members: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**members, **changes}.items() if value is not GONE}


def half_hash(access_token: str) -> str:
    return part(hashlib.sha256(access_token.encode()).digest()[:16])
