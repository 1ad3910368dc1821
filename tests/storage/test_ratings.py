"""What people think of answers: kept with the answer, and with nothing else."""

from datetime import timedelta

from storage import inbox
from storage.conversations import messages_after, rate
from storage.database import Database
from storage.models import Author, Direction, Message, Rating, State
from tests.storage.exchanges import NOON, OUTCOME, asked, exchanged, opened


async def rated(database: Database, conversation: str, seq: int, rating: Rating | None) -> bool:
    async with database.write() as session:
        return await rate(session, conversation, seq, rating)


async def ratings(database: Database, conversation: str) -> list[Rating | None]:
    async with database.read() as session:
        return [message.rating for message in await messages_after(session, conversation, 0)]


async def test_the_last_word_counts(database: Database) -> None:
    conversation = await opened(database)
    seq = await exchanged(database, conversation, "Combien ?")
    assert await ratings(database, conversation) == [None, None]
    for rating in (Rating.up, Rating.up, Rating.down, None, None, Rating.down):
        assert await rated(database, conversation, seq, rating)
        assert await ratings(database, conversation) == [None, rating]


async def test_each_answer_has_its_own_rating(database: Database) -> None:
    conversation = await opened(database)
    first = await exchanged(database, conversation, "Combien ?")
    second = await exchanged(database, conversation, "Quand ?")
    assert await rated(database, conversation, first, Rating.up)
    assert await rated(database, conversation, second, Rating.down)
    assert await ratings(database, conversation) == [None, Rating.up, None, Rating.down]


async def test_only_what_ends_an_answer_is_rated(database: Database) -> None:
    conversation = await opened(database)
    last = await exchanged(database, conversation, "Combien ?", replies=("Un", "Deux"))
    for seq in (1, 2, last + 1, 0, -1):
        assert not await rated(database, conversation, seq, Rating.up)
    assert await ratings(database, conversation) == [None, None, None]
    assert await rated(database, conversation, last, Rating.up)
    assert await ratings(database, conversation) == [None, None, Rating.up]


async def test_an_answer_is_rated_in_its_conversation_only(database: Database) -> None:
    mine, other = await opened(database), await opened(database)
    seq = await exchanged(database, mine, "Combien ?")
    for conversation in (other, "nobody"):
        assert not await rated(database, conversation, seq, Rating.down)
    assert await ratings(database, mine) == [None, None]


async def test_neither_a_notice_nor_an_agent_is_rated(database: Database) -> None:
    conversation = await opened(database)
    held = await asked(database, conversation, "Combien ?")
    later = NOON + timedelta(seconds=1)
    async with database.write() as session:
        await inbox.postpone(session, held, retry_at=later, notice="Plus tard.", now=NOON)
        session.add(
            Message(
                conversation_id=conversation,
                seq=3,
                direction=Direction.outbound,
                author=Author.agent,
                text="Bonjour",
                outcome=OUTCOME,
                state=State.done,
            )
        )
    for seq in (2, 3):
        assert not await rated(database, conversation, seq, Rating.up)
    assert await ratings(database, conversation) == [None, None, None]
