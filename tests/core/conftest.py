from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from blockbuster import blockbuster_ctx

from genauth_async.emulator import Emulator, User


@pytest.fixture(autouse=True)
def blocking_calls_fail() -> Iterator[None]:
    """Whoever blocks the event loop from within the SDK gets an error, whichever test it is in."""
    with blockbuster_ctx(["genauth_async"], excluded_modules=["genauth_async.emulator"]):
        yield


@pytest.fixture
def tokens(emulator: Emulator, user: User) -> dict[str, Any]:
    """What a sign-in gave."""
    return dict(emulator.issue_tokens(user))
