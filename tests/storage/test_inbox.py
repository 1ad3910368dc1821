"""The inbox: once, in order, one worker at a time."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from storage import inbox
from storage.conversations import messages_after, open_conversation
from storage.database import Database
from storage.inbox import (
    LEASE,
    Claim,
    DifferentContent,
    LeaseLost,
    Received,
    Reply,
    UnknownConversation,
)
from storage.models import Author, Channel, Direction, Message, State

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


async def opened(database: Database, channel: Channel = Channel.web) -> str:
    async with database.write() as session:
        return (await open_conversation(session, channel)).id


async def receive(
    database: Database,
    conversation: str,
    external_id: str,
    words: str = "Bonjour",
    *,
    payload: str | None = None,
    now: datetime = NOON,
) -> Received:
    async with database.write() as session:
        return await inbox.receive(
            session,
            conversation,
            scope=conversation,
            external_id=external_id,
            text=words,
            payload=payload,
            now=now,
        )


async def waiting(database: Database, now: datetime = NOON, limit: int = 10) -> Sequence[str]:
    async with database.read() as session:
        return await inbox.waiting(session, now, limit)


async def claim(database: Database, conversation: str, now: datetime = NOON) -> Claim | None:
    async with database.write() as session:
        return await inbox.claim(session, conversation, "worker", now)


async def claimed(database: Database, conversation: str, now: datetime = NOON) -> Claim:
    held = await claim(database, conversation, now)
    assert held is not None
    return held


async def answer(
    database: Database, held: Claim, *words: str, now: datetime = NOON
) -> Claim | None:
    async with database.write() as session:
        return await inbox.answer(session, held, [Reply(w) for w in words], {"kind": "sure"}, now)


async def thread(database: Database, conversation: str) -> Sequence[Message]:
    async with database.read() as session:
        return await messages_after(session, conversation, 0)


async def test_a_second_delivery_changes_nothing(database: Database) -> None:
    conversation = await opened(database)
    assert await receive(database, conversation, "a", "Un") == Received(1, fresh=True)
    assert await receive(database, conversation, "b", "Deux") == Received(2, fresh=True)
    assert await receive(database, conversation, "a", "Un") == Received(1, fresh=False)
    with pytest.raises(DifferentContent):
        await receive(database, conversation, "a", "Deux")
    with pytest.raises(DifferentContent):
        await receive(database, conversation, "a", "Un", payload="/un")
    with pytest.raises(UnknownConversation):
        await receive(database, "nobody", "a")
    assert [m.text for m in await thread(database, conversation)] == ["Un", "Deux"]


async def test_deliveries_at_the_same_time_are_one(database_url: str) -> None:
    processes = [Database(database_url) for _ in range(2)]
    conversation = await opened(processes[0])
    received = await asyncio.gather(
        *(receive(processes[n % 2], conversation, str(n // 4)) for n in range(40))
    )
    assert sorted(r.seq for r in received if r.fresh) == list(range(1, 11))
    assert len(received) == 40
    for database in processes:
        await database.close()


async def test_answers_come_in_order_and_end_the_lease(database: Database) -> None:
    conversation = await opened(database)
    await receive(database, conversation, "a", "Un")
    await receive(database, conversation, "b", "Deux")
    assert await waiting(database) == [conversation]
    first = await claimed(database, conversation)
    assert first.message.text == "Un"
    assert await waiting(database) == []
    assert await claim(database, conversation) is None

    second = await answer(database, first, "1a", "1b")
    assert second is not None
    assert second.message.text == "Deux"
    assert await waiting(database) == []
    assert await answer(database, second, "2") is None
    assert await waiting(database) == []

    rows = await thread(database, conversation)
    assert [m.seq for m in rows] == [1, 2, 3, 4, 5]
    assert [m.text for m in rows] == ["Un", "Deux", "1a", "1b", "2"]
    assert [m.in_reply_to for m in rows[2:]] == [rows[0].id, rows[0].id, rows[1].id]
    assert [m.outcome for m in rows] == [None, None, None, {"kind": "sure"}, {"kind": "sure"}]
    assert {m.state for m in rows} == {State.done}
    assert [m.author for m in rows] == [Author.person] * 2 + [Author.assistant] * 3

    await receive(database, conversation, "c", "Trois")
    assert (await claimed(database, conversation)).message.text == "Trois"


async def test_buttons_get_ids_of_their_own(database: Database) -> None:
    conversation = await opened(database)
    for name in "ab":
        await receive(database, conversation, name)
        held = await claimed(database, conversation)
        replies = [Reply("Oui ?", [("Oui", "/affirm"), ("Non", "/deny")]), Reply("Bien")]
        async with database.write() as session:
            await inbox.answer(session, held, replies, None, NOON)
    rows = [m for m in await thread(database, conversation) if m.direction is Direction.outbound]
    assert [bool(m.buttons) for m in rows] == [True, False, True, False]
    buttons = [b for m in rows for b in m.buttons or ()]
    assert [(b["title"], b["payload"]) for b in buttons] == [
        ("Oui", "/affirm"),
        ("Non", "/deny"),
    ] * 2
    assert len({b["id"] for b in buttons}) == 4
    assert all(len(b["id"]) <= 64 for b in buttons)


async def test_the_one_who_waits_longest_comes_first(database: Database) -> None:
    conversations = [await opened(database) for _ in range(3)]
    for delay, conversation in zip((2, 0, 1), conversations, strict=True):
        await receive(database, conversation, "a", now=NOON + delay * SECOND)
    late = NOON + 5 * SECOND
    assert await waiting(database, late) == [conversations[1], conversations[2], conversations[0]]
    assert await waiting(database, late, limit=1) == [conversations[1]]
    assert await waiting(database, NOON) == [conversations[1]]


async def test_a_postponed_message_holds_up_those_behind_it(database: Database) -> None:
    conversation = await opened(database)
    await receive(database, conversation, "a", "Un")
    await receive(database, conversation, "b", "Deux")
    held = await claimed(database, conversation)
    async with database.write() as session:
        await inbox.postpone(
            session, held, retry_at=NOON + 4 * SECOND, notice="Indisponible", now=NOON
        )
    assert await waiting(database, NOON + 3 * SECOND) == []
    assert await claim(database, conversation, NOON + 3 * SECOND) is None
    later = NOON + 4 * SECOND
    assert await waiting(database, later) == [conversation]
    again = await claimed(database, conversation, later)
    assert (again.message.text, again.message.attempts) == ("Un", 1)
    async with database.write() as session:
        await inbox.postpone(session, again, retry_at=None, notice=None, now=later)
    following = await claimed(database, conversation, later)
    assert following.message.text == "Deux"
    states = [(m.text, m.state, m.attempts) for m in await thread(database, conversation)]
    assert states == [
        ("Un", State.failed, 2),
        ("Deux", State.due, 0),
        ("Indisponible", State.done, 0),
    ]
    async with database.read() as session:
        assert await inbox.count_due(session) == 1


async def test_the_lease_of_a_dead_worker_ends(database: Database) -> None:
    conversation = await opened(database)
    await receive(database, conversation, "a")
    dead = await claimed(database, conversation)
    assert await claim(database, conversation, NOON + LEASE) is None
    after = NOON + LEASE + SECOND
    assert await waiting(database, after) == [conversation]
    alive = await claimed(database, conversation, after)
    assert alive.message.id == dead.message.id

    # It was only slow: what it stores now would be a second answer.
    with pytest.raises(LeaseLost):
        await answer(database, dead, "Trop tard", now=after)
    with pytest.raises(LeaseLost):
        async with database.write() as session:
            await inbox.postpone(session, dead, retry_at=after, notice="Trop tard", now=after)
    async with database.write() as session:
        await inbox.release(session, dead)
    assert await claim(database, conversation, after) is None

    assert await answer(database, alive, "Voici", now=after) is None
    with pytest.raises(LeaseLost):
        await answer(database, dead, "Trop tard", now=after)
    assert [m.text for m in await thread(database, conversation)] == ["Bonjour", "Voici"]


async def test_a_lease_is_taken_once(database_url: str) -> None:
    processes = [Database(database_url) for _ in range(4)]
    conversation = await opened(processes[0])
    await receive(processes[0], conversation, "a")
    claims = await asyncio.gather(*(claim(database, conversation) for database in processes * 3))
    assert sum(held is not None for held in claims) == 1
    for database in processes:
        await database.close()


async def test_a_released_lease_is_free(database: Database) -> None:
    conversation = await opened(database)
    await receive(database, conversation, "a")
    held = await claimed(database, conversation)
    async with database.write() as session:
        await inbox.release(session, held)
    assert await waiting(database) == [conversation]


async def test_elsewhere_than_on_the_web_a_reply_waits_for_delivery(database: Database) -> None:
    conversation = await opened(database, Channel.telegram)
    await receive(database, conversation, "a")
    await answer(database, await claimed(database, conversation), "Bonjour")
    async with database.read() as session:
        reply = await session.scalar(select(Message).where(Message.seq == 2))
        assert reply is not None
        assert (reply.state, reply.next_attempt_at) == (State.due, NOON)
        assert await inbox.count_due(session) == 0
    assert await waiting(database) == []


async def test_looking_for_work_reads_no_table_whole(database: Database) -> None:
    """The worker looks once a second, at tables that only grow."""
    async with database.read() as session:
        connection = await session.connection()
        if connection.dialect.name != "sqlite":
            pytest.skip("PostgreSQL reads small tables whole on purpose")
        query = inbox.waiting_query(NOON, 16).compile(
            dialect=connection.dialect, compile_kwargs={"literal_binds": True}
        )
        plan = await session.execute(text(f"EXPLAIN QUERY PLAN {query}"))
        steps = [row.detail for row in plan]
    assert steps
    assert not [step for step in steps if step.startswith("SCAN")], steps
