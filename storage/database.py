"""Sessions on the database: `read()` and `write()`, the same on SQLite and PostgreSQL."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

BUSY_TIMEOUT = 10.0
"""How long one writer waits for another process's, in seconds (SQLite)."""


class Database:
    """One database, shared by all the tasks of a process; belongs to one event loop.

    `url` is an async SQLAlchemy URL: `sqlite+aiosqlite://` on a file, or
    `postgresql+psycopg://`. The schema is `storage.migrate`'s business.
    """

    def __init__(self, url: str) -> None:
        # Parameters hold what people wrote: they stay out of error messages.
        sqlite = make_url(url).get_backend_name() == "sqlite"
        # A server may have restarted since a connection was last used; a file has not.
        self._engine = create_async_engine(url, hide_parameters=True, pool_pre_ping=not sqlite)
        self._writer: asyncio.Lock | None = None
        if sqlite:
            # Tasks of this process queue here, fairly; only other processes
            # are left to SQLite's own lock, which polls and may starve one.
            self._writer = asyncio.Lock()
            event.listen(self._engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self._engine.sync_engine, "begin", _begin_sqlite)
        # The same pool, told apart by an option that `_begin_sqlite` reads.
        self._writing = self._engine.execution_options(writing=True)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Give a session for reading; nothing done in it is kept."""
        async with AsyncSession(self._engine, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """Give a session in a transaction: kept if the block ends, undone if it raises.

        On SQLite the transaction holds the write lock from its first statement
        (`BEGIN IMMEDIATE`): with a plain `BEGIN`, two that read before they
        write refuse each other ("database is locked") without waiting.
        """
        async with AsyncExitStack() as stack:
            if self._writer is not None:
                await stack.enter_async_context(self._writer)
            session = await stack.enter_async_context(
                AsyncSession(self._writing, expire_on_commit=False)
            )
            async with session.begin():
                yield session

    async def scrub(self) -> None:
        """Leave nothing in the files of what was deleted, as far as nobody reads it at this moment.

        SQLite writes beside the file first, and what was there stays until then.
        """
        if self._writer is not None and self._engine.url.database:
            await asyncio.to_thread(scrub, self._engine.url.database)

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


def scrub(file: str) -> None:
    """Have SQLite empty what it writes beside a file; if that is in use, it does so later."""
    with contextlib.suppress(sqlite3.Error):
        connection = sqlite3.connect(file, timeout=1)
        try:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()


def _prepare_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver begins nothing: `_begin_sqlite` does
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT * 1000)}")
    cursor.execute("PRAGMA foreign_keys = ON")
    # What is deleted is overwritten: it was somebody's.
    cursor.execute("PRAGMA secure_delete = ON")
    # `synchronous` stays FULL: what was acknowledged survives a power cut.
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
