"""What the database itself refuses, and what it gives back."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from storage.conversations import (
    conversation_of_token,
    messages_after,
    offer,
    open_conversation,
    open_web_conversation,
)
from storage.database import Database
from storage.models import Author, Channel, Conversation, Direction, Message, Rating, State

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def message(conversation: str, seq: int, **changes: Any) -> Message:
    values: dict[str, Any] = {
        "conversation_id": conversation,
        "seq": seq,
        "direction": Direction.outbound,
        "author": Author.assistant,
        "text": "Bonjour",
        "state": State.done,
    }
    return Message(**{**values, **changes})


@pytest.fixture
def inbound() -> dict[str, Any]:
    return {"direction": Direction.inbound, "author": Author.person}


async def opened(database: Database, channel: Channel = Channel.web) -> str:
    async with database.write() as session:
        return (await open_conversation(session, channel)).id


async def test_instants_are_aware_and_in_utc(database: Database) -> None:
    conversation = await opened(database)
    in_paris = NOON.astimezone(timezone(timedelta(hours=1)))
    async with database.write() as session:
        session.add(message(conversation, 1, created_at=in_paris))
    async with database.read() as session:
        (kept,) = await messages_after(session, conversation, 0)
    assert kept.created_at == NOON
    assert kept.created_at.utcoffset() == timedelta(0)
    with pytest.raises(StatementError, match="naive"):
        async with database.write() as session:
            session.add(message(conversation, 2, created_at=datetime(2026, 3, 1)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"seq": 1},
        {"seq": 0},
        {"attempts": -1},
        {"author": Author.person},
        {"direction": Direction.inbound},
        {"state": State.due},
        {"next_attempt_at": NOON},
        {"external_id": "42"},
        {"external_scope": "telegram"},
        {"in_reply_to": 123456},
        {"conversation_id": "nobody"},
        {"text": None},
        {"author": Author.agent, "rating": Rating.up},
    ],
    ids=str,
)
async def test_wrong_rows_are_refused(database: Database, wrong: dict[str, Any]) -> None:
    conversation = await opened(database)
    async with database.write() as session:
        session.add(message(conversation, 1))
    row = message(conversation, 2)
    for name, value in wrong.items():
        setattr(row, name, value)
    with pytest.raises(IntegrityError):
        async with database.write() as session:
            session.add(row)


@pytest.mark.parametrize("column", ["direction", "author", "state", "rating"])
async def test_unknown_values_are_refused(database: Database, column: str) -> None:
    conversation = await opened(database)
    async with database.write() as session:
        session.add(message(conversation, 1))
    with pytest.raises(IntegrityError):
        async with database.write() as session:
            await session.execute(text(f"UPDATE message SET {column} = 'other'"))
    with pytest.raises(IntegrityError):
        async with database.write() as session:
            await session.execute(text("UPDATE conversation SET channel = 'pigeon'"))


async def test_an_external_id_counts_within_its_scope(
    database: Database, inbound: dict[str, Any]
) -> None:
    """Two web clients may choose the same id; Telegram numbers for all chats."""
    one, other = await opened(database), await opened(database)
    async with database.write() as session:
        session.add(message(one, 1, **inbound, external_scope=one, external_id="42"))
        session.add(message(other, 1, **inbound, external_scope=other, external_id="42"))
        session.add(message(one, 2, **inbound, external_scope="telegram", external_id="42"))
    with pytest.raises(IntegrityError):
        async with database.write() as session:
            session.add(message(other, 2, **inbound, external_scope="telegram", external_id="42"))


async def test_a_conversation_takes_its_messages_away(
    database: Database, inbound: dict[str, Any]
) -> None:
    conversation = await opened(database)
    async with database.write() as session:
        session.add(question := message(conversation, 1, **inbound))
        await session.flush()
        session.add(message(conversation, 2, in_reply_to=question.id))
    async with database.write() as session:
        await session.execute(delete(Conversation).where(Conversation.id == conversation))
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Message)) == 0


async def test_a_token_opens_its_conversation_only(database: Database) -> None:
    async with database.write() as session:
        first, token = await open_web_conversation(session)
        second, other = await open_web_conversation(session)
    assert len({first, second, token, other}) == 4
    async with database.read() as session:
        assert await conversation_of_token(session, token) == first
        assert await conversation_of_token(session, other) == second
        for wrong in ("", token[:-1], first, "\ud800", "é"):
            assert await conversation_of_token(session, wrong) is None
        hashes = (await session.scalars(select(Conversation.token_hash))).all()
    assert token not in hashes


async def test_a_button_is_found_in_its_conversation_only(database: Database) -> None:
    mine, other = await opened(database), await opened(database)
    button = {"id": "1-aa", "title": "Oui", "payload": "/affirm"}
    async with database.write() as session:
        session.add(message(mine, 1, buttons=[button]))
        session.add(message(mine, 2))
    async with database.read() as session:
        offered = await offer(session, mine, "1-aa")
        assert offered is not None and (offered[0].seq, offered[1]) == (1, button)
        assert await offer(session, other, "1-aa") is None
        for invented in ("1-bb", "2-aa", "1", "", "x-aa", "-1-aa", "9" * 30 + "-aa", "¹-aa"):
            assert await offer(session, mine, invented) is None


async def test_what_fails_is_undone_and_a_reader_keeps_nothing(database: Database) -> None:
    conversation = await opened(database)
    with pytest.raises(RuntimeError):
        async with database.write() as session:
            session.add(message(conversation, 1))
            await session.flush()
            raise RuntimeError
    async with database.read() as session:
        session.add(message(conversation, 1))
        await session.flush()
    async with database.read() as session:
        assert await messages_after(session, conversation, 0) == []


async def test_writers_that_read_first_take_turns(database_url: str) -> None:
    """Two processes count up by reading, then writing: no error, and none is lost."""
    processes = [Database(database_url) for _ in range(2)]
    conversation = await opened(processes[0])

    async def count(database: Database) -> None:
        for _ in range(20):
            async with database.write() as session:
                row = await session.get_one(Conversation, conversation, with_for_update=True)
                row.last_seq += 1

    await asyncio.gather(*(count(database) for database in processes for _ in range(2)))
    async with processes[0].read() as session:
        assert (await session.get_one(Conversation, conversation)).last_seq == 80
    for database in processes:
        await database.close()
