"""A token store in a SQL database, with SQLAlchemy.

It needs `pip install 'sqlalchemy[asyncio]' aiosqlite`, and runs on asyncio, as SQLAlchemy does.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import anyio
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    MetaData,
    String,
    Table,
    Text,
    and_,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from genauth_async import FileStore, SessionRecord, StoreError, StoreUnusableError

sessions = Table(
    "genauth_sessions",
    MetaData(),
    Column("key", String(64), primary_key=True),
    Column("generation", BigInteger, nullable=False),
    Column("record", Text, nullable=False),
    Column("expires_at", Float, index=True),
)


class SQLStore:
    """Keeps sessions in a table. Its locks are files, so all processes that share it must run on one machine.

    Args:
        url: the database's SQLAlchemy URL.
        locks: a directory for the locks' files.
    """

    def __init__(self, url: str, locks: Path) -> None:
        # No pool: connections belong to one event loop, and the blocking client has its own. Errors would quote tokens.
        self._engine = create_async_engine(url, poolclass=NullPool, hide_parameters=True)
        self._locks = FileStore(locks)

    async def create_table(self) -> None:
        """Create the table unless it exists."""
        async with self._begin() as connection:
            await connection.run_sync(_create)

    async def get(self, key: str) -> SessionRecord | None:
        """Return the record, or None."""
        async with self._begin() as connection:
            text = await connection.scalar(select(sessions.c.record).where(sessions.c.key == _digest(key)))
        try:
            return None if text is None else SessionRecord.from_json(text)
        except ValueError as error:
            raise StoreUnusableError(
                "A row is not a session's record; delete it, and the user signs in again"
            ) from error

    async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
        """Write the record if the stored one has this generation (None: if there is none); return True if written."""
        row = {"generation": record.generation, "record": record.to_json(), "expires_at": record.expires_at}
        try:
            async with self._begin() as connection:
                if expected is None:
                    await connection.execute(insert(sessions).values(key=_digest(key), **row))
                    return True
                present = sessions.c.key == _digest(key), sessions.c.generation == expected
                return (await connection.execute(update(sessions).where(*present).values(row))).rowcount == 1
        except IntegrityError:
            return False

    async def delete(self, key: str, *, expected: int | None = None) -> bool:
        """Remove the record if it has this generation (None: any); return True if there is none now."""
        present = sessions.c.key == _digest(key)
        same = present if expected is None else and_(present, sessions.c.generation == expected)
        async with self._begin() as connection:
            await connection.execute(delete(sessions).where(same))
            return await connection.scalar(select(sessions.c.key).where(present)) is None

    def lock(self, key: str) -> AbstractAsyncContextManager[None]:
        """Hold the key's lock, exclusively across all processes of this machine."""
        return self._locks.lock(key)

    @asynccontextmanager
    async def _begin(self) -> AsyncIterator[AsyncConnection]:
        try:
            # Cancelled midway, SQLAlchemy and aiosqlite may leave a task behind that never ends.
            with anyio.CancelScope(shield=True):
                async with self._engine.begin() as connection:
                    yield connection
        except IntegrityError:
            raise
        except SQLAlchemyError as error:
            raise StoreError("The sessions' database failed") from error


def _create(connection: Connection) -> None:
    sessions.create(connection, checkfirst=True)


def _digest(key: str) -> str:
    # A fixed length for any key, and useless to the reader of a dump.
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
