"""The origin of a request, as the login history and the list of devices show it: address, user agent, sign-in method.

It is kept in a context variable, so that a sign-in is recorded without passing the request on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

from attrs import define, frozen

_MOBILE_SYSTEMS = frozenset({"Android", "BlackBerry OS", "HarmonyOS", "KaiOS", "Tizen", "Windows Phone", "iOS"})
_MOBILE_LIBRARIES = frozenset({"CFNetwork", "okhttp"})


@define
class Origin:
    """Attributes:
    client_ip: the value of x-real-ip, else the other end of the connection.
    user_agent: the header of that name.
    login_method: the API's name of a sign-in by this request.
    lang: the language that the client asks for, in lower case.
    """

    client_ip: str
    user_agent: str
    login_method: str
    lang: str = ""


_current: ContextVar[Origin | None] = ContextVar("origin", default=None)


@contextmanager
def use_origin(origin: Origin) -> Iterator[None]:
    """Record sign-ins under this origin inside the block."""
    before = _current.set(origin)
    try:
        yield
    finally:
        _current.reset(before)


def current_origin() -> Origin | None:
    """Return the origin of the request that is being answered; None outside of requests."""
    return _current.get()


def note_login_method(name: str) -> None:
    """Record the sign-in method of the current request, such as "Email"."""
    origin = current_origin()
    if origin is not None:
        origin.login_method = f"loginBy{name}"


@frozen
class UserAgent:
    """A parsed User-Agent header; empty texts stand for what it does not say."""

    name: str
    system: str
    version: str
    model: str
    device_type: Literal["Browser", "Mobile", "Desktop"]

    @property
    def is_mobile(self) -> bool:
        """True if it runs on a phone or tablet."""
        return self.device_type == "Mobile" or self.system in _MOBILE_SYSTEMS


def parse_user_agent(header: str) -> UserAgent:
    """Parse a User-Agent header. The first time takes a tenth of a second, so not on an event loop."""
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
