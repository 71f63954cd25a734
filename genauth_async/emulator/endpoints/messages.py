"""Pass codes: sent by text message or email, and checked."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ..http.replies import success
from ..http.request_context import read_app_call
from ..http.routes import Routes
from ..http.user_arguments import country_code_argument, email_argument, phone_argument
from ..state.errors import ApiError
from ..state.inbox import LOGIN_CHANNEL
from ..state.state import State

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
    body = await read_app_call(state, request)
    channel = body.choice("channel", SMS_CHANNELS)
    number = phone_argument(body, "phoneNumber")
    state.inbox.send("sms", channel, number, phone_country_code=country_code_argument(body, "phoneCountryCode"))
    return success()


async def send_email(state: State, request: Request) -> Response:
    """Send a pass code to an email address."""
    body = await read_app_call(state, request)
    channel = body.choice("channel", EMAIL_CHANNELS)
    address = email_argument(body, "email")
    state.inbox.send("email", channel, address)
    return success()


async def pre_check_code(state: State, request: Request) -> Response:
    """Check a pass code without using it up."""
    body = await read_app_call(state, request)
    if body.choice("codeType", ("SMS", "EMAIL")) == "SMS":
        payload = body.object("smsCodePayload")
        to, channel = phone_argument(payload, "phone"), payload.choice("channel", SMS_CHANNELS)
    else:
        payload = body.object("emailCodePayload")
        to, channel = email_argument(payload, "email"), payload.choice("channel", EMAIL_CHANNELS)
    code = payload.text("passCode")
    try:
        state.inbox.check(to, code, channel)
    except ApiError as error:
        return success({"isValid": False, "message": str(error)})
    return success({"isValid": True})


ROUTES: Routes = {
    "/api/v3/pre-check-code": {"POST": pre_check_code},
    "/api/v3/send-sms": {"POST": send_sms},
    "/api/v3/send-email": {"POST": send_email},
}
