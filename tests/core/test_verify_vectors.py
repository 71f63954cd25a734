"""Published signatures, and generated tokens."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc.jwk import OctKey, RSAKey

from genauth_async._jwt.claims import read_claims
from genauth_async._jwt.jwks import read_key_set
from genauth_async._jwt.jws import check_form, decoded, is_signed, parse, wrong_signature
from genauth_async.emulator import Emulator
from genauth_async.errors import MalformedTokenError, TokenVerificationError
from tests.core.forging import Forge, part

# RFC 7515, appendix A.1.
A1_KEY = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
A1 = (
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
)
# RFC 7515, appendix A.2.
A2_KEY = (
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMs"
    "D1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdV"
    "MTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
)
A2 = (
    "eyJhbGciOiJSUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZ"
    "cAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-e"
    "OkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
)
# RFC 7520, section 4.1.
COOKBOOK_ID = "bilbo.baggins@hobbiton.example"
COOKBOOK_KEY = (
    "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_Ns"
    "YOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCu"
    "EHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw"
)
COOKBOOK = (
    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9."
    "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlm"
    "IHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4."
    "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA7818"
    "5hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_"
    "de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg"
)


def rsa(modulus: str, key_id: str | None = None) -> Any:
    (key,) = read_key_set({"keys": [{"kty": "RSA", "n": modulus, "e": "AQAB", "kid": key_id}]}).find(key_id)
    return key


@pytest.mark.parametrize(
    ("token", "algorithm", "key"),
    [
        (A1, "HS256", OctKey.import_key(decoded(A1_KEY) or b"")),
        (A2, "RS256", rsa(A2_KEY)),
        (COOKBOOK, "RS256", rsa(COOKBOOK_KEY, COOKBOOK_ID)),
    ],
    ids=["RFC 7515 A.1", "RFC 7515 A.2", "RFC 7520 4.1"],
)
def test_published_signatures_are_good_and_no_others(token: str, algorithm: str, key: Any) -> None:
    assert is_signed(token, algorithm, key)
    head, payload, signature = token.split(".")
    damaged = signature[:9] + ("A" if signature[9] != "A" else "B") + signature[10:]
    for other in (f"{head}.{payload}.{damaged}", f"{head}.{payload[:-4]}.{signature}", f"{head}.{payload}.AAAA"):
        assert not is_signed(other, algorithm, key)
    assert not is_signed(token, "HS256" if algorithm == "RS256" else "RS256", key)
    other_key = OctKey.generate_key(512) if algorithm == "HS256" else RSAKey.generate_key(2048)
    assert not is_signed(token, algorithm, other_key)


def test_the_header_of_appendix_a1_is_read_with_its_line_breaks() -> None:
    parsed = parse(A1)
    assert (parsed.algorithm, parsed.type_, parsed.key_id) == ("HS256", "jwt", None)
    assert parsed.claims == {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True}


FORGE = Forge(Emulator())
KEY = rsa(str(FORGE.emulator._state.signing_keys.current.as_dict(private=False)["n"]), FORGE.key_id)
GOOD = FORGE.access()
LETTERS = string.ascii_letters + string.digits + "-_.=+/ \n"


def verify(token: str) -> None:
    """Run all checks that need no client."""
    parsed = parse(token)
    check_form(parsed, "access", ["RS256"])
    read_claims(parsed.claims, "access")
    if not is_signed(token, "RS256", KEY):
        raise wrong_signature("RS256")


def test_the_good_token_is_good() -> None:
    verify(GOOD)


def test_no_character_can_be_changed_left_out_or_put_in() -> None:
    for place in range(len(GOOD)):
        for other in ("A" if GOOD[place] != "A" else "Q", chr(ord(GOOD[place]) ^ 1), ""):
            with pytest.raises(TokenVerificationError):
                verify(GOOD[:place] + other + GOOD[place + 1 :])
    for letter in LETTERS:
        for place in (0, len(GOOD)):
            with pytest.raises(TokenVerificationError):
                verify(GOOD[:place] + letter + GOOD[place:])


@given(place=st.integers(0, len(GOOD) - 1), letter=st.sampled_from(LETTERS))
@settings(max_examples=300, deadline=None)
def test_any_other_character_is_refused(place: int, letter: str) -> None:
    if letter != GOOD[place]:
        with pytest.raises(TokenVerificationError):
            verify(GOOD[:place] + letter + GOOD[place + 1 :])


@given(st.text() | st.text(LETTERS) | st.lists(st.text(LETTERS), min_size=3, max_size=3).map(".".join))
@settings(max_examples=300, deadline=None)
def test_random_text_is_refused_and_nothing_else_happens(text: str) -> None:
    with pytest.raises(TokenVerificationError):
        verify(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
NAMES = st.sampled_from(["iss", "sub", "aud", "exp", "iat", "nbf", "scope", "jti", "azp", "nonce", "at_hash"])


@given(claims=st.dictionaries(NAMES, JSON))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_claims_of_any_type_raise_nothing_else(claims: dict[str, Any]) -> None:
    """Signs every token, so that only the types are refused or accepted."""
    verify_or_refuse(FORGE.access(**claims))


@given(header=st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "x5t", "cty"]), JSON))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_headers_of_any_type_raise_nothing_else(header: dict[str, Any]) -> None:
    verify_or_refuse(FORGE.signed(FORGE.access_claims(), **header))


def verify_or_refuse(token: str) -> None:
    message = ""
    try:
        verify(token)
    except TokenVerificationError as error:
        message = str(error)
    assert message == "" or message.isprintable(), "whatever is quoted"


@pytest.mark.parametrize("text", ["", "A", "AA==", "AB", "AAAAA", "A A", "AA\n", "é", "+/"])
def test_base64url_has_one_spelling(text: str) -> None:
    assert decoded(text) is None


@given(st.binary(min_size=1))
def test_what_is_spelt_rightly_is_read(content: bytes) -> None:
    assert decoded(part(content)) == content


def test_nothing_is_parsed_of_what_is_too_long() -> None:
    with pytest.raises(MalformedTokenError, match="characters; at most 16384"):
        parse("." * 16385)
