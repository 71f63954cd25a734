"""Members of keys, headers and claims that are null, empty or padded, which means absent; and scopes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import RSAKey

from genauth_async import AccessToken, AuthenticationClient, KeysUnavailableError, MalformedTokenError, errors
from genauth_async._jwt.claims import read_claims
from genauth_async._jwt.jwks import read_key_set
from genauth_async._jwt.token_cache import cached_token
from genauth_async.emulator import Emulator
from tests.core.forging import GONE, Forge
from tests.core.refused_tokens import STRANGERS_KEY, nested
from tests.core.test_jwks import KEYS

EMPTY: list[Any] = [None, "", [], {}]
KEY: Any = {**RSAKey.import_key(STRANGERS_KEY.public_key()).as_dict(private=False), "kid": "k"}
BLANKS = [chr(code) for code in range(0x3001) if chr(code).isspace() and chr(code) != " "]


@pytest.fixture
def forge(emulator: Emulator) -> Forge:
    return Forge(emulator)


@pytest.mark.parametrize("value", EMPTY, ids=repr)
@pytest.mark.parametrize("name", ["use", "alg", "key_ops", "kid", "x5c", "x5t", "x5t#S256", "x5u", "oth", "iat"])
def test_an_empty_member_of_a_key_is_absent(name: str, value: object) -> None:
    read = read_key_set({"keys": [{**KEY, name: value}]})
    assert [key_id for key_id, _ in read.keys] == [None if name == "kid" else "k"]


@pytest.mark.parametrize("value", EMPTY, ids=repr)
@pytest.mark.parametrize("name", ["kty", "n", "e"])
def test_a_key_without_what_it_needs_is_left_out(name: str, value: object) -> None:
    with pytest.raises(KeysUnavailableError):
        read_key_set({"keys": [{**KEY, name: value}]})


@pytest.mark.parametrize("changes", [{"n": KEY["n"] + "=="}, {"e": KEY["e"] + "="}, {"n": "AAAA" + KEY["n"]}])
def test_numbers_of_a_key_may_be_padded(changes: dict[str, str]) -> None:
    read = read_key_set({"keys": [{**KEY, **changes}]})
    assert read.numbers == read_key_set({"keys": [KEY]}).numbers


@pytest.mark.anyio
@pytest.mark.parametrize("value", EMPTY, ids=repr)
async def test_an_empty_header_is_absent(value: Any, client: AuthenticationClient, forge: Forge) -> None:
    names = ["kid", "typ", "cty", "x5t", "x5t#S256", "jku", "jwk", "x5u", "x5c", "b64", "zip", "crit"]
    for name in names:
        if name != "crit" or value is None:
            assert await client.verify_access_token(forge.signed(forge.access_claims(), **{name: value})), name
    with pytest.raises(errors.AlgorithmNotAllowedError):
        await client.verify_access_token(forge.signed(forge.access_claims(), alg=value))


@pytest.mark.anyio
@pytest.mark.parametrize("value", EMPTY, ids=repr)
async def test_an_empty_claim_is_absent(value: Any, client: AuthenticationClient, forge: Forge) -> None:
    optional = ["nbf", "jti", "azp", "nonce", "at_hash", "c_hash", "auth_time"]
    for name in [*optional, "sub", "iat"]:
        access = await client.verify_access_token(forge.access(**{name: value}))
        assert getattr(access, name, None) is None, name
    for name in optional:
        identity = await client.verify_id_token(forge.id(**{name: value}), access_token="a")
        assert getattr(identity, name, None) is None, name
    for name, error in {"sub": MalformedTokenError, "iat": MalformedTokenError, "exp": MalformedTokenError}.items():
        with pytest.raises(error, match=f"no {name}"):
            await client.verify_id_token(forge.id(**{name: value}))
    for name, other in {"aud": errors.TokenAudienceError, "iss": errors.TokenIssuerError}.items():
        with pytest.raises(other):
            await client.verify_access_token(forge.access(**{name: value}))
    with pytest.raises(errors.NonceMismatchError, match="no nonce"):
        await client.verify_id_token(forge.id(nonce=value), nonce="a-nonce")


@pytest.mark.anyio
async def test_null_is_neither_a_scope_nor_an_event(client: AuthenticationClient, forge: Forge) -> None:
    assert await client.verify_access_token(forge.access(events=None))
    assert await client.verify_id_token(forge.id(events=None, scope=None))
    with pytest.raises(errors.TokenKindError):
        await client.verify_access_token(forge.access(scope=None))
    assert (await client.verify_access_token(forge.access(scope=""))).scopes == frozenset()


@pytest.mark.anyio
async def test_a_machines_token_has_no_subject(client: AuthenticationClient, forge: Forge) -> None:
    token = forge.access(sub=GONE, aud="account", azp=forge.emulator.app_id, scope="book")
    for _ in range(2):
        claims = await client.verify_access_token(token, audience="account", scopes=["book"])
        assert (claims.sub, claims.aud, claims.azp) == (None, "account", forge.emulator.app_id)
    with pytest.raises(errors.TokenAudienceError):
        await client.verify_access_token(token)


@given(blank=st.sampled_from(BLANKS), listed=st.booleans())
def test_only_a_space_separates_scopes(blank: str, listed: bool) -> None:
    text = f"a{blank}admin  b "
    raw = {"iss": "i", "exp": 2, "scope": [f"a{blank}admin", "c admin", "", "b"] if listed else text}
    claims = read_claims(raw, "access")
    assert claims.scopes == {f"a{blank}admin", "b"}
    assert cached_token(raw, claims, AccessToken, None).dto().scopes == claims.scopes


@pytest.mark.anyio
async def test_a_wrong_token_is_named_first(client: AuthenticationClient, forge: Forge) -> None:
    by_secret, plain = forge.id_by_secret(nonce=GONE), forge.access(scope=GONE)
    cases: list[tuple[str, type[Exception], str]] = [
        (forge.id(), errors.TokenKindError, r"^This is an ID token.* send the access token"),
        (forge.id_by_secret(), errors.TokenKindError, r"^This is an ID token.* send the access token"),
        (by_secret, errors.TokenKindError, r"^This is an ID token.* signed by HS256"),
        (plain, errors.TokenKindError, r"^This is not an access token: it has neither a scope nor"),
        ("s3cr3t-opaque", MalformedTokenError, r"not a JWT.* call introspect_token"),
        ("a.b.c.d.e", MalformedTokenError, r"encrypted \(JWE\)"),
        (f"Bearer {forge.access()}", MalformedTokenError, r"without `Bearer`"),
        (forge.access(events={}), errors.TokenKindError, r"logout token"),
    ]
    for token, error, message in cases:
        with pytest.raises(error, match=message):
            await client.verify_access_token(token)
    with pytest.raises(errors.TokenKindError, match=r"^This is an access token.* call verify_access_token"):
        await client.verify_id_token(forge.access())


@pytest.mark.anyio
@pytest.mark.parametrize("depth", [90, 5000, 200_000])
@pytest.mark.parametrize("pair", [("[", "]"), ('{"a":', "}")], ids=["lists", "objects"])
@pytest.mark.parametrize("place", ["unknown", "kid", "use", "n", "second key", "keys", "beside"])
async def test_a_deep_key_set_raises_no_foreign_error(
    depth: int, pair: tuple[str, str], place: str, client: AuthenticationClient, forge: Forge
) -> None:
    published: Any = forge.emulator._state.signing_keys.jwks()
    key = json.dumps(published["keys"][0])
    deep = pair[0] * depth + "1" + pair[1] * depth
    forge.emulator.faults.add(
        KEYS,
        body={
            "keys": f'{{"keys": {deep}}}',
            "beside": f'{{"keys": [{key}], "x": {deep}}}',
            "second key": f'{{"keys": [{key}, {deep}]}}',
        }.get(place, f'{{"keys": [{key[:-1]}, "{place}": {deep}}}]}}'),
    )
    try:
        await client.verify_access_token(forge.access())
    except KeysUnavailableError:
        assert depth > 100 or place in {"kid", "use", "n", "keys"}
    deep_value = nested(depth) if pair[0] == "[" else {"a": nested(depth)}
    given_key: Any = {**json.loads(key), place: deep_value}
    documents: list[dict[str, Any]] = [{"keys": [given_key]}, {"keys": deep_value}, {"keys": [{}] * depth}]
    for document in documents:
        try:
            await client.parse_access_token(forge.access(), document)
        except KeysUnavailableError:
            assert document["keys"] != [given_key] or place in {"kid", "use", "n"}


def test_only_so_many_members_and_digits_are_read() -> None:
    endless = {**KEY, "n": "A" * 4_000_000 + KEY["n"]}
    read = read_key_set({"keys": [endless] * 999 + [KEY] * 40})
    assert len(read.keys) == 1
