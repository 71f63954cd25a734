"""A GenAuth-compatible server for tests and demonstrations: in memory, over real HTTP, with real keys and tokens.

with Emulator() as emulator:
    emulator.add_user(username="test", password="passw0rd")
    ...  # point any GenAuth SDK at emulator.url, with emulator.app_id and emulator.app_secret
"""

from __future__ import annotations

try:
    from .emulator import Emulator
    from .http.counter import RequestCounter
    from .http.faults import Fault, Faults
    from .http.hold import Hold
    from .minting import MintedTokens
    from .saved_state import SavedStateError
    from .seed import SeedError
    from .server.server_thread import EmulatorStartError
    from .state.apps import App
    from .state.clock import Clock
    from .state.factors import Factor, Factors
    from .state.grants import Grant, Grants
    from .state.inbox import Inbox, Message
    from .state.keys import EmulatorKeys
    from .state.passkeys import Passkey, Passkeys
    from .state.subscribers import Events
    from .state.users import User
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
    "EmulatorKeys",
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
    "MintedTokens",
    "Passkey",
    "Passkeys",
    "RequestCounter",
    "SavedStateError",
    "SeedError",
    "User",
    "VisitError",
    "sign_in_at_page",
]
