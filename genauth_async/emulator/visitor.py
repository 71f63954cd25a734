"""A user at the hosted pages, for tests that have no browser."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx
from attrs import define, field

_PAGES = 5


class VisitError(Exception):
    """The hosted pages did not lead back to the application; the message is that of the last page."""


@define
class _Form:
    action: str
    fields: dict[str, str] = field(factory=dict)
    names: set[str] = field(factory=set)


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[_Form] = []
        self._texts = {"main": "", "alert": ""}
        self._within: dict[str, str] = {}
        self.feed(text)

    @property
    def form(self) -> _Form | None:
        """The form for the password, which may not be the first: others choose a user by a click."""
        return next((form for form in self.forms if "password" in form.names), next(iter(self.forms), None))

    @property
    def message(self) -> str:
        return " ".join((self._texts["alert"] or self._texts["main"]).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "main":
            self._within["main"] = tag
        elif given.get("role") == "alert":
            self._within["alert"] = tag
        elif tag == "form":
            self.forms.append(_Form(given.get("action", "")))
        elif tag == "input" and given.get("type") == "hidden":
            self.forms[-1].fields[given["name"]] = given.get("value", "")
        elif tag in {"input", "button"} and "name" in given:
            self.forms[-1].names.add(given["name"])

    def handle_endtag(self, tag: str) -> None:
        self._within = {part: opened for part, opened in self._within.items() if opened != tag}

    def handle_data(self, data: str) -> None:
        for part in self._within:
            self._texts[part] += data


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
            form = _Page(response.text).form
            if form is None:
                break
            fields = dict(form.fields)
            if "consent" in form.names:
                fields["consent"] = "accept"
            if "password" in form.names:
                fields |= {"account": account, "password": password}
                account = password = ""  # a page that asks again has refused them
            response = http.post(urljoin(str(response.url), form.action), data=fields)
    raise VisitError(_Page(response.text).message)
