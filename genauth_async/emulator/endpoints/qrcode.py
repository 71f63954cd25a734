"""Sign-in by QR code: a browser shows it, and a user who is signed in on the phone scans and confirms it.

A code is good for 120 seconds and its ticket for 300, the service's defaults. An unknown code answers 404 and a step
out of order 422; the service's numbers for these are not documented.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from functools import partial
from typing import cast

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ..http.arguments import Arguments, query_text
from ..http.client_auth import authenticate_at_api
from ..http.replies import success
from ..http.request_context import calling_app, read_user_call
from ..http.routes import Handler, Routes
from ..http.user_arguments import custom_data_argument
from ..state.clock import iso_time
from ..state.device_codes.login_codes import LoginCode
from ..state.device_codes.qr_codes import QrAction
from ..state.errors import ApiError, not_modelled
from ..state.grants import ALL_SCOPES
from ..state.state import State
from ._device_codes import brief_user, refuse_other_app, sign_in_owner

_TYPES = ("MOBILE_APP", "WECHAT_MINIPROGRAM", "WECHAT_OFFICIAL_ACCOUNT")
_ACTIONS = ("SCAN", "CONFIRM", "CANCEL")
_MOST_CUSTOM_DATA = 2700  # the largest QR code holds 2953 characters, some of which the emulator needs itself


async def gene_qr_code(state: State, request: Request) -> Response:
    """Create a code for a browser to show."""
    app = calling_app(state, request)
    body = await Arguments.read(request)
    kind = body.choice("type", _TYPES)
    if kind != "MOBILE_APP":
        raise not_modelled(f"QR codes of the type {kind}")
    custom_data = custom_data_argument(body, "customData")
    if len(_compact(custom_data)) > _MOST_CUSTOM_DATA:
        raise ApiError(400, f"customData is longer than the {_MOST_CUSTOM_DATA} characters that a QR code has room for")
    code = state.qr_codes.add(app_id=app.app_id, scope=ALL_SCOPES, custom_data=custom_data)
    return success({"qrcodeId": code.id, "url": f"{state.url}/qrcodes/{code.id}.png"})


async def qr_code_image(state: State, request: Request) -> Response:
    """Draw the picture of a code, with the service's JSON in it."""
    code = state.qr_codes.find(request.path_params["qrcode_id"])
    data = {
        "scene": "APP_AUTH",
        "random": code.id,
        "userPoolId": state.user_pool_id,
        "createdAt": iso_time(code.created_at),
        "expireAt": iso_time(code.expires_at),
        "customData": dict(code.custom_data),
    }
    picture = await run_in_threadpool(_draw, _compact(data))
    return Response(picture, media_type="image/png", headers={"cache-control": "no-store"})


def _compact(data: Mapping[str, object]) -> str:
    return json.dumps(data, separators=(",", ":"))


def _draw(text: str) -> bytes:
    import segno

    stream = io.BytesIO()
    segno.make(text, micro=False).save(stream, kind="png", scale=6)
    return stream.getvalue()


async def check_qr_code_status(state: State, request: Request) -> Response:
    """Return the status of a code; the caller is not signed in, so the answer shows little of the user."""
    code = state.qr_codes.find(query_text(request, "qrcodeId"))
    refuse_other_app(state, request, code)
    return success({"status": code.status, **_details(state, code)})


def _details(state: State, code: LoginCode) -> Mapping[str, object]:
    if code.user is None or code.status == "EXPIRED":
        return {}
    brief = {"briefUserInfo": brief_user(code)}
    if code.status != "AUTHORIZED":
        return brief
    if not state.qr_codes.tokens_in_status:
        return {**brief, "ticket": code.ticket}
    app = state.apps[code.app_id]
    return {**brief, "tokenSet": state.qr_codes.collect(code, lambda: sign_in_owner(state, code, app))}


async def _change(data: object, state: State, request: Request) -> Response:
    """Scan, confirm or cancel a code on the phone."""
    user, _, body = await read_user_call(state, request)
    action = cast("QrAction", body.choice("action", _ACTIONS))
    state.qr_codes.change(body.text("qrcodeId"), action, user)
    return success(data)


async def exchange_ticket(state: State, request: Request) -> Response:
    """Exchange a ticket for tokens, for the application that asked for the code."""
    body = await Arguments.read(request)
    app = authenticate_at_api(state, request, body)
    value = body.text("ticket")
    code = state.qr_codes.find(cast("str", state.tickets.peek("qrcode", value).facts["qrcode_id"]))
    if code.app_id != app.app_id:
        raise ApiError(403, "the ticket belongs to another application")
    state.tickets.redeem("qrcode", value)
    return success(state.qr_codes.collect(code, lambda: sign_in_owner(state, code, app)))


_CHECK: Mapping[str, Handler] = {"GET": check_qr_code_status}

ROUTES: Routes = {
    "/api/v3/gene-qrcode": {"POST": gene_qr_code},
    "/api/v3/check-qrcode-status": _CHECK,
    "/api/v3/get-qrcode-status": _CHECK,
    "/api/v3/change-qrcode-status": {"POST": partial(_change, None)},
    "/api/v3/set-qrcode-status": {"POST": partial(_change, {"success": True})},
    "/api/v3/exchange-tokenset-with-qrcode-ticket": {"POST": exchange_ticket},
    "/qrcodes/{qrcode_id}.png": {"GET": qr_code_image},
}
