"""The documentation's store of one's own."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from examples.sql_store import SQLStore
from genauth_async import StoreError
from tests.stores.conformance import MakeStore, SharedStoreConformance, record

ROOT = str(Path(__file__).parents[2])

# In a process of its own, which ends at once: a loop with tasks that never end cannot be closed.
CANCELLED_CALLS = """
import asyncio, os
import anyio

async def main():
    await store.create_table()
    for checkpoints in range(300):
        async with anyio.create_task_group() as group:
            group.start_soon(store.get, "k")
            for _ in range(checkpoints):
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
    print(len(asyncio.all_tasks()) - 1, flush=True)
    os._exit(0)

anyio.run(main)
"""


# Python 3.13 warns of connections that the driver drops when a task is cancelled while it opens one.
@pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")
@pytest.mark.slow
class TestSQLStore(SharedStoreConformance):
    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def dropped_here(cls) -> Iterator[None]:
        """And not in another test, where no such warning is to be overlooked."""
        yield
        gc.collect()

    @pytest.fixture(params=["asyncio"])
    def anyio_backend(self, request: pytest.FixtureRequest) -> object:
        return (request.param, {})

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite+aiosqlite:///{tmp_path / 'sessions.db'}"

    @pytest.fixture
    def make_store(self, url: str, tmp_path: Path) -> MakeStore:
        anyio.run(SQLStore(url, tmp_path / "locks").create_table)
        return lambda: SQLStore(url, tmp_path / "locks")

    @pytest.fixture
    def program(self, url: str, tmp_path: Path) -> str:
        return f"""
import sys
from pathlib import Path
sys.path.insert(0, {ROOT!r})
from examples.sql_store import SQLStore
store = SQLStore({url!r}, Path({str(tmp_path / "locks")!r}))
"""

    async def test_a_failing_database_is_a_store_error_without_tokens(self, tmp_path: Path) -> None:
        store = SQLStore(f"sqlite+aiosqlite:///{tmp_path / 'no such directory' / 'sessions.db'}", tmp_path / "locks")
        with pytest.raises(StoreError):
            await store.get("k")
        without_table = SQLStore(f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}", tmp_path / "locks")
        with pytest.raises(StoreError) as caught:
            await without_table.compare_and_set("k", record(), expected=None)
        assert "Canary" not in f"{caught.value} {caught.value.__cause__}"

    def test_a_cancelled_call_leaves_no_task_behind(self, program: str) -> None:
        command = [sys.executable, "-c", program + CANCELLED_CALLS]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        assert done.stdout == "0\n"
