from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from blockbuster import blockbuster_ctx

from genauth_async.emulator import Emulator, User


@pytest.fixture(autouse=True)
def blocking_calls_fail() -> Iterator[None]:
    """Fail each test in which the SDK blocks the event loop."""
    with blockbuster_ctx(["genauth_async"], excluded_modules=["genauth_async.emulator"]):
        yield


@pytest.fixture
def tokens(emulator: Emulator, user: User) -> dict[str, Any]:
    """Tokens of a new sign-in."""
    return dict(emulator.issue_tokens(user))
