"""Authorization requests: read and validated (OpenID Connect Core 3.1.2, RFC 6749, RFC 7636)."""

from __future__ import annotations

from urllib.parse import urlencode

from attrs import field, frozen
from starlette.responses import Response

from genauth_async._core.redaction import redact

from ..http.replies import RenderedError
from ..state.apps import App
from ..state.grants import OAUTH_USER, OPENID, Protocol
from ..state.hosted.authorization_codes import CHALLENGE_METHODS, is_challenge
from ..state.id_tokens import InvalidIdTokenError, hinted_user
from ..state.state import State
from .browser_requests import REGISTER, Parameters, unknown_app
from .pages import PageError, form_post_page, redirect
from .web_message import origin_of, web_message_page

RESPONSE_MODES = ("query", "fragment", "form_post", "web_message")
PROMPTS = ("none", "login", "consent", "select_account")
_MOST_DIGITS = 15
_UNMODELLED = {
    "registration": "registration_not_supported",
    "request": "request_not_supported",
    "request_uri": "request_uri_not_supported",
}


@frozen(kw_only=True)
class RedirectTarget:
    """The redirection to the application, with a code or an error.

    Attributes:
        issuer: named in the answer, if any.
    """

    redirect_uri: str
    mode: str
    state: str | None = field(repr=redact)
    issuer: str | None

    def send(self, **answer: str) -> Response:
        """Send the answer to the application (RFC 6749 section 4.1.2, RFC 9207)."""
        fields = dict(answer)
        if self.issuer is not None:
            fields["iss"] = self.issuer
        if self.state is not None:
            fields["state"] = self.state
        if self.mode == "form_post":
            return form_post_page(self.redirect_uri, fields.items())
        if self.mode == "web_message":
            return web_message_page(self.redirect_uri, fields)
        mark = "#" if self.mode == "fragment" else "&" if "?" in self.redirect_uri else "?"
        return redirect(f"{self.redirect_uri}{mark}{urlencode(fields)}")


class AuthorizationError(RenderedError):
    """An error that is sent to the application."""

    def __init__(self, back: RedirectTarget, error: str, description: str) -> None:
        super().__init__(description)
        self._back = back
        self._error = error

    def response(self) -> Response:
        return self._back.send(error=self._error, error_description=str(self))


@frozen(kw_only=True)
class AuthorizationRequest:
    """A valid authorization request.

    Attributes:
        challenge: the code challenge and its method.
        expected_user_id: the user of the id_token_hint.
    """

    protocol: Protocol
    app: App
    back: RedirectTarget
    scope: str
    nonce: str | None = field(repr=redact)
    challenge: tuple[str, str] | None = field(repr=False)
    prompts: frozenset[str]
    max_age: int | None
    login_hint: str
    expected_user_id: str | None

    def refuse(self, error: str, description: str) -> AuthorizationError:
        return AuthorizationError(self.back, error, description)


def read_authorization_request(state: State, given: Parameters, protocol: Protocol) -> AuthorizationRequest:
    """Read an authorization request.

    Raises:
        PageError: the client or its redirect_uri is not known, so that the browser must not be sent there.
        AuthorizationError: the application asks for something else that is invalid.
    """
    app, back = _redirect_target(state, given)
    if given.repeated:
        raise AuthorizationError(back, "invalid_request", f"given more than once: {', '.join(sorted(given.repeated))}")
    if (given.get("response_mode") or "query") not in RESPONSE_MODES:
        raise AuthorizationError(back, "invalid_request", f"response_mode must be one of {', '.join(RESPONSE_MODES)}")
    if given.get("response_mode") == "web_message" and back.mode != "web_message":
        raise AuthorizationError(back, "invalid_request", "web_message needs a redirect_uri of http or https")
    for name, error in _UNMODELLED.items():
        if given.get(name):
            raise AuthorizationError(back, error, f"the emulator does not model {name}")
    response_type = given.get("response_type")
    if response_type is None:
        raise AuthorizationError(back, "invalid_request", "response_type is required")
    if response_type != "code":
        raise AuthorizationError(back, "unsupported_response_type", "the emulator models the response type code only")
    return AuthorizationRequest(
        protocol=protocol,
        app=app,
        back=back,
        scope=_scope(given, back, protocol),
        nonce=given.get("nonce"),
        challenge=_challenge(given, back, app),
        prompts=_prompts(given, back),
        max_age=_max_age(given, back),
        login_hint=given.get("login_hint") or "",
        expected_user_id=_expected_user(state, given, back),
    )


def _redirect_target(state: State, given: Parameters) -> tuple[App, RedirectTarget]:
    for name in ("client_id", "redirect_uri"):
        if name in given.repeated:
            raise PageError(f"{name} is given more than once.", remedy="Give it once.")
        if given.get(name) is None:
            raise PageError(f"{name} is required.", remedy="Add it to the authorization URL, as `begin_login` does.")
    app = state.apps.get(given.values["client_id"])
    if app is None:
        raise unknown_app()
    redirect_uri = given.values["redirect_uri"]
    if not state.hosted_login.redirects.allow(redirect_uri, app.app_id):
        raise PageError(
            "The application has not registered this redirect_uri.",
            remedy=REGISTER,
        )
    mode = given.get("response_mode") or "query"
    if mode not in RESPONSE_MODES or (mode == "web_message" and origin_of(redirect_uri) is None):
        mode = "query"  # for the error
    return app, RedirectTarget(
        redirect_uri=redirect_uri,
        mode=mode,
        state=given.get("state"),
        issuer=state.issuer if state.settings.callback_iss else None,
    )


def _scope(given: Parameters, back: RedirectTarget, protocol: Protocol) -> str:
    scope = given.get("scope") or (OAUTH_USER if protocol == "oauth" else "")
    if not scope.isascii() or not scope.isprintable():
        raise AuthorizationError(back, "invalid_scope", "scope must be printable ASCII")
    names = list(dict.fromkeys(scope.split()))
    if protocol == "oauth":
        # OAuth 2.0 alone knows no ID tokens.
        names = [name for name in names if name != OPENID] or [OAUTH_USER]
    elif OPENID not in names:
        raise AuthorizationError(back, "invalid_scope", "scope must contain openid")
    return " ".join(names)


def _challenge(given: Parameters, back: RedirectTarget, app: App) -> tuple[str, str] | None:
    challenge, method = given.get("code_challenge"), given.get("code_challenge_method")
    if challenge is None:
        if method is not None:
            raise AuthorizationError(back, "invalid_request", "code_challenge_method is given without code_challenge")
        if app.auth_method_at("token") == "none":
            raise AuthorizationError(back, "invalid_request", "code_challenge is required of clients without a secret")
        return None
    method = method or "plain"
    if method not in CHALLENGE_METHODS:
        raise AuthorizationError(back, "invalid_request", "code_challenge_method must be S256 or plain")
    if not is_challenge(challenge):
        raise AuthorizationError(back, "invalid_request", "code_challenge must be 43 to 128 unreserved characters")
    return challenge, method


def _prompts(given: Parameters, back: RedirectTarget) -> frozenset[str]:
    prompts = frozenset((given.get("prompt") or "").split())
    if not prompts <= set(PROMPTS):
        raise AuthorizationError(back, "invalid_request", f"prompt knows {', '.join(PROMPTS)}")
    if "none" in prompts and len(prompts) > 1:
        raise AuthorizationError(back, "invalid_request", "prompt=none goes with no other")
    return prompts


def _max_age(given: Parameters, back: RedirectTarget) -> int | None:
    text = given.get("max_age")
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > _MOST_DIGITS:
        raise AuthorizationError(back, "invalid_request", "max_age must be a number of seconds")
    return int(text)


def _expected_user(state: State, given: Parameters, back: RedirectTarget) -> str | None:
    hint = given.get("id_token_hint")
    if hint is None:
        return None
    try:
        return hinted_user(state, hint)[1]
    except InvalidIdTokenError as error:
        raise AuthorizationError(back, "invalid_request", str(error)) from error
