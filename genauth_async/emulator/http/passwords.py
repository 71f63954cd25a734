"""Passwords as they arrive: in the clear, or encrypted under the server's public keys."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool

from ..state.state import State
from .arguments import Arguments
from .replies import ApiError

_ENCRYPTIONS = ("none", "rsa", "sm2")


async def sent_password(state: State, payload: Arguments, options: Arguments, name: str = "password") -> str:
    """A required password of the payload, decrypted as the options' passwordEncryptType says."""
    encryption = options.choice("passwordEncryptType", _ENCRYPTIONS, default="none")
    password = payload.text(name)
    if encryption == "none":
        return password
    try:
        return await run_in_threadpool(state.password_keys.decrypt, encryption, password)
    except ValueError as error:
        raise ApiError(400, f"the {name} cannot be decrypted as {encryption}", api_code=2016) from error
