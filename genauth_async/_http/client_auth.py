"""Client authentication (RFC 6749 section 2.3): three functions from request to request."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import quote_plus

from attrs import evolve

from .._wire.request import ClientAuth, Request
from ..settings import ClientAuthMethod, Settings


def authenticate(request: Request, settings: Settings) -> Request:
    """Add the application's credentials by the endpoint's configured method."""
    if request.client_auth is None or "client_id" in (request.json or {}):
        return request  # the caller's own credentials stay: another secret would not match
    methods: Mapping[ClientAuth, ClientAuthMethod] = {
        "token": settings.token_endpoint_auth_method,
        "introspection": settings.introspection_endpoint_auth_method,
        "revocation": settings.revocation_endpoint_auth_method,
    }
    return _METHODS[methods[request.client_auth]](request, settings)


def _client_secret_post(request: Request, settings: Settings) -> Request:
    credentials = {"client_id": settings.app_id, "client_secret": settings.app_secret or ""}
    if request.json is not None:
        return evolve(request, json={**credentials, **request.json})
    return evolve(request, form={**credentials, **(request.form or {})})


def _client_secret_basic(request: Request, settings: Settings) -> Request:
    # Both are form-urlencoded (RFC 6749 section 2.3.1), or a colon in the id would read as the separator.
    pair = f"{quote_plus(settings.app_id)}:{quote_plus(settings.app_secret or '')}"
    return evolve(request, headers={**request.headers, "authorization": f"Basic {b64encode(pair.encode()).decode()}"})


def _none(request: Request, settings: Settings) -> Request:
    # A public client still sends its id in a form (RFC 6749 section 3.2.1); the JSON API has it in a header.
    if request.form is None:
        return request
    return evolve(request, form={"client_id": settings.app_id, **request.form})


_METHODS: Final[Mapping[ClientAuthMethod, Callable[[Request, Settings], Request]]] = {
    "client_secret_post": _client_secret_post,
    "client_secret_basic": _client_secret_basic,
    "none": _none,
}
