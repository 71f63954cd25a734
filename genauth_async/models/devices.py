"""Devices on which the user is signed in."""

from __future__ import annotations

from typing import Literal

from ._base import Dto, Envelope
from ._fields import dto

DeviceType = Literal["Browser", "Mobile", "Desktop"]
DeviceStatus = Literal["activated", "suspended", "deactivated"]


@dto
class DeviceInfo(Dto):
    """A device."""

    device_id: str
    type: DeviceType | str | None = None
    name: str | None = None
    version: str | None = None
    mod: str | None = None
    os: str | None = None
    status: DeviceStatus | str | None = None
    user_agent: str | None = None


@dto
class TerminalSessionDto(Dto):
    """A device on which the user is signed in."""

    device: DeviceInfo
    last_login_time: str | None = None
    last_ip: str | None = None
    online: bool | None = None


@dto
class TerminalSessionRespDto(Envelope):
    """The answer to list_devices."""

    data: list[TerminalSessionDto]


@dto
class UnbindDeviceDto(Dto):
    """The body of POST /api/v3/mydevices/unbind."""

    device_id: str


@dto
class RevokeDeviceSessionDto(Dto):
    """The body of POST /api/v3/mydevices/revoke-session."""

    device_id: str
