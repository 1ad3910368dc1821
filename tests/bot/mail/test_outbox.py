"""The outbox: what is due ends in the folder, once, whatever goes wrong before."""

import asyncio
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import typst
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

import bot.document
import bot.mail.outbox
from bot.document import document_of
from bot.mail.outbox import LONGEST_RETRY, Outbox
from bot.retries import retry_delay
from candidature.filed import Filed
from candidature.pdf import pdf
from storage.conversations import open_web_conversation
from storage.database import Database
from storage.drafts import begin
from storage.models import Draft, Mail, State
from storage.times import utc_now
from tests.bot.fakes import Clock
from tests.bot.mail.filings import (
    CANDIDATURE,
    PERSONAL,
    SENDER,
    body_of,
    files_of,
    parsed,
    put_in_outbox,
)

FILES = (
    ("Délibération.pdf", "application/pdf", b"%PDF-1.4\r\n\x00\xff\n"),
    ("plan.png", "image/png", bytes(range(256))),
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "var" / "mail"


@pytest.fixture
def outbox(database: Database, folder: Path, clock: Clock) -> Outbox:
    return Outbox(database, folder, SENDER, clock=clock)


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The references of the documents made; a quick stand-in for each."""
    references: list[str] = []

    def quick(filed: Filed) -> bytes:
        references.append(filed.reference)
        return f"%PDF {filed.reference} {len(references)}".encode()

    monkeypatch.setattr(bot.document, "pdf", quick)
    return references


def obstacle(folder: Path, *, there: bool = True) -> None:
    """Put a file where the folder should be, which stops even root; or take it away."""
    folder.parent.mkdir(exist_ok=True)
    if there:
        folder.write_text("not a folder")
    else:
        folder.unlink()


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


async def mails(database: Database) -> list[Mail]:
    async with database.read() as session:
        return list(await session.scalars(select(Mail).order_by(Mail.id)))


async def states(database: Database) -> list[tuple[State, int]]:
    return [(one.state, one.attempts) for one in await mails(database)]


async def test_what_is_filed_is_delivered_whole(
    database: Database, outbox: Outbox, folder: Path
) -> None:
    draft_id = await put_in_outbox(database, files=FILES)
    assert await outbox.deliver_due() == 1
    assert names(folder) == ["IDL-2026-0001.eml"]
    file = folder / "IDL-2026-0001.eml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    mail = parsed(file.read_bytes())
    assert mail["To"] == CANDIDATURE.prefecture and "10 000 €" in body_of(mail)
    document, data, *others = files_of(mail)
    assert document[2] == pdf(CANDIDATURE) == await document_of(database, draft_id)
    assert Filed.model_validate_json(data[2]) == CANDIDATURE
    assert others == list(FILES)
    (row,) = await mails(database)
    assert (row.state, row.attempts, row.next_attempt_at) == (State.done, 0, None)


async def test_what_is_done_is_not_done_again(
    database: Database, outbox: Outbox, folder: Path, rendered: list[str]
) -> None:
    await put_in_outbox(database)
    await outbox.deliver_due()
    (folder / "IDL-2026-0001.eml").unlink()  # somebody took it away
    assert await outbox.deliver_due() == 0
    assert names(folder) == []


async def test_what_is_not_yet_due_waits(
    database: Database, outbox: Outbox, clock: Clock, rendered: list[str]
) -> None:
    await put_in_outbox(database)
    async with database.write() as session:
        await session.execute(
            update(Mail).values(next_attempt_at=utc_now().replace(year=utc_now().year + 1))
        )
    assert await outbox.deliver_due() == 0
    clock.advance(days=367)
    assert await outbox.deliver_due() == 1


async def test_it_runs_until_cancelled(
    database: Database,
    outbox: Outbox,
    folder: Path,
    rendered: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bot.mail.outbox, "POLL", 0.01)
    look, looks = outbox.deliver_due, 0

    async def failing_first() -> int:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise OperationalError("SELECT 'Ligré'", {}, Exception("gone"))
        return await look()

    monkeypatch.setattr(outbox, "deliver_due", failing_first)
    with capture_logs() as logs:
        running = asyncio.create_task(outbox.run())
        for number in (1, 2):
            await put_in_outbox(database, number)
            async with asyncio.timeout(30):
                while len([one for one in await mails(database) if one.state == "done"]) < number:
                    await asyncio.sleep(0.01)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    assert names(folder) == ["IDL-2026-0001.eml", "IDL-2026-0002.eml"]
    assert logs[0] == {
        "event": "outbox_not_read",
        "error": "OperationalError",
        "log_level": "error",
    }


async def test_a_folder_that_cannot_be_written_is_tried_again(
    database: Database, outbox: Outbox, folder: Path, clock: Clock, rendered: list[str]
) -> None:
    await put_in_outbox(database)
    obstacle(folder)
    assert await outbox.deliver_due() == 0
    assert await states(database) == [(State.due, 1)]
    assert await outbox.deliver_due() == 0
    assert await states(database) == [(State.due, 1)], "before the wait is over"
    clock.advance(seconds=1.1)
    assert await outbox.deliver_due() == 0
    clock.advance(seconds=1.1)
    assert await outbox.deliver_due() == 0
    assert await states(database) == [(State.due, 2)], "the second wait is longer"
    obstacle(folder, there=False)
    clock.advance(seconds=1.1)
    assert await outbox.deliver_due() == 1
    assert names(folder) == ["IDL-2026-0001.eml"]
    assert await states(database) == [(State.done, 2)]
    assert rendered == ["IDL-2026-0001"], "the document is made once"


async def test_a_full_disk_leaves_nothing_half_written(
    database: Database,
    outbox: Outbox,
    folder: Path,
    clock: Clock,
    rendered: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await put_in_outbox(database)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        await outbox.deliver_due()
    assert names(folder) == []
    assert await states(database) == [(State.due, 1)]
    clock.advance(seconds=2)
    assert await outbox.deliver_due() == 1


async def test_two_at_once_deliver_one_file(
    database_url: str, database: Database, folder: Path, rendered: list[str]
) -> None:
    for number in range(1, 6):
        await put_in_outbox(database, number, FILES)
    other = Database(database_url)
    try:
        outboxes = [Outbox(one, folder, SENDER) for one in (database, other)]
        delivered = await asyncio.gather(*(one.deliver_due() for one in outboxes))
    finally:
        await other.close()
    assert sum(delivered) >= 5
    assert names(folder) == [f"IDL-2026-000{number}.eml" for number in range(1, 6)]
    assert await states(database) == [(State.done, 0)] * 5
    for name in names(folder):
        document, _, *others = files_of(parsed((folder / name).read_bytes()))
        assert document[2].startswith(f"%PDF {name[:13]} ".encode()) and others == list(FILES)


async def test_one_that_fails_late_does_not_undo_what_another_did(
    database: Database,
    outbox: Outbox,
    rendered: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await put_in_outbox(database)

    async def overtaken(_: Draft) -> None:
        async with database.write() as session:
            await session.execute(update(Mail).values(state=State.done, next_attempt_at=None))
        raise OSError

    monkeypatch.setattr(outbox, "_deliver", overtaken)
    assert await outbox.deliver_due() == 0
    assert await states(database) == [(State.done, 0)]


async def test_one_bad_mail_does_not_hold_up_the_others(
    database: Database,
    outbox: Outbox,
    folder: Path,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bad = True

    def failing(filed: Filed) -> bytes:
        if bad and filed.reference == "IDL-2026-0002":
            about = f"cannot show {filed.title} of {filed.email}"
            raise typst.TypstError(about, about)
        return b"%PDF"

    monkeypatch.setattr(bot.document, "pdf", failing)
    for number in (1, 2, 3):
        await put_in_outbox(database, number, FILES)
    with capture_logs() as logs:
        assert await outbox.deliver_due() == 2
    assert names(folder) == ["IDL-2026-0001.eml", "IDL-2026-0003.eml"]
    assert await states(database) == [(State.done, 0), (State.due, 1), (State.done, 0)]
    (failure,) = [entry for entry in logs if entry["event"] == "mail_not_delivered"]
    del failure["mail"]
    assert failure == {
        "event": "mail_not_delivered",
        "log_level": "error",
        "reference": "IDL-2026-0002",
        "error": "TypstError",
    }
    assert not [word for word in PERSONAL if word.lower() in str(logs).lower()]
    bad = False
    clock.advance(seconds=2)
    assert await outbox.deliver_due() == 1


async def test_what_was_filed_but_cannot_be_read_is_kept(
    database: Database, outbox: Outbox, rendered: list[str]
) -> None:
    draft_id = await put_in_outbox(database)
    async with database.write() as session:
        await session.execute(
            update(Draft).where(Draft.id == draft_id).values(filed={"title": "Ligré"})
        )
    with capture_logs() as logs:
        assert await outbox.deliver_due() == 0
    assert await states(database) == [(State.due, 1)]
    assert [entry["error"] for entry in logs] == ["ValidationError"]
    assert not [word for word in PERSONAL if word.lower() in str(logs).lower()]


async def test_a_database_that_fails_is_looked_at_again(
    database: Database,
    outbox: Outbox,
    folder: Path,
    rendered: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await put_in_outbox(database)
    await document_of(database, (await mails(database))[0].draft_id)

    def failing() -> Any:
        raise OperationalError("UPDATE 'Ligré'", {}, Exception("gone"))

    with monkeypatch.context() as patch, capture_logs() as logs:
        patch.setattr(database, "write", failing)
        assert await outbox.deliver_due() == 0
    assert [entry["event"] for entry in logs] == ["mail_not_delivered", "mail_not_put_off"]
    assert not [word for word in PERSONAL if word.lower() in str(logs).lower()]
    assert names(folder) == ["IDL-2026-0001.eml"], "written, and it will be again"
    assert await outbox.deliver_due() == 1
    assert await states(database) == [(State.done, 0)]


async def test_no_transaction_is_open_while_it_works(
    database: Database, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another writes, from its own thread, while the document is made and the mail delivered."""
    loop = asyncio.get_running_loop()
    written = []

    async def write() -> None:
        async with database.write() as session:
            await session.execute(update(Mail).values(attempts=Mail.attempts))

    def working(*_: Any) -> bytes:
        asyncio.run_coroutine_threadsafe(write(), loop).result(timeout=20)
        written.append(True)
        return b"%PDF"

    monkeypatch.setattr(bot.document, "pdf", working)
    monkeypatch.setattr(bot.mail.outbox, "deliver", working)
    await put_in_outbox(database)
    assert await outbox.deliver_due() == 1
    assert len(written) == 2


async def test_a_document_is_the_same_for_all_who_ask_at_once(
    database: Database, rendered: list[str]
) -> None:
    draft_id = await put_in_outbox(database)
    found = await asyncio.gather(*(document_of(database, draft_id) for _ in range(8)))
    assert len(set(found)) == 1 and found[0]
    made = len(rendered)
    assert await document_of(database, draft_id) == found[0]
    assert len(rendered) == made, "then it is kept"


async def test_what_is_not_filed_has_no_document(database: Database, rendered: list[str]) -> None:
    async with database.write() as session:
        conversation_id, _ = await open_web_conversation(session)
        draft = await begin(session, conversation_id, "fonds", utc_now())
    assert await document_of(database, draft.id) is None
    assert await document_of(database, draft.id + 1000) is None
    assert rendered == []


def test_waits_double_up_to_ten_minutes() -> None:
    waits = [
        retry_delay(attempts, LONGEST_RETRY).total_seconds()
        for attempts in (1, 2, 3, 10, 11, 10_000)
    ]
    assert waits == [1, 2, 4, 512, 600, 600]
