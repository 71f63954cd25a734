"""A GenAuth-compatible server for tests and demonstrations: in memory, over real HTTP, with real keys and tokens.

with Emulator() as emulator:
    emulator.add_user(username="test", password="passw0rd")
    ...  # point any GenAuth SDK at emulator.url, with emulator.app_id and emulator.app_secret
"""

from __future__ import annotations

try:
    from .clock import Clock
    from .counter import RequestCounter
    from .emulator import Emulator
    from .factors import Factor, Factors
    from .faults import Fault, Faults
    from .grants import Grant, Grants
    from .hold import Hold
    from .inbox import Inbox, Message
    from .passkeys import Passkey, Passkeys
    from .server import EmulatorStartError
    from .state import App
    from .subscribers import Events
    from .users import User
    from .visitor import VisitError, sign_in_at_page
except ModuleNotFoundError as missing:
    package = (missing.name or "").partition(".")[0]
    if package not in {"httptools", "joserfc", "pyotp", "segno", "starlette", "uvicorn", "websockets"}:
        raise
    raise ImportError(f"the emulator needs the package {package!r}: pip install 'genauth-async[emulator]'") from missing

__all__ = [
    "App",
    "Clock",
    "Emulator",
    "EmulatorStartError",
    "Events",
    "Factor",
    "Factors",
    "Fault",
    "Faults",
    "Grant",
    "Grants",
    "Hold",
    "Inbox",
    "Message",
    "Passkey",
    "Passkeys",
    "RequestCounter",
    "User",
    "VisitError",
    "sign_in_at_page",
]
