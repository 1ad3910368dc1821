"""The relay, on both databases: nothing lost, nothing twice, in order, any number of processes."""

import asyncio
from collections.abc import Callable

import pytest

from bot.services import Services
from storage import inbox
from storage.database import Database
from storage.models import Author
from tests.bot.fakes import Clock, FakeRasa
from tests.bot.threads import answered, answers, due, opened, running, say, thread, until


async def test_messages_are_answered_in_order(
    services: Services, database: Database, fake_rasa: FakeRasa
) -> None:
    conversation = await opened(database)
    async with running(services):
        await say(services, conversation, "un", "deux", "trois")
        await answered(database, conversation, "Réponse à un", "Réponse à deux", "Réponse à trois")
    assert fake_rasa.messages == [(conversation, text) for text in ("un", "deux", "trois")]


async def test_a_restart_resumes_from_the_rows(
    database: Database, make_services: Callable[[Database], Services]
) -> None:
    conversation = await opened(database)
    await say(make_services(database), conversation, "un", "deux")
    async with running(make_services(database)):
        await answered(database, conversation, "Réponse à un", "Réponse à deux")


async def test_a_process_that_died_is_replaced(
    services: Services, database: Database, clock: Clock
) -> None:
    conversation = await opened(database)
    await say(services, conversation, "un")
    async with database.write() as session:
        assert await inbox.claim(session, conversation, "dead", clock())
    async with running(services):
        await asyncio.sleep(0.1)
        assert await answers(database, conversation) == []
        clock.advance(seconds=inbox.LEASE.total_seconds() + 1)
        await answered(database, conversation, "Réponse à un")


async def test_a_process_too_slow_answers_nothing(
    services: Services, database: Database, fake_rasa: FakeRasa, clock: Clock
) -> None:
    """Its lease ended while Rasa was thinking, and another process answered."""
    conversation = await opened(database)
    fake_rasa.pause = 1
    async with running(services):
        await say(services, conversation, "un")

        async def asked() -> bool:
            return bool(fake_rasa.messages)

        await until(asked)
        later = clock() + inbox.LEASE * 2
        async with database.write() as session:
            other = await inbox.claim(session, conversation, "other", later)
            assert other is not None
            await inbox.answer(session, other, [inbox.Reply("Moi d'abord")], None, later)
        await asyncio.sleep(1.2)
    assert await answers(database, conversation) == ["Moi d'abord"]


async def test_stopping_lets_a_turn_end_and_frees_the_others(
    services: Services,
    database: Database,
    fake_rasa: FakeRasa,
    monkeypatch: pytest.MonkeyPatch,
    make_services: Callable[[Database], Services],
) -> None:
    conversation = await opened(database)
    fake_rasa.pause = 0.1
    await say(services, conversation, "un")

    async def asked() -> bool:
        return bool(fake_rasa.messages)

    async with running(services):
        await until(asked)
    assert await answers(database, conversation) == ["Réponse à un"]

    monkeypatch.setattr("bot.relay.STOP_GRACE", 0.01)
    fake_rasa.messages.clear()
    fake_rasa.pause = 10
    await say(services, conversation, "deux")
    async with running(services):
        await until(asked)
    assert await answers(database, conversation) == ["Réponse à un"]
    fake_rasa.pause = 0
    async with running(make_services(database)):  # without waiting for the lease to end
        await answered(database, conversation, "Réponse à un", "Réponse à deux")


async def test_several_workers_answer_each_message_once(
    database_url: str,
    fake_rasa: FakeRasa,
    make_services: Callable[[Database], Services],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workers = [make_services(Database(database_url)) for _ in range(4)]
    monkeypatch.setattr("bot.relay.POLL", 0.1)
    database = workers[0].database
    conversations = [await opened(database) for _ in range(20)]
    expected = [f"message {n}" for n in range(10)]
    fake_rasa.pause = 0.001

    async def nothing_due() -> bool:
        return await due(database) == 0

    async with running(*workers):
        # What arrives while others work, from every process.
        await asyncio.gather(
            *(
                say(workers[n % 4], conversation, *expected)
                for n, conversation in enumerate(conversations)
            )
        )
        await until(nothing_due, 30)
    for conversation in conversations:
        rows = await thread(database, conversation)
        assert [m.seq for m in rows] == list(range(1, 21))
        asked = {m.id: m.text for m in rows if m.author is Author.person}
        replies = [m for m in rows if m.author is Author.assistant]
        assert [m.text for m in replies] == [f"Réponse à {text}" for text in expected]
        assert [asked[m.in_reply_to or 0] for m in replies] == expected
    assert len(fake_rasa.messages) == len(set(fake_rasa.messages)) == 200
    for worker in workers:
        await worker.database.close()
