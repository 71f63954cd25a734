"""CAS: service tickets and their validation (CAS Protocol, versions 1.0 and 2.0).

The CAS user name follows a template of the application, as in the console. Guesses: services are registered like
redirect URIs; a user whose name is empty is named by the id.
"""

from __future__ import annotations

import re
from urllib.parse import urlencode
from xml.etree.ElementTree import Element, SubElement, tostring

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from ..http.replies import RenderedError
from ..http.routes import Routes
from ..state.apps import App
from ..state.grants import ALL_SCOPES, EVERY_CLAIM
from ..state.hosted.browser_sessions import BrowserSession
from ..state.hosted.interactions import Plan
from ..state.state import State
from ..state.users import User
from .browser_requests import REGISTER, read_parameters, session_of, unknown_app
from .login_page import ask_to_sign_in, go_on_signed_in, may_go_on
from .pages import PageError, page, redirect

_VARIABLE = re.compile(r"\$\{user\.(\w+)\}")
_NAMESPACE = "http://www.yale.edu/tp/cas"


class _ValidationError(RenderedError):
    """A validation that failed (CAS Protocol 2.0 section 2.5.3)."""

    def __init__(self, code: str, description: str, *, as_json: bool) -> None:
        super().__init__(description)
        self._code = code
        self._as_json = as_json

    def response(self) -> Response:
        if self._as_json:
            return JSONResponse({"authenticationFailure": {"code": self._code, "description": str(self)}})
        root = Element("cas:serviceResponse", {"xmlns:cas": _NAMESPACE})
        SubElement(root, "cas:authenticationFailure", {"code": self._code}).text = str(self)
        return _xml(root)


async def log_in(state: State, request: Request) -> Response:
    """Send a signed-in user to the service with a ticket; ask others to sign in first."""
    app = state.apps.get(str(request.path_params["app_id"]))
    if app is None:
        raise unknown_app(http_status=404)
    given = await read_parameters(request)
    if given.repeated:
        raise PageError("A parameter is given more than once.", remedy="Give each once.")
    service = given.get("service")
    if service is not None and not state.hosted_login.redirects.allow(service, app.app_id):
        raise PageError(
            "The application has not registered this service.",
            remedy=REGISTER,
        )
    session = session_of(state, request)
    renew = given.get("renew") == "true"
    if session is not None and may_go_on(state, session) and not renew:
        return go_on_signed_in(state, request, _plan(state, app, service, from_password=False), session)
    if given.get("gateway") == "true" and not renew and service is not None:
        return redirect(service)
    return ask_to_sign_in(state, request, _plan(state, app, service, from_password=True))


def _plan(state: State, app: App, service: str | None, *, from_password: bool) -> Plan:
    def complete(session: BrowserSession) -> Response:
        if service is None:
            return page("Signed in", "<p>You are signed in. You can close this window.</p>")
        ticket = state.hosted_login.service_tickets.issue(
            session, app_id=app.app_id, service=service, from_password=from_password
        )
        return redirect(f"{service}{'&' if '?' in service else '?'}{urlencode({'ticket': ticket})}")

    def deny() -> Response:
        return page("Not signed in", "<p>You are not signed in.</p>")

    return Plan(app_id=app.app_id, title=app.display_name, complete=complete, deny=deny)


async def validate(state: State, request: Request) -> Response:
    """Validate a ticket as CAS 1.0: yes and the username, or no."""
    try:
        user = _validated(state, request, as_json=False)
    except _ValidationError:
        return PlainTextResponse("no\n")
    return PlainTextResponse(f"yes\n{_name(state, request, user)}\n")


async def service_validate(state: State, request: Request) -> Response:
    """Validate a ticket as CAS 2.0, with the user in XML or JSON."""
    as_json = request.query_params.get("format", "XML").upper() == "JSON"
    user = _validated(state, request, as_json=as_json)
    attributes = user.claims(EVERY_CLAIM)
    if as_json:
        success = {"user": _name(state, request, user), "attributes": attributes}
        return JSONResponse({"serviceResponse": {"authenticationSuccess": success}})
    root = Element("cas:serviceResponse", {"xmlns:cas": _NAMESPACE})
    found = SubElement(root, "cas:authenticationSuccess")
    SubElement(found, "cas:user").text = _name(state, request, user)
    listed = SubElement(found, "cas:attributes")
    for name, value in attributes.items():
        _add_attribute(listed, name, value)
    return _xml(root)


def _add_attribute(parent: Element, name: str, value: object) -> None:
    element = SubElement(parent, f"cas:{name}")
    if isinstance(value, dict):
        for member, inner in value.items():
            _add_attribute(element, member, inner)
    elif value is not None:
        element.text = str(value).lower() if isinstance(value, bool) else str(value)


def _validated(state: State, request: Request, *, as_json: bool) -> User:
    query = request.query_params
    ticket, service = query.get("ticket"), query.get("service")
    if not ticket or not service:
        raise _ValidationError("INVALID_REQUEST", "service and ticket are required", as_json=as_json)
    found = state.hosted_login.service_tickets.take(ticket)
    if found is None or found.app_id != request.path_params["app_id"]:
        raise _ValidationError("INVALID_TICKET", "the ticket is unknown, has expired or was used", as_json=as_json)
    if found.service != service:
        raise _ValidationError("INVALID_SERVICE", "the ticket was issued to another service", as_json=as_json)
    user = state.users.find(found.session.user_id)
    if user is None or user.locked or not state.hosted_login.sessions.is_live(found.session):
        raise _ValidationError("INVALID_TICKET", "the user has signed out, or is locked", as_json=as_json)
    if query.get("renew") == "true" and not found.from_password:
        raise _ValidationError("INVALID_TICKET", "the user gave no password for this ticket", as_json=as_json)
    return user


def _name(state: State, request: Request, user: User) -> str:
    template = state.hosted_login.cas_usernames().get(str(request.path_params["app_id"]), "${user.username}")
    known = {"id": user.id, **user.to_dto(ALL_SCOPES, with_custom_data=False, with_identities=False)}
    return _VARIABLE.sub(lambda found: str(known.get(found[1], "")), template) or user.id


def _xml(root: Element) -> Response:
    return Response(tostring(root, encoding="utf-8", xml_declaration=True), media_type="application/xml")


ROUTES: Routes = {
    "/cas-idp/{app_id}": {"GET": log_in},
    "/cas-idp/{app_id}/validate": {"GET": validate},
    "/cas-idp/{app_id}/serviceValidate": {"GET": service_validate},
}
