"""Retention: what is old is erased, in both databases, whatever fails meanwhile."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.testing import capture_logs

import bot.retention
from bot.retention import Retention
from storage import chats, inbox, telegram_bots
from storage.conversations import open_conversation
from storage.database import Database
from storage.erasure import erase, idle
from storage.models import Channel, Chat, Conversation, Draft, Message
from storage.times import utc_now
from storage.trackers import Trackers
from tests.bot.fakes import Clock

DAYS = 365


@pytest.fixture
def rasa(tmp_path: Path) -> Path:
    """Rasa's database."""
    file = tmp_path / "rasa.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE rasa_tracker (sender_id VARCHAR(255) PRIMARY KEY)")
    return file


@pytest.fixture
async def trackers(rasa: Path) -> AsyncIterator[Trackers]:
    trackers = Trackers(f"sqlite:///{rasa}")
    yield trackers
    await trackers.close()


@pytest.fixture
def retention(database: Database, trackers: Trackers, clock: Clock) -> Retention:
    return Retention(database, trackers, DAYS, clock=clock)


async def spoken(database: Database, rasa: Path, count: int = 1) -> list[str]:
    """Open conversations with a message of now, and what Rasa remembers of them."""
    ids = []
    async with database.write() as session:
        for _ in range(count):
            ids.append(conversation := (await open_conversation(session, Channel.web)).id)
            await receive(session, conversation)
    with closing(sqlite3.connect(rasa)) as connection, connection:
        connection.executemany("INSERT INTO rasa_tracker VALUES (?)", [(one,) for one in ids])
    return ids


async def receive(session: AsyncSession, conversation: str, text: str = "Bonjour Ligré") -> None:
    await inbox.receive(
        session,
        conversation,
        scope=conversation,
        external_id=text,
        text=text,
        payload=None,
        now=utc_now(),
    )


async def there(database: Database) -> set[str]:
    async with database.read() as session:
        found = set((await session.scalars(select(Conversation.id))).all())
        assert set((await session.scalars(select(Message.conversation_id))).all()) == found
    return found


def remembered(rasa: Path) -> set[str]:
    with closing(sqlite3.connect(rasa)) as connection:
        return {one for (one,) in connection.execute("SELECT sender_id FROM rasa_tracker")}


async def test_what_is_older_than_that_is_erased(
    database: Database, retention: Retention, rasa: Path, clock: Clock
) -> None:
    old = await spoken(database, rasa, 2)
    async with database.write() as session:
        long_ago = utc_now() - timedelta(days=1)
        await session.execute(update(Message).values(created_at=long_ago))
    recent = await spoken(database, rasa)
    clock.advance(days=DAYS - 1, minutes=-1)
    with capture_logs() as logs:
        assert await retention.purge() == 0
    assert logs == []
    assert await there(database) == remembered(rasa) == {*old, *recent}
    clock.advance(minutes=2)
    with capture_logs() as logs:
        assert await retention.purge() == 2
    assert logs == [{"event": "conversations_erased", "count": 2, "log_level": "info"}]
    assert await there(database) == remembered(rasa) == set(recent)
    assert await retention.purge() == 0


async def test_a_chat_goes_with_its_conversation_whether_blocked_or_leaving(
    database: Database, retention: Retention, rasa: Path, clock: Clock
) -> None:
    async with database.write() as session:
        await telegram_bots.add_bot(session, 123)
        for number in (7, 8, 9):
            chat = await chats.open_chat(session, 123, number, utc_now())
            await receive(session, chat.conversation_id)
            chat.leaving = number == 8
        await chats.block(session, 123, 9, utc_now())
    await spoken(database, rasa)
    clock.advance(days=DAYS + 1)
    assert await retention.purge() == 4
    assert await there(database) == set()
    async with database.read() as session:
        assert (await session.scalars(select(Chat))).all() == []


async def test_a_draft_in_use_keeps_its_conversation(
    database: Database, retention: Retention, rasa: Path, clock: Clock
) -> None:
    kept, old = await spoken(database, rasa, 2)
    clock.advance(days=DAYS + 1)
    async with database.write() as session:
        for conversation, at in ((kept, clock()), (old, utc_now())):
            session.add(
                Draft(
                    conversation_id=conversation,
                    questionnaire="fonds",
                    open=True,
                    state={},
                    updated_at=at,
                )
            )
    assert await retention.purge() == 1
    assert await there(database) == remembered(rasa) == {kept}
    async with database.read() as session:
        assert (await session.scalars(select(Draft.conversation_id))).all() == [kept]


async def test_any_number_in_batches(
    database: Database,
    retention: Retention,
    rasa: Path,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bot.retention, "BATCH", 3)
    await spoken(database, rasa, 8)
    clock.advance(days=DAYS + 1)
    assert await retention.purge() == 8
    assert await there(database) == remembered(rasa) == set()


async def test_where_rasa_wrote_nothing_yet(
    database: Database, rasa: Path, clock: Clock, tmp_path: Path
) -> None:
    await spoken(database, rasa)
    clock.advance(days=DAYS + 1)
    none = tmp_path / "none.db"
    retention = Retention(database, Trackers(f"sqlite:///{none}"), DAYS, clock=clock)
    assert await retention.purge() == 1
    assert await there(database) == set()
    assert not await asyncio.to_thread(none.exists)


async def test_what_cannot_be_forgotten_is_not_erased(
    database: Database,
    retention: Retention,
    trackers: Trackers,
    rasa: Path,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids = await spoken(database, rasa, 2)
    clock.advance(days=DAYS + 1)

    async def failing(_: Collection[str]) -> None:
        raise OperationalError("DELETE 'Ligré'", {}, Exception("locked"))

    with monkeypatch.context() as patch:
        patch.setattr(trackers, "forget", failing)
        with pytest.raises(OperationalError):
            await retention.purge()
    assert await there(database) == remembered(rasa) == set(ids)
    assert await retention.purge() == 2


async def test_who_comes_back_meanwhile_keeps_everything_said(
    database: Database,
    retention: Retention,
    trackers: Trackers,
    rasa: Path,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    back, old = await spoken(database, rasa, 2)
    clock.advance(days=DAYS + 1)
    forget = trackers.forget

    async def overtaken(ids: Collection[str]) -> None:
        await forget(ids)
        async with database.write() as session:
            await receive(session, back, "Me revoilà")
            later = update(Message).where(Message.text == "Me revoilà")
            await session.execute(later.values(created_at=clock()))

    monkeypatch.setattr(trackers, "forget", overtaken)
    assert await retention.purge() == 1
    assert await there(database) == {back} != {old}
    async with database.read() as session:
        assert len((await session.scalars(select(Message.id))).all()) == 2


async def test_one_that_is_never_found_idle_again_does_not_last_for_ever(
    database: Database,
    retention: Retention,
    rasa: Path,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two that look at it do not agree: it is left for the next time."""
    monkeypatch.setattr(bot.retention, "BATCH", 1)
    stubborn, old = await spoken(database, rasa, 2)
    clock.advance(days=DAYS + 1)

    async def disagreeing(_session: AsyncSession, conversation_id: str, _before: Any) -> bool:
        return conversation_id != stubborn

    monkeypatch.setattr(bot.retention, "still_idle", disagreeing)
    async with asyncio.timeout(20):
        assert await retention.purge() == 1
    assert await there(database) == {stubborn} != {old}


async def test_one_that_fails_does_not_hold_up_the_others(
    database: Database,
    retention: Retention,
    rasa: Path,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bot.retention, "BATCH", 2)
    ids = await spoken(database, rasa, 6)
    clock.advance(days=DAYS + 1)
    async with database.read() as session:
        bad = list(await idle(session, clock(), 2))  # the oldest: a whole batch

    async def failing(session: AsyncSession, conversation_id: str) -> None:
        await erase(session, conversation_id)
        if conversation_id in bad:
            raise OperationalError("DELETE 'Ligré'", {}, Exception(conversation_id))

    with monkeypatch.context() as patch, capture_logs() as logs:
        patch.setattr(bot.retention, "erase", failing)
        async with asyncio.timeout(20):
            assert await retention.purge() == 4
    assert await there(database) == set(bad), "what fails is undone"
    failure = {
        "event": "conversation_not_erased",
        "error": "OperationalError",
        "log_level": "error",
    }
    erased = {"event": "conversations_erased", "count": 4, "log_level": "info"}
    assert logs == [failure, failure, erased]
    assert not [one for one in ids if one in str(logs)]
    assert await retention.purge() == 2


async def test_two_at_once_erase_each_once(
    database_url: str,
    database: Database,
    rasa: Path,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bot.retention, "BATCH", 4)
    await spoken(database, rasa, 10)
    recent = await spoken(database, rasa)
    clock.advance(days=DAYS + 1)
    async with database.write() as session:
        query = update(Message).where(Message.conversation_id == recent[0])
        await session.execute(query.values(created_at=clock()))
    other = Database(database_url)
    both = [Trackers(f"sqlite:///{rasa}") for _ in range(2)]
    try:
        erased = await asyncio.gather(
            *(
                Retention(one, trackers, DAYS, clock=clock).purge()
                for one, trackers in zip((database, other), both, strict=True)
            )
        )
    finally:
        await other.close()
    assert sum(erased) == 10
    assert await there(database) == remembered(rasa) == set(recent)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def test_it_erases_at_start_then_now_and_again(
    database: Database,
    retention: Retention,
    rasa: Path,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert bot.retention.PERIOD == 3600
    await spoken(database, rasa)
    clock.advance(days=DAYS + 1)
    counts: list[int] = []
    purge = retention.purge

    async def counted() -> int:
        counts.append(await purge())
        return counts[-1]

    monkeypatch.setattr(retention, "purge", counted)
    running = asyncio.create_task(retention.run())
    try:
        await until(lambda: counts == [1])
        await asyncio.sleep(0.1)
        assert counts == [1], "not again before an hour"
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    monkeypatch.setattr(bot.retention, "PERIOD", 0.05)
    running = asyncio.create_task(retention.run())
    try:
        await until(lambda: len(counts) >= 2)
        clock.advance(days=-DAYS - 1)
        await spoken(database, rasa)
        clock.advance(days=DAYS + 1)
        await until(lambda: sum(counts) == 2)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    assert await there(database) == remembered(rasa) == set()


async def test_what_fails_does_not_end_the_worker(
    database: Database,
    retention: Retention,
    rasa: Path,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bot.retention, "PERIOD", 0.05)
    await spoken(database, rasa)
    clock.advance(days=DAYS + 1)
    looks = 0

    async def failing_first(*arguments: Any) -> Sequence[str]:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise OperationalError("SELECT 'Ligré'", {}, Exception("gone"))
        return await idle(*arguments)

    monkeypatch.setattr(bot.retention, "idle", failing_first)
    with capture_logs() as logs:
        running = asyncio.create_task(retention.run())
        try:
            await until(lambda: len(logs) >= 2)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
    assert logs == [
        {"event": "retention_failed", "error": "OperationalError", "log_level": "error"},
        {"event": "conversations_erased", "count": 1, "log_level": "info"},
    ]


async def test_what_was_erased_before_a_failure_is_told(
    database: Database,
    retention: Retention,
    rasa: Path,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await spoken(database, rasa)
    clock.advance(days=DAYS + 1)
    looks = 0

    async def failing_then(*arguments: Any) -> Sequence[str]:
        nonlocal looks
        looks += 1
        if looks > 1:
            raise OperationalError("SELECT", {}, Exception("gone"))
        return await idle(*arguments)

    monkeypatch.setattr(bot.retention, "idle", failing_then)
    with capture_logs() as logs, pytest.raises(OperationalError):
        await retention.purge()
    assert [one.get("count") for one in logs] == [1]
    assert await there(database) == set()


@pytest.mark.parametrize("days", [0, -1])
def test_less_than_a_day_is_a_mistake(days: int) -> None:
    nothing: Any = None
    with pytest.raises(ValueError, match="a day"):
        Retention(nothing, nothing, days)
