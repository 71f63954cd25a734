"""A browser for the hosted pages: keeps cookies, reads forms and sends them, follows redirects within the emulator."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit

import httpx
from attrs import define, field
from joserfc import jwt

from genauth_async.emulator import Emulator
from tests.emulator.emulator_types import Json

CALLBACK = "http://127.0.0.1:5000/callback"
PASSWORD = "passw0rd"


@define
class Form:
    action: str = ""
    method: str = ""
    fields: dict[str, str] = field(factory=dict)


class Page(HTMLParser):
    """Elements of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.form = Form()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.title = ""
        self.alert = ""
        self._within = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        self._within = "alert" if given.get("role") == "alert" else tag
        if tag == "form":
            self.form = Form(given["action"], given["method"])
        elif tag == "input":
            self.form.fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - the name is the base class's
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within == "title":
            self.title += data
        elif self._within == "alert":
            self.alert += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


def request_of(emulator: Emulator, **changes: str | None) -> dict[str, str]:
    """The parameters of an authorization request; None leaves one out."""
    parameters: dict[str, str | None] = {
        "client_id": emulator.app_id,
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid profile",
        "state": "af0ifjsldkj",
        "nonce": "n-0S6_WzA2Mj",
    }
    return {name: value for name, value in (parameters | changes).items() if value is not None}


def ask(emulator: Emulator, http: httpx.Client, path: str = "/oidc/auth", /, **changes: str | None) -> httpx.Response:
    """Send an authorization request."""
    return http.get(path, params=request_of(emulator, **changes))


def send(http: httpx.Client, response: httpx.Response, **fields: str) -> httpx.Response:
    """Fill in the form of a page, and send it."""
    form = Page(response.text).form
    assert form.method == "post", response.text
    return http.post(form.action, data=form.fields | fields)


def log_in(
    http: httpx.Client, response: httpx.Response, account: str = "ada", password: str = PASSWORD
) -> httpx.Response:
    """Sign in on a login page."""
    assert response.status_code == 200, response.text
    return send(http, response, account=account, password=password)


def answer_of(response: httpx.Response, redirect_uri: str = CALLBACK) -> dict[str, str]:
    """Return the parameters of the redirect to the application."""
    assert response.status_code == 303, response.text
    location = response.headers["location"]
    assert location.startswith(redirect_uri), location
    return dict(parse_qsl(urlsplit(location).query, keep_blank_values=True, strict_parsing=True))


def authorize(
    emulator: Emulator, http: httpx.Client, path: str = "/oidc/auth", /, **changes: str | None
) -> dict[str, str]:
    """All the way through the login page, to what the application gets."""
    response = ask(emulator, http, path, **changes)
    if "password" in Page(response.text).form.fields:
        response = log_in(http, response)
    if response.status_code == 200:
        response = send(http, response, consent="accept")
    return answer_of(response)


def exchange(
    emulator: Emulator, http: httpx.Client, code: str, path: str = "/oidc/token", /, **changes: str | None
) -> httpx.Response:
    """Redeem a code."""
    form: dict[str, str | None] = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "client_id": emulator.app_id,
        "client_secret": emulator.app_secret,
    }
    return http.post(path, data={name: value for name, value in (form | changes).items() if value is not None})


def id_claims(emulator: Emulator, id_token: str) -> Json:
    """The claims of an ID token, verified."""
    claims: Json = jwt.decode(id_token, emulator._state.default_app.signing_key, algorithms=["HS256"]).claims
    return claims
