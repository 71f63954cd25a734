"""Addresses of callbacks: those that browsers are sent back to, and those with which they come."""

from __future__ import annotations

from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genauth_async import AuthenticationClient, ConfigurationError
from genauth_async.oidc.login import callback_parameters

SECRET = "s" * 32


@pytest.mark.parametrize(
    "uri",
    [
        "http://[",
        "https://[::1/back",
        "https://a.example:x/back",
        "https://a.example/back#top",
        "https://a.example/back#",
        "com.example.app:/back#top",
        "https://user:secret@a.example/back",
        "https://@a.example/back",
        "HTTPS://user@a.example/back",
        "https:///back",
        "https:back",
        "/back",
        "a.example/back",
        "https://a.example/a b",
    ],
)
def test_what_browsers_cannot_be_sent_back_to_is_refused(uri: str) -> None:
    for client in (
        AuthenticationClient("app", "https://a.example", SECRET),
        AuthenticationClient("app", "https://a.example", SECRET, redirect_uri=uri),
    ):
        for begin in (client.begin_login, client.login_with_redirect, client.build_authorize_url):
            with pytest.raises(ConfigurationError, match="redirect_uri") as raised:
                begin(redirect_uri=uri)
            assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "uri",
    ["https://a.example", "http://localhost:8000/", "com.example.app:/back", "app://back", "https://a.example/?b=c"],
)
def test_other_uris_of_rfc_8252_are_taken(uri: str) -> None:
    assert AuthenticationClient("app", "https://a.example", SECRET).begin_login(redirect_uri=uri).redirect_uri == uri


PARAMETERS = st.dictionaries(st.text(min_size=1, max_size=3), st.text(max_size=4), max_size=4)


@given(
    PARAMETERS,
    st.sampled_from(["?", "/?", "/back?", "back?", "https://a.example/b=c&d?", "app:/back?", "HTTP://[::1]/?"]),
)
def test_parameters_are_read_from_urls_and_queries(parameters: dict[str, str], start: str) -> None:
    # Few characters need to be quoted in a query (RFC 3986 section 3.4).
    pairs = [f"{quote_plus(name)}={quote_plus(value, safe='/?:@!$=')}" for name, value in parameters.items()]
    query = "&".join(pairs)
    assert callback_parameters(start + query) == parameters
    assert callback_parameters(f"{start}{query}#f?a=b") == parameters
    assert callback_parameters(query) == parameters


@pytest.mark.parametrize(
    ("callback", "parameters"),
    [
        ("code=a?b&state=c", {"code": "a?b", "state": "c"}),
        ("?code=a?b&state=c?", {"code": "a?b", "state": "c?"}),
        ("code=https://a.example/?b&state=c", {"code": "https://a.example/?b", "state": "c"}),
        ("https://a.example/back?code=a?b&state=c", {"code": "a?b", "state": "c"}),
        ("https://a.example/back", {}),
        ("/back", {}),
        ("?", {}),
        ("http://[?state=c", {"state": "c"}),
        ("state=c", {"state": "c"}),
    ],
)
def test_question_marks_in_values_are_kept(callback: str, parameters: dict[str, str]) -> None:
    assert callback_parameters(callback) == parameters
