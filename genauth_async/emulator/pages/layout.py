"""The layout of all pages: banner, main part and footer, under a policy that forbids to load anything."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import Final

from starlette.responses import HTMLResponse

from .markup import Html, element

NAME: Final = "GenAuth emulator"
_STYLE: Final = files("genauth_async.emulator.pages").joinpath("style.css").read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


# No form-action: Chromium applies it to the redirect that follows a form, which leads to the application.
_POLICY: Final = f"default-src 'none'; style-src {_hash(_STYLE)}; base-uri 'none'"
_ICONS: Final = {
    "shield": "M12 3l7 3v5.5c0 4.5-3 7.8-7 9.5-4-1.7-7-5-7-9.5V6zM8.8 12l2.3 2.3 4.2-4.3",
    "check": "M5 12.5l4.5 4.5L19 7.5",
}


def icon(name: str) -> Html:
    """Create a picture without meaning, which screen readers pass over."""
    return element("svg", element("path", d=_ICONS[name]), viewBox="0 0 24 24", aria_hidden="true")


def initial(text: str, class_: str) -> Html:
    """Create the picture of a name: its first letter, which screen readers pass over."""
    return element("span", text.strip()[:1].upper() or "?", class_=class_, aria_hidden="true")


def dialog(*children: Html | None) -> Html:
    """Create the main part of a page that asks or says one thing."""
    return element("main", element("div", *children, class_="card stack"), class_="dialog")


def document(
    title: str,
    main: Html,
    *,
    http_status: int = 200,
    script: str = "",
    head: Html | None = None,
    is_hosted: bool = True,
    framed_by: str | None = None,
) -> HTMLResponse:
    """Make the response of a page.

    Args:
        title: of the window.
        main: the main part.
        http_status: the status code.
        script: the one script that may run; empty for none.
        head: more elements of the head.
        is_hosted: True for a hosted page, which says that it is no real login, and leads to the status page.
        framed_by: the origin whose pages may show it in a frame; None for no origin.
    """
    notice = "For development and tests: no real accounts, no real passwords."
    text = Html("<!doctype html>") + element(
        "html",
        element(
            "head",
            element("meta", charset="utf-8"),
            element("title", title),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("meta", name="color-scheme", content="light dark"),
            element("meta", name="robots", content="noindex"),
            head,
            element("style", Html(_STYLE)),
        ),
        element(
            "body",
            element(
                "header",
                element("p", icon("shield"), NAME, class_="brand"),
                element("p", "Not a real login", class_="badge") if is_hosted else None,
            ),
            main,
            element(
                "footer",
                element("p", notice),
                element("a", "Status of the emulator", href="/") if is_hosted else None,
            ),
            element("script", Html(script)) if script else None,
        ),
        lang="en",
    )
    ancestors = framed_by or "'none'"
    policy = f"{_POLICY}; frame-ancestors {ancestors}"
    headers = {
        "content-security-policy": f"{policy}; script-src {_hash(script)}" if script else policy,
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }
    if framed_by is None:
        headers["x-frame-options"] = "DENY"  # it knows no single origin
    # Names may hold halves of characters, which UTF-8 has no bytes for.
    return HTMLResponse(text.encode("utf-8", "replace"), http_status, headers)
