"""What a web application answers, as plain data that any framework can send."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from html import escape
from typing import Final

from attrs import field, frozen

_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<h1>{title}</h1>
<p>{explanation}</p>
<p><a href="{link}">{text}</a></p>
</html>
"""
_PAGE_HEADERS: Final = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_NOT_STORED: Final = {"Cache-Control": "no-store"}
# What RFC 6750 section 3 lets stand in error_description.
_NOT_QUOTABLE: Final = re.compile(r"[^ !#-\[\]-~]+")
_LONGEST: Final = 200
_RETRY_SECONDS: Final = 5.0


@frozen(kw_only=True)
class Redirect:
    """Sends the browser elsewhere, with GET.

    Attributes:
        url: where to; it may hold secrets of the sign-in.
        set_cookies: the values of the Set-Cookie headers.
    """

    url: str = field(repr=False)
    set_cookies: tuple[str, ...] = field(default=(), repr=False)
    status: int = field(default=303, init=False)

    @property
    def headers(self) -> Mapping[str, str]:
        """All headers but Set-Cookie."""
        return {"Location": self.url, **_NOT_STORED}


@frozen(kw_only=True)
class Page:
    """A page for people.

    Attributes:
        status: the HTTP status code.
        html: the page.
        set_cookies: the values of the Set-Cookie headers.
    """

    status: int
    html: str = field(repr=False)
    set_cookies: tuple[str, ...] = field(default=(), repr=False)

    @property
    def headers(self) -> Mapping[str, str]:
        """All headers but Set-Cookie."""
        return {**_PAGE_HEADERS, **_NOT_STORED}


@frozen(kw_only=True)
class Refusal:
    """Tells a program why it does not get what it asked for.

    Attributes:
        status: 401, 403 or 503.
        detail: what is wrong, in a few words.
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
        """All headers but Set-Cookie."""
        found = dict(_NOT_STORED)
        if self.www_authenticate is not None:
            found["WWW-Authenticate"] = self.www_authenticate
        if self.retry_after is not None:
            found["Retry-After"] = str(self.retry_after)
        return found


class RefusedError(Exception):
    """A request is not served; the framework's module answers with the reply.

    Attributes:
        reply: the answer.
    """

    def __init__(self, reply: Refusal | Redirect) -> None:
        super().__init__(reply.detail if isinstance(reply, Refusal) else "The user has to sign in")
        self.reply = reply


def challenge(error: str | None = None, description: str | None = None, scopes: tuple[str, ...] = ()) -> str:
    """The value of a WWW-Authenticate header (RFC 6750 section 3).

    Args:
        error: invalid_token or insufficient_scope; None when the request had no token.
        description: what is wrong.
        scopes: those that are needed.
    """
    fields = {"error": error, "error_description": description, "scope": " ".join(scopes) or None}
    given = [f'{name}="{_quotable(value)}"' for name, value in fields.items() if value is not None]
    return " ".join(["Bearer", ", ".join(given)]) if given else "Bearer"


def _quotable(text: str) -> str:
    return _NOT_QUOTABLE.sub(" ", text)[:_LONGEST]


def page(status: int, title: str, explanation: str, *, link: str, text: str, set_cookies: tuple[str, ...] = ()) -> Page:
    """A page that says what happened, with one link.

    Args:
        status: the HTTP status code.
        title: what happened.
        explanation: why, and what to do.
        link: where to go on.
        text: what the link says.
        set_cookies: the values of the Set-Cookie headers.
    """
    parts = {"title": title, "explanation": explanation, "link": link, "text": text}
    html = _PAGE.format_map({name: escape(part) for name, part in parts.items()})
    return Page(status=status, html=html, set_cookies=set_cookies)


def unavailable(detail: str, retry_after: float | None) -> Refusal:
    """A 503: the fault is not the caller's, and passes.

    Args:
        detail: what cannot be done now.
        retry_after: seconds to wait as the server says, or None.
    """
    return Refusal(status=503, detail=detail, retry_after=max(1, math.ceil(retry_after or _RETRY_SECONDS)))
