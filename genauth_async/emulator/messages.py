"""POST /api/v3/send-sms and /api/v3/send-email: pass codes, into the inbox."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from .arguments import Arguments
from .client_auth import require_known_app
from .inbox import LOGIN_CHANNEL
from .replies import ApiError, success
from .routes import Routes
from .state import State

_CHANNELS_OF_BOTH = (
    LOGIN_CHANNEL,
    "CHANNEL_REGISTER",
    "CHANNEL_RESET_PASSWORD",
    "CHANNEL_VERIFY_MFA",
    "CHANNEL_DELETE_ACCOUNT",
)
SMS_CHANNELS = (
    *_CHANNELS_OF_BOTH,
    "CHANNEL_BIND_PHONE",
    "CHANNEL_UNBIND_PHONE",
    "CHANNEL_BIND_MFA",
    "CHANNEL_UNBIND_MFA",
    "CHANNEL_COMPLETE_PHONE",
    "CHANNEL_IDENTITY_VERIFICATION",
)
EMAIL_CHANNELS = (
    *_CHANNELS_OF_BOTH,
    "CHANNEL_VERIFY_EMAIL_LINK",
    "CHANNEL_UPDATE_EMAIL",
    "CHANNEL_BIND_EMAIL",
    "CHANNEL_UNBIND_EMAIL",
    "CHANNEL_UNLOCK_ACCOUNT",
    "CHANNEL_COMPLETE_EMAIL",
)


async def send_sms(state: State, request: Request) -> Response:
    """Send a pass code to a phone."""
    require_known_app(state, request)
    body = await Arguments.read(request)
    channel = body.choice("channel", SMS_CHANNELS)
    number = body.text("phoneNumber")
    if not number.isascii() or not number.isdigit():
        raise ApiError(400, "phoneNumber must consist of digits")
    state.inbox.send("sms", channel, number, phone_country_code=body.optional_text("phoneCountryCode") or "+86")
    return success()


async def send_email(state: State, request: Request) -> Response:
    """Send a pass code to an email address."""
    require_known_app(state, request)
    body = await Arguments.read(request)
    channel = body.choice("channel", EMAIL_CHANNELS)
    address = body.text("email")
    if "@" not in address:
        raise ApiError(400, "email must be an email address")
    state.inbox.send("email", channel, address)
    return success()


ROUTES: Routes = {
    "/api/v3/send-sms": {"POST": send_sms},
    "/api/v3/send-email": {"POST": send_email},
}
