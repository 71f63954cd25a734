"""Client authentication (RFC 6749 section 2.3)."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Literal
from urllib.parse import unquote_plus

from attrs import field, frozen
from starlette.requests import Request

from genauth_async._core.redaction import redact

from ..state.apps import App, Endpoint
from ..state.encoding import same_text
from ..state.errors import ApiError, OAuthError, no_such_app
from ..state.state import State
from .arguments import Arguments
from .request_context import named_app_id, require_known_app


@frozen
class BasicCredentials:
    """The credentials of an HTTP Basic header.

    RFC 6749 section 2.3.1 wants id and secret form-urlencoded first. Many clients leave that out, the vendor's among
    them, so each is compared both ways.
    """

    client_id: str
    secret: str = field(repr=redact)

    @classmethod
    def parse(cls, header: str) -> BasicCredentials | None:
        """Parse the credentials in an Authorization header; None if there are none."""
        scheme, _, encoded = header.partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            client_id, colon, secret = b64decode(encoded.strip(), validate=True).decode().partition(":")
        except ValueError:
            return None
        return cls(client_id, secret) if colon else None

    def app_among(self, apps: Mapping[str, App]) -> App | None:
        return apps.get(self.client_id) or apps.get(unquote_plus(self.client_id))

    def match(self, app: App) -> bool:
        return same_text(self.secret, app.app_secret) or same_text(unquote_plus(self.secret), app.app_secret)


def authenticate_at_api(state: State, request: Request, body: Arguments) -> App:
    """Authenticate the application that calls a sign-in endpoint of the API."""
    app_id = require_known_app(state, request)
    basic = BasicCredentials.parse(request.headers.get("authorization", ""))
    client_id = body.optional_text("client_id")
    if basic is not None:
        app = basic.app_among(state.apps)
    else:
        app = state.apps.get(client_id or app_id or state.default_app.app_id)
    if app is None:
        raise no_such_app()
    if app_id not in {None, app.app_id} or client_id not in {None, "", app.app_id}:
        raise ApiError(400, "client_id and the header with the app id name different applications")
    method = app.auth_method_at("token")
    if method == "client_secret_post":
        body.text("client_id")
        proven = same_text(body.text("client_secret"), app.app_secret)
    elif method == "client_secret_basic":
        proven = basic is not None and basic.match(app)
    else:
        proven = True
    if not proven:
        # The API documents no number for this.
        raise ApiError(401, f"client authentication failed; this application uses {method}")
    return app


def authenticate_at_oidc(state: State, request: Request, form: Mapping[str, str], endpoint: Endpoint) -> App:
    """Authenticate the application that calls an OAuth endpoint."""
    header = request.headers.get("authorization")
    basic = None if header is None else BasicCredentials.parse(header)
    if header is not None and basic is None:
        raise invalid_client(request, "the Authorization header holds no Basic credentials")
    if basic is not None and "client_secret" in form:
        raise OAuthError("invalid_request", "more than one method of client authentication is used")
    if basic is not None:
        app = basic.app_among(state.apps)
    else:
        # The vendor's SDK for browsers names the client in a header alone when it refreshes.
        app = state.apps.get(form.get("client_id") or named_app_id(request) or "")
    if app is None:
        raise invalid_client(request, "the client is unknown")
    method = app.auth_method_at(endpoint)
    if method == "client_secret_basic":
        proven = basic is not None and basic.match(app)
    elif method == "client_secret_post":
        proven = same_text(form.get("client_secret", ""), app.app_secret)
    else:
        proven = True
    if not proven:
        raise invalid_client(request, f"client authentication failed; this client uses {method}")
    return app


def invalid_client(request: Request, description: str) -> OAuthError:
    """Refuse a client; challenge only those that used the Authorization header (RFC 6749 section 5.2)."""
    scheme: Literal["Basic"] | None = "Basic" if "authorization" in request.headers else None
    return OAuthError("invalid_client", description, http_status=401, scheme=scheme)
