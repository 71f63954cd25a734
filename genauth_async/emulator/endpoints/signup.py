"""POST /api/v3/signup: by password or by pass code."""

from __future__ import annotations

from attrs import define, field
from starlette.requests import Request
from starlette.responses import Response

from genauth_async._core.redaction import redact

from ..http.arguments import Arguments
from ..http.passwords import sent_password
from ..http.replies import success
from ..http.request_context import require_known_app
from ..http.routes import Routes
from ..http.user_arguments import (
    DEFAULT_COUNTRY_CODE,
    PROFILE_TEXTS,
    country_code_argument,
    custom_data_argument,
    email_argument,
    gender_argument,
    phone_argument,
    text_arguments,
)
from ..http.verification_codes import SentCode, redeem_codes
from ..state.errors import ApiError, Refusal
from ..state.grants import ALL_SCOPES
from ..state.inbox import REGISTER_CHANNEL
from ..state.state import State
from ..state.users import AlreadyTakenError, User


@define
class _NewUser:
    """The identifiers of a new user, and the pass codes that prove them."""

    username: str | None = None
    email: str | None = None
    phone: str | None = None
    phone_country_code: str = DEFAULT_COUNTRY_CODE
    password: str | None = field(default=None, repr=redact)
    email_proven: bool = False
    codes: list[SentCode] = field(factory=list)


async def sign_up(state: State, request: Request) -> Response:
    """Create a user, without signing them in."""
    require_known_app(state, request)
    state.account_rules.require_sign_up_enabled()
    body = await Arguments.read(request)
    connection = body.choice("connection", ("PASSWORD", "PASSCODE"))
    options, profile = body.optional_object("options"), body.optional_object("profile")
    if connection == "PASSWORD":
        new = await _with_password(state, body.object("passwordPayload"), options)
    else:
        new = await _with_pass_code(state, body.object("passCodePayload"), options)
    if new.password is not None:
        state.account_rules.require_strong(new.password)
    _complete(new, profile, options)
    name, nickname = profile.optional_text("name"), profile.optional_text("nickname")
    texts = text_arguments(profile, PROFILE_TEXTS) | gender_argument(profile)
    # The documents have the context end up in the user's own fields.
    custom_data = custom_data_argument(options, "context") | custom_data_argument(profile, "customData")
    redeem_codes(state, new.codes)
    user = User(
        created_at=state.clock.now(),
        username=new.username,
        email=new.email,
        email_verified=new.email_proven,
        phone=new.phone,
        phone_country_code=new.phone_country_code,
        password=new.password,
        name=name,
        nickname=nickname,
        profile=texts,
        custom_data=custom_data,
        source="register",
    )
    try:
        state.users.add(user)
    except AlreadyTakenError as error:
        raise Refusal.USER_EXISTS.error() from error
    return success(user.to_dto(ALL_SCOPES, with_custom_data=bool(custom_data), with_identities=False))


async def _with_password(state: State, payload: Arguments, options: Arguments) -> _NewUser:
    if payload.has("email"):
        new = _NewUser(email=email_argument(payload, "email"), username=payload.optional_text("username"))
    elif payload.has("username"):
        new = _NewUser(username=payload.text("username"))
    else:
        raise ApiError(400, "passwordPayload.email is required, or username instead of it")
    new.password = await sent_password(state, payload, options)
    return new


async def _with_pass_code(state: State, payload: Arguments, options: Arguments) -> _NewUser:
    code = payload.text("passCode")
    if payload.has("email"):
        email = email_argument(payload, "email")
        return _NewUser(email=email, email_proven=True, codes=[SentCode(email, code, REGISTER_CHANNEL)])
    if not payload.has("phone"):
        raise ApiError(400, "passCodePayload.email is required, or phone instead of it")
    phone = phone_argument(payload, "phone")
    new = _NewUser(
        phone=phone,
        phone_country_code=country_code_argument(payload, "phoneCountryCode"),
        codes=[SentCode(phone, code, REGISTER_CHANNEL)],
    )
    if options.has("passwordForPhonePassCode"):
        new.password = await sent_password(state, options, options, "passwordForPhonePassCode")
    return new


def _complete(new: _NewUser, profile: Arguments, options: Arguments) -> None:
    """Read an email address and a phone number from the profile, each with its pass code."""
    if new.email is None and profile.has("email"):
        new.email = email_argument(profile, "email")
        new.email_proven = True
        code = options.text("emailPassCodeForInformationCompletion")
        new.codes.append(SentCode(new.email, code, "CHANNEL_COMPLETE_EMAIL"))
    if new.phone is None and profile.has("phone"):
        new.phone = phone_argument(profile, "phone")
        new.phone_country_code = country_code_argument(profile, "phoneCountryCode")
        code = options.text("phonePassCodeForInformationCompletion")
        new.codes.append(SentCode(new.phone, code, "CHANNEL_COMPLETE_PHONE"))


ROUTES: Routes = {"/api/v3/signup": {"POST": sign_up}}
