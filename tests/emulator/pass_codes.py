"""Has pass codes sent, and reads them in the inbox."""

from __future__ import annotations

from typing import Any

from genauth_async.emulator import Emulator


async def sent_code(face: Any, emulator: Emulator, to: str, channel: str) -> str:
    """The code that this sends to an email address or a phone number."""
    if "@" in to:
        await face.send_email(channel, to)
    else:
        await face.send_sms(channel, to)
    return emulator.inbox.code_for(to, channel=channel)


def another(code: str) -> str:
    """A code that is not this one."""
    return f"{(int(code) + 1) % 1_000_000:06}"
