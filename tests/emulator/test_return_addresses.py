"""Registered addresses: exact ones, wildcards, and the ports of this machine."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from genauth_async.emulator import Emulator
from genauth_async.emulator.state.hosted.return_addresses import ReturnAddresses
from tests.emulator.hosted_pages import answer_of, ask, exchange, log_in

APP = "app"
# What separates the parts of an address, for browsers or for urlsplit, and some of what may stand between.
odd_texts = st.text("ab.:/@?#\\%[]*-;=& \t0129eE2f", max_size=12)


def registered(*uris: str) -> ReturnAddresses:
    addresses = ReturnAddresses()
    for uri in uris:
        addresses.register(uri, APP)
    return addresses


@pytest.mark.parametrize(
    ("pattern", "uri"),
    [
        ("https://app.example/*", "https://app.example/"),
        ("https://app.example/*", "https://app.example/a/b.c"),
        ("https://app.example/*/cb", "https://app.example/tenant/cb"),
        ("https://app.example/cb?*", "https://app.example/cb?a=b&c=d"),
        ("https://app.example/cb?next=*&x=1", "https://app.example/cb?next=/a?b&x=1"),
        ("https://*.example.com/cb", "https://a.example.com/cb"),
        ("https://app-*.example.com/cb", "https://app-a1-b2.example.com/cb"),
        ("https://*.*.example.com", "https://a.b.example.com"),
        ("http://localhost:*/cb", "http://localhost:5173/cb"),
        ("http://127.0.0.1:*/callback", "http://127.0.0.1:51234/callback"),
        ("com.example.app:/cb/*", "com.example.app:/cb/one"),
        ("myapp://callback/*", "myapp://callback/one"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51234/cb"),
        ("http://127.0.0.1:80/cb", "http://127.0.0.1/cb"),
        ("http://[::1]/cb", "http://[::1]:51234/cb"),
        ("http://[::1]:9/cb", "http://[::1]:51234/cb"),
        ("https://app.example/../cb", "https://app.example/../cb"),
    ],
)
def test_addresses_that_fit(pattern: str, uri: str) -> None:
    assert registered("https://other.example/", pattern).allow(uri, APP)
    assert registered(pattern).allow_any(uri)
    assert not registered(pattern).allow(uri + "#x", APP)


@pytest.mark.parametrize(
    ("pattern", "uri"),
    [
        ("https://app.example/*", "https://app.example"),
        ("https://app.example/*", "http://app.example/a"),
        ("https://app.example/*", "https://app.example/a?b=c"),
        ("https://app.example/*", "https://app.example:8443/a"),
        ("https://app.example/*", "https://app.example.evil.example/a"),
        ("https://app.example/app/*", "https://app.example/app/../admin"),
        ("https://app.example/app/*", "https://app.example/app/%2e%2E/admin"),
        ("https://app.example/app/*", "https://app.example/app/.%2e"),
        ("https://app.example/a*", "https://app.example/b"),
        ("https://*.example.com/cb", "https://example.com/cb"),
        ("https://*.example.com/cb", "https://.example.com/cb"),
        ("https://*.example.com/cb", "https://a.b.example.com/cb"),
        ("https://*.example.com/cb", "https://evil.example/.example.com/cb"),
        ("https://*.example.com/cb", "https://evil.example?.example.com/cb"),
        ("https://*.example.com/cb", "https://evil.example\\.example.com/cb"),
        ("https://*.example.com/cb", "https://a@b.example.com/cb"),
        ("http://localhost:*/cb", "http://localhost/cb"),
        ("http://localhost:*/cb", "http://localhost:80@evil.example/cb"),
        ("http://localhost:*/cb", "http://localhost:80.evil.example/cb"),
        ("http://localhost/cb", "http://localhost:51234/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51234/other"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:x/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:80@evil.example/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.2:80/cb"),
        ("http://127.0.0.1/cb", "http://[::1]:80/cb"),
        ("http://127.0.0.1/cb", "https://127.0.0.1:51234/cb"),
        ("https://127.0.0.1/cb", "https://127.0.0.1:51234/cb"),
    ],
)
def test_addresses_that_do_not_fit(pattern: str, uri: str) -> None:
    assert not registered(pattern).allow(uri, APP)
    assert not registered(pattern).allow_any(uri)


@pytest.mark.parametrize(
    "uri", ["https://*", "https://*/cb", "https://example.*", "https://example.com*", "http://127.0.0.*/", "*://a.b/"]
)
def test_wildcards_that_would_leave_the_site(uri: str) -> None:
    with pytest.raises(ValueError, match="uri must"):
        registered(uri)


@given(odd_texts)
@example(".evil.example/")
@example("@evil.example/")
@example("//evil.example/")
def test_a_wildcard_after_the_host_never_leaves_it(text: str) -> None:
    for pattern in (
        "https://app.example/*",
        "https://app.example/a*b",
        "https://app.example:*/",
        "https://app.example/?*",
    ):
        uri = pattern.replace("*", text)
        if registered(pattern).allow(uri, APP):
            parts = urlsplit(uri)
            assert (parts.scheme, parts.hostname, parts.username) == ("https", "app.example", None)
            assert not set(uri) & set("\\# \t")


@given(odd_texts)
@example("evil.example/")
@example("evil.example%2f")
@example("a@evil")
def test_a_wildcard_in_the_host_is_one_label(text: str) -> None:
    uri = f"https://x{text}.example.com/cb"
    if registered("https://*.example.com/cb").allow(uri, APP):
        parts = urlsplit(uri)
        assert parts.netloc == f"x{text}.example.com"
        assert parts.netloc.count(".") == 2
        assert parts.path == "/cb"


@given(odd_texts, odd_texts)
def test_without_a_wildcard_only_the_same_text_fits(before: str, after: str) -> None:
    uri = "https://app.example/cb?a=b"
    for other in (before + uri + after, uri[:12] + before + uri[12:]):
        assert registered(uri).allow(other, APP) == (other == uri)


@given(st.integers(0, 99_999), st.sampled_from(["127.0.0.1", "[::1]"]))
def test_any_port_of_this_machine_fits(port: int, host: str) -> None:
    assert registered(f"http://{host}:1/cb").allow(f"http://{host}:{port}/cb", APP)
    assert not registered(f"http://{host}:1/cb").allow(f"http://{host}:{port}/cb/", APP)


@pytest.mark.usefixtures("user")
def test_a_code_belongs_to_the_address_that_was_asked(emulator: Emulator, http: httpx.Client) -> None:
    emulator.hosted_login.allow_redirect("http://127.0.0.1/native")
    uri = "http://127.0.0.1:51234/native"
    code = answer_of(log_in(http, ask(emulator, http, redirect_uri=uri)), uri)["code"]
    again = answer_of(ask(emulator, http, redirect_uri=uri), uri)["code"]
    assert exchange(emulator, http, code, redirect_uri="http://127.0.0.1/native").status_code == 400
    assert exchange(emulator, http, again, redirect_uri=uri).status_code == 200
