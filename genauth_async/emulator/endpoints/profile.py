"""The profile of the signed-in user, and the security of the account."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ..http.arguments import query_flag
from ..http.replies import success
from ..http.request_context import read_user_call, require_user
from ..http.routes import Routes
from ..http.user_arguments import custom_data_argument, gender_argument, text_arguments
from ..state.errors import Refusal
from ..state.state import State
from ..state.users import AlreadyTakenError

_TEXTS = (
    "photo",
    "externalId",
    "birthdate",
    "country",
    "province",
    "city",
    "address",
    "streetAddress",
    "postalCode",
    "company",
    "identityNumber",
)
_STRONGEST = 3
_SCORE_OF_EACH = 25


async def get_profile(state: State, request: Request) -> Response:
    """Return the user of the access token."""
    user, token = require_user(state, request)
    dto = user.to_dto(
        token.scope,
        with_custom_data=query_flag(request, "withCustomData"),
        with_identities=query_flag(request, "withIdentities"),
    )
    return success(dto)


async def update_profile(state: State, request: Request) -> Response:
    """Change the given fields, also of the custom data, and keep the rest."""
    user, token, body = await read_user_call(state, request)
    texts = text_arguments(body, _TEXTS) | gender_argument(body)
    custom_data = custom_data_argument(body, "customData")
    name, nickname = body.optional_text("name"), body.optional_text("nickname")
    if body.has("username"):
        try:
            state.users.change(user, "username", body.text("username"))
        except AlreadyTakenError as error:
            raise Refusal.USERNAME_TAKEN.error() from error
    user.name = user.name if name is None else name
    user.nickname = user.nickname if nickname is None else nickname
    user.profile = user.profile | texts
    user.custom_data = user.custom_data | custom_data
    user.updated_at = state.clock.now()
    return success(user.to_dto(token.scope, with_custom_data=bool(custom_data), with_identities=False))


async def get_security_info(state: State, request: Request) -> Response:
    """Score the account: a quarter each for password, email, phone and second factor."""
    user, _ = require_user(state, request)
    level = _password_level(user.password)
    email, phone = user.email is not None, user.phone is not None
    mfa = bool(state.factors.of(user))
    return success(
        {
            "passwordSecurityLevel": level,
            "mfaEnrolled": mfa,
            "passwordSet": user.password is not None,
            "emailBinded": email,
            "phoneBinded": phone,
            "securityScore": _SCORE_OF_EACH * (email + phone + mfa) + _SCORE_OF_EACH * level // _STRONGEST,
        }
    )


def _password_level(password: str | None) -> int:
    """Count the kinds that a password mixes: letters, digits, other characters; 0 without a password."""
    return len({"letter" if char.isalpha() else "digit" if char.isdigit() else "other" for char in password or ""})


ROUTES: Routes = {
    "/api/v3/get-profile": {"GET": get_profile},
    "/api/v3/get-security-info": {"GET": get_security_info},
    "/api/v3/update-profile": {"POST": update_profile},
}
