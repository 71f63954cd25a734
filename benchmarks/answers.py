"""Canned answers of the target, of the form and size of the service's."""

from __future__ import annotations

import json
import secrets
import time
from functools import cache
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

from genauth_async._crypto.sm2 import generate_key_pair

APP_ID = "60a5f2c3b1d7e8f9a0b1c2d3"
APP_SECRET = secrets.token_hex(16)
ACCOUNT = "ada"
PASSWORD = secrets.token_urlsafe(12)
ISSUER = "https://sign-in.test/oidc"
LIFE = 14 * 24 * 3600


@cache
def signing_key() -> RSAKey:
    """Generate the server's key, once."""
    key: RSAKey = RSAKey.generate_key(2048, {"kid": "benchmark", "use": "sig", "alg": "RS256"})
    return key


def access_token(**claims: object) -> str:
    """Sign a token that verifies, with more claims if given."""
    now = int(time.time())
    payload: dict[str, Any] = {
        "jti": secrets.token_urlsafe(16),
        "sub": secrets.token_hex(12),
        "iat": now,
        "exp": now + LIFE,
        "scope": "openid profile email phone address username offline_access",
        "iss": ISSUER,
        "aud": APP_ID,
        **claims,
    }
    return jwt.encode({"alg": "RS256", "kid": "benchmark", "typ": "JWT"}, payload, signing_key())


def id_token() -> str:
    """Sign a token with the usual claims about a user."""
    person: dict[str, Any] = {
        "name": "Ada Lovelace",
        "nickname": "ada",
        "picture": "https://files.sign-in.test/pictures/default-user.png",
        "email": "ada@example.com",
        "email_verified": True,
        "phone_number": "13800000000",
        "phone_number_verified": True,
        "address": {"country": None, "region": None, "locality": None, "formatted": None},
        "updated_at": "2026-01-01T00:00:00.000Z",
    }
    return access_token(**person)


def token_answer() -> bytes:
    """Build the answer to a refresh (RFC 6749 section 5.1)."""
    return json.dumps(_tokens()).encode()


def sign_in_answer() -> bytes:
    """Build the answer to a sign-in."""
    envelope = {"statusCode": 200, "message": "OK", "requestId": secrets.token_hex(16), "data": _tokens()}
    return json.dumps(envelope).encode()


def _tokens() -> dict[str, object]:
    return {
        "scope": "openid profile email phone address username offline_access",
        "token_type": "Bearer",
        "access_token": access_token(),
        "expires_in": LIFE,
        "refresh_token": secrets.token_urlsafe(32),
        "id_token": id_token(),
    }


def key_set() -> dict[str, object]:
    """Build the server's JWKS."""
    return {"keys": [signing_key().as_dict(private=False)]}


def system_answer() -> bytes:
    """Build the answer to GET /api/v3/system."""
    pem = signing_key().as_pem(private=False).decode()
    _, key = generate_key_pair()
    system = {"rsa": {"publicKey": pem}, "sm2": {"publicKey": f"04{key.to_hex()}"}, "version": {}, "publicIps": []}
    return json.dumps(system).encode()


def discovery_answer(url: str) -> bytes:
    """Build the metadata of the server at this URL (OpenID Connect Discovery 1.0 section 3)."""
    paths = {"authorization_endpoint": "/auth", "token_endpoint": "/token", "jwks_uri": "/.well-known/jwks.json"}
    issuer = f"{url}/oidc"
    metadata = {"issuer": issuer, **{name: f"{issuer}{path}" for name, path in paths.items()}}
    return json.dumps(metadata).encode()


def answers(url: str) -> dict[bytes, bytes]:
    """Build the bodies of the server at this URL, by path."""
    return {
        b"/api/v3/signin": sign_in_answer(),
        b"/api/v3/system": system_answer(),
        b"/oidc/token": token_answer(),
        b"/oidc/.well-known/openid-configuration": discovery_answer(url),
        b"/oidc/.well-known/jwks.json": json.dumps(key_set()).encode(),
    }
