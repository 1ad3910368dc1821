"""Erasing a conversation: all that was not filed goes, and nothing of what was filed."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, select, update

from storage import drafts
from storage.conversations import conversation_of_token, open_web_conversation
from storage.database import Database
from storage.erasure import erase, idle, still_idle
from storage.inbox import UnknownConversation
from storage.models import (
    Attachment,
    Conversation,
    Draft,
    Mail,
    Message,
    State,
    Status,
)
from tests.storage.exchanges import NOON, asked, exchanged, opened

BEFORE = datetime(2026, 6, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
READY: dict[str, Any] = {
    "title": "Former les agents",
    "applicant": "Saint-Flovier",
    "siret": "21370218600015",
    "email": "mairie@exemple.fr",
    "cost_cents": 12_500_00,
    "amount_cents": 10_000_00,
}
FILED: dict[str, Any] = {
    **READY,
    "status": Status.filed,
    "open": False,
    "reference": "IDL-2026-0001",
    "consented_at": NOON,
    "filed_at": NOON,
    "filed": {"reference": "IDL-2026-0001"},
    "document": b"%PDF",
}
BESIDES: dict[str, Any] = {
    "state": {"answers": {"titre": "Former"}, "kept": {"cout": "9"}},
    "before": {"answers": {"titre": "Formé"}},
    "heard_seq": 1,
    "reply": {"text": "C'est déposé."},
    "resume_hash": "f" * 64,
}
"""What a row keeps besides what was filed."""


async def add(database: Database, conversation: str | None, **values: Any) -> int:
    """Add a draft with one file; give its number."""
    whole: dict[str, Any] = {"questionnaire": "fonds", "open": False, "state": {}, **values}
    async with database.write() as session:
        session.add(draft := Draft(conversation_id=conversation, **whole))
        await session.flush()
        session.add(
            Attachment(
                draft_id=draft.id,
                name="devis.pdf",
                media_type="application/pdf",
                size=4,
                sha256=f"{draft.id:064}",
                content=b"%PDF",
            )
        )
        return draft.id


async def erased(database: Database, conversation: str) -> None:
    async with database.write() as session:
        await erase(session, conversation)


async def count(database: Database, model: Any) -> int:
    async with database.read() as session:
        return await session.scalar(select(func.count()).select_from(model)) or 0


async def drafts_left(database: Database) -> set[int]:
    async with database.read() as session:
        return set((await session.scalars(select(Draft.id))).all())


async def idle_now(database: Database, limit: int = 100) -> list[str]:
    async with database.read() as session:
        return list(await idle(session, BEFORE, limit))


async def aged(database: Database, created: datetime, last: datetime | None = None) -> str:
    """Open a conversation at an instant; with a message and its answer at another."""
    conversation = await opened(database)
    async with database.write() as session:
        await session.execute(
            update(Conversation).where(Conversation.id == conversation).values(created_at=created)
        )
    if last:
        await exchanged(database, conversation, "Combien ?", now=last)
    return conversation


async def test_a_conversation_goes_with_its_messages(database: Database) -> None:
    mine, other = await opened(database), await opened(database)
    for conversation in (mine, other):
        await exchanged(database, conversation, "Combien ?", replies=("Un", "Deux"))
        await asked(database, conversation, "Et la nôtre ?")  # due, and held by a worker
    await erased(database, mine)
    async with database.read() as session:
        assert (await session.scalars(select(Conversation.id))).all() == [other]
        assert set((await session.scalars(select(Message.conversation_id))).all()) == {other}
    assert await count(database, Message) == 4


async def test_a_token_opens_nothing_any_more(database: Database) -> None:
    async with database.write() as session:
        conversation, token = await open_web_conversation(session)
    await erased(database, conversation)
    async with database.read() as session:
        assert await conversation_of_token(session, token) is None


@pytest.mark.parametrize(
    "values",
    [
        {"open": True, **BESIDES},
        {**READY, "status": Status.complete, "open": True},
        {**READY, "status": Status.complete},
        {"status": Status.withdrawn, **BESIDES},
    ],
    ids=["draft", "complete", "left", "withdrawn"],
)
async def test_what_was_not_filed_goes_with_its_files(
    database: Database, values: dict[str, Any]
) -> None:
    mine, other = await opened(database), await opened(database)
    await add(database, mine, **values)
    kept = await add(database, other, **(values | {"resume_hash": None}))
    await erased(database, mine)
    assert await drafts_left(database) == {kept}
    async with database.read() as session:
        assert (await session.scalars(select(Attachment.draft_id))).all() == [kept]


@pytest.mark.parametrize("status", [Status.filed, Status.withdrawn])
async def test_what_was_filed_stays_whole_and_nothing_besides(
    database: Database, status: Status
) -> None:
    mine = await opened(database)
    number = await add(database, mine, **{**FILED, **BESIDES, "status": status})
    async with database.write() as session:
        session.add(Mail(draft_id=number, state=State.due, next_attempt_at=NOON))
    await erased(database, mine)
    async with database.read() as session:
        row = await session.get_one(Draft, number)
        await session.refresh(row, ["document"])
        assert {name: getattr(row, name) for name in FILED} == {**FILED, "status": status}
        left = {name: getattr(row, name) for name in BESIDES}
        assert left == {**dict.fromkeys(BESIDES), "state": {}}
        assert row.conversation_id is None
        found = await drafts.of_reference(session, "IDL-2026-0001")
        assert found is not None and found.id == number
        assert [one.name for one in await drafts.attachments_of(session, number)] == ["devis.pdf"]
        assert await drafts.mail_of(session, number) is not None
    assert await count(database, Conversation) == 0


async def test_what_another_conversation_filed_is_left_alone(database: Database) -> None:
    mine, other = await opened(database), await opened(database)
    number = await add(database, other, **{**FILED, **BESIDES})
    await erased(database, mine)
    async with database.read() as session:
        row = await session.get_one(Draft, number)
        assert row.conversation_id == other
        assert {name: getattr(row, name) for name in BESIDES} == BESIDES


async def test_what_is_not_there_is_no_matter(database: Database) -> None:
    mine = await opened(database)
    filed = await add(database, None, **FILED)
    await erased(database, "nobody")
    assert await count(database, Conversation) == 1
    await erased(database, mine)
    await erased(database, mine)
    assert await drafts_left(database) == {filed}


async def test_all_or_nothing(database: Database) -> None:
    mine = await opened(database)
    await exchanged(database, mine, "Combien ?")
    number = await add(database, mine)

    async def failing() -> None:
        async with database.write() as session:
            await erase(session, mine)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await failing()
    assert await count(database, Message) == 2
    assert await drafts_left(database) == {number}


async def test_the_last_message_tells_the_age_or_the_opening(database: Database) -> None:
    old = datetime(2026, 1, 1, tzinfo=UTC)
    written = await aged(database, old, BEFORE - SECOND)
    silent = await aged(database, BEFORE - 2 * SECOND)
    await aged(database, old, BEFORE)
    await aged(database, BEFORE)
    both = await aged(database, old, old)
    await exchanged(database, both, "Et ensuite ?", now=BEFORE + SECOND)
    assert await idle_now(database) == [silent, written]


async def test_the_oldest_come_first_and_no_more_than_asked(database: Database) -> None:
    days = [3, 1, 2]
    ids = [await aged(database, NOON, NOON + timedelta(days=day)) for day in days]
    oldest = [ids[1], ids[2], ids[0]]
    for limit in (1, 2, 3, 4):
        assert await idle_now(database, limit) == oldest[:limit]


@pytest.mark.parametrize("status", [Status.draft, Status.complete, Status.withdrawn])
async def test_a_recent_draft_keeps_its_conversation(database: Database, status: Status) -> None:
    recent, old = await aged(database, NOON, NOON), await aged(database, NOON, NOON)
    await add(database, recent, **READY, status=status, updated_at=NOON)
    await add(database, recent, **READY, status=status, updated_at=BEFORE)
    await add(database, old, **READY, status=status, updated_at=BEFORE - SECOND)
    assert await idle_now(database) == [old]


async def test_what_was_filed_keeps_no_conversation(database: Database) -> None:
    conversation = await aged(database, NOON, NOON)
    await add(database, conversation, **FILED, updated_at=BEFORE + SECOND)
    assert await idle_now(database) == [conversation]


async def test_still_idle_says_the_same_of_one(database: Database) -> None:
    old, recent = await aged(database, NOON, NOON), await aged(database, NOON, BEFORE)
    drafted = await aged(database, NOON, NOON)
    await add(database, drafted, updated_at=BEFORE)
    async with database.write() as session:
        assert await still_idle(session, old, BEFORE)
        assert not await still_idle(session, recent, BEFORE)
        assert not await still_idle(session, drafted, BEFORE)
        assert not await still_idle(session, "nobody", BEFORE)


async def test_who_writes_waits_for_the_erasure(database: Database) -> None:
    """What was idle when it was looked at still is when it is erased."""
    conversation = await aged(database, NOON, NOON)
    async with database.write() as session:
        assert await still_idle(session, conversation, BEFORE)
        writing = asyncio.create_task(asked(database, conversation, "Et maintenant ?", now=BEFORE))
        await asyncio.sleep(0.2)
        assert not writing.done()
        await erase(session, conversation)
    with pytest.raises(UnknownConversation):
        await writing
    assert await count(database, Message) == 0


async def test_looking_for_them_reads_one_message_each(sqlite_url: str) -> None:
    """However long conversations are: each one's last is looked up (PostgreSQL chooses)."""
    database = Database(sqlite_url)
    statements: list[tuple[str, Any]] = []
    async with database.read() as session:
        connection = await session.connection()
        event.listen(
            connection.sync_connection,
            "before_cursor_execute",
            lambda _c, _cu, statement, parameters, *_: statements.append((statement, parameters)),
        )
        await idle(session, BEFORE, 10)
        ((statement, parameters),) = statements
        explained = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        plan = " / ".join(row[-1] for row in explained)
    await database.close()
    assert "(conversation_id=? AND seq=?)" in plan, plan
    assert "SEARCH draft USING INDEX ix_draft_conversation_id" in plan, plan
