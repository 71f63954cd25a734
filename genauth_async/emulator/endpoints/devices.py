"""What a user can see of their own sign-ins: the history, and the devices, which can be signed out."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ..http.arguments import Arguments, query_flag, query_number
from ..http.replies import ApiError, success
from ..http.request_context import require_user
from ..http.routes import Routes
from ..state.clock import iso_time
from ..state.devices import Device
from ..state.login_history import SignInRecord
from ..state.state import State
from ..state.user_agents import parse_user_agent
from ..state.users import User

_LARGEST_PAGE = 50


async def get_my_login_history(state: State, request: Request) -> Response:
    """The user's sign-ins and failed attempts, the latest first."""
    user, _ = require_user(state, request)
    wanted = [record for record in state.history.of(user) if _matches(record, request)]
    start, end = _page(request)
    shown = await run_in_threadpool(lambda: [_record(state, record) for record in wanted[start:end]])
    return success({"totalCount": len(wanted), "list": shown})


def _matches(record: SignInRecord, request: Request) -> bool:
    query = request.query_params
    at = int(record.at * 1000)
    return (
        query.get("appId", "") in {"", record.app_id}
        and query.get("clientIp", "") in {"", record.client_ip}
        and (not query.get("success") or query_flag(request, "success") == (record.error_message is None))
        and query_number(request, "start", at, least=0) <= at <= query_number(request, "end", at, least=0)
    )


def _page(request: Request) -> tuple[int, int]:
    page, limit = query_number(request, "page", 1), query_number(request, "limit", 10)
    if limit > _LARGEST_PAGE:
        raise ApiError(400, f"limit must be at most {_LARGEST_PAGE}")
    return (page - 1) * limit, page * limit


def _record(state: State, record: SignInRecord) -> dict[str, object]:
    """As LoginHistoryDto, without `geoip`: nobody can tell where in the world the loopback interface is."""
    app, agent = state.apps[record.app_id], parse_user_agent(record.user_agent)
    dto: dict[str, object] = {
        "userId": record.user_id,
        "appId": app.app_id,
        "appName": app.display_name,
        "appLoginUrl": f"{state.url}/login",
        "appLogo": "",
        "loginAt": iso_time(record.at),
        "clientIp": record.client_ip,
        "success": record.error_message is None,
        "userAgent": record.user_agent,
        "parsedUserAgent": {
            "device": "Mobile" if agent.is_mobile else "Desktop",
            "name": agent.name,
            "os": agent.system,
        },
        "loginMethod": record.login_method,
    }
    if record.error_message is not None:
        dto["errorMessage"] = record.error_message
    return dto


async def list_my_devices(state: State, request: Request) -> Response:
    """The devices with which the user signed in, the latest first."""
    user, _ = require_user(state, request)
    start, end = _page(request)
    devices = state.devices.of(user)[start:end]
    return success(await run_in_threadpool(lambda: [_device(device) for device in devices]))


def _device(device: Device) -> dict[str, object]:
    agent = parse_user_agent(device.user_agent)
    told = {"name": agent.name, "version": agent.version, "mod": agent.model, "os": agent.system}
    return {
        "device": {
            "deviceId": device.id,
            "type": agent.device_type,
            "status": "activated",
            "userAgent": device.user_agent,
            **{name: text for name, text in told.items() if text},
        },
        "lastLoginTime": iso_time(device.last_login_at),
        "lastIp": device.last_ip,
        "online": device.online,
    }


async def unbind_device(state: State, request: Request) -> Response:
    """Forget a device, whose sessions end."""
    user, _ = require_user(state, request)
    device_id = (await Arguments.read(request)).text("deviceId")
    _sign_out_of_browser(state, user, device_id)
    state.devices.unbind(user, device_id)
    return success()


async def revoke_device_session(state: State, request: Request) -> Response:
    """End the sessions of a device, which stays in the list; one's own device is no exception."""
    user, _ = require_user(state, request)
    device_id = (await Arguments.read(request)).text("deviceId")
    _sign_out_of_browser(state, user, device_id)
    state.devices.revoke(user, device_id)
    return success()


def _sign_out_of_browser(state: State, user: User, device_id: str) -> None:
    # Or whoever has the device would be signed in again without being asked for the password.
    for device in state.devices.of(user):
        if device.id == device_id:
            state.hosted_login.sessions.end_all_of(user.id, user_agent=device.user_agent)


ROUTES: Routes = {
    "/api/v3/get-my-login-history": {"GET": get_my_login_history},
    "/api/v3/mydevices/list": {"GET": list_my_devices},
    "/api/v3/mydevices/unbind": {"POST": unbind_device},
    "/api/v3/mydevices/revoke-session": {"POST": revoke_device_session},
}
