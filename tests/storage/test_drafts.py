"""Drafts: what the database holds them to, their numbers, and the mail of what is filed."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from storage import drafts
from storage.conversations import open_conversation
from storage.database import Database
from storage.drafts import NotFiled
from storage.models import (
    Attachment,
    Channel,
    Conversation,
    Draft,
    Mail,
    ReferenceCount,
    State,
    Status,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

READY = {
    "title": "Former les agents",
    "applicant": "Saint-Flovier",
    "siret": "21370218600015",
    "email": "mairie@exemple.fr",
    "cost_cents": 12_500_00,
    "amount_cents": 10_000_00,
}
COMPLETE = {"status": Status.complete, **READY}
FILED = {
    **COMPLETE,
    "status": Status.filed,
    "open": False,
    "reference": "IDL-2026-0001",
    "consented_at": NOON,
    "filed_at": NOON,
    "filed": {"reference": "IDL-2026-0001"},
}


async def opened(database: Database) -> str:
    async with database.write() as session:
        return (await open_conversation(session, Channel.web)).id


async def add(database: Database, conversation: str | None, **values: Any) -> int:
    """Add a draft of these values, an empty and open one but for them; give its number."""
    whole: dict[str, Any] = {"questionnaire": "fonds", "open": True, "state": {}, **values}
    async with database.write() as session:
        session.add(draft := Draft(conversation_id=conversation, **whole))
        await session.flush()
        return draft.id


async def attach(database: Database, draft: int, name: str, sha256: str, size: int = 4) -> None:
    """Add a file as it is, unlike `drafts.attach`."""
    async with database.write() as session:
        session.add(
            Attachment(
                draft_id=draft,
                name=name,
                media_type="application/pdf",
                size=size,
                sha256=sha256,
                content=b"%PDF",
            )
        )


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"status": Status.draft, "title": "Former les agents"},
        {**READY, "status": Status.draft},
        {**READY, "siret": None},
        {"amount_cents": 10_000_00},  # the cost may come after
        {"cost_cents": 12_500_00},
        {"cost_cents": 10_000_00, "amount_cents": 10_000_00},
        COMPLETE,
        {**COMPLETE, "open": False},
        FILED,
        {"status": Status.withdrawn, "open": False},
        {**FILED, "status": Status.withdrawn},
    ],
    ids=str,
)
async def test_drafts_may_be_incomplete_and_filed_ones_are_whole(
    database: Database, values: dict[str, Any]
) -> None:
    number = await add(database, await opened(database), **values)
    async with database.read() as session:
        row = await session.get_one(Draft, number)
        assert {name: getattr(row, name) for name in values} == values


@pytest.mark.parametrize(
    ("constraint", "wrong"),
    [
        *(("complete", {**COMPLETE, name: None}) for name in READY),
        *(("complete", {**FILED, name: None}) for name in READY),
        *(("filed_whole", {**FILED, name: None}) for name in ("reference", "consented_at")),
        ("filed_whole", {**FILED, "filed": None}),
        ("filed_w", {**FILED, "filed_at": None}),
        (
            "filed_when",
            {**COMPLETE, "status": Status.filed, "open": False},
        ),
        ("not_filed_yet", {**FILED, "status": Status.complete}),
        ("not_filed_yet", {**FILED, "status": Status.draft}),
        ("filed_whole", {"reference": "IDL-2026-0002"}),
        ("filed_whole", {"consented_at": NOON}),
        ("filed_whole", {"filed": {"reference": "IDL-2026-0002"}}),
        ("open_may_change", {**FILED, "open": True}),
        ("open_may_change", {"status": Status.withdrawn}),
        ("siret_length", {"siret": "2137021860001"}),
        ("siret_length", {"siret": ""}),
        ("amount_within_cost", {"cost_cents": 10_000_00, "amount_cents": 10_000_01}),
        ("amount_within_cost", {"cost_cents": 10_000_00, "amount_cents": 0}),
        ("amount_within_cost", {"amount_cents": -1}),
    ],
    ids=str,
)
async def test_wrong_drafts_are_refused(
    database: Database, constraint: str, wrong: dict[str, Any]
) -> None:
    conversation = await opened(database)
    with pytest.raises(IntegrityError, match=f"ck_draft_{constraint}"):
        await add(database, conversation, **wrong)
    async with database.read() as session:
        assert (await session.scalars(select(Draft))).all() == []


@pytest.mark.parametrize(
    "missing", ["questionnaire", "state", "open", "status", "created_at", "updated_at"]
)
async def test_what_every_draft_has_cannot_be_missing(database: Database, missing: str) -> None:
    number = await add(database, await opened(database))
    with pytest.raises(IntegrityError):
        async with database.write() as session:
            connection = await session.connection()
            await connection.exec_driver_sql(
                f"UPDATE draft SET {missing} = NULL WHERE id = {number}"
            )


@pytest.mark.parametrize("change", ["status = 'other'", "siret = '123'", "conversation_id = 'no'"])
async def test_nor_can_a_row_become_wrong(database: Database, change: str) -> None:
    await add(database, await opened(database))
    with pytest.raises(IntegrityError):
        async with database.write() as session:
            await (await session.connection()).exec_driver_sql(f"UPDATE draft SET {change}")


async def test_one_draft_is_open_in_a_conversation(database: Database) -> None:
    one, other = await opened(database), await opened(database)
    await add(database, one)
    await add(database, one, open=False)
    await add(database, one, open=False)
    await add(database, other)
    with pytest.raises(IntegrityError):
        await add(database, one)


async def test_references_and_codes_are_given_once(database: Database) -> None:
    conversation = await opened(database)
    await add(database, conversation, **FILED)
    with pytest.raises(IntegrityError):
        await add(database, conversation, **FILED)
    await add(database, conversation, **{**FILED, "reference": "IDL-2026-0002"})
    await add(database, conversation, open=False, resume_hash="0" * 64)
    with pytest.raises(IntegrityError):
        await add(database, conversation, open=False, resume_hash="0" * 64)


async def test_an_attachment_is_there_once(database: Database) -> None:
    conversation = await opened(database)
    draft = await add(database, conversation)
    other = await add(database, conversation, open=False)
    await attach(database, draft, "devis.pdf", "0" * 64)
    await attach(database, draft, "devis.pdf", "1" * 64)
    await attach(database, other, "devis.pdf", "0" * 64)
    with pytest.raises(IntegrityError):
        await attach(database, draft, "copie.pdf", "0" * 64)
    with pytest.raises(IntegrityError, match="ck_attachment_size_positive"):
        await attach(database, draft, "rien.pdf", "2" * 64, size=0)
    with pytest.raises(IntegrityError):
        await attach(database, 123456, "devis.pdf", "0" * 64)


async def test_the_same_file_again_is_the_one_that_is_there(database: Database) -> None:
    draft = await add(database, await opened(database))
    for name, sha256 in (("a.pdf", "0"), ("b.pdf", "0"), ("c.pdf", "1"), ("d.pdf", "2")):
        async with database.write() as session:
            await drafts.attach(
                session,
                draft,
                name=name,
                media_type="application/pdf",
                sha256=sha256 * 64,
                content=b"%PDF",
                now=NOON,
            )
    async with database.write() as session:
        there = await drafts.attachments_of(session, draft)
        assert [(one.name, one.size) for one in there] == [("a.pdf", 4), ("c.pdf", 4), ("d.pdf", 4)]
        await drafts.keep_attachments(session, draft, [there[1].id])
    async with database.read() as session:
        assert [one.name for one in await drafts.attachments_of(session, draft)] == ["c.pdf"]


async def test_what_is_filed_outlives_its_conversation(database: Database) -> None:
    conversation, other = await opened(database), await opened(database)
    number = await add(database, conversation, **COMPLETE)
    await attach(database, number, "devis.pdf", "0" * 64)
    async with database.write() as session:
        draft = await session.get_one(Draft, number)
        await drafts.file(session, draft, {"reference": "IDL-2026-0001"}, NOON)
    await add(database, other)
    async with database.write() as session:
        await session.execute(delete(Conversation).where(Conversation.id == conversation))
    async with database.read() as session:
        row = await drafts.of_reference(session, " idl-2026-0001 ")
        assert row is not None
        assert (row.id, row.conversation_id, row.status) == (number, None, Status.filed)
        assert row.filed == {"reference": "IDL-2026-0001"}
        mail = await drafts.mail_of(session, number)
        assert mail is not None and mail.state is State.due
        assert [one.name for one in await drafts.attachments_of(session, number)] == ["devis.pdf"]
        assert [one.id for one in await drafts.filed_drafts(session)] == [number]
        assert len(await drafts.filed_drafts(session, every=True)) == 2


async def test_a_draft_takes_its_files_and_its_mail_away(database: Database) -> None:
    number = await add(database, await opened(database), **COMPLETE)
    await attach(database, number, "devis.pdf", "0" * 64)
    async with database.write() as session:
        draft = await session.get_one(Draft, number)
        await drafts.file(session, draft, {"reference": "IDL-2026-0001"}, NOON)
    async with database.write() as session:
        await session.execute(delete(Draft).where(Draft.id == number))
    async with database.read() as session:
        assert (await session.scalars(select(Attachment))).all() == []
        assert (await session.scalars(select(Mail))).all() == []


async def test_what_is_filed_is_whole_and_its_mail_due(database: Database) -> None:
    number = await add(database, await opened(database), **COMPLETE)
    async with database.write() as session:
        draft = await session.get_one(Draft, number)
        await drafts.file(session, draft, {"reference": "IDL-2026-0007"}, NOON)
    async with database.read() as session:
        row = await session.get_one(Draft, number)
        assert (row.status, row.open, row.reference) == (Status.filed, False, "IDL-2026-0007")
        assert row.filed_at == row.consented_at == row.updated_at == NOON
        mail = await drafts.mail_of(session, number)
        assert mail is not None
        assert (mail.state, mail.attempts, mail.next_attempt_at) == (State.due, 0, NOON)


@pytest.mark.parametrize(
    "values", [{}, READY, FILED, {"status": Status.withdrawn, "open": False}], ids=str
)
async def test_only_what_is_complete_is_filed(database: Database, values: dict[str, Any]) -> None:
    number = await add(database, await opened(database), **values)
    with pytest.raises(NotFiled):
        async with database.write() as session:
            draft = await session.get_one(Draft, number)
            await drafts.file(session, draft, {"reference": "IDL-2026-0002"}, NOON)
    async with database.read() as session:
        row = await session.get_one(Draft, number)
        assert row.status is values.get("status", Status.draft)
        assert row.reference == values.get("reference")
        assert await drafts.mail_of(session, number) is None


async def test_one_mail_carries_a_candidature(database: Database) -> None:
    number = await add(database, await opened(database), **FILED)
    due = {"state": State.due, "next_attempt_at": NOON}
    for wrong in (
        {"state": State.due},
        {"state": State.done, "next_attempt_at": NOON},
        {"draft_id": 123456, **due},
    ):
        with pytest.raises(IntegrityError):
            async with database.write() as session:
                session.add(Mail(**{"draft_id": number, **wrong}))
    async with database.write() as session:
        session.add(Mail(draft_id=number, **due))
    with pytest.raises(IntegrityError):
        async with database.write() as session:
            session.add(Mail(draft_id=number, **due))


async def test_numbers_taken_at_once_are_each_taken_once(
    database: Database, database_url: str
) -> None:
    processes = [database, *(Database(database_url) for _ in range(3))]

    async def take(one: Database, year: int) -> tuple[int, int]:
        async with one.write() as session:
            number = await drafts.next_number(session, year)
            await asyncio.sleep(0.005)  # others come meanwhile
            return year, number

    taken = await asyncio.gather(
        *(take(processes[n % 4], 2027 if n % 5 == 4 else 2026) for n in range(25))
    )
    assert Counter(taken) == Counter(
        [*((2026, n) for n in range(1, 21)), *((2027, n) for n in range(1, 6))]
    )
    async with database.read() as session:
        counts = (await session.scalars(select(ReferenceCount).order_by(ReferenceCount.year))).all()
        assert [(one.year, one.last) for one in counts] == [(2026, 20), (2027, 5)]
    for one in processes[1:]:
        await one.close()


async def test_a_number_whose_filing_fails_is_taken_by_the_next(database: Database) -> None:
    for _ in range(2):
        with pytest.raises(RuntimeError):
            async with database.write() as session:
                assert await drafts.next_number(session, 2026) == 1
                raise RuntimeError
    async with database.write() as session:
        assert await drafts.next_number(session, 2026) == 1


async def test_a_code_resumes_only_what_may_change(database: Database) -> None:
    conversation, other = await opened(database), await opened(database)
    number = await add(database, conversation, **COMPLETE)
    async with database.write() as session:
        draft = await session.get_one(Draft, number)
        codes = [drafts.give_code(draft) for _ in range(2)]
        assert codes[1].replace("-", "") not in str(draft.resume_hash)
    async with database.read() as session:
        assert await drafts.with_code(session, codes[0], other) is None
    for written in (codes[1], codes[1].lower(), codes[1].replace("-", " "), f" {codes[1]} "):
        async with database.read() as session:  # which does not use it up
            found = await drafts.with_code(session, written, other)
            assert found is not None and found.id == number
    async with database.write() as session:
        assert await drafts.with_code(session, codes[1], other)
    async with database.write() as session:
        assert await drafts.with_code(session, codes[1], other)
        assert await drafts.with_code(session, codes[1], conversation) is None
    async with database.write() as session:
        draft = await session.get_one(Draft, number)
        await drafts.file(session, draft, {"reference": "IDL-2026-0001"}, NOON)
    async with database.read() as session:
        assert await drafts.with_code(session, codes[1], other) is None
