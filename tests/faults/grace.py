"""A server that answers a refresh token again after its use."""

from __future__ import annotations

from typing import Any

from genauth_async.emulator import Emulator


def give_grace(emulator: Emulator) -> None:
    """Give the emulator a grace window without end: a used refresh token gets new tokens again."""
    grants: Any = emulator.grants
    rotate = grants.rotate

    def rotate_again(token: str, **options: object) -> object:
        if token in grants._refresh_tokens:
            grants._refresh_tokens[token].used = False
        return rotate(token, **options)

    grants.rotate = rotate_again
