"""The HTML of the hosted pages. They need no script, load nothing, and escape all values."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from html import escape

from starlette.responses import HTMLResponse, RedirectResponse, Response

from ..http.replies import RenderedError

_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:24rem;margin:3rem auto;padding:0 1rem;overflow-wrap:anywhere}"
    "label,input,button{display:block;width:100%;box-sizing:border-box}"
    "input,button{font:inherit;padding:.5rem;margin:.25rem 0 1rem}"
    "[role=alert]{border:2px solid #b00020;padding:.5rem}"
)
_SUBMIT = "document.forms[0].submit()"


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


# No form-action: Chromium applies it to the redirect that follows a form, which leads to the application.
_POLICY = f"default-src 'none'; style-src {_hash(_STYLE)}; base-uri 'none'; frame-ancestors 'none'"


class PageError(RenderedError):
    """An error that the browser shows as a page, as there is no valid address to send it to."""

    def __init__(self, message: str, *, http_status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.http_status = http_status

    def response(self) -> HTMLResponse:
        return page("This does not work", _alert(self.message), http_status=self.http_status)


def page(title: str, body: str, *, http_status: int = 200, script: str = "") -> HTMLResponse:
    """Make a page around a body that is HTML already."""
    policy = f"{_POLICY}; script-src {_hash(script)}" if script else _POLICY
    tail = f"<script>{script}</script>" if script else ""
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><main><h1>{escape(title)}</h1>{body}</main>{tail}</body></html>"
    )
    headers = {
        "content-security-policy": policy,
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
        "x-frame-options": "DENY",
        "x-content-type-options": "nosniff",
    }
    return HTMLResponse(text, http_status, headers)


def login_page(action: str, csrf_token: str, *, title: str, account: str, error: str = "") -> HTMLResponse:
    """Make the page that asks for the account and the password."""
    body = (
        f"{_alert(error) if error else ''}{_form(action, csrf_token)}"
        '<label for="account">Username, email address or phone number</label>'
        f'<input id="account" name="account" type="text" value="{escape(account)}" autocomplete="username" '
        'autocapitalize="none" spellcheck="false" required>'
        '<label for="password">Password</label>'
        '<input id="password" name="password" type="password" autocomplete="current-password" required>'
        '<button type="submit">Sign in</button></form>'
    )
    return page(f"Sign in to {title}", body, http_status=400 if error else 200)


def consent_page(action: str, csrf_token: str, *, title: str, scope: str) -> HTMLResponse:
    """Make the page that asks the user for consent."""
    wishes = "".join(f"<li>{escape(name)}</li>" for name in scope.split())
    body = (
        f"<p>{escape(title)} asks for:</p><ul>{wishes}</ul>{_form(action, csrf_token)}"
        '<button type="submit" id="accept" name="consent" value="accept">Accept</button>'
        '<button type="submit" id="deny" name="consent" value="deny">Deny</button></form>'
    )
    return page(f"Let {title} in?", body)


def logout_page(action: str, csrf_token: str) -> HTMLResponse:
    """Make the page that asks whether to sign out."""
    body = (
        f"<p>Do you want to sign out?</p>{_form(action, csrf_token)}"
        '<button type="submit" id="accept" name="logout" value="accept">Sign out</button>'
        '<button type="submit" id="deny" name="logout" value="deny">Stay signed in</button></form>'
    )
    return page("Sign out", body)


def form_post_page(action: str, fields: Iterable[tuple[str, str]]) -> HTMLResponse:
    """Make the page that posts an answer to the application (OAuth 2.0 Form Post Response Mode)."""
    inputs = "".join(f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields)
    body = f'<form method="post" action="{escape(action)}">{inputs}<button type="submit">Continue</button></form>'
    return page("Back to the application", body, script=_SUBMIT)


def _form(action: str, csrf_token: str) -> str:
    return (
        f'<form method="post" action="{escape(action)}">'
        f'<input type="hidden" name="csrf_token" value="{escape(csrf_token)}">'
    )


def _alert(message: str) -> str:
    return f'<p role="alert">{escape(message)}</p>'


def redirect(address: str) -> Response:
    """Lead a browser elsewhere, by GET; neither a cache nor a Referer header keeps the address."""
    return RedirectResponse(address, 303, {"cache-control": "no-store", "referrer-policy": "no-referrer"})
