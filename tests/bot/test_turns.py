"""A turn: what Rasa gets, what people read, and what happens when it fails."""

import asyncio
import json
import logging
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from bot.relay import LONGEST_RETRY
from bot.retries import retry_delay
from bot.services import Services
from storage import inbox
from storage.conversations import open_web_conversation
from storage.database import Database
from storage.models import Message, State
from tests.bot.fakes import UNAVAILABLE, Clock, FakeRasa
from tests.bot.threads import answered, answers, due, opened, running, say, thread, until


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """None of this depends on the database."""
    return sqlite_url


async def test_rasa_gets_no_command_but_from_a_button(
    services: Services, database: Database, fake_rasa: FakeRasa
) -> None:
    conversation = await opened(database)
    await say(services, conversation, "/restart", "///")
    await services.relay.receive(
        conversation, scope=conversation, external_id="b", text="Oui", payload="/affirm"
    )
    async with running(services):
        await answered(
            database, conversation, "Réponse à restart", "Réponse à ?", "Réponse à /affirm"
        )
    shown = [m.text for m in await thread(database, conversation)][:3]
    assert shown == ["/restart", "///", "Oui"]


async def test_the_outcome_goes_to_the_last_message_of_the_turn(
    services: Services, database: Database, fake_rasa: FakeRasa
) -> None:
    fake_rasa.replies = lambda _: [
        {"text": "Un"},
        {"text": "Deux", "buttons": [{"title": "A", "payload": "/a"}]},
        {"custom": {"outcome": {"kind": "sure"}}},
    ]
    conversation = await opened(database)
    async with running(services):
        await say(services, conversation, "bonjour")
        await answered(database, conversation, "Un", "Deux")
    assert [m.outcome for m in await thread(database, conversation)] == [
        None,
        None,
        {"kind": "sure"},
    ]


@pytest.mark.parametrize("fault", ["down", "slow", "error", "silent", "unreadable", "actions_down"])
async def test_a_fault_is_said_once_and_nothing_is_lost(
    services: Services, database: Database, fake_rasa: FakeRasa, clock: Clock, fault: str
) -> None:
    fake_rasa.fault = fault
    conversation = await opened(database)

    async def attempts() -> int:
        return (await thread(database, conversation))[0].attempts

    async def tried(times: int) -> None:
        async def often_enough() -> bool:
            return await attempts() >= times

        await until(often_enough)

    async with running(services):
        await say(services, conversation, "un")
        await tried(1)
        await say(services, conversation, "deux")
        clock.advance(seconds=1)
        await tried(2)
        clock.advance(seconds=2)
        await tried(3)
        await asyncio.sleep(0.05)
        assert await attempts() == 3, "the next attempt is 4 s away"
        assert await answers(database, conversation) == [UNAVAILABLE]
        assert await due(database) == 2
        fake_rasa.fault = None
        clock.advance(seconds=4)
        await answered(database, conversation, UNAVAILABLE, "Réponse à un", "Réponse à deux")
    if fault == "actions_down":
        # Rasa remembers each message it is sent: not one for each attempt.
        assert [text for _, text in fake_rasa.messages] == ["un", "un", "deux"]


async def test_retries_wait_longer_and_longer() -> None:
    delays = [
        retry_delay(n, LONGEST_RETRY).total_seconds() for n in (1, 2, 3, 4, 5, 6, 7, 8, 100_000)
    ]
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60, 60]


async def test_other_conversations_do_not_wait(
    services: Services, database: Database, fake_rasa: FakeRasa
) -> None:
    stuck, free = await opened(database), await opened(database)
    fake_rasa.replies = lambda message: [] if message == "coincé" else [{"text": "Oui"}]
    async with running(services):
        await say(services, stuck, "coincé")
        await answered(database, stuck, UNAVAILABLE)
        await say(services, free, "libre")
        await answered(database, free, "Oui")


async def test_what_rasa_can_never_answer_is_given_up_in_the_end(
    services: Services,
    database: Database,
    fake_rasa: FakeRasa,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.relay.GIVE_UP_AFTER", 2)
    conversation = await opened(database)
    fake_rasa.replies = lambda message: [] if message == "un" else [{"text": "Oui"}]
    async with running(services):
        await say(services, conversation, "un")
        await answered(database, conversation, UNAVAILABLE)
        await say(services, conversation, "deux")
        clock.advance(seconds=1)
        await answered(database, conversation, UNAVAILABLE, "Oui")
    given_up = (await thread(database, conversation))[0]
    assert (given_up.state, given_up.attempts) == (State.failed, 2)


async def test_logs_tell_nothing_of_what_people_write(
    services: Services, database: Database, fake_rasa: FakeRasa, caplog: pytest.LogCaptureFixture
) -> None:
    async with database.write() as session:
        conversation, token = await open_web_conversation(session)
    caplog.set_level(logging.DEBUG, "httpx")
    with capture_logs() as logs:
        async with running(services):
            await say(services, conversation, "secret")
            await answered(database, conversation, "Réponse à secret")
            fake_rasa.fault = "down"
            await say(services, conversation, "secret encore")
            await answered(database, conversation, "Réponse à secret", UNAVAILABLE)
    written = json.dumps(logs, default=str) + caplog.text
    assert [entry["event"] for entry in logs] == [
        "message_received",
        "turn_answered",
        "message_received",
        "turn_failed",
    ]
    for private in ("secret", token, conversation):
        assert private not in written
    async with database.read() as session:
        states = (await session.scalars(select(Message.state).order_by(Message.seq))).all()
    assert states == [State.done, State.done, State.due, State.done]


async def test_a_database_that_fails_for_a_while_ends_nothing(
    services: Services, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = await opened(database)
    failures = iter([OperationalError("", {}, Exception("a row: secret")), RuntimeError()])
    waiting = inbox.waiting

    async def failing(*args: Any) -> Any:
        if error := next(failures, None):
            raise error
        return await waiting(*args)

    monkeypatch.setattr(inbox, "waiting", failing)
    with capture_logs() as logs:
        async with running(services):
            await say(services, conversation, "un")
            await answered(database, conversation, "Réponse à un")
    failed = [entry for entry in logs if entry["event"] == "inbox_not_read"]
    assert [entry["exc_info"] for entry in failed] == [False, True]
    assert "secret" not in str(failed)
