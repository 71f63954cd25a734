from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keyring
import pytest
from blockbuster import blockbuster_ctx
from keyrings.alt.file import PlaintextKeyring

from tests.stores.redis_server import own_server, redis_prefix, redis_server  # noqa: F401 - fixtures
from tests.stores.redis_stores import (  # noqa: F401 - fixtures
    make_redis_store,
    pytest_collection_modifyitems,
    redis_store,
    way_to_redis,
)


@pytest.fixture(autouse=True)
def blocking_calls_fail() -> Iterator[None]:
    """Raise an error in any test in which the SDK blocks the event loop."""
    with blockbuster_ctx(["genauth_async"], excluded_modules=["genauth_async.emulator"]):
        yield


@pytest.fixture
def keyring_file(tmp_path: Path) -> Iterator[Path]:
    """The file in which the keyring of this test keeps its entries."""
    before = keyring.get_keyring()
    backend: Any = PlaintextKeyring()
    backend.file_path = str(tmp_path / "keyring.cfg")
    keyring.set_keyring(backend)
    yield tmp_path / "keyring.cfg"
    keyring.set_keyring(before)
