"""The Cookie request header (RFC 6265 section 4.2.1)."""

from __future__ import annotations


def read_cookies(*headers: str) -> dict[str, str]:
    """Parse a request's Cookie headers; a name that occurs twice is left out.

    Parsers of frameworks also divide values at blanks, strip bytes that browsers keep, or take the last of two cookies
    with one name. By each of these a neighbouring host, whose cookies browsers send too, could set a `__Host-` cookie.

    Args:
        headers: the values of the headers; HTTP/2 allows several (RFC 9113 section 8.2.3).
    """
    found: dict[str, str] = {}
    twice: set[str] = set()
    for pair in ";".join(headers).split(";"):
        name, sign, value = pair.strip(" \t").partition("=")
        if not sign:
            continue
        if name in found:
            twice.add(name)
        found[name] = value
    return {name: value for name, value in found.items() if name not in twice}
