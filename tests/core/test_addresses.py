"""Addresses of servers, as people write them: normalized, or refused by the constructor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import genauth_sync
from genauth_async import AuthenticationClient, ConfigurationError
from genauth_async._arguments.urls import require_app_host, require_websocket_host
from genauth_async._websocket.address import WebSocketAddress
from tests.every import check_every

NORMALIZED: Mapping[str, str] = {
    "HTTPS://Login.Example.COM:443/ ": "https://login.example.com",
    "hTTps://LOGIN.example.com:0443//\r\n": "https://login.example.com",
    "\t https://login.example.com:8443": "https://login.example.com:8443",
    "https://login.example.com.": "https://login.example.com",
    "https://login.example.com:": "https://login.example.com",
    "HTTP://LOCALHOST:80": "http://localhost",
    "http://App.LocalHost:9000/": "http://app.localhost:9000",
    "https://\uff4c\uff4f\uff47\uff49\uff4e.example.com": "https://login.example.com",
    "https://Bücher.example": "https://xn--bcher-kva.example",
    "https://XN--bcher-KVA.example": "https://xn--bcher-kva.example",
    "https://straße.example": "https://xn--strae-oqa.example",
    "https://my_service": "https://my_service",
    "http://[0:0:0:0:0:0:0:1]:80": "http://[::1]",
    "https://[FD00::00AB]:443": "https://[fd00::ab]",
    "https://10.0.0.1.": "https://10.0.0.1",
}

REFUSED = (
    "",
    " ",
    "login.example.com",
    "login.example.com:443",
    "https:/host",
    "https:host",
    "https:\\\\host",
    "https://",
    "https:///path",
    "//host",
    "\uff48ttps://host",
    "ftp://host",
    "wss://host",
    "https://user:canary@host",
    "https://canary@host",
    "https://@host",
    "https://user:canary",
    "https://host:0",
    "https://host:99999",
    "https://host:+443",
    "https://host:٤٤٣",
    "https://host:" + "9" * 5000,
    "https://ho\tst",
    "https://ho\nst",
    "https://ho st",
    "https://host\x00",
    "https://host\x7f",
    "https://ho\u200bst",
    "\ufeffhttps://host",
    "https://\ud800",
    "https://host/path",
    "https://host?query",
    "https://host#fragment",
    "https://host\\@evil.example",
    "https://ho%73t",
    "https://host..",
    "https://.host",
    "https://a..b",
    "https://" + "a" * 64 + ".example",
    "https://" + "a." * 127 + "example",
    "https://" + "ä" * 100_000,
    "https://1.2.3",
    "https://1.2.3.999",
    "https://0x7f.1",
    "https://2130706433",
    "https://[::1",
    "https://::1",
    "https://[::1]evil.example",
    "https://evil.example[::1]",
    "https://[fe80::1%eth0]",
    "https://[fe80::1%25eth0]",
    "https://[v1.x]",
    "https://[1.2.3.4]",
    "https://[]",
    "https://xn--a",
    "https://℀.example",
    "http://login.example.com",
    "HTTP://login.example.com",
)


def client(app_host: str, **options: Any) -> AuthenticationClient:
    return AuthenticationClient("app", app_host, "secret", **options)


def test_hosts_are_normalized_and_the_issuer_with_them() -> None:
    def check(written: str) -> None:
        settings = client(written).settings
        assert settings.app_host == NORMALIZED[written]
        assert settings.issuer == f"{NORMALIZED[written]}/oidc"

    check_every(NORMALIZED, check, repr)


def test_hosts_that_are_none_are_refused_by_the_constructor() -> None:
    def check(written: str) -> None:
        with pytest.raises(ConfigurationError) as caught:
            client(written)
        assert caught.value.argument == "app_host"
        assert "https://" in str(caught.value)
        assert "canary" not in str(caught.value)
        assert caught.value.__cause__ is None

    check_every(REFUSED, check, lambda written: repr(written)[:60])


def test_websocket_hosts_are_read_as_app_hosts_are() -> None:
    def read(written: str) -> str | None:
        return require_websocket_host(written, allow_insecure_http=False)

    def check(written: str) -> None:
        assert read(ws(written)) == ws(NORMALIZED[written])
        address = WebSocketAddress(origin=ws(NORMALIZED[written]), path="/", query="")
        assert address.is_secure == NORMALIZED[written].startswith("https")

    def ws(url: str) -> str:
        return url.replace("https", "wss").replace("http", "ws").replace("HTTP", "WS").replace("hTTp", "wS")

    check_every(NORMALIZED, check, repr)
    assert (
        client("https://a.example", websocket_host="WSS://E.example:443/").settings.websocket_host == "wss://e.example"
    )
    for written in ("WS://e.example", "HTTPS://e.example", "wss:/e.example"):
        with pytest.raises(ConfigurationError, match="websocket_host"):
            read(written)


def test_every_face_normalizes() -> None:
    environ = {
        "GENAUTH_APP_ID": "app",
        "GENAUTH_APP_SECRET": "secret\n",
        "GENAUTH_APP_HOST": "HTTPS://A.example:443/\n",
    }
    faces = (
        AuthenticationClient.from_env(environ),
        genauth_sync.AuthenticationClient.from_env(environ),
        genauth_sync.AuthenticationClient("app", "HTTPS://A.example:443", "secret"),
    )
    assert {face.settings.app_host for face in faces} == {"https://a.example"}
    assert {face.settings.app_secret for face in faces} == {"secret"}


def test_blanks_around_texts_are_removed() -> None:
    texts = ("app_id", "app_secret", "access_token", "user_pool_id", "issuer", "redirect_uri", "websocket_endpoint")
    options: dict[str, Any] = {name: f" {name.title()}\r\n" for name in texts}
    made = AuthenticationClient(app_host="https://a.example", **options)
    assert {name: getattr(made.settings, name) for name in texts} == {name: name.title() for name in texts}
    made.set_access_token("other\n")
    assert made.settings.access_token == "other"


def test_an_issuer_is_kept_as_given() -> None:
    assert client("https://a.example", issuer="HTTPS://A.example:443/\n").settings.issuer == "HTTPS://A.example:443/"


@given(st.text(max_size=300))
def test_any_text_is_a_host_that_httpx_reads_or_refused(text: str) -> None:
    try:
        made = require_app_host(f"https://{text}", allow_insecure_http=False)
    except ConfigurationError as refused:
        assert refused.argument == "app_host"  # noqa: PT017 - most texts are refused, some are not
        return
    assert str(httpx.URL(made)) == made
    assert httpx.URL(made).host
    assert require_app_host(made, allow_insecure_http=False) == made


names = st.from_regex(r"[A-Za-z]([A-Za-z0-9-]{0,10}[A-Za-z0-9])?", fullmatch=True).filter(lambda name: "--" not in name)
hosts = st.one_of(
    st.lists(names, min_size=1, max_size=4).map(".".join),
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda address: f"[{address.exploded}]"),
)
ports = st.one_of(st.just(""), st.just(":443"), st.just(":80"), st.integers(1, 65535).map(lambda port: f":{port}"))


@given(
    st.sampled_from(["https", "HTTPS", "Https", "http", "HTTP"]), hosts, ports, st.sampled_from(["", "/", " ", "/\n"])
)
def test_normalized_hosts_are_what_httpx_reads(scheme: str, host: str, port: str, end: str) -> None:
    made = require_app_host(f"{scheme}://{host}{port}{end}", allow_insecure_http=True)
    # httpx looks default ports up by the scheme as written.
    wanted, read = httpx.URL(f"{scheme.lower()}://{host}{port}"), httpx.URL(made)
    assert (read.scheme, read.port) == (wanted.scheme, wanted.port)
    if not host.startswith("["):
        assert read.raw_host == wanted.raw_host
    assert made == str(read)
    assert require_app_host(made, allow_insecure_http=True) == made
