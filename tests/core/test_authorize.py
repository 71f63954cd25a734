from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genauth_async import AuthenticationClient, ConfigurationError

HOST = "https://a.example"
BACK = "https://app.example/back?x=1&y=%C3%A4"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


def client(**options: Any) -> AuthenticationClient:
    return AuthenticationClient(**{"app_id": "app", "app_host": HOST, "app_secret": "canary-secret", **options})


def parts(url: str) -> tuple[str, dict[str, str]]:
    found = urlsplit(url)
    pairs = parse_qsl(found.query, keep_blank_values=True, strict_parsing=bool(found.query))
    assert len(dict(pairs)) == len(pairs)
    assert found.fragment == ""
    return f"{found.scheme}://{found.netloc}{found.path}", dict(pairs)


def test_an_oidc_authorize_url_has_what_is_needed() -> None:
    where, query = parts(client(redirect_uri=BACK).build_authorize_url())
    assert where == f"{HOST}/oidc/auth"
    assert len(query.pop("state")) >= 43
    assert len(query.pop("nonce")) >= 43
    assert query == {
        "client_id": "app",
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": "openid profile email phone address",
    }


def test_everything_given_to_an_authorize_url_is_in_it() -> None:
    _, query = parts(
        client(redirect_uri="https://other.example").build_authorize_url(
            BACK,
            "code",
            "form_post",
            "s",
            "n",
            "openid offline_access",
            None,
            "c" * 43,
            login_hint="ada&x",
            tenant_id="t",
            extra={"ui_locales": "en"},
        )
    )
    assert query == {
        "client_id": "app",
        "redirect_uri": BACK,
        "response_type": "code",
        "response_mode": "form_post",
        "state": "s",
        "nonce": "n",
        "scope": "openid offline_access",
        "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
        "prompt": "consent",
        "login_hint": "ada&x",
        "tenantId": "t",
        "ui_locales": "en",
    }


@pytest.mark.parametrize(
    ("options", "prompt"),
    [
        ({"scope": "openid offline_accessory"}, None),
        ({"scope": "openid", "forced": True}, "login"),
        ({"scope": "openid offline_access", "prompt": "none"}, "none"),
        ({"scope": "openid offline_access", "forced": True}, "login"),
    ],
)
def test_the_prompt_is_as_asked(options: dict[str, Any], prompt: str | None) -> None:
    _, query = parts(client(redirect_uri=BACK).build_authorize_url(**options))
    assert query.get("prompt") == prompt


def test_state_and_nonce_are_never_the_same_twice() -> None:
    of = client(redirect_uri=BACK)
    values = [parts(of.build_authorize_url())[1][name] for _ in range(50) for name in ("state", "nonce")]
    assert len(set(values)) == 100


@pytest.mark.parametrize(
    ("protocol", "arguments", "expected"),
    [
        ("oauth", {"redirect_uri": BACK, "state": "s"}, ("/oauth/auth", {"scope": "user", "redirect_uri": BACK})),
        ("saml", {}, ("/api/v2/saml-idp/app", {})),
        ("cas", {}, ("/cas-idp/app", {})),
        ("cas", {"service": BACK}, ("/cas-idp/app", {"service": BACK})),
    ],
)
def test_each_protocol_has_its_page(protocol: Any, arguments: Any, expected: Any) -> None:
    where, query = parts(client(protocol=protocol).build_authorize_url(**arguments))
    assert where == HOST + expected[0]
    if protocol == "oauth":
        expected[1].update({"client_id": "app", "response_type": "code", "state": "s"})
    assert query == expected[1]


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({}, "redirect_uri"),
        ({"redirect_uri": BACK, "state": ""}, "state"),
        ({"redirect_uri": BACK, "nonce": ""}, "nonce"),
        ({"redirect_uri": BACK, "code_challenge": ""}, "code_challenge"),
        ({"redirect_uri": BACK, "code_challenge": "c" * 43, "code_challenge_method": "S512"}, "code_challenge_method"),
        ({"redirect_uri": BACK, "code_challenge_method": "S256"}, "code_challenge"),
        ({"redirect_uri": BACK, "extra": {"client_id": "other"}}, "extra"),
        ({"redirect_uri": BACK, "scope": 7}, "scope"),
        ({"redirect_uri": BACK, "scope": "\ud800"}, "an argument"),
    ],
)
def test_an_argument_that_cannot_be_right_is_named(arguments: dict[str, Any], argument: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        client().build_authorize_url(**arguments)
    assert caught.value.argument == argument


@given(path=TEXT, state=TEXT, extra=TEXT)
def test_no_value_leaves_its_place_in_the_url(path: str, state: str, extra: str) -> None:
    redirect_uri = f"app.example:/{path.replace('#', '')}"
    _, query = parts(client().build_authorize_url(redirect_uri, state=state, extra={"x": extra}))
    assert (query["redirect_uri"], query["state"], query["x"]) == (redirect_uri, state, extra)
    _, query = parts(client().build_logout_url(redirect_uri, id_token="i", state=state))
    assert query == {"post_logout_redirect_uri": redirect_uri, "id_token_hint": "i", "state": state}


def test_the_challenge_is_that_of_rfc_7636_appendix_b() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert client().generate_code_challenge_digest(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert client().generate_code_challenge_digest(verifier, "plain") == verifier


@given(length=st.integers(43, 128))
def test_a_verifier_has_its_length_and_alphabet(length: int) -> None:
    verifier = client().generate_code_challenge(length)
    assert len(verifier) == length
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    assert client().generate_code_challenge_digest(verifier, "S256") == digest
    assert client().generate_code_challenge(length) != verifier


@pytest.mark.parametrize("length", [42, 129, 0, -1, "43", 43.0])
def test_a_verifier_of_another_length_is_refused(length: Any) -> None:
    with pytest.raises(ConfigurationError, match="from 43 to 128"):
        client().generate_code_challenge(length)


@pytest.mark.parametrize("verifier", ["", "a" * 42, "a" * 129, "a" * 42 + "+", "a" * 42 + "é", None, 7])
def test_what_is_no_verifier_is_refused(verifier: Any) -> None:
    with pytest.raises(ConfigurationError, match="code_challenge"):
        client().generate_code_challenge_digest(verifier)
    with pytest.raises(ConfigurationError, match="method"):
        client().generate_code_challenge_digest("a" * 43, "S512")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "arguments", "expected"),
    [
        ({}, {}, ("/oidc/session/end", {})),
        ({}, {"id_token": "i"}, ("/oidc/session/end", {"id_token_hint": "i"})),
        (
            {"post_logout_redirect_uri": BACK},
            {"id_token": "i", "state": "s"},
            ("/oidc/session/end", {"id_token_hint": "i", "post_logout_redirect_uri": BACK, "state": "s"}),
        ),
        ({}, {"redirect_uri": BACK}, ("/oidc/session/end", {"post_logout_redirect_uri": BACK, "client_id": "app"})),
        ({"protocol": "cas"}, {"redirect_uri": BACK}, ("/cas-idp/logout", {"url": BACK})),
        ({"protocol": "cas"}, {}, ("/cas-idp/logout", {})),
        ({"protocol": "oauth"}, {"redirect_uri": BACK}, ("/login/profile/logout", {"redirect_uri": BACK})),
        ({"protocol": "saml"}, {}, ("/login/profile/logout", {})),
    ],
)
def test_each_protocol_has_its_sign_out(options: Any, arguments: Any, expected: Any) -> None:
    where, query = parts(client(**options).build_logout_url(**arguments))
    assert (where, query) == (HOST + expected[0], expected[1])


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [({"state": "s"}, "redirect_uri"), ({"id_token": ""}, "id_token"), ({"redirect_uri": 7}, "redirect_uri")],
)
def test_a_sign_out_that_cannot_be_right_is_refused(arguments: dict[str, Any], argument: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        client().build_logout_url(**arguments)
    assert caught.value.argument == argument
