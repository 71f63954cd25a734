"""The hosted pages: sign-in, consent, sign-out, errors, and the way back to the application."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from starlette.responses import HTMLResponse, RedirectResponse, Response

from ..http.replies import RenderedError
from ..pages.layout import dialog, document, icon, initial
from ..pages.markup import Html, element, join, name, with_code
from ..state.users import User

_SUBMIT: Final = "document.forms[0].submit()"
_MOST_USERS: Final = 100
_SCOPES: Final = {
    "openid": "Know who you are, by the ID of your account",
    "profile": "See your profile: name, picture, gender, birthday, language",
    "email": "See your email address",
    "phone": "See your phone number",
    "address": "See your address",
    "username": "See your username",
    "offline_access": "Stay connected while you are away, until you sign out",
    "roles": "See your roles",
    "unionid": "See your ID at the identity provider",
    "external_id": "See your ID in other systems",
    "extended_fields": "See further fields of your profile",
    "tenant_id": "See the tenant that you belong to",
    "user": "See all of your profile",
}


class PageError(RenderedError):
    """An error that the browser shows as a page, as there is no valid address to send it to.

    Args:
        message: the fault, in a sentence.
        remedy: the change that would help, in a sentence, such as a call or an option of the emulator, between
            backticks.
        http_status: of the page.
    """

    def __init__(self, message: str, *, remedy: str = "", http_status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.http_status = http_status

    def response(self) -> HTMLResponse:
        remedy = element(
            "section", element("h2", "What to change"), element("p", with_code(self.remedy)), class_="note"
        )
        main = dialog(element("h1", "This does not work"), _alert(self.message), remedy if self.remedy else None)
        return document(f"Error: {self.message}", main, http_status=self.http_status)


def page(title: str, body: str, *, http_status: int = 200, script: str = "") -> HTMLResponse:
    """Make a page around a body that is HTML already."""
    return document(title, dialog(element("h1", title), Html(body)), http_status=http_status, script=script)


def login_page(
    action: str,
    csrf_token: str,
    *,
    title: str,
    account: str,
    error: str = "",
    remedy: str = "",
    users: Sequence[User] = (),
) -> HTMLResponse:
    """Make the page that asks for the account and the password.

    Args:
        action: the address that the form is sent to.
        csrf_token: sent with it.
        title: the application's name.
        account: the account to begin with.
        error: the reason of a refusal, in a sentence.
        remedy: the change that would help; backticks enclose code.
        users: those to offer for a click.
    """
    described = "error" if error else None
    again = bool(account or error)
    form = _form(
        action,
        csrf_token,
        element(
            "div",
            element("label", "Username, email or phone number", for_="account"),
            element(
                "input",
                id="account",
                name="account",
                type="text",
                value=account,
                autocomplete="username",
                autocapitalize="none",
                spellcheck="false",
                required=True,
                autofocus=not again and not users,
                aria_invalid=described and "true",
                aria_describedby=described,
            ),
        ),
        element(
            "div",
            element("label", "Password", for_="password"),
            element(
                "input",
                id="password",
                name="password",
                type="password",
                autocomplete="current-password",
                required=True,
                autofocus=again,
                aria_invalid=described and "true",
                aria_describedby=described,
            ),
        ),
        element("button", "Sign in", type="submit"),
    )
    main = dialog(
        _heading("Sign in", "to continue to ", title),
        _alert(error) if error else None,
        element("p", with_code(remedy), class_="note") if remedy else None,
        _choice(action, csrf_token, users) if users else None,
        form,
    )
    shown = f"Sign in to {title}"
    return document(f"Error: {error} - {shown}" if error else shown, main, http_status=400 if error else 200)


def consent_page(action: str, csrf_token: str, *, title: str, scope: str, user: User | None = None) -> HTMLResponse:
    """Make the page that asks the user for consent."""
    main = dialog(
        _heading("Allow access", "to your account for ", title),
        element("p", "You are signed in as ", name(user.display_name), ".", class_="who") if user else None,
        element("h2", "It asks to", id="scopes"),
        element("ul", *(_wish(each) for each in scope.split()), class_="scopes", role="list", aria_labelledby="scopes"),
        _form(
            action,
            csrf_token,
            element("button", "Accept", type="submit", id="accept", name="consent", value="accept"),
            element("button", "Deny", type="submit", id="deny", name="consent", value="deny", class_="quiet"),
        ),
    )
    return document(f"Allow access for {title}", main)


def logout_page(action: str, csrf_token: str, *, user: User | None = None) -> HTMLResponse:
    """Make the page that asks whether to sign out."""
    main = dialog(
        element("h1", "Sign out"),
        element("p", "You are signed in as ", name(user.display_name), ".", class_="who") if user else None,
        element("p", "Do you want to sign out of all applications in this browser?"),
        _form(
            action,
            csrf_token,
            element("button", "Sign out", type="submit", id="accept", name="logout", value="accept"),
            element("button", "Stay signed in", type="submit", id="deny", name="logout", value="deny", class_="quiet"),
        ),
    )
    return document("Sign out", main)


def form_post_page(action: str, fields: Iterable[tuple[str, str]]) -> HTMLResponse:
    """Make the page that posts an answer to the application (OAuth 2.0 Form Post Response Mode)."""
    inputs = [element("input", type="hidden", name=each, value=value) for each, value in fields]
    main = dialog(
        element("h1", "Back to the application"),
        element("p", "If nothing happens, continue by hand."),
        element("form", *inputs, element("button", "Continue", type="submit"), method="post", action=action),
    )
    return document("Back to the application", main, script=_SUBMIT)


def redirect(address: str) -> Response:
    """Lead a browser elsewhere, by GET; neither a cache nor a Referer header keeps the address."""
    return RedirectResponse(address, 303, {"cache-control": "no-store", "referrer-policy": "no-referrer"})


def _heading(text: str, purpose: str, app: str) -> Html:
    lead = element("p", purpose, name(app), class_="lead")
    return element("div", initial(app, "tile"), element("h1", text), lead, class_="heading")


def _choice(action: str, csrf_token: str, users: Sequence[User]) -> Html:
    buttons = [_user_button(user) for user in users[:_MOST_USERS]]
    rest = len(users) - len(buttons)
    return join(
        element("h2", "Choose a user"),
        _form(action, csrf_token, element("div", *buttons, class_="users")),
        element("p", f"{rest} more can sign in by name.", class_="muted small") if rest > 0 else None,
        element("p", "or with a password", class_="or"),
    )


def _user_button(user: User) -> Html:
    address = next((text for text in (user.email, user.phone, user.username) if text), "")
    return element(
        "button",
        initial(user.display_name, "initial"),
        element(
            "span",
            name(user.display_name),
            Html(" "),
            element("bdi", address, class_="muted small") if address != user.display_name else None,
            class_="names",
        ),
        *(element("span", flag, class_="badge") for flag in flags_of(user)),
        type="submit",
        name="user",
        value=user.id,
        class_="user",
    )


def flags_of(user: User) -> list[str]:
    """List the reasons for which a user cannot sign in by password alone."""
    flags = {
        "locked": user.locked,
        "second factor": user.mfa_required,
        "new password needed": user.must_replace_password,
    }
    return [flag for flag, is_set in flags.items() if is_set]


def _wish(scope: str) -> Html:
    meaning = _SCOPES.get(scope)
    words = (
        join(meaning, Html(" "), element("code", scope))
        if meaning
        else join("Use the permission ", element("code", scope))
    )
    return element("li", icon("check"), element("span", words))


def _form(action: str, csrf_token: str, *children: Html) -> Html:
    token = element("input", type="hidden", name="csrf_token", value=csrf_token)
    return element("form", token, *children, method="post", action=action, class_="stack")


def _alert(message: str) -> Html:
    return element("p", message, role="alert", id="error", class_="alert")
