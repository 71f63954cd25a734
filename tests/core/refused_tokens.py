"""Tokens that must be refused, each for one reason, with the expected error."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import RSAKey

from genauth_async import TokenVerificationError, errors
from tests.core.forging import GONE, Forge, hs256, part, rs256

STRANGERS_KEY = generate_private_key(65537, 2048)

DEEPEST = 64

Make = Callable[[Forge], Any]
Cases = dict[str, tuple[Make, type[TokenVerificationError]]]


def twice(forge: Forge, name: str) -> str:
    """Return a payload that repeats one member with the same value."""
    claims = json.dumps(forge.access_claims())
    return f'{{"{name}": {json.dumps(forge.access_claims()[name])}, {claims[1:]}'


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def pem(forge: Forge) -> bytes:
    return forge.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def der(forge: Forge) -> bytes:
    return forge.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def unsigned(forge: Forge, algorithm: str) -> str:
    return forge.signed(forge.access_claims(), lambda _: b"", alg=algorithm)


def resigned_header(forge: Forge, **header: Any) -> str:
    return forge.signed(forge.access_claims(), **header)


def with_own_key(forge: Forge, **header: Any) -> str:
    return forge.signed(forge.access_claims(), rs256(STRANGERS_KEY), **header)


def other_bits(token: str) -> str:
    """Return another spelling of a token: 256 bytes leave four unused bits at the end."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]


M, S, A, K = (
    errors.MalformedTokenError,
    errors.SignatureInvalidError,
    errors.AlgorithmNotAllowedError,
    errors.TokenKindError,
)
FORM: Cases = {
    "nothing": (lambda _: "", M),
    "no text": (lambda _: None, M),
    "bytes": (lambda f: f.access().encode(), M),
    "two parts": (lambda f: f.access().rpartition(".")[0], M),
    "four parts": (lambda f: f.access() + ".", M),
    "no signature": (lambda f: f.access().rpartition(".")[0] + ".", M),
    "a signature cut short": (lambda f: f.signed(f.access_claims(), lambda m: rs256(f.key)(m)[:-1]), S),
    "other unused bits": (lambda f: other_bits(f.access()), M),
    "padding": (lambda f: f.access() + "==", M),
    "a space before": (lambda f: " " + f.access(), M),
    "a line break after": (lambda f: f.access() + "\n", M),
    "a line break inside": (lambda f: f.access().replace(".", ".\n", 1), M),
    "base64's own letters": (lambda f: f.access()[:-3] + "+/A", M),
    "letters beyond ASCII": (lambda f: f.access()[:-1] + "é", M),
    "half a character": (lambda f: f.access()[:-1] + "\ud800", M),
    "huge": (lambda f: f.access(filler="x" * 16384), M),
    "a header that is a list": (lambda f: f.raw(header="[]"), M),
    "a payload that is a list": (lambda f: f.raw(payload="[]"), M),
    "a payload that is no JSON": (lambda f: f.raw(payload="{"), M),
    "a payload nested without end": (lambda f: f.raw(payload="[" * 11000), M),
    "a claim nested deeper than can be copied": (lambda f: f.access(x=nested(600)), M),
    "a claim nested a little too deep": (lambda f: f.access(x={"y": nested(DEEPEST - 1)}), M),
    "a payload in UTF-16": (
        lambda f: (
            f"{part(json.dumps(f.header()).encode())}.{part(json.dumps(f.access_claims()).encode('utf-16'))}.AAAA"
        ),
        M,
    ),
    "a claim twice": (lambda f: f.raw(payload=twice(f, "sub")), M),
    "a member twice, deep inside": (
        lambda f: f.raw(payload=json.dumps(f.access_claims())[:-1] + ', "x": [{"y": 1, "y": 1}]}'),
        M,
    ),
    "a header twice": (lambda f: f.raw(header=json.dumps(f.header())[:-1] + ', "alg": "RS256"}'), M),
    "not a number": (lambda f: f.raw(payload=json.dumps(f.access_claims(x=float("nan")))), M),
}
HEADER: Cases = {
    "alg none": (lambda f: unsigned(f, "none"), A),
    "alg None": (lambda f: unsigned(f, "None"), A),
    "no alg": (lambda f: resigned_header(f, alg=GONE), A),
    "an alg that is no text": (lambda f: resigned_header(f, alg=["RS256"]), M),
    "RS384": (lambda f: resigned_header(f, alg="RS384"), A),
    "PS256": (lambda f: resigned_header(f, alg="PS256"), A),
    "ES256": (lambda f: resigned_header(f, alg="ES256"), A),
    "HS256 with the public key as PEM": (lambda f: f.signed(f.access_claims(), hs256(pem(f)), alg="HS256"), A),
    "HS256 with the public key as DER": (lambda f: f.signed(f.access_claims(), hs256(der(f)), alg="HS256"), A),
    "HS256 with the secret": (
        lambda f: f.signed(f.access_claims(), hs256(f.emulator.app_secret.encode()), alg="HS256"),
        A,
    ),
    "jku": (lambda f: resigned_header(f, jku="https://evil.example/jwks.json"), M),
    "jwk": (lambda f: with_own_key(f, jwk=RSAKey.import_key(STRANGERS_KEY.public_key()).as_dict()), M),
    "x5u": (lambda f: resigned_header(f, x5u="https://evil.example/cert"), M),
    "x5c": (lambda f: resigned_header(f, x5c=["MIIB"]), M),
    "crit": (lambda f: resigned_header(f, crit=["exp"], exp=1), M),
    "an empty crit": (lambda f: resigned_header(f, crit=[]), M),
    "b64": (lambda f: resigned_header(f, b64=True), M),
    "a kid that is no text": (lambda f: resigned_header(f, kid=7), M),
    "a typ that is no text": (lambda f: resigned_header(f, typ=7), M),
    "another's kid": (lambda f: resigned_header(f, kid="unknown"), errors.UnknownKeyError),
    "another's key": (with_own_key, S),
    "a logout token's typ": (lambda f: resigned_header(f, typ="logout+jwt"), K),
}
CLAIMS: Cases = {
    "another issuer": (lambda f: f.access(iss="https://evil.example/oidc"), errors.TokenIssuerError),
    "a slash after the issuer": (lambda f: f.access(iss=f.emulator.issuer + "/"), errors.TokenIssuerError),
    "no issuer": (lambda f: f.access(iss=GONE), errors.TokenIssuerError),
    "an issuer that is a list": (lambda f: f.access(iss=[f.emulator.issuer]), M),
    "another audience": (lambda f: f.access(aud="another"), errors.TokenAudienceError),
    "other audiences": (lambda f: f.access(aud=["another", "third"]), errors.TokenAudienceError),
    "a longer audience": (lambda f: f.access(aud=f.emulator.app_id + "x"), errors.TokenAudienceError),
    "no audience": (lambda f: f.access(aud=GONE), errors.TokenAudienceError),
    "an empty list of audiences": (lambda f: f.access(aud=[]), errors.TokenAudienceError),
    "an audience that is an object": (lambda f: f.access(aud={f.emulator.app_id: 1}), M),
    "an audience that is a number": (lambda f: f.access(aud=[f.emulator.app_id, 1]), M),
    "a subject that is a number": (lambda f: f.access(sub=1), M),
    "expired": (lambda f: f.access(exp=int(time.time()) - 61), errors.TokenExpiredError),
    "no end": (lambda f: f.access(exp=GONE), M),
    "an end that is null": (lambda f: f.access(exp=None), M),
    "an end that is true": (lambda f: f.access(exp=True), M),
    "an end that is text": (lambda f: f.access(exp="9999999999"), M),
    "an infinite end": (lambda f: f.raw(payload=json.dumps(f.access_claims(exp=7)).replace(" 7}", " 1e999}")), M),
    "an enormous end": (lambda f: f.access(exp=10**400), M),
    "an issue to come": (lambda f: f.access(iat=int(time.time()) + 90), errors.TokenNotYetValidError),
    "an issue that is text": (lambda f: f.access(iat="1"), M),
    "a beginning to come": (lambda f: f.access(nbf=int(time.time()) + 90), errors.TokenNotYetValidError),
    "a beginning that is false": (lambda f: f.access(nbf=False), M),
    "a scope that is a number": (lambda f: f.access(scope=1), M),
    "a list of scopes with a number": (lambda f: f.access(scope=["a", 1]), M),
    "a jti that is a number": (lambda f: f.access(jti=1), M),
    "an ID token": (lambda f: f.id(), K),
    "an ID token without nonce": (lambda f: f.id(nonce=GONE), K),
    "an ID token with a scope": (lambda f: f.id(scope="openid"), K),
    "at_hash": (lambda f: f.access(at_hash="x"), K),
    "c_hash": (lambda f: f.access(c_hash="x"), K),
    "a logout token": (lambda f: f.access(events={}), K),
}
ID_TOKENS: Cases = {
    "an access token": (lambda f: f.access(), K),
    "an access token by its typ": (lambda f: f.signed(f.id_claims(nonce=GONE), typ="at+jwt"), K),
    "the same, spelt in full": (lambda f: f.signed(f.id_claims(nonce=GONE), typ="application/AT+JWT"), K),
    "another secret": (lambda f: f.id_by_secret("another"), S),
    "the public key as secret, PEM": (lambda f: f.signed(f.id_claims(), hs256(pem(f)), alg="HS256"), S),
    "the public key as secret, DER": (lambda f: f.signed(f.id_claims(), hs256(der(f)), alg="HS256"), S),
    "the app id as secret": (lambda f: f.id_by_secret(f.emulator.app_id), S),
    "HS512": (lambda f: f.signed(f.id_claims(), hs256(f.emulator.app_secret.encode()), alg="HS512"), A),
    "alg none": (lambda f: f.signed(f.id_claims(), lambda _: b"", alg="none"), A),
    "an RSA signature that says HS256": (lambda f: f.signed(f.id_claims(), alg="HS256"), S),
    "an HMAC that says RS256": (lambda f: f.signed(f.id_claims(), hs256(f.emulator.app_secret.encode())), S),
    "no subject": (lambda f: f.id(sub=GONE), M),
    "an empty subject": (lambda f: f.id(sub=""), M),
    "a subject that is null": (lambda f: f.id(sub=None), M),
    "an empty scope": (lambda f: f.id(scope=""), K),
    "no issue": (lambda f: f.id(iat=GONE), M),
    "another application": (lambda f: f.id(aud="another"), errors.TokenAudienceError),
    "several audiences without an authorized party": (
        lambda f: f.id(aud=[f.emulator.app_id, "another"]),
        errors.TokenAudienceError,
    ),
    "issued to another": (lambda f: f.id(azp="another"), errors.TokenAudienceError),
    "issued to a number": (lambda f: f.id(azp=1), M),
    "a nonce that is a number": (lambda f: f.id(nonce=1), M),
    "an at_hash that is a list": (lambda f: f.id(at_hash=["x"]), M),
    "a sign-in at a time that is no number": (lambda f: f.id(auth_time="yesterday"), M),
    "a sign-in at a time that is true, and an odd address": (lambda f: f.id(auth_time=True, email={}), M),
    "an infinite time of the sign-in": (
        lambda f: f.raw(payload=json.dumps(f.id_claims(auth_time=7)).replace(" 7}", " 1e999}")),
        M,
    ),
    "expired": (lambda f: f.id(exp=int(time.time()) - 61), errors.TokenExpiredError),
    "another issuer": (lambda f: f.id_by_secret(iss="https://evil.example"), errors.TokenIssuerError),
}
