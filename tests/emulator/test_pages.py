"""The hosted pages as documents: escaped, described, readable in both colour schemes."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import httpx
import pytest
from attrs import evolve, frozen
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.responses import HTMLResponse

import genauth_async.emulator as emulator_package
from genauth_async.emulator import Emulator, User, VisitError, sign_in_at_page
from genauth_async.emulator.oidc.pages import (
    PageError,
    consent_page,
    form_post_page,
    login_page,
    logout_page,
    page,
)
from tests.emulator.hosted_pages import CALLBACK, PASSWORD, Page, answer_of, ask, log_in, request_of, send

STYLE = (files("genauth_async.emulator.pages") / "style.css").read_text(encoding="utf-8")
HOSTILE = "\"'><script>alert(1)</script><!--`&lt;\u202e\x00\ud800"


class Document(HTMLParser):
    """The tags of a page with the names of their attributes, and all texts and values."""

    def __init__(self, response: HTMLResponse) -> None:
        super().__init__()
        self.structure: list[tuple[str, ...]] = []
        self.texts: list[str] = []
        self.feed(bytes(response.body).decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.structure.append((tag, *(name for name, _ in attrs)))
        self.texts += [value for _, value in attrs if value is not None]

    def handle_comment(self, data: str) -> None:
        self.structure.append(("comment", data))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def user_named(text: str) -> User:
    return User(name=text, nickname=text, username=text, email=f"{text}@x", phone=text)


RENDERED: list[Callable[[str], HTMLResponse]] = [
    lambda text: login_page(text, text, title=text, account=text, error=text, remedy="r", users=[user_named(text)]),
    lambda text: consent_page(
        text, text, title=text, scope=f"a{text.replace(' ', '')}".split()[0], user=user_named(text)
    ),
    lambda text: logout_page(text, text, user=user_named(text)),
    lambda text: form_post_page(text, [("state", text)]),
    lambda text: PageError(text, remedy="Call `x`.").response(),
    lambda text: page(text, "<p>Done.</p>"),
]


@pytest.mark.parametrize("render", RENDERED)
@example(HOSTILE)
@given(st.text(st.characters(exclude_categories=()), min_size=1))
def test_no_text_becomes_markup(render: Callable[[str], HTMLResponse], text: str) -> None:
    document = Document(render(text))
    assert document.structure == Document(render("Ada")).structure
    shown = text.encode("utf-8", "replace").decode()
    assert any(shown in each for each in document.texts)


def test_code_in_remedies_is_marked_and_escaped() -> None:
    text = bytes(PageError("No.", remedy="Call `f(<b>)` or `g`, not <i>.").response().body).decode()
    assert "<h2>What to change</h2><p>Call <code>f(&lt;b&gt;)</code> or <code>g</code>, not &lt;i&gt;.</p>" in text
    assert "What to change" not in bytes(PageError("No.").response().body).decode()


@pytest.mark.usefixtures("user")
def test_a_refused_sign_in_is_described_where_it_is_mended(emulator: Emulator, http: httpx.Client) -> None:
    first = Page(ask(emulator, http).text)
    assert [field for field in first.all("input") if "aria-invalid" in field or "aria-describedby" in field] == []
    assert [field["id"] for field in first.all("input") if "autofocus" in field] == ["account"]
    refused = Page(log_in(http, ask(emulator, http), password="wrong").text)
    assert refused.title.startswith(f"Error: {refused.alert}")
    fields = [field for field in refused.all("input") if field["type"] != "hidden"]
    assert [(field["aria-invalid"], field["aria-describedby"]) for field in fields] == [("true", "error")] * 2
    assert [attributes["role"] for _, attributes in refused.tags if attributes.get("id") == "error"] == ["alert"]
    assert [field["id"] for field in fields if "autofocus" in field] == ["password"]


@pytest.mark.usefixtures("user")
@pytest.mark.parametrize("scope", ["profile", "email", "phone", "address", "username", "offline_access", "roles"])
def test_scopes_are_explained_in_words(emulator: Emulator, http: httpx.Client, scope: str) -> None:
    text = log_in(http, ask(emulator, http, scope=f"openid {scope} orders:read", prompt="consent")).text
    explained = re.findall(r"<li>.*?<span>(.*?) <code>(.*?)</code></span></li>", text)
    assert [name for _, name in explained] == ["openid", scope, "orders:read"]
    assert explained[1][0] not in {"", explained[2][0]}
    assert "You are signed in as <bdi>Ada</bdi>." in text


@pytest.fixture
def showing() -> Emulator:
    return Emulator(show_users=True)


def test_an_offered_user_signs_in_by_a_click(showing: Emulator) -> None:
    user = showing.add_user(username="ada", name="Ada", password=PASSWORD)
    with showing, httpx.Client(base_url=showing.url, verify=False, trust_env=False) as http:
        first = ask(showing, http)
        (button,) = [each for each in Page(first.text).all("button") if each.get("name") == "user"]
        assert answer_of(send(http, first, user=button["value"]))["code"]
        assert [record.error_message for record in showing.login_history.of(user)] == [None]
        assert (user.logins, showing.hosted_login.signed_in(user)) == (1, 1)
        form = Page(ask(showing, http, prompt="login").text).form
        assert http.post(form.action, data={"user": user.id}).status_code == 403


def test_users_who_are_not_offered_need_their_password(emulator: Emulator, user: User, http: httpx.Client) -> None:
    first = ask(emulator, http)
    assert user.id not in first.text
    assert send(http, first, user=user.id).status_code == 400
    assert len(emulator.grants) == 0


@pytest.mark.parametrize(
    ("flag", "shown"),
    [
        ("locked", "locked"),
        ("mfa_required", "second factor"),
        ("password_reset_required", "new password needed"),
        ("password_expired", "new password needed"),
    ],
)
def test_offered_users_who_cannot_sign_in_are_marked(showing: Emulator, flag: str, shown: str) -> None:
    user = showing.add_user(username="ada", password=PASSWORD)
    with showing, httpx.Client(base_url=showing.url, verify=False, trust_env=False) as http:
        assert shown not in ask(showing, http).text
        setattr(user, flag, True)
        first = ask(showing, http)
        assert f'<span class="badge">{shown}</span>' in first.text
        refused = send(http, first, user=user.id)
        assert refused.status_code == 400
        assert f"user.{flag} = False" in refused.text
        assert len(showing.grants) == 0
        showing.remove_user(user)
        assert "removed" in Page(send(http, first, user=user.id).text).alert


def test_very_many_users_are_offered_in_part(showing: Emulator) -> None:
    for number in range(103):
        showing.add_user(username=f"user{number}")
    with showing, httpx.Client(base_url=showing.url, verify=False, trust_env=False) as http:
        text = ask(showing, http).text
    assert len([each for each in Page(text).all("button") if each.get("name") == "user"]) == 100
    assert "3 more can sign in by name." in text


def test_a_visitor_signs_in_by_password_where_users_are_offered(showing: Emulator) -> None:
    showing.add_user(username="bob", password="another")
    showing.add_user(username="ada", password=PASSWORD)
    with showing:
        url = str(httpx.URL(f"{showing.url}/oidc/auth", params=request_of(showing, prompt="consent")))
        assert sign_in_at_page(url, "ada", PASSWORD).startswith(f"{CALLBACK}?code=")
        with pytest.raises(VisitError) as caught:
            sign_in_at_page(url, "ada", "another")
    assert "password" in str(caught.value)
    assert "bob" not in str(caught.value)


@frozen
class Colours:
    """The colours of one scheme."""

    values: dict[str, str]

    def contrast(self, one: str, other: str) -> float:
        """Return the contrast ratio of two colours (WCAG 2.2)."""
        brighter, darker = sorted((self._luminance(one), self._luminance(other)), reverse=True)
        return (brighter + 0.05) / (darker + 0.05)

    def _luminance(self, name: str) -> float:
        parts = [int(self.values[name][at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def colours(scheme: str) -> Colours:
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#\w{6});", block)) for block in re.findall(r":root {(.*?)}", STYLE, re.DOTALL)
    )
    assert light.keys() == dark.keys()
    return Colours(light if scheme == "light" else dark)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_from_their_backgrounds(scheme: str) -> None:
    found = colours(scheme)
    pairs = {
        (text, ground) for text in ("ink", "muted", "accent", "accent-strong") for ground in ("page", "card", "code")
    }
    for rule in re.findall(r"{([^{}]*)}", STYLE):
        text, ground = (re.search(rf"(?<![\w-]){name}: var\(--([\w-]+)\)", rule) for name in ("color", "background"))
        if text and ground:
            pairs.add((text[1], ground[1]))
    assert len(pairs) > 15
    assert {pair: found.contrast(*pair) for pair in pairs if found.contrast(*pair) < 4.5} == {}
    # Borders of fields and the mark of the focus (WCAG 2.2, 1.4.11).
    assert min(found.contrast(edge, ground) for edge in ("edge", "accent") for ground in ("page", "card")) >= 3


def test_the_contrast_that_is_computed_is_the_standards() -> None:
    grey = Colours({"white": "#ffffff", "black": "#000000", "grey": "#767676"})
    assert grey.contrast("black", "white") == pytest.approx(21)
    assert grey.contrast("white", "grey") == pytest.approx(4.54, abs=0.01)
    assert evolve(grey, values={**grey.values, "grey": "#777777"}).contrast("white", "grey") < 4.5


def test_every_error_page_says_what_to_change() -> None:
    calls = {
        f"{path.name}:{node.lineno}": {keyword.arg for keyword in node.keywords}
        for path in Path(emulator_package.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "PageError"
    }
    assert len(calls) > 10
    assert [place for place, given in calls.items() if "remedy" not in given] == []
