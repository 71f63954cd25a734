"""A site whose users sign in through the hosted page, and an API that takes their tokens, with aiohttp.

    pip install 'genauth-async[aiohttp,emulator]'
    python examples/aiohttp_app.py

It starts an emulator of GenAuth, unless GENAUTH_APP_ID, GENAUTH_APP_SECRET and GENAUTH_APP_HOST name your application.
Register SITE_URL/callback there as its redirect URI, and SITE_URL/ as the one after sign-outs. The frame of its pages
is page.html.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

import httpx
from aiohttp import web

from genauth_async import AuthenticationClient
from genauth_async.integrations.aiohttp import GenAuth

SITE_URL = os.environ.get("SITE_URL", "http://localhost:8000")
PAGE = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
SIGNED_OUT = """<p class="lead">Sign in to see the reports that are yours.</p>
<p class="actions"><a class="button" href="/login">Sign in</a></p>"""
SIGNED_IN = """<form class="actions" method="post" action="/logout"><a class="button" href="/reports">Reports</a>
<button>Sign out</button></form>"""


def make_app(client: AuthenticationClient, site_url: str) -> web.Application:
    """Create the application for this address and client."""
    auth = GenAuth(client, scope="openid profile offline_access")
    routes = web.RouteTableDef()

    @routes.get("/")
    async def home(request: web.Request) -> web.Response:
        session = await auth.optional_session(request)
        if session is not None:
            raise web.HTTPSeeOther("/profile")
        return page("Welcome", SIGNED_OUT)

    @routes.get("/profile")
    async def profile(request: web.Request) -> web.Response:
        user, session = await auth.page_user(request), await auth.page_session(request)
        facts = {**user.to_dict(), "granted to this site": session.tokens.scope}
        items = [
            f"<dt>{escape(name.replace('_', ' '))}</dt><dd>{escape(str(value))}</dd>" for name, value in facts.items()
        ]
        return page(f"Hello, {user.name or user.sub}", f"<p>You are signed in.</p><dl>{''.join(items)}</dl>{SIGNED_IN}")

    @routes.get("/reports")
    async def reports(request: web.Request) -> web.Response:
        session = await auth.page_session(request)
        async with httpx.AsyncClient(auth=session.auth) as api:
            response = (await api.get(f"{site_url}/api/reports")).raise_for_status()
        items = [f"<li>{escape(title)}</li>" for title in response.json()["reports"]]
        return page("Reports", f'<ul>{"".join(items)}</ul><p><a href="/profile">Back to your profile</a></p>')

    @routes.get("/api/reports")
    async def api_reports(request: web.Request) -> web.Response:
        claims = await auth.claims(request, "profile")  # `profile` stands for a scope of your own
        return web.json_response({"reports": ["First quarter", f"Drafts of {claims.sub}"]})

    app = web.Application()
    auth.setup(app, close_client=True)
    app.add_routes(routes)
    return app


def page(title: str, body: str) -> web.Response:
    """Create a page from a title, which is text, and a body, which is HTML."""
    html = PAGE.substitute(title=escape(title), body=body)
    return web.Response(text=html, content_type="text/html", headers={"Cache-Control": "no-store"})


def main() -> None:
    """Serve the application at SITE_URL."""
    environ = {
        "GENAUTH_REDIRECT_URI": f"{SITE_URL}/callback",
        "GENAUTH_POST_LOGOUT_REDIRECT_URI": f"{SITE_URL}/",
        **os.environ,
    }
    with ExitStack() as stack:
        if "GENAUTH_APP_ID" not in environ:
            from genauth_async.emulator import Emulator

            emulator = stack.enter_context(Emulator(app_name="Reports for you", show_users=True))
            emulator.add_user(username="ada", name="Ada Lovelace", password="passw0rd")
            print("Sign in as ada with the password passw0rd")
            environ["GENAUTH_APP_ID"], environ["GENAUTH_APP_SECRET"] = emulator.app_id, emulator.app_secret
            environ["GENAUTH_APP_HOST"] = emulator.url
        app = make_app(AuthenticationClient.from_env(environ), SITE_URL)
        print(f"Open {SITE_URL}")
        site = urlsplit(SITE_URL)
        # No access log: the callback's address contains the code.
        web.run_app(app, host=site.hostname, port=site.port, access_log=None)


if __name__ == "__main__":
    main()
