"""The questions to learn from, as they are read back."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from storage import inbox
from storage.conversations import rate
from storage.database import Database
from storage.models import Rating
from storage.questions import Question, typed_questions
from tests.storage.exchanges import NOON, OUTCOME, asked, exchanged, opened

DAY = timedelta(days=1)


async def questions(database: Database, since: datetime = NOON) -> Sequence[Question]:
    async with database.read() as session:
        return await typed_questions(session, since)


async def test_typed_questions_come_oldest_first_with_what_became_of_them(
    database: Database,
) -> None:
    mine, other = await opened(database), await opened(database)
    lost = {"kind": "not_understood", "confidence": 0.1, "references": []}
    seq = await exchanged(database, mine, "Combien ?")
    await exchanged(database, other, "Hein ?", outcome=lost)
    await exchanged(database, mine, "Quand ?", replies=("Un", "Deux"))
    async with database.write() as session:
        assert await rate(session, mine, seq, Rating.up)
    assert await questions(database) == [
        Question("Combien ?", OUTCOME, Rating.up),
        Question("Hein ?", lost, None),
        Question("Quand ?", OUTCOME, None),
    ]


async def test_what_was_answered_before_is_left_out(database: Database) -> None:
    conversation = await opened(database)
    for days, text in enumerate(("Un", "Deux", "Trois")):
        await exchanged(database, conversation, text, now=NOON + days * DAY)
    assert [one.text for one in await questions(database, NOON + DAY)] == ["Deux", "Trois"]
    assert await questions(database, NOON + 3 * DAY) == []


async def test_a_pressed_button_is_told_only_if_its_answer_is_disliked(
    database: Database,
) -> None:
    conversation = await opened(database)
    pressed = [
        await exchanged(database, conversation, title, payload="/montant")
        for title in ("Sans avis", "Aimé", "Pas aimé")
    ]
    async with database.write() as session:
        assert await rate(session, conversation, pressed[1], Rating.up)
        assert await rate(session, conversation, pressed[2], Rating.down)
    assert await questions(database) == [Question("Pas aimé", OUTCOME, Rating.down)]


async def test_without_an_answer_there_is_nothing_to_learn(database: Database) -> None:
    conversation = await opened(database)
    await exchanged(database, conversation, "Sans issue", outcome=None)
    held = await asked(database, conversation, "En attente")
    assert await questions(database) == []
    async with database.write() as session:
        await inbox.postpone(session, held, retry_at=NOON, notice="Plus tard.", now=NOON)
    assert await questions(database) == []
