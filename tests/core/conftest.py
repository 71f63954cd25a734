from __future__ import annotations

from collections.abc import Iterator

import pytest
from blockbuster import blockbuster_ctx


@pytest.fixture(autouse=True)
def blocking_calls_fail() -> Iterator[None]:
    """Whoever blocks the event loop from within the SDK gets an error, whichever test it is in."""
    with blockbuster_ctx(["genauth_async"], excluded_modules=["genauth_async.emulator"]):
        yield
