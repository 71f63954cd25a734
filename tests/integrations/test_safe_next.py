"""safe_next: whatever it lets through stays on the site."""

from __future__ import annotations

import re
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genauth_async.integrations._safe_next import safe_next

ORIGIN = "https://app.example.test"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "//evil.test",
        "///evil.test",
        "/\\evil.test",
        "\\\\evil.test",
        "/\t/evil.test",
        "/\n/evil.test",
        "\t//evil.test",
        " //evil.test",
        "/ /evil.test",
        "https://evil.test",
        "https:evil.test",
        "javascript:alert(1)",
        "evil.test",
        "@evil.test",
        "/%2f/evil.test",
        "/%2Fevil.test",
        "/%5cevil.test",
        "/%09/evil.test",
        "/%252fevil.test",
        "/%25252fevil.test",
        "/a%25252f%25252fevil.test",
        "/%25255cevil.test",
        "/%252509evil.test",
        "/.//evil.test",
        "/a/..//evil.test",
        "/a\x00b",
        "/a\x7fb",
        "/a\x85b",
        "/a\r\nSet-Cookie: a=b",
        "/\ud800",
        "/a" * 2000,
        "/?q=" + "报" * 300,
        "/?q=" + '"' * 700,
        "?next=/",
        "#top",
        None,
    ],
)
def test_what_could_lead_elsewhere_becomes_the_default(url: str | None) -> None:
    assert safe_next(url, "/home") == "/home"


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("/", "/"),
        ("/orders/7?sort=a%20b&to=https://other.test//x#top", "/orders/7?sort=a%20b&to=https://other.test//x#top"),
        ("/files/my%20file.txt", "/files/my%20file.txt"),
        ("/商品?名=值", "/%E5%95%86%E5%93%81?%E5%90%8D=%E5%80%BC"),
        ("/a:b@c", "/a:b@c"),
        ('/?q="a"', "/?q=%22a%22"),
        ("/" + "a" * 2047, "/" + "a" * 2047),
        ("/.well-known/x", "/.well-known/x"),
    ],
)
def test_paths_of_the_site_pass(url: str, sent: str) -> None:
    assert safe_next(url, "/home") == sent


_PIECES = st.sampled_from(
    [
        "/",
        "\\",
        ":",
        "@",
        ".",
        "..",
        "%2f",
        "%5C",
        "%09",
        "%252f",
        "\t",
        "\n",
        "\r",
        " ",
        "?",
        "#",
        "evil.test",
        "https",
    ]
)


@given(st.lists(_PIECES | st.text(max_size=3), max_size=8).map("".join))
def test_what_passes_stays_on_the_site(url: str) -> None:
    passed = safe_next(url, "/home")
    assert urlsplit(urljoin(f"{ORIGIN}/login", passed)).netloc == "app.example.test"
    assert _as_browsers_see(passed) == "app.example.test"
    assert re.fullmatch(r"/(?![/\\])[!-~]*", passed)


@given(st.lists(_PIECES | st.text(max_size=3), max_size=8).map("".join))
def test_what_passed_passes_again_unchanged(url: str) -> None:
    passed = safe_next(url, "/home")
    assert safe_next(passed, "/elsewhere") == passed


@given(st.lists(_PIECES | st.text(max_size=3), max_size=8).map("".join), st.integers(0, 3))
def test_what_passes_stays_there_when_decoded_thrice(url: str, times: int) -> None:
    path = safe_next("/" + url.replace("%", "%" + "25" * times), "/home").partition("?")[0].partition("#")[0]
    for _ in range(4):
        assert "//" not in path
        assert not any(char in path for char in "\\\t\n\r\x00")
        path = unquote(path)


def _as_browsers_see(url: str) -> str:
    """The host that the WHATWG URL parser finds in a reference, given the site's as its base."""
    stripped = re.sub(r"[\t\n\r]", "", url.strip("".join(map(chr, range(0x21))))).replace("\\", "/")
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", stripped):
        return "elsewhere"
    return re.split(r"[/?#]", stripped.lstrip("/"))[0] if stripped.startswith("//") else "app.example.test"
