"""Proxies, as curl and httpx read them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from unittest.mock import patch

import httpx
import pytest
from httpx._utils import URLPattern, get_environment_proxies
from hypothesis import given
from hypothesis import strategies as st

from genauth_async import AuthenticationClient, ConfigurationError
from genauth_async._http.proxies import checked_proxy, environment_proxy
from tests.every import check_every

PROXY = "http://proxy.example:3128"


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """The environment with these variables about proxies alone."""
    others = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    with patch.dict(os.environ, others | variables, clear=True):
        yield


def test_proxies_are_normalized() -> None:
    cases: Mapping[str, str] = {
        "proxy.example:3128": PROXY,
        " HTTP://Proxy.Example:3128/ \n": PROXY,
        "http://proxy.example:3128/ignored?as=curl": PROXY,
        "[FD00::1]:3128": "http://[fd00::1]:3128",
        "localhost": "http://localhost",
        "user:pass@proxy.example:3128": "http://user:pass@proxy.example:3128",
        "http://User:p@ss%2F@proxy.example:3128": "http://User:p%40ss%2F@proxy.example:3128",
        "HTTPS://proxy.example": "https://proxy.example",
    }

    def check(written: str) -> None:
        assert checked_proxy(written) == cases[written]
        assert checked_proxy(cases[written]) == cases[written]
        with environment(HTTPS_PROXY=written):
            assert environment_proxy("https://a.example") == cases[written]

    check_every(cases, check, repr)


def test_proxies_that_are_none_are_refused() -> None:
    cases = (
        "",
        " ",
        "ftp://proxy.example",
        "socks4://proxy.example",
        "http:/proxy.example",
        "http//proxy.example",
        "http://",
        "http://proxy.example:0",
        "http://proxy.example:port",
        "http://proxy.example:99999",
        "http://user:canary",
        "http://user:can/ary@proxy.example",
        "http://user:1/canary@proxy.example",
        "http://user:canary\n@proxy.example",
        "http://user:canary@pro xy.example",
        "http://user:canary@proxy..example",
        "proxy.example:3128/path",
        "http://[::1",
        "::1:3128",
    )

    def check(written: str) -> None:
        with pytest.raises(ConfigurationError) as caught:
            AuthenticationClient("app", "https://a.example", "secret", proxy=written)
        assert caught.value.argument == "proxy"
        if written.strip():
            with environment(all_proxy=written), pytest.raises(ConfigurationError) as caught:
                environment_proxy("https://a.example")
            assert caught.value.argument == "ALL_PROXY"
        assert PROXY in str(caught.value)
        assert "canary" not in str(caught.value)
        assert caught.value.__cause__ is None

    check_every(cases, check, repr)
    for other in (1, b"http://proxy.example", httpx.URL(PROXY), True):
        with pytest.raises(ConfigurationError, match="proxy: must be a URL"):
            AuthenticationClient("app", "https://a.example", "secret", proxy=other)  # type: ignore[arg-type]


@pytest.mark.parametrize("scheme", ["socks5", "SOCKS5H"])
def test_a_socks_proxy_needs_its_package(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genauth_async._http.proxies.find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match=r"httpx\[socks\]"):
        checked_proxy(f"{scheme}://proxy.example:1080")
    monkeypatch.setattr("genauth_async._http.proxies.find_spec", lambda _: "found")
    assert checked_proxy(f"{scheme}://proxy.example:1080") == f"{scheme.lower()}://proxy.example:1080"


def test_a_password_of_a_proxy_is_not_shown() -> None:
    client = AuthenticationClient("app", "https://a.example", "secret", proxy="http://user:canary@proxy.example")
    options = client._shared.transport._provider._options
    assert options.proxy == "http://user:canary@proxy.example"
    assert "canary" not in f"{client!r} {options!r} {vars(client)!r}"


def test_which_variable_counts() -> None:
    cases: Mapping[str, tuple[dict[str, str], str | None]] = {
        "https": ({"HTTPS_PROXY": PROXY, "HTTP_PROXY": "other"}, PROXY),
        "all": ({"ALL_PROXY": PROXY}, PROXY),
        "https before all": ({"ALL_PROXY": "other", "https_proxy": PROXY}, PROXY),
        "lower case before upper": ({"HTTPS_PROXY": "other", "https_proxy": PROXY}, PROXY),
        "empty in lower case": ({"HTTPS_PROXY": PROXY, "https_proxy": ""}, None),
        "blank": ({"HTTPS_PROXY": "  ", "ALL_PROXY": PROXY}, PROXY),
        "only http": ({"HTTP_PROXY": PROXY}, None),
        "none": ({}, None),
        "no_proxy in lower case first": ({"HTTPS_PROXY": PROXY, "NO_PROXY": "*", "no_proxy": "b.example"}, PROXY),
    }

    def check(name: str) -> None:
        variables, wanted = cases[name]
        with environment(**variables):
            assert environment_proxy("https://a.example") == wanted

    check_every(cases, check)


def test_a_proxy_header_of_a_cgi_request_does_not_count() -> None:
    with environment(HTTP_PROXY=PROXY, REQUEST_METHOD="GET"):
        assert environment_proxy("http://a.example") is None
    with environment(http_proxy=PROXY, REQUEST_METHOD="GET"):
        assert environment_proxy("http://a.example") == PROXY


@pytest.mark.parametrize("origin", ["http://localhost:1", "https://127.0.0.9", "https://[::1]:1", "http://a.localhost"])
def test_loopback_goes_through_no_proxy_of_the_environment(origin: str) -> None:
    with environment(HTTP_PROXY=PROXY, HTTPS_PROXY=PROXY, ALL_PROXY=PROXY):
        assert environment_proxy(origin) is None


def test_no_proxy() -> None:
    name, port = "https://login.example.com", "https://login.example.com:8443"
    ipv4, ipv6 = "https://10.1.2.3", "https://[fd00::1]:8443"
    # The entry, the servers that it names, and others.
    cases: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
        "*": ((name, port, ipv4, ipv6), ()),
        "other.example , * ": ((name, port, ipv4, ipv6), ()),
        "login.example.com": ((name, port), ("https://mylogin.example.com", ipv4)),
        "example.com": ((name, port, "https://example.com"), ("https://myexample.com", "https://example.com.cn")),
        "a.example, EXAMPLE.com.": ((name, port), (ipv4,)),
        "a.example example.com": ((name, port), (ipv4,)),
        ".example.com": ((name, "https://example.com"), ("https://myexample.com",)),
        "*.example.com": ((name, port), ("https://example.com", "https://myexample.com")),
        "example.com:8443": ((port,), (name,)),
        "example.com:443": ((name,), (port,)),
        "*:8443": ((port, ipv6), (name, ipv4)),
        "bücher.example": (("https://xn--bcher-kva.example",), (name,)),
        "10.1.2.3": ((ipv4,), ("https://10.1.2.30", "https://2.10.1.2", name)),
        "2.3": ((), (ipv4,)),
        "10.1.2.3:443": ((ipv4,), ("https://10.1.2.3:8443",)),
        "10.0.0.0/8": ((ipv4,), ("https://11.1.2.3", ipv6, name)),
        "10.9.9.9/8": ((ipv4,), ("https://11.1.2.3",)),
        "fd00::1": ((ipv6,), ("https://[fd00::2]", ipv4)),
        "[FD00:0::1]": ((ipv6,), ("https://[fd00::2]",)),
        "[fd00::1]:8443": ((ipv6,), ("https://[fd00::1]",)),
        "fd00::/8": ((ipv6,), ("https://[fe80::1]", ipv4)),
        "[fd00::]/8": ((ipv6,), ("https://[fe80::1]",)),
        "https://login.example.com": ((name, port), ("http://login.example.com",)),
        "HTTPS://example.com": (("https://example.com",), (name, "http://example.com")),
        "all://*.example.com": ((name, port, "http://login.example.com"), ("https://example.com",)),
        "https://login.example.com:8443/": ((port,), (name,)),
        "http://example.com": ((), (name, "https://example.com")),
        ", ., :, ://, [, ]:1, a:b:c, 1/2/3, x:99999, \udc80, 10.0.0.0/99, é..": ((), (name, port, ipv4, ipv6)),
    }

    def check(entry: str) -> None:
        direct, proxied = cases[entry]
        with environment(HTTPS_PROXY=PROXY, HTTP_PROXY=PROXY, NO_PROXY=entry):
            assert {origin: environment_proxy(origin) for origin in direct} == dict.fromkeys(direct)
            assert {origin: environment_proxy(origin) for origin in proxied} == dict.fromkeys(proxied, PROXY)

    check_every(cases, check, ascii)


labels = st.sampled_from(["a", "b", "login", "example", "com"])
names = st.lists(labels, min_size=1, max_size=3).map(".".join)
addresses = st.sampled_from(["10.0.0.1", "10.0.0.10", "192.168.1.1"])
addresses6 = st.sampled_from(["fd00::1", "fd00::2"])
ports = st.sampled_from(["", ":81", ":8443"])  # httpx compares default ports with none
entries = st.one_of(
    st.builds("{}{}".format, names | addresses, ports),
    addresses6,
    st.builds("{}://{}{}".format, st.sampled_from(["all", "http", "https"]), names, ports),
    st.builds("{}://*.{}".format, st.sampled_from(["all", "https"]), names),
    st.just("*"),
)
origins = st.builds(
    "{}://{}{}".format, st.sampled_from(["http", "https"]), names | addresses | addresses6.map("[{}]".format), ports
)


@given(st.lists(entries, max_size=3), origins)
def test_no_proxy_is_read_as_httpx_reads_it(no_proxy: list[str], origin: str) -> None:
    with environment(HTTP_PROXY=PROXY, HTTPS_PROXY=PROXY, NO_PROXY=",".join(no_proxy)):
        mounts = {URLPattern(pattern): proxy for pattern, proxy in get_environment_proxies().items()}
        wanted = next((mounts[pattern] for pattern in sorted(mounts) if pattern.matches(httpx.URL(origin))), None)
        assert environment_proxy(origin) == wanted


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00")), origins)
def test_no_text_in_no_proxy_is_an_error(text: str, origin: str) -> None:
    with environment(ALL_PROXY=PROXY, NO_PROXY=text):
        assert environment_proxy(origin) in {None, PROXY}


@given(st.text())
def test_any_text_is_a_proxy_that_httpx_takes_or_refused(text: str) -> None:
    for written in (text, f"http://{text}"):
        try:
            made = checked_proxy(written)
        except ConfigurationError:
            continue
        assert httpx.Proxy(made).url.host
        assert checked_proxy(made) == made
