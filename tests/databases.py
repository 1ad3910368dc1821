"""Fixtures of databases: what asks for one runs on SQLite and on PostgreSQL.

Imported by the `conftest.py` of the folders that need them. PostgreSQL is the
server of the fixture `postgresql_url`; without it, its half is skipped.
"""

import secrets
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from storage.database import Database
from storage.migrate import upgrade
from storage.models import Base

__all__ = [
    "database",
    "database_url",
    "empty_database_url",
    "migrated_file",
    "migrated_schema",
    "sqlite_url",
]


@contextmanager
def _schema(server: str) -> Iterator[str]:
    """Make a schema with nothing in it; give an URL that sees only this one."""
    url = make_url(server).set(drivername="postgresql+psycopg")
    schema = f"test_{secrets.token_hex(6)}"
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    own = url.update_query_dict({"options": f"-csearch_path={schema}"})
    try:
        yield own.render_as_string(hide_password=False)
    finally:
        with engine.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
        engine.dispose()


def _server(request: pytest.FixtureRequest) -> str:
    try:
        server: str = request.getfixturevalue("postgresql_url")
    except pytest.FixtureLookupError:
        pytest.skip("no PostgreSQL here")
    return server


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with nothing in it, not even tables."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}"
    else:
        with _schema(_server(request)) as url:
            yield url


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the current schema, to be copied."""
    file = tmp_path_factory.mktemp("migrated") / "passerelle.db"
    upgrade(f"sqlite+aiosqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def migrated_schema(request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """What gives a PostgreSQL schema that is current, and empty again at each call."""
    with _schema(_server(request)) as url:
        upgrade(url)
        engine = create_engine(url)

        def emptied() -> str:
            with engine.begin() as connection:
                for table in reversed(Base.metadata.sorted_tables):
                    connection.execute(table.delete())
            return url

        yield emptied
        engine.dispose()


@pytest.fixture
def sqlite_url(migrated_file: Path, tmp_path: Path) -> str:
    """A SQLite database with the current schema, for tests that need no other."""
    return f"sqlite+aiosqlite:///{shutil.copy(migrated_file, tmp_path)}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A database with the current schema."""
    if request.param == "sqlite":
        url: str = request.getfixturevalue("sqlite_url")
    else:
        url = request.getfixturevalue("migrated_schema")()
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Sessions on a database with the current schema."""
    database = Database(database_url)
    yield database
    await database.close()
