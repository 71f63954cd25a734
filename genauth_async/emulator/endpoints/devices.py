"""The user's devices: listed, unbound and signed out."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ..http.arguments import query_page
from ..http.replies import success
from ..http.request_context import read_user_call, require_user
from ..http.routes import Routes
from ..state.clock import iso_time
from ..state.devices import Device
from ..state.origin import parse_user_agent
from ..state.state import State
from ..state.users import User


async def list_my_devices(state: State, request: Request) -> Response:
    """List the devices with which the user signed in, the latest first."""
    user, _ = require_user(state, request)
    start, end = query_page(request)
    devices = state.devices.of(user)[start:end]
    return success(await run_in_threadpool(lambda: [_device(device) for device in devices]))


def _device(device: Device) -> dict[str, object]:
    agent = parse_user_agent(device.user_agent)
    shown = {"name": agent.name, "version": agent.version, "mod": agent.model, "os": agent.system}
    return {
        "device": {
            "deviceId": device.id,
            "type": agent.device_type,
            "status": "activated",
            "userAgent": device.user_agent,
            **{name: text for name, text in shown.items() if text},
        },
        "lastLoginTime": iso_time(device.last_login_at),
        "lastIp": device.last_ip,
        "online": device.online,
    }


async def unbind_device(state: State, request: Request) -> Response:
    """Remove a device and revoke its sessions."""
    state.devices.unbind(*await _sign_out_of_browser(state, request))
    return success()


async def revoke_device_session(state: State, request: Request) -> Response:
    """Revoke the sessions of a device, also of the one in use; it stays in the list."""
    state.devices.revoke(*await _sign_out_of_browser(state, request))
    return success()


async def _sign_out_of_browser(state: State, request: Request) -> tuple[User, str]:
    """End the browser sessions of the user's device, which could sign in again without the password."""
    user, _, body = await read_user_call(state, request)
    device_id = body.text("deviceId")
    for device in state.devices.of(user):
        if device.id == device_id:
            state.hosted_login.sessions.end_all_of(user.id, user_agent=device.user_agent)
    return user, device_id


ROUTES: Routes = {
    "/api/v3/mydevices/list": {"GET": list_my_devices},
    "/api/v3/mydevices/unbind": {"POST": unbind_device},
    "/api/v3/mydevices/revoke-session": {"POST": revoke_device_session},
}
