"""A user at the hosted pages, for tests that have no browser."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx

_PAGES = 5


class VisitError(Exception):
    """The hosted pages did not lead back to the application; the message is the text of the last page."""


class _Form(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self.names: set[str] = set()
        self.said = ""
        self._in_body = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._in_body = self._in_body or tag == "body"
        if tag == "form":
            self.action = given.get("action", "")
        elif tag == "input" and given.get("type") == "hidden":
            self.fields[given["name"]] = given.get("value", "")
        elif tag in {"input", "button"} and "name" in given:
            self.names.add(given["name"])

    def handle_data(self, data: str) -> None:
        if self._in_body:
            self.said += data


def sign_in_at_page(url: str, account: str, password: str) -> str:
    """Sign in at the hosted page, consent, and return the URL that the browser is sent to.

    Args:
        url: the authorization URL.
        account: the user's.
        password: the same.

    Returns:
        The callback URL: redirect_uri with the code, or with an error.

    Raises:
        VisitError: the pages did not lead back, since the password is wrong, say.
    """
    with httpx.Client(trust_env=False) as http:
        response = http.get(url)
        for _ in range(_PAGES):
            if "location" in response.headers:
                return urljoin(str(response.url), response.headers["location"])
            form = _Form(response.text)
            if form.action is None:
                break
            fields = dict(form.fields)
            if "consent" in form.names:
                fields["consent"] = "accept"
            if "password" in form.names:
                fields |= {"account": account, "password": password}
                account = password = ""  # a page that asks again has refused them
            response = http.post(urljoin(str(response.url), form.action), data=fields)
    raise VisitError(" ".join(_Form(response.text).said.split()))
