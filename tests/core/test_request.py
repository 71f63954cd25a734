from __future__ import annotations

import base64
from typing import Any, get_args
from urllib.parse import parse_qs, unquote, unquote_plus, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genauth_async import AuthenticationClient
from genauth_async._http.client_auth import authenticate
from genauth_async._wire.request import ClientAuth, Request
from genauth_async.settings import ClientAuthMethod, Settings

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(TEXT.filter(bool), min_size=1))
def test_a_path_segment_cannot_leave_its_place(segments: list[str]) -> None:
    target = Request(method="GET", path=tuple(segments)).target
    assert [unquote(part) for part in target[1:].split("/")] == segments
    assert not set(target) & set("?#\\ \r\n")


@given(st.dictionaries(TEXT, TEXT | st.booleans() | st.none()))
def test_query_values_survive(query: dict[str, str | bool | None]) -> None:
    target = Request(method="GET", path=("x",), query=query).target
    expected = {
        name: [str(value).lower() if isinstance(value, bool) else value]
        for name, value in query.items()
        if value is not None
    }
    assert parse_qs(urlsplit(target).query, keep_blank_values=True, strict_parsing=bool(expected)) == expected


def test_nothing_that_is_carried_is_shown() -> None:
    request = Request(
        method="POST",
        path=("x",),
        json={"password": "canary"},
        form={"token": "canary"},
        headers={"authorization": "canary"},
        query={"code": "canary"},
        user_token="canary",
    )
    assert "canary" not in repr(request) + request.name


def settings(method: ClientAuthMethod, app_id: str = "app", app_secret: str = "secret") -> Settings:
    return AuthenticationClient(
        app_id,
        "https://a.example",
        app_secret,
        token_endpoint_auth_method=method,
        introspection_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
    ).settings


FORM = Request(method="POST", path=("oidc", "token"), form={"token": "t"}, client_auth="token")
JSON = Request(method="POST", path=("api", "v3", "signin"), json={"connection": "AD"}, client_auth="token")


def test_client_secret_post_goes_in_the_body() -> None:
    credentials = {"client_id": "app", "client_secret": "secret"}
    assert authenticate(FORM, settings("client_secret_post")).form == {**credentials, "token": "t"}
    assert authenticate(JSON, settings("client_secret_post")).json == {**credentials, "connection": "AD"}


def test_none_names_the_client_in_a_form_only() -> None:
    assert authenticate(FORM, settings("none")).form == {"client_id": "app", "token": "t"}
    assert authenticate(JSON, settings("none")) == JSON


APP_ID = st.text(st.characters(min_codepoint=32, max_codepoint=126))


# The client removes blanks around both.
@given(APP_ID.map(str.strip).filter(bool), TEXT.map(str.strip).filter(bool))
def test_basic_is_urlencoded_first(app_id: str, app_secret: str) -> None:
    request = authenticate(FORM, settings("client_secret_basic", app_id, app_secret))
    assert request.form == FORM.form
    scheme, value = request.headers["authorization"].split(" ")
    assert scheme == "Basic"
    name, password = base64.b64decode(value).decode().split(":")
    assert (unquote_plus(name), unquote_plus(password)) == (app_id, app_secret)


@pytest.mark.parametrize("endpoint", get_args(ClientAuth))
def test_each_endpoint_has_its_own_setting(endpoint: ClientAuth) -> None:
    options: dict[str, Any] = {f"{endpoint}_endpoint_auth_method": "client_secret_basic"}
    made = AuthenticationClient("app", "https://a.example", "secret", **options).settings
    for other in get_args(ClientAuth):
        request = authenticate(Request(method="POST", path=("x",), form={}, client_auth=other), made)
        assert ("authorization" in request.headers) is (other == endpoint)
