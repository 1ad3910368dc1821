"""Rasa's trackers are forgotten, in a database that is Rasa's."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from settings import ROOT
from storage.database import BUSY_TIMEOUT
from storage.trackers import Trackers

METADATA = sa.MetaData()
TRACKER = sa.Table(
    "rasa_tracker",
    METADATA,
    sa.Column("sender_id", sa.String(255), primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("saved_at", sa.Float, nullable=False, index=True),
)


def blocking(url: str) -> sa.Engine:
    """Return Rasa's side of a database."""
    address = make_url(url)
    sqlite = address.get_backend_name() == "sqlite"
    return sa.create_engine(
        address.set(drivername="sqlite" if sqlite else "postgresql+psycopg"),
        poolclass=sa.NullPool,
    )


def save(url: str, *senders: str) -> None:
    engine = blocking(url)
    METADATA.create_all(engine)
    with engine.begin() as connection:
        for sender in senders:
            values = {"sender_id": sender, "state": "{}", "saved_at": 1.0}
            connection.execute(TRACKER.insert().values(values))


def senders(url: str) -> list[str]:
    with blocking(url).connect() as connection:
        query = sa.select(TRACKER.c.sender_id).order_by(TRACKER.c.sender_id)
        return list(connection.execute(query).scalars())


@pytest.fixture
def url(empty_database_url: str) -> str:
    """A database with nothing in it, its URL as the settings give it: of no driver."""
    address = make_url(empty_database_url)
    plain = address.set(drivername=address.get_backend_name())
    return plain.render_as_string(hide_password=False)


@pytest.fixture
async def trackers(url: str) -> AsyncIterator[Trackers]:
    trackers = Trackers(url)
    yield trackers
    await trackers.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rasa.db"


async def test_those_named_are_forgotten_and_no_other(url: str, trackers: Trackers) -> None:
    save(url, "a", "b", "c", "A")
    await trackers.forget({"a", "c", "nobody"})
    assert senders(url) == ["A", "b"]
    await trackers.forget([])
    await trackers.forget(["a"])
    assert senders(url) == ["A", "b"]


async def test_any_number_at_once(url: str, trackers: Trackers) -> None:
    names = [f"{number:04}" for number in range(1201)]
    save(url, *names, "other")
    await trackers.forget(names)
    assert senders(url) == ["other"]


async def test_a_database_without_the_table_has_nothing_to_forget(
    url: str, trackers: Trackers
) -> None:
    engine = blocking(url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE another (id INTEGER)"))
    await trackers.forget(["a"])
    with engine.connect() as connection:
        assert sa.inspect(connection).get_table_names() == ["another"]
    # It comes later, when Rasa starts.
    save(url, "a", "b")
    await trackers.forget(["a"])
    assert senders(url) == ["b"]


async def test_a_table_of_another_shape_is_an_error(url: str, trackers: Trackers) -> None:
    engine = blocking(url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE rasa_tracker (name VARCHAR(9))"))
    with pytest.raises(SQLAlchemyError):
        await trackers.forget(["a"])


async def test_a_file_that_is_not_there_is_not_made(file: Path) -> None:
    trackers = Trackers(f"sqlite:///{file}")
    await trackers.forget(["a"])
    assert list(file.parent.iterdir()) == []
    await Trackers(f"sqlite:///{file.parent / 'none' / 'rasa.db'}").forget(["a"])
    assert list(file.parent.iterdir()) == []


async def test_a_file_put_in_place_of_another_is_the_one_that_counts(file: Path) -> None:
    url = f"sqlite:///{file}"
    trackers = Trackers(url)
    save(url, "a")
    await trackers.forget(["a"])
    for one in file.parent.glob("rasa.db*"):
        one.unlink()
    save(url, "a", "b")
    await trackers.forget(["a"])
    assert senders(url) == ["b"]
    await trackers.close()


async def test_what_is_no_database_is_an_error(file: Path) -> None:
    await asyncio.to_thread(file.write_text, "no database, and long enough for a header" * 20)
    with pytest.raises(SQLAlchemyError):
        await Trackers(f"sqlite:///{file}").forget(["a"])
    with pytest.raises(SQLAlchemyError):
        await Trackers(f"sqlite:///{file.parent}").forget(["a"])


async def test_it_waits_for_rasa_to_write(file: Path) -> None:
    url = f"sqlite:///{file}"
    save(url, "a", "b")
    with closing(sqlite3.connect(file, isolation_level=None)) as rasa:
        rasa.execute("BEGIN IMMEDIATE")
        forgetting = asyncio.create_task(Trackers(url).forget(["a"]))
        await asyncio.sleep(0.3)
        assert not forgetting.done()
        rasa.execute("COMMIT")
        await forgetting
    assert senders(url) == ["b"]


async def test_it_does_not_wait_for_ever(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert BUSY_TIMEOUT == 10
    monkeypatch.setattr("storage.trackers.BUSY_TIMEOUT", 0.2)
    url = f"sqlite:///{file}"
    save(url, "Ligré")
    with closing(sqlite3.connect(file, isolation_level=None)) as rasa:
        rasa.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        with pytest.raises(OperationalError) as caught:
            await Trackers(url).forget(["Ligré"])
        assert 0.2 <= time.monotonic() - begun < 3
        rasa.execute("ROLLBACK")
    assert "Ligré" not in str(caught.value)
    assert senders(url) == ["Ligré"]


async def test_a_server_without_the_database_has_nothing_to_forget(postgresql_url: str) -> None:
    address = make_url(postgresql_url).set(database="nowhere")
    await Trackers(address.render_as_string()).forget(["a"])


async def test_a_server_that_does_not_answer_is_an_error(postgresql_url: str) -> None:
    address = make_url(postgresql_url)
    for wrong in (
        address.set(port=1),
        # Nor is it the database that is missing, though the name is the same.
        address.set(username="nowhere", database="nowhere"),
    ):
        with pytest.raises(OperationalError):
            await Trackers(wrong.render_as_string()).forget(["a"])


@pytest.mark.parametrize("driver", ["postgresql", "postgres", "postgresql+psycopg2"])
async def test_whatever_the_url_names_for_rasa(postgresql_url: str, driver: str) -> None:
    await Trackers(postgresql_url.replace("postgresql", driver, 1)).forget(["a"])


def test_it_is_the_table_that_rasa_makes() -> None:
    source = (ROOT / "nlu/components/tracker_store.py").read_text(encoding="utf-8")
    assert '"rasa_tracker",\n    _metadata,\n    sa.Column("sender_id", ' in source
