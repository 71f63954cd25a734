"""Replies of a web application, as plain data for any framework."""

from __future__ import annotations

import math
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from hashlib import sha256
from html import escape
from typing import Final

from attrs import field, frozen

_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
<main>
<h1>{title}</h1>
<p>{explanation}</p>
<p><a href="{link}">{text}</a></p>
</main>
</html>
"""
_STYLE: Final = """
:root { color-scheme: light dark }
body { margin: 0 auto; padding: 3rem 1.25rem; max-width: 32rem; overflow-wrap: anywhere;
  font: 1rem/1.5 system-ui, sans-serif }
h1 { margin: 0; font-size: 1.5rem; line-height: 1.25 }
a { display: inline-block; padding: .6rem 1.25rem; border: 2px solid; border-radius: .6rem; font-weight: 600;
  color: inherit; text-decoration: none }
a:focus-visible { outline: 3px solid; outline-offset: 2px }
"""
_STYLE_HASH: Final = b64encode(sha256(_STYLE.encode()).digest()).decode()
_PAGE_HEADERS: Final = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_NOT_STORED: Final = {"Cache-Control": "no-store"}
# Characters that RFC 6750 section 3 excludes from error_description.
_NOT_QUOTABLE: Final = re.compile(r"[^ !#-\[\]-~]+")
_LONGEST: Final = 200
_RETRY_SECONDS: Final = 5.0
_MOST_SECONDS: Final = 2.0**31  # RFC 9111 section 1.2.2


@frozen(kw_only=True)
class Redirect:
    """A redirect to a GET (303).

    Attributes:
        url: the target; it may contain secrets of the sign-in.
        set_cookies: the values of the Set-Cookie headers.
    """

    url: str = field(repr=False)
    set_cookies: tuple[str, ...] = field(default=(), repr=False)
    status: int = field(default=303, init=False)

    @property
    def headers(self) -> Mapping[str, str]:
        """Return all headers except Set-Cookie."""
        return {"Location": self.url, **_NOT_STORED}


@frozen(kw_only=True)
class Page:
    """An HTML page for the user.

    Attributes:
        status: the HTTP status code.
        html: the document.
        set_cookies: the values of the Set-Cookie headers.
    """

    status: int
    html: str = field(repr=False)
    set_cookies: tuple[str, ...] = field(default=(), repr=False)

    @property
    def headers(self) -> Mapping[str, str]:
        """Return all headers except Set-Cookie."""
        return {**_PAGE_HEADERS, **_NOT_STORED}


@frozen(kw_only=True)
class Refusal:
    """An error reply for a program.

    Attributes:
        status: 401, 403 or 503.
        detail: the reason, in a few words.
        www_authenticate: the challenge, for 401 and 403.
        retry_after: seconds to wait, for 503.
        set_cookies: the values of the Set-Cookie headers.
    """

    status: int
    detail: str
    www_authenticate: str | None = None
    retry_after: int | None = None
    set_cookies: tuple[str, ...] = field(default=(), repr=False)

    @property
    def headers(self) -> Mapping[str, str]:
        """Return all headers except Set-Cookie."""
        found = dict(_NOT_STORED)
        if self.www_authenticate is not None:
            found["WWW-Authenticate"] = self.www_authenticate
        if self.retry_after is not None:
            found["Retry-After"] = str(self.retry_after)
        return found


class RefusedError(Exception):
    """A refused request; the framework's module sends the reply.

    Attributes:
        reply: the reply.
    """

    def __init__(self, reply: Refusal | Redirect) -> None:
        super().__init__(reply.detail if isinstance(reply, Refusal) else "The user has to sign in")
        self.reply = reply


def challenge(error: str | None = None, description: str | None = None, scopes: tuple[str, ...] = ()) -> str:
    """Return the value of a WWW-Authenticate header (RFC 6750 section 3).

    Args:
        error: invalid_token or insufficient_scope; None when the request had no token.
        description: the reason.
        scopes: the required scopes.
    """
    fields = {"error": error, "error_description": description, "scope": " ".join(scopes) or None}
    given = [f'{name}="{_quotable(value)}"' for name, value in fields.items() if value is not None]
    return " ".join(["Bearer", ", ".join(given)]) if given else "Bearer"


def _quotable(text: str) -> str:
    return _NOT_QUOTABLE.sub(" ", text)[:_LONGEST]


def varies_by_cookie(headers: Iterable[str]) -> bool:
    """Return True if a response's Vary headers (RFC 9110 section 12.5.5) name Cookie.

    Args:
        headers: their values.
    """
    names = {name.strip().lower() for value in headers for name in value.split(",")}
    return not names.isdisjoint({"*", "cookie"})


def page(status: int, title: str, explanation: str, *, link: str, text: str, set_cookies: tuple[str, ...] = ()) -> Page:
    """Render a page with a message and one link.

    Args:
        status: the HTTP status code.
        title: the title.
        explanation: the reason, and the remedy.
        link: the link's address.
        text: the link's text.
        set_cookies: the values of the Set-Cookie headers.
    """
    parts = {"title": title, "explanation": explanation, "link": link, "text": text}
    html = _PAGE.format(style=_STYLE, **{name: escape(part) for name, part in parts.items()})
    return Page(status=status, html=html, set_cookies=set_cookies)


def unavailable(detail: str, retry_after: float | None) -> Refusal:
    """Create a 503, for a temporary failure that is not the client's.

    Args:
        detail: the failure.
        retry_after: the server's Retry-After in seconds, or None; bounded, since it may be infinite.
    """
    seconds = min(max(1.0, retry_after or _RETRY_SECONDS), _MOST_SECONDS)
    return Refusal(status=503, detail=detail, retry_after=math.ceil(seconds))
