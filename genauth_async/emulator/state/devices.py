"""The devices with which users signed in: to the emulator, one for each user and User-Agent header.

GenAuth's way of distinguishing devices is not documented.
"""

from __future__ import annotations

import secrets
from threading import Lock

from attrs import define, field

from .clock import Clock, Sweep
from .errors import ApiError
from .grants import Grant
from .origin import current_origin
from .users import User


@define(eq=False, kw_only=True)
class Device:
    """A device and the grants of its sign-ins."""

    id: str
    user_agent: str
    last_login_at: float
    last_ip: str
    grants: dict[str, Grant] = field(factory=dict, repr=False)
    sweep: Sweep = field(factory=Sweep, init=False, repr=False)

    @property
    def online(self) -> bool:
        """True if a sign-in from this device is not revoked."""
        return any(not grant.revoked for grant in list(self.grants.values()))


class Devices:
    """The devices of all users."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._devices: dict[tuple[str, str], Device] = {}

    def of(self, user: User) -> list[Device]:
        """List the devices of a user, the latest sign-in first."""
        with self._lock:
            found = [device for (user_id, _), device in self._devices.items() if user_id == user.id]
        return sorted(found, key=lambda device: device.last_login_at, reverse=True)

    def note(self, user: User, grant: Grant) -> None:
        """Record the device of the current request, which signed a user in."""
        origin = current_origin()
        if origin is None:
            return
        now = self._clock.now()
        with self._lock:
            device = self._devices.setdefault(
                (user.id, origin.user_agent),
                Device(
                    id=secrets.token_hex(12), user_agent=origin.user_agent, last_login_at=now, last_ip=origin.client_ip
                ),
            )
            device.last_login_at = now
            device.last_ip = origin.client_ip
            device.sweep(device.grants, lambda each: each.is_over(now))
            device.grants[grant.id] = grant

    def revoke(self, user: User, device_id: str) -> None:
        """Revoke all grants of a user's device."""
        with self._lock:
            self._end_sessions(user, device_id)

    def unbind(self, user: User, device_id: str) -> None:
        """Revoke all grants of a user's device and remove it."""
        with self._lock:
            device = self._end_sessions(user, device_id)
            del self._devices[user.id, device.user_agent]

    def forget(self, user: User) -> None:
        """Remove all devices of a user."""
        with self._lock:
            self._devices = {key: device for key, device in self._devices.items() if key[0] != user.id}

    def _end_sessions(self, user: User, device_id: str) -> Device:
        for (user_id, _), device in self._devices.items():
            if user_id == user.id and device.id == device_id:
                for grant in device.grants.values():
                    grant.revoked = True
                return device
        # The devices of other users look unknown, so that the answer does not reveal them.
        raise ApiError(404, "you have no such device")
