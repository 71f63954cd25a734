"""Passkeys: registered, used to sign in, listed, renamed and removed."""

from __future__ import annotations

import secrets
from typing import cast

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..http.arguments import Arguments, query_number
from ..http.replies import success
from ..http.request_context import calling_app, read_app_call, read_user_call, require_known_app, require_user
from ..http.routes import Routes
from ..http.user_arguments import scope_argument
from ..state.clock import iso_time
from ..state.encoding import base64url, from_base64url
from ..state.errors import ApiError
from ..state.passkeys import AUTHENTICATOR_CODES, AuthenticatorCode, Passkey, verify_authentication, verify_registration
from ..state.sign_in import complete_sign_in
from ..state.state import State
from ..state.tickets import TicketKind
from ..state.users import User

_TIMEOUT_SECONDS = 60
_TICKET_SECONDS = 300  # longer, so that the user can fetch their key
_ALGORITHMS = (-7, -8, -257)  # ES256, EdDSA, RS256
_USER_VERIFICATION = "preferred"
_ACCOUNT_GONE = 431


async def init_register_options(state: State, request: Request) -> Response:
    """Return the argument of navigator.credentials.create()."""
    user, _ = require_user(state, request)
    challenge, ticket = _challenge(state, "webauthn-registration", user)
    options = {
        "challenge": challenge,
        "rp": {"id": state.passkeys.relying_party(state.url).id, "name": "GenAuth emulator"},
        "user": {
            "id": user.id,  # is base64url as it stands, of 18 bytes
            "name": user.username or user.email or user.phone or user.id,
            "displayName": user.display_name,
        },
        "pubKeyCredParams": [{"alg": algorithm, "type": "public-key"} for algorithm in _ALGORITHMS],
        "excludeCredentials": [
            {"id": passkey.id, "transports": list(passkey.transports), "type": "public-key"}
            for passkey in state.passkeys.of(user)
        ],
        "timeout": _TIMEOUT_SECONDS * 1000,
        "attestation": "none",
        # Sign-in options name no passkey, so that the authenticator itself has to remember it.
        "authenticatorSelection": {
            "userVerification": _USER_VERIFICATION,
            "residentKey": "required",
            "requireResidentKey": True,
        },
    }
    return success({"registrationOptions": options, "ticket": ticket})


async def verify_register(state: State, request: Request) -> Response:
    """Register the passkey that the user's authenticator has created."""
    user, _, body = await read_user_call(state, request)
    ticket = body.text("ticket")
    sent = body.object("registrationCredential")
    code = _authenticator_code(body) or "other"
    transports = sent.texts("transports") if sent.raw("transports") else []
    facts = state.tickets.peek("webauthn-registration", ticket)
    if facts.user_id != user.id:
        raise ApiError(400, "the ticket is another user's")
    state.tickets.redeem("webauthn-registration", ticket)
    verified = await run_in_threadpool(
        verify_registration,
        cast("dict[str, object]", body.raw("registrationCredential")),
        cast("bytes", facts.facts["challenge"]),
        state.passkeys.relying_party(state.url),
    )
    if verified is None:
        raise ApiError(422, "the attestation is not valid for this challenge")
    user, _ = require_user(state, request)  # the user may have been removed meanwhile
    passkey = Passkey(
        id=base64url(verified.credential_id),
        user_id=user.id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        authenticator_code=code,
        name=f"Passkey {len(state.passkeys.of(user)) + 1}",
        transports=transports,
        created_at=state.clock.now(),
    )
    if not state.passkeys.add(passkey):
        raise ApiError(422, "the passkey is registered already")
    return success({"verified": True})


async def init_authentication_options(state: State, request: Request) -> Response:
    """Return the argument of navigator.credentials.get(); it names no passkeys, as the user is not known yet."""
    require_known_app(state, request)
    challenge, ticket = _challenge(state, "webauthn-authentication", None)
    options = {
        "challenge": challenge,
        "rpId": state.passkeys.relying_party(state.url).id,
        "allowCredentials": [],
        "timeout": _TIMEOUT_SECONDS * 1000,
        "userVerification": _USER_VERIFICATION,
    }
    return success({"authenticationOptions": options, "ticket": ticket})


async def verify_authentication_credential(state: State, request: Request) -> Response:
    """Sign in the user whose passkey has signed the challenge."""
    app = calling_app(state, request)
    body = await Arguments.read(request)
    ticket = body.text("ticket")
    sent = body.object("authenticationCredential")
    credential_id, user_handle = sent.text("id"), sent.object("response").text("userHandle")
    scope = scope_argument(body.optional_object("options"))
    facts = state.tickets.redeem("webauthn-authentication", ticket).facts
    passkey = state.passkeys.find(credential_id)
    user = None if passkey is None else state.users.find(passkey.user_id)
    if passkey is None or user is None or not _is_handle_of(user, user_handle):
        if any(_is_handle_of(gone, user_handle) for gone in state.users.removed):
            raise ApiError(_ACCOUNT_GONE, "the account of the passkey does not exist any more")
        raise ApiError(422, "the passkey is not registered")
    verified = await run_in_threadpool(
        verify_authentication,
        cast("dict[str, object]", body.raw("authenticationCredential")),
        cast("bytes", facts["challenge"]),
        state.passkeys.relying_party(state.url),
        passkey,
    )
    if verified is None or not state.passkeys.use(passkey, verified.new_sign_count):
        message = "the passkey was not used as it should be"
        state.history.note(user, app.app_id, error_message=message)
        raise ApiError(422, message)
    return success({"verified": True, "tokenSet": complete_sign_in(state, app, user, scope)})


def _is_handle_of(user: User, sent: str) -> bool:
    """Compare a user handle: the id itself, or as the vendor's Android SDK has it, which encodes that once more."""
    return sent.rstrip("=") == user.id or from_base64url(sent) == user.id.encode()


def _challenge(state: State, kind: TicketKind, user: User | None) -> tuple[str, str]:
    challenge = secrets.token_bytes(32)
    user_id = None if user is None else user.id
    return base64url(challenge), state.tickets.issue(
        kind, user_id=user_id, lifetime=_TICKET_SECONDS, challenge=challenge
    )


async def list_devices(state: State, request: Request) -> Response:
    """List the user's passkeys, without an envelope, as documented."""
    user, _, body = await read_user_call(state, request)
    code = _authenticator_code(body)
    found = [passkey for passkey in state.passkeys.of(user) if code in {None, passkey.authenticator_code}]
    page, limit = _number(body, "page", 1), _number(body, "limit", 10)
    return JSONResponse(_page(found, page, limit))


async def list_credentials(state: State, request: Request) -> Response:
    """List the user's passkeys."""
    user, _ = require_user(state, request)
    page, limit = query_number(request, "page", 1), query_number(request, "limit", 10)
    return success(_page(state.passkeys.of(user), page, limit))


async def check_valid_credentials(state: State, request: Request) -> Response:
    """Return those of the credential ids of a device that are still valid."""
    body = await read_app_call(state, request)
    code = _authenticator_code(body)
    valid = []
    for credential_id in body.texts("credentialIds") if body.raw("credentialIds") else []:
        passkey = state.passkeys.find(credential_id)
        if passkey is not None and code in {None, passkey.authenticator_code}:
            valid.append(credential_id)
    return success(valid)


async def remove_by_authenticator_code(state: State, request: Request) -> Response:
    """Remove the user's passkeys of one kind of authenticator, or all of them."""
    user, _ = require_user(state, request)
    state.passkeys.remove_all(user, _authenticator_code(await Arguments.read(request)))
    return success({"success": True})


async def remove_credential(state: State, request: Request) -> Response:
    """Remove one of the user's passkeys."""
    user, _ = require_user(state, request)
    state.passkeys.remove(user, request.path_params["credential_id"])
    return success({"success": True})


async def rename_credential(state: State, request: Request) -> Response:
    """Rename one of the user's passkeys."""
    user, _, body = await read_user_call(state, request)
    name = body.text("name")
    state.passkeys.get(user, request.path_params["credential_id"]).name = name
    return success({"success": True})


def _authenticator_code(body: Arguments) -> AuthenticatorCode | None:
    # Lower case in the DTO, upper case in the vendor's Python docstring.
    code = (body.optional_text("authenticatorCode") or "").lower()
    if code and code not in AUTHENTICATOR_CODES:
        raise ApiError(400, f"authenticatorCode must be one of {', '.join(AUTHENTICATOR_CODES)}")
    return code or None


def _number(body: Arguments, name: str, default: int) -> int:
    value = body.raw(name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ApiError(400, f"{name} must be a number of at least 1")
    return value


def _page(passkeys: list[Passkey], page: int, limit: int) -> dict[str, object]:
    shown = passkeys[(page - 1) * limit : page * limit]
    return {"totalCount": len(passkeys), "list": [_dto(passkey) for passkey in shown]}


def _dto(passkey: Passkey) -> dict[str, object]:
    return {
        "credentialId": passkey.id,
        "name": passkey.name,
        "authenticatorCode": passkey.authenticator_code,
        "transports": list(passkey.transports),
        "createdAt": iso_time(passkey.created_at),
        "lastUsedAt": None if passkey.last_used_at is None else iso_time(passkey.last_used_at),
    }


_WEBAUTHN = "/api/v3/webauthn"

ROUTES: Routes = {
    f"{_WEBAUTHN}/registration": {"GET": init_register_options, "POST": verify_register},
    f"{_WEBAUTHN}/authentication": {"GET": init_authentication_options, "POST": verify_authentication_credential},
    f"{_WEBAUTHN}/page-authenticator-device": {"POST": list_devices},
    f"{_WEBAUTHN}/check-valid-credentials-by-credIds": {"POST": check_valid_credentials},
    f"{_WEBAUTHN}/remove-credentials-by-authenticator-code": {"POST": remove_by_authenticator_code},
    f"{_WEBAUTHN}/remove-credential/{{credential_id}}": {"POST": remove_credential},
    f"{_WEBAUTHN}/credentials": {"GET": list_credentials},
    f"{_WEBAUTHN}/credentials/{{credential_id}}": {"PUT": rename_credential, "DELETE": remove_credential},
}
