"""Brings a database to a version of the schema, with Alembic.

    alembic -c storage/alembic.ini revision --autogenerate -m "what changes"

writes the next migration from the difference between `models` and the database
of the settings.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.engine import make_url

_CONFIGURATION = Path(__file__).resolve().parent / "alembic.ini"
_LOCK = 7_231_120_837_000_001
"""PostgreSQL's advisory lock of migrations: any number that nothing else uses."""
_PATIENCE = 30.0
"""How long one process waits for another that has the SQLite file, in seconds."""


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database up to `revision`, or leave it alone if it is there.

    All or nothing, in one transaction; several processes that start together
    wait for one another. A SQLite file is made if there is none.
    """
    with migrating(url) as connection:
        command.upgrade(configuration(connection), revision)


def downgrade(url: str, revision: str) -> None:
    """Bring the database down to `revision` (`base`: nothing left), in one transaction."""
    with migrating(url) as connection:
        command.downgrade(configuration(connection), revision)


def configuration(connection: Connection) -> Config:
    """Return Alembic's configuration for work on `connection`."""
    config = Config(_CONFIGURATION)
    config.attributes["connection"] = connection
    return config


@contextmanager
def migrating(url: str) -> Iterator[Connection]:
    """Open a transaction that nobody else migrates in; kept if the block ends.

    `url` is the application's (async) URL; the connection is a blocking one.
    """
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        if address.database:
            Path(address.database).parent.mkdir(parents=True, exist_ok=True)
        address = address.set(drivername="sqlite")
    engine = create_engine(address)
    if engine.dialect.name == "sqlite":
        # Foreign keys stay off: recreating a table drops the old one, which
        # would otherwise delete what refers to it.
        event.listen(engine, "connect", _manual_transactions)
        event.listen(engine, "begin", _begin_immediate)
    try:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            yield connection
    finally:
        engine.dispose()


def _manual_transactions(connection: sqlite3.Connection, _entry: object) -> None:
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {int(_PATIENCE * 1000)}")
    _write_ahead(connection)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Have the file written ahead of (WAL): readers and a writer do not wait for one another.

    The file remembers. It is done here because SQLite refuses at once, whatever
    its `busy_timeout`, if another process does the same at that moment.
    """
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
