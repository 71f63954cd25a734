"""The stores that need no server, each as every store has to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from genauth_async import MemoryStore
from genauth_async.stores import FileStore, KeyringStore
from tests.stores.conformance import IndexConformance, MakeStore, SharedStoreConformance, StoreConformance

SECRET = "s" * 32


class TestMemoryStore(StoreConformance, IndexConformance):
    @pytest.fixture
    def make_store(self) -> MakeStore:
        store = MemoryStore()
        return lambda: store


class TestFileStore(SharedStoreConformance, IndexConformance):
    @pytest.fixture
    def make_store(self, tmp_path: Path) -> MakeStore:
        return lambda: FileStore(tmp_path / "sessions")

    @pytest.fixture
    def program(self, tmp_path: Path) -> str:
        return f"from genauth_async.stores import FileStore\nstore = FileStore({str(tmp_path / 'sessions')!r})"


class TestSealedFileStore(SharedStoreConformance):
    @pytest.fixture
    def make_store(self, tmp_path: Path) -> MakeStore:
        return lambda: FileStore(tmp_path / "sessions", secrets=SECRET)

    @pytest.fixture
    def program(self, tmp_path: Path) -> str:
        directory = str(tmp_path / "sessions")
        return f"from genauth_async.stores import FileStore\nstore = FileStore({directory!r}, secrets={SECRET!r})"


class TestKeyringStore(SharedStoreConformance):
    @pytest.fixture(autouse=True)
    def backend(self, keyring_file: Path) -> None:
        """The keyring is a file's."""

    @pytest.fixture
    def make_store(self, tmp_path: Path) -> MakeStore:
        return lambda: KeyringStore(directory=tmp_path / "sessions")

    @pytest.fixture
    def program(self, tmp_path: Path, keyring_file: Path) -> str:
        return f"""
import keyring
from keyrings.alt.file import PlaintextKeyring
backend = PlaintextKeyring()
backend.file_path = {str(keyring_file)!r}
keyring.set_keyring(backend)
from genauth_async.stores import KeyringStore
store = KeyringStore(directory={str(tmp_path / "sessions")!r})
"""
