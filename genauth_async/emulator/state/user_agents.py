"""What a User-Agent header tells about a device."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

_MOBILE_SYSTEMS = frozenset({"Android", "BlackBerry OS", "HarmonyOS", "KaiOS", "Tizen", "Windows Phone", "iOS"})
_MOBILE_LIBRARIES = frozenset({"CFNetwork", "okhttp"})


@frozen
class UserAgent:
    """A header, taken apart; empty texts stand for what it does not tell."""

    name: str
    system: str
    version: str
    model: str
    device_type: Literal["Browser", "Mobile", "Desktop"]

    @property
    def is_mobile(self) -> bool:
        """Whether it runs on a phone or tablet."""
        return self.device_type == "Mobile" or self.system in _MOBILE_SYSTEMS


def parse_user_agent(header: str) -> UserAgent:
    """Take a header apart. The first time takes a tenth of a second, so not on an event loop."""
    from ua_parser import parse

    found = parse(header)
    name = found.user_agent.family if found.user_agent is not None else header.partition("/")[0]
    system = found.os.family if found.os is not None else ""
    version = [part for part in (found.os.major, found.os.minor) if part] if found.os is not None else []
    mobile = system in _MOBILE_SYSTEMS or name in _MOBILE_LIBRARIES
    return UserAgent(
        name=name,
        system=system,
        version=" ".join([system, ".".join(version)]).strip(),
        model=(found.device.model or "") if found.device is not None else "",
        device_type="Browser" if header.startswith("Mozilla/") else "Mobile" if mobile else "Desktop",
    )
