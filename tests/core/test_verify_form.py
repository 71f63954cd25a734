"""The fast ways to read a token have the same results as the thorough ones."""

from __future__ import annotations

import json
import string
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from joserfc.jwk import OctKey

from genauth_async import AccessToken, AuthenticationClient, IDToken
from genauth_async._jwt import jws as _jws
from genauth_async._jwt import token_cache as _verified
from genauth_async._jwt.claims import read_claims
from genauth_async._jwt.jwks import read_key_set
from genauth_async._jwt.jws import check_form, decoded, is_signed, parse
from genauth_async.errors import AlgorithmNotAllowedError, MalformedTokenError
from tests.core.forging import part
from tests.core.refused_tokens import DEEPEST, STRANGERS_KEY

DIGITS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
HEADER = {"alg": "RS256", "kid": "k", "typ": "JWT"}
CLAIMS = {"iss": "i", "sub": "s", "aud": "a", "exp": 2, "iat": 1}


def token(payload: str = "{}", **header: Any) -> str:
    """Return a token without a valid signature."""
    return f"{part(json.dumps(HEADER | header).encode())}.{part(payload.encode())}.AAAA"


def decoded_and_written_again(text: str) -> bytes | None:
    """Decode the thorough way: encoding the result must yield the same text."""
    if not text or not set(text) <= set(DIGITS) or len(text) % 4 == 1:
        return None
    value = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return value if urlsafe_b64encode(value).rstrip(b"=").decode() == text else None


@pytest.mark.parametrize("before", ["", "x", "x_", "-xx", "x_-x"])
def test_the_last_digit_tells_whether_there_is_another_spelling(before: str) -> None:
    for last in DIGITS + "+/=. \n":
        assert decoded(before + last) == decoded_and_written_again(before + last)


@given(st.text(DIGITS + "+/= \n") | st.text(DIGITS, max_size=9) | st.text())
@settings(max_examples=500, deadline=None)
def test_any_text_is_read_as_by_writing_it_again(text: str) -> None:
    assert decoded(text) == decoded_and_written_again(text)


def test_a_cached_header_still_needs_an_allowed_algorithm() -> None:
    by_secret = token(alg="HS256")
    for _ in range(2):
        check_form(parse(by_secret), "id", ["HS256", "RS256"])
        with pytest.raises(AlgorithmNotAllowedError):
            check_form(parse(by_secret), "id", ["RS256"])


def test_a_header_that_was_refused_is_refused_again() -> None:
    for _ in range(2):
        with pytest.raises(MalformedTokenError, match="crit"):
            parse(token(crit=["exp"]))


def test_not_many_headers_are_kept() -> None:
    for number in range(200):
        assert parse(token(kid=f"key {number}")).key_id == f"key {number}"
    assert _jws._read_header.cache_info().currsize <= 32


@pytest.mark.parametrize("name", ["alg", "cty", "kid", "typ", "x5t", "x5t#S256"])
@pytest.mark.parametrize("value", [7, False, ["RS256"], {"x": 1}])
def test_a_header_that_is_no_text_is_refused(name: str, value: Any) -> None:
    with pytest.raises(MalformedTokenError, match=f"{name} must be a string"):
        parse(token(**{name: value}))


@pytest.mark.parametrize("pair", ["[]", "{}"])
def test_levels_are_counted_and_brackets_are_not(pair: str) -> None:
    member = '"x":' if pair == "{}" else ""
    for levels in (DEEPEST - 1, DEEPEST):
        deep = f'{{"x":{f"{pair[0]}{member}" * levels}1{pair[1] * levels}}}'
        if levels < DEEPEST:
            assert parse(token(deep)).claims == json.loads(deep)
        else:
            with pytest.raises(MalformedTokenError, match="too deep"):
                parse(token(deep))
    beside, written = {"x": [json.loads(pair)] * 200}, {"x": pair[0] * 200}
    for claims in (beside, written):
        assert parse(token(json.dumps(claims))).claims == claims


def test_levels_of_both_kinds_are_counted_together() -> None:
    deep: Any = 1
    for _ in range(DEEPEST // 2):
        deep = {"x": [deep]}
    assert parse(token(json.dumps(deep))).claims == deep
    with pytest.raises(MalformedTokenError, match="too deep"):
        parse(token(json.dumps({"x": deep})))


def public_key() -> Any:
    numbers = STRANGERS_KEY.public_key().public_numbers()
    modulus = part(numbers.n.to_bytes(256, "big"))
    (key,) = read_key_set({"keys": [{"kty": "RSA", "n": modulus, "e": "AQAB"}]}).find(None)
    return key


RSA_KEY, SECRET = public_key(), OctKey.generate_key(256)


@given(st.binary(max_size=600) | st.integers(0, 2**2048 - 1).map(lambda number: number.to_bytes(256, "big")))
@settings(max_examples=200, deadline=None)
def test_arbitrary_signatures_are_wrong_and_raise_nothing(signature: bytes) -> None:
    for algorithm, key in (("RS256", RSA_KEY), ("HS256", SECRET), ("RS256", SECRET), ("HS256", RSA_KEY)):
        assert not is_signed(f"e30.e30.{part(signature)}", algorithm, key)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(
    [
        "jti",
        "nonce",
        "amr",
        "auth_time",
        "azp",
        "email",
        "email_verified",
        "address",
        "gender",
        "updated_at",
        "extra",
        "x",
        "iat",
        "userId",
        "user_id",
    ]
)


@given(claims=st.dictionaries(NAMES, JSON), kind=st.sampled_from(["access", "id"]))
@example(claims={"auth_time": 0.5}, kind="access")
@example(claims={"iat": 2**63}, kind="access")
@settings(max_examples=500, deadline=None)
def test_claims_that_need_no_conversion_read_as_those_that_do(claims: dict[str, Any], kind: Any) -> None:
    cls: Any = AccessToken if kind == "access" else IDToken
    raw = CLAIMS | claims
    checked = read_claims(CLAIMS, kind)
    quickly = _verified._as_it_stands(raw, checked, cls, None)
    if quickly is not None:
        thoroughly = _verified._converted(raw, checked, cls, None).dto()
        assert quickly.dto() == thoroughly
        assert json.dumps(quickly.dto().to_dict(), sort_keys=True) == json.dumps(thoroughly.to_dict(), sort_keys=True)


def test_usual_claims_need_no_conversion() -> None:
    access = CLAIMS | {"scope": "openid profile", "jti": "j", "aud": ["a", "b"], "private": {"x": [1]}}
    identity = CLAIMS | {"nonce": "n", "email": "ada@example.com", "email_verified": True, "auth_time": 1}
    assert _verified._as_it_stands(access, read_claims(access, "access"), AccessToken, None) is not None
    assert _verified._as_it_stands(identity, read_claims(identity, "id"), IDToken, None) is not None


@pytest.mark.parametrize("name", ["iss", "exp"])
def test_claims_that_have_to_be_there_are_missed(name: str) -> None:
    raw = {key: value for key, value in CLAIMS.items() if key != name}
    with pytest.raises(MalformedTokenError, match=name):
        _verified.cached_token(raw, read_claims(CLAIMS, "access"), AccessToken, None)


def test_an_id_token_says_when_it_was_issued() -> None:
    claims = {name: value for name, value in CLAIMS.items() if name != "iat"}
    assert read_claims(claims, "access").expires_at == 2
    for without in (claims, claims | {"iat": None}):
        with pytest.raises(MalformedTokenError, match="no iat"):
            read_claims(without, "id")


@pytest.mark.anyio
@pytest.mark.parametrize("method", ["verify_access_token", "verify_id_token", "parse_access_token", "parse_id_token"])
@pytest.mark.parametrize("value", [None, b"a.b.c", "a.b.\ud800", "x" * 16385], ids=["None", "bytes", "half", "long"])
async def test_nothing_is_done_with_what_is_no_token(method: str, value: Any) -> None:
    async with AuthenticationClient("app-id", "https://sign-in.test", "a secret") as client:
        with pytest.raises(MalformedTokenError):
            await getattr(client, method)(value)
