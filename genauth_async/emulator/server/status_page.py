"""The status page at /: the way to connect, applications, users, pass codes and settings, for the developer.

It is for this machine alone: a request must name a loopback address or the emulator's own URL as its host, so that the
pages of other sites cannot read it by giving their own name this machine's address (DNS rebinding).
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from ipaddress import ip_address
from itertools import islice
from typing import Final
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from ..http.routes import Routes
from ..oidc.pages import PageError, flags_of
from ..pages.layout import NAME, document, initial
from ..pages.markup import Html, element, join, name
from ..state.apps import App
from ..state.inbox import Inbox, Message
from ..state.state import State
from ..state.users import User

_MOST: Final = 100
_MOST_MESSAGES: Final = 20
_REFRESH_SECONDS: Final = 5
_UNITS: Final = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
_REFRESH_TOKENS: Final = {
    "rotate": "a new one each time; using an old one again revokes the grant",
    "rotate_with_grace": "a new one each time; the old one is answered for {grace} more",
    "same": "the same one each time",
    "omit": "none in the answer; the old one stays good",
}
_SIGNED_WITH: Final = {"HS256": "the application's secret", "RS256": "the emulator's key"}
_MFA: Final = {"error": "refused at /api/v3/signin", "ignore": "not asked for at /api/v3/signin"}


async def show(state: State, request: Request) -> Response:
    """Show the status page."""
    _require_local(state, request)
    refreshes = "refresh" in request.query_params
    head = element("meta", http_equiv="refresh", content=str(_REFRESH_SECONDS)) if refreshes else None
    main = element(
        "main",
        _top(state, refreshes=refreshes),
        element("div", _connect(state), _apps(state), class_="column"),
        element("div", _inbox(state), _users(state), _settings(state), class_="column"),
        class_="board",
    )
    return document(f"{NAME} at {state.url}", main, head=head, is_hosted=False)


def _require_local(state: State, request: Request) -> None:
    named = request.headers.getlist("host")
    host = _host_of(f"//{named[0]}") if len(named) == 1 else None
    if host is None or (host != _host_of(state.url) and not _is_loopback(host)):
        raise PageError(
            "The status page is shown on this machine only.",
            remedy=f"Open `{state.url}/`. For another name of this machine, start with `--url`.",
            http_status=403,
        )


def _host_of(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _top(state: State, *, refreshes: bool) -> Html:
    now = state.clock.now()
    numbers = {
        "users": sum(1 for _ in state.users),
        "live grants": state.grants.alive,
        "browser sessions": len(state.hosted_login.sessions),
        "codes waiting": sum(_fate(state.inbox, each, now) == "waiting" for each in _newest(state.inbox)),
    }
    return element(
        "div",
        element(
            "div",
            element("div", element("h1", "The emulator is running"), element("p", element("code", state.url))),
            element(
                "nav",
                element("a", "Refresh", href="/"),
                element("a", "Stop refreshing", href="/")
                if refreshes
                else element("a", f"Refresh every {_duration(_REFRESH_SECONDS)}", href="/?refresh"),
                element(
                    "a",
                    "Try the sign-in page",
                    href=f"/cas-idp/{quote(state.default_app.app_id, safe='', errors='replace')}",
                ),
                aria_label="Page",
            ),
            class_="top",
        ),
        element(
            "dl",
            *(element("div", element("dt", each), element("dd", str(count))) for each, count in numbers.items()),
            class_="numbers",
        ),
        class_="wide stack",
    )


def _connect(state: State) -> Html:
    app = state.default_app
    environment = {
        "GENAUTH_APP_HOST": state.url,
        "GENAUTH_APP_ID": app.app_id,
        "GENAUTH_APP_SECRET": app.app_secret,
    }
    account = json.dumps(
        next((_accounts(user)[0] for user in state.users if _accounts(user)), "test"), ensure_ascii=False
    )
    discovery = f"{state.issuer}/.well-known/openid-configuration"
    return _card(
        "Connect",
        element("p", "A click selects a whole block.", class_="muted small"),
        element(
            "details",
            element("summary", "Environment variables, with the secret"),
            _block(*(f"export {each}={shlex.quote(value)}" for each, value in environment.items())),
        ),
        element("h3", "Python, async"),
        _block(
            "from genauth_async import AuthenticationClient",
            "",
            "async with AuthenticationClient.from_env() as client:",
            "    answer = await client.sign_in_by_account_password(",
            f'        {account}, "the password"',
            "    )",
        ),
        element("h3", "Python, sync"),
        _block(
            "from genauth_sync import AuthenticationClient",
            "",
            "with AuthenticationClient.from_env() as client:",
            "    answer = client.sign_in_by_account_password(",
            f'        {account}, "the password"',
            "    )",
        ),
        element("h3", "Any OpenID Connect library"),
        element("p", element("a", discovery, href=discovery)),
    )


def _apps(state: State) -> Html:
    return _card("Applications", *(_app(state, app) for app in islice(list(state.apps.values()), _MOST)))


def _app(state: State, app: App) -> Html:
    redirects = state.hosted_login.redirects.of(app.app_id)
    logout_redirects = state.hosted_login.logout_redirects.of(app.app_id)
    facts = {
        "ID": element("code", app.app_id),
        "Secret": element("details", element("summary", "Show"), element("code", app.app_secret, class_="all")),
        "Authentication": element("code", app.auth_method_at("token")),
        "Redirects to": _addresses(redirects),
        "After sign-out": _addresses(logout_redirects),
    }
    return join(element("h3", name(app.name)) if app.name else None, _facts(facts))


def _addresses(addresses: list[str]) -> str:
    if not addresses:
        return "any address of this machine"
    return join(*(element("div", element("code", address)) for address in addresses))


def _users(state: State) -> Html:
    users = list(state.users)
    if not users:
        how = join(
            "None yet. Add some with ",
            element("code", "--user NAME:PASSWORD"),
            " or ",
            element("code", "add_user"),
            ".",
        )
        return _card("Users", element("p", how, class_="muted"))
    rest = len(users) - _MOST
    return _card(
        "Users",
        element("ul", *(_user(state, user) for user in users[:_MOST]), class_="rows", role="list"),
        element("p", f"and {rest} more", class_="muted small") if rest > 0 else None,
    )


def _user(state: State, user: User) -> Html:
    sessions = state.hosted_login.signed_in(user)
    seen = [each for each in _accounts(user) if each != user.display_name]
    return element(
        "li",
        initial(user.display_name, "initial"),
        element(
            "div",
            name(user.display_name),
            element("span", *_separated(seen), class_="muted small") if seen else None,
            class_="names",
        ),
        element(
            "span",
            *(element("span", flag, class_="badge") for flag in flags_of(user)),
            element("span", "signed in", class_="badge good") if sessions else None,
            element("span", "no password", class_="badge plain") if user.password is None else None,
            class_="flags",
        ),
    )


def _inbox(state: State) -> Html:
    now = state.clock.now()
    messages = _newest(state.inbox)
    if not messages:
        return _card("Pass codes", element("p", "None yet. What GenAuth would send appears here.", class_="muted"))
    rows = [_message(each, _fate(state.inbox, each, now), now) for each in messages]
    return _card("Pass codes", element("ul", *rows, class_="rows", role="list"))


def _message(message: Message, fate: str, now: float) -> Html:
    purpose = message.channel.removeprefix("CHANNEL_").replace("_", " ").capitalize().replace(" mfa", " MFA")
    kind = "by email" if message.kind == "email" else "by text message"
    age = _age(max(0, now - message.sent_at))
    return element(
        "li",
        element("code", message.code, class_="digits all"),
        element(
            "div",
            name(message.to),
            element("span", f"{purpose}, {kind}, {age} ago", class_="muted small"),
            class_="names",
        ),
        element("span", fate, class_="badge good" if fate == "waiting" else "badge plain"),
    )


def _newest(inbox: Inbox) -> list[Message]:
    return list(inbox)[: -_MOST_MESSAGES - 1 : -1]


def _fate(inbox: Inbox, message: Message, now: float) -> str:
    if message.used:
        return "used"
    if now >= message.expires_at:
        return "expired"
    try:
        return "waiting" if inbox.code_for(message.to, channel=message.channel) == message.code else "replaced"
    except LookupError:
        return "replaced or blocked"


def _settings(state: State) -> Html:
    settings = state.settings
    grace = _duration(settings.refresh_token_grace)
    facts = {
        "ID tokens": f"{settings.id_token_alg}, signed with {_SIGNED_WITH[settings.id_token_alg]}",
        "On refresh": _REFRESH_TOKENS[settings.refresh_tokens].format(grace=grace),
        "Second factors": _MFA[settings.mfa_at_signin],
        "Access token": _duration(settings.access_token_lifetime),
        "ID token": _duration(settings.id_token_lifetime),
        "Refresh token": _duration(settings.refresh_token_lifetime),
        "Authorization code": _duration(settings.authorization_code_lifetime),
        "Pass code": f"{_duration(settings.pass_code_lifetime)}, tries: {settings.pass_code_attempts}",
        "Lock": f"after {_counted(settings.max_password_failures, 'wrong password')}",
    }
    return _card("Settings", _facts(facts))


def _card(title: str, *children: Html | None) -> Html:
    heading = title.lower().replace(" ", "-")
    return element("section", element("h2", title, id=heading), *children, class_="card stack", aria_labelledby=heading)


def _block(*lines: str) -> Html:
    return element("pre", element("code", "\n".join(lines)))


def _facts(facts: dict[str, str]) -> Html:
    pairs = [join(element("dt", each), element("dd", value)) for each, value in facts.items()]
    return element("dl", *pairs, class_="facts")


def _accounts(user: User) -> list[str]:
    return [each for each in (user.username, user.email, user.phone) if each]


def _separated(texts: Iterable[str]) -> list[Html]:
    return [join(" · " if number else None, name(text)) for number, text in enumerate(texts)]


def _duration(seconds: float) -> str:
    for unit, length in _UNITS:
        if seconds >= length and seconds % length == 0:
            return _counted(int(seconds // length), unit)
    return _counted(int(seconds), "second")


def _age(seconds: float) -> str:
    return next((_counted(int(seconds // length), unit) for unit, length in _UNITS if seconds >= length), "a moment")


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


ROUTES: Routes = {"/": {"GET": show}}
