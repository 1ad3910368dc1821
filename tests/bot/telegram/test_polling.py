"""Updates that are asked for: each becomes rows once, before Telegram may forget it."""

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from bot.services import Services
from bot.telegram.intake import Intake
from bot.telegram.manners import Manners
from bot.telegram.status import Status
from bot.web.app import create_app
from storage.database import Database
from tests.bot.api_calls import opened, read, send
from tests.bot.fakes import FakeRasa
from tests.bot.telegram.running import (
    TOKEN,
    calls,
    greeted,
    heard,
    made,
    received,
    running,
    settled,
    taken,
)
from tests.bot.threads import until
from tests.telegram.api import Telegram
from tests.telegram.markup import Refusal
from tests.telegram.people import Person
from tests.telegram.updates import Webhook

pytestmark = pytest.mark.usefixtures("hurried")


def status(services: Services) -> str:
    assert services.telegram
    return services.telegram.status.value


def offsets(telegram: Telegram) -> list[int]:
    return [int(told["offset"]) for told in calls(telegram, "getUpdates")]


async def test_an_update_is_confirmed_only_once_it_is_stored(
    database: Database,
    fake_rasa: FakeRasa,
    tmp_path: Path,
    telegram: Telegram,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The database fails twice: the update comes again until it is stored, and is stored once."""
    take, failures = Intake.take, [0]
    confirmed: list[int] = []

    async def failing(self: Intake, raw: dict[str, Any]) -> Manners:
        confirmed.append(offsets(telegram)[-1])
        if failures[0] < 2:
            failures[0] += 1
            raise OperationalError("INSERT", {}, Exception("the disk is full"))
        return await take(self, raw)

    monkeypatch.setattr(Intake, "take", failing)
    person = Person(telegram)
    async with running(made(database, fake_rasa, tmp_path, telegram)):
        person.say("un")
        await heard(person, "Réponse à un")
        await settled(database)
    assert failures == [2]
    assert await received(database) == ["un"]
    # It was asked for three times under the same number.
    assert confirmed == [0, 0, 0]


async def test_an_update_that_was_stored_is_confirmed(
    file: Database, fake_rasa: FakeRasa, tmp_path: Path, telegram: Telegram
) -> None:
    person = Person(telegram)
    async with running(made(file, fake_rasa, tmp_path, telegram)):
        person.say("un")
        await heard(person, "Réponse à un")

        async def confirmed() -> bool:
            return not telegram.updates.pending

        await until(confirmed)
    assert offsets(telegram)[-1] == telegram.updates.given[-1]["update_id"] + 1


async def test_what_fails_in_a_batch_holds_back_only_what_follows(
    file: Database,
    fake_rasa: FakeRasa,
    tmp_path: Path,
    telegram: Telegram,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    take, seen = Intake.take, list[str]()

    async def failing(self: Intake, raw: dict[str, Any]) -> Manners:
        text = raw["message"]["text"]
        seen.append(text)
        if seen.count("deux") == 1 and text == "deux":
            raise OperationalError("INSERT", {}, Exception("gone"))
        return await take(self, raw)

    monkeypatch.setattr(Intake, "take", failing)
    person = Person(telegram)
    with telegram.updates.held():
        for text in ("un", "deux", "trois"):
            person.say(text)
    async with running(made(file, fake_rasa, tmp_path, telegram)):
        await heard(person, "Réponse à un", "Réponse à deux", "Réponse à trois")
    assert seen == ["un", "deux", "deux", "trois"]
    assert await received(file) == ["un", "deux", "trois"]


async def test_repeated_updates_change_nothing(
    database: Database, fake_rasa: FakeRasa, tmp_path: Path, telegram: Telegram
) -> None:
    person = Person(telegram)
    async with running(made(database, fake_rasa, tmp_path, telegram)):
        person.say("un")
        await heard(person, "Réponse à un")
        for _ in range(3):
            telegram.updates.repeat()
        person.say("deux")
        telegram.updates.repeat(telegram.updates.given[0])
        await heard(person, "Réponse à un", "Réponse à deux")

        async def given() -> bool:
            return not telegram.updates.pending

        await until(given)
        await settled(database)
    assert await received(database) == ["un", "deux"]
    assert fake_rasa.messages[-1][1] == "deux" and len(fake_rasa.messages) == 2


async def test_updates_out_of_order_are_all_taken(
    file: Database, fake_rasa: FakeRasa, tmp_path: Path, telegram: Telegram
) -> None:
    one, other = Person(telegram, "Camille"), Person(telegram, "Alix")
    with telegram.updates.held():
        one.say("un")
        other.say("a")
        one.say("deux")
        other.say("b")
        telegram.updates.reorder(renumber=True)
    async with running(made(file, fake_rasa, tmp_path, telegram)):
        await heard(one, "Réponse à deux", "Réponse à un")
        await heard(other, "Réponse à b", "Réponse à a")
    assert sorted(await received(file)) == ["a", "b", "deux", "un"]


MALFORMED: list[dict[str, Any]] = [
    {},
    {"message": None},
    {"message": "bonjour"},
    {"message": []},
    {"message": {"message_id": 1}},
    {"message": {"message_id": "un", "date": 0, "chat": {"id": 1, "type": "private"}}},
    {"message": {"message_id": 1, "date": 0, "chat": {"id": 1, "type": "private"}, "text": 5}},
    {"message": {"message_id": 1, "date": 9e99, "chat": {"id": 1, "type": "private"}, "text": "a"}},
    {"callback_query": {"id": 5}},
    {"my_chat_member": {"chat": {"id": 1, "type": "private"}}},
    {"edited_message": {"message_id": 1, "chat": None}},
    {"something_new": {"x": 1}},
]


async def test_malformed_updates_do_not_hold_the_others(
    database: Database, fake_rasa: FakeRasa, tmp_path: Path, telegram: Telegram
) -> None:
    person = Person(telegram)
    with telegram.updates.held():
        person.say("un")
        for update in MALFORMED:
            telegram.updates.raw(update)
        person.say("deux")
    async with running(made(database, fake_rasa, tmp_path, telegram)):
        await heard(person, "Réponse à un", "Réponse à deux")
    texts = await received(database)
    assert [text for text in texts if text in ("un", "deux")] == ["un", "deux"]


@pytest.mark.parametrize("chat", ["x", 2**70])
async def test_what_the_database_refuses_does_not_hold_the_others(
    migrated_schema: Callable[[], str],
    fake_rasa: FakeRasa,
    tmp_path: Path,
    telegram: Telegram,
    chat: object,
) -> None:
    database = Database(migrated_schema())
    person = Person(telegram)
    beyond = {"id": chat, "type": "private"}
    with telegram.updates.held():
        telegram.updates.raw({"message": {"message_id": 1, "date": 0, "chat": beyond, "text": "a"}})
        person.say("un")
    try:
        async with running(made(database, fake_rasa, tmp_path, telegram)):
            await heard(person, "Réponse à un", seconds=3)
    finally:
        await database.close()


async def test_a_restart_goes_on_with_the_conversation(
    database: Database, fake_rasa: FakeRasa, tmp_path: Path, telegram: Telegram
) -> None:
    person = Person(telegram)
    async with running(made(database, fake_rasa, tmp_path, telegram)):
        person.say("un")
        await heard(person, "Réponse à un")
        await settled(database)
    person.say("deux")
    fake_rasa.pause = 0.5
    async with running(made(database, fake_rasa, tmp_path, telegram)):

        async def stored() -> bool:
            return await taken(database) == 2

        await until(stored)
        person.say("trois")
    async with running(made(database, fake_rasa, tmp_path, telegram)):
        await heard(person, "Réponse à un", "Réponse à deux", "Réponse à trois")
        await settled(database, 3)
    assert await received(database) == ["un", "deux", "trois"]


async def test_telegram_goes_away_and_comes_back(
    file: Database, fake_rasa: FakeRasa, tmp_path: Path, telegram: Telegram
) -> None:
    person = Person(telegram)
    fake_rasa.pause = 0.5
    async with running(made(file, fake_rasa, tmp_path, telegram)):
        await greeted(file, person)
        person.say("un")

        async def asked() -> bool:
            return len(fake_rasa.messages) == 2

        await until(asked)
        await telegram.stop()
        person.say("deux")
        await asyncio.sleep(1)
        await telegram.start()
        await heard(person, "Réponse à bonjour", "Réponse à un", "Réponse à deux")
        await settled(file, 3)
    assert await received(file) == ["bonjour", "un", "deux"]


async def test_telegram_is_not_there_at_the_start(
    sqlite_url: str, fake_rasa: FakeRasa, tmp_path: Path, telegram: Telegram
) -> None:
    database = Database(sqlite_url)
    person = Person(telegram)
    person.say("un")
    await telegram.stop()
    services = made(database, fake_rasa, tmp_path, telegram)
    assert services.telegram and status(services) == "starting"
    async with running(services):

        async def unreachable() -> bool:
            return status(services) == "unreachable"

        await until(unreachable)
        await telegram.start()
        await heard(person, "Réponse à un")
        assert status(services) == "on"
        assert services.telegram.username == "passerelle_test_bot"
    await database.close()


async def test_another_program_that_polls_is_told_once_and_outlived(
    sqlite_url: str, fake_rasa: FakeRasa, tmp_path: Path, telegram: Telegram
) -> None:
    database = Database(sqlite_url)
    person = Person(telegram)
    with capture_logs() as logs:
        services = made(database, fake_rasa, tmp_path, telegram)
        assert services.telegram
        async with running(services):
            await greeted(database, person)
            asked = len(calls(telegram, "getUpdates"))
            with telegram.updates.held():
                # Each poll of somebody else ends ours, and ours ends theirs.
                for _ in range(3):
                    with pytest.raises((TimeoutError, Refusal)):
                        await asyncio.wait_for(telegram.updates.poll(0, 1, 5), 0.6)
                    assert services.telegram.status is Status.conflict
            person.say("un")
            await heard(person, "Réponse à bonjour", "Réponse à un")
            assert services.telegram.status is Status.on
        assert len(calls(telegram, "getUpdates")) > asked
    assert [one["event"] for one in logs].count("telegram_conflict") == 1
    assert await received(database) == ["bonjour", "un"]
    await database.close()


async def test_telegram_says_when_to_poll_again(
    sqlite_url: str, fake_rasa: FakeRasa, tmp_path: Path, telegram: Telegram
) -> None:
    database = Database(sqlite_url)
    person = Person(telegram)
    telegram.fail("getUpdates", code=429, retry_after=1)
    with capture_logs() as logs:
        async with running(made(database, fake_rasa, tmp_path, telegram)):

            async def refused() -> bool:
                return bool(calls(telegram, "getUpdates"))

            await until(refused)
            before = time.monotonic()
            person.say("un")
            await asyncio.sleep(0.7)
            assert len(calls(telegram, "getUpdates")) == 1
            await heard(person, "Réponse à un")
            assert time.monotonic() - before >= 0.9
    assert "telegram_not_polled" not in [one["event"] for one in logs]
    await database.close()


@pytest.mark.parametrize("fault", [{"code": 500}, {"code": 502}, {"cut": True}])
async def test_a_poll_that_fails_is_made_again(
    sqlite_url: str,
    fake_rasa: FakeRasa,
    tmp_path: Path,
    telegram: Telegram,
    fault: dict[str, Any],
) -> None:
    database = Database(sqlite_url)
    person = Person(telegram)
    person.say("un")
    telegram.fail("getUpdates", 3, **fault)
    async with running(made(database, fake_rasa, tmp_path, telegram)):
        await heard(person, "Réponse à un")
        await settled(database, 1)
    assert await received(database) == ["un"]
    await database.close()


async def test_a_webhook_that_somebody_left_is_taken_away(
    sqlite_url: str, fake_rasa: FakeRasa, tmp_path: Path, telegram: Telegram
) -> None:
    database = Database(sqlite_url)
    person = Person(telegram)
    await telegram.updates.set_webhook(Webhook("http://127.0.0.1:9/ailleurs"), drop=False)
    person.say("un")
    telegram.fail("deleteWebhook", 2, code=500)
    async with running(made(database, fake_rasa, tmp_path, telegram)):
        await heard(person, "Réponse à un")
    assert telegram.updates.webhook is None
    assert len(calls(telegram, "deleteWebhook")) == 3
    await database.close()


@pytest.mark.parametrize("token", ["123:XYZ", "321:ABC", "rien"])
async def test_a_wrong_token_is_said_once_and_disturbs_nothing_else(
    sqlite_url: str,
    fake_rasa: FakeRasa,
    tmp_path: Path,
    telegram: Telegram,
    token: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    database = Database(sqlite_url)
    caplog.set_level(logging.INFO)
    # As the bot's own logs do (`bot.log`): it writes addresses, which hold the token.
    caplog.set_level(logging.WARNING, "httpx")
    services = made(database, fake_rasa, tmp_path, telegram, token=token)
    assert services.telegram
    with capture_logs() as logs:
        app = create_app(services)
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://bot.test") as client,
        ):

            async def refused() -> bool:
                return status(services) == "refused"

            await until(refused)
            who = await opened(client)
            assert (await send(client, who, text="bonjour")).status_code == 202

            async def answered() -> bool:
                return "Réponse à bonjour" in [one["text"] for one in await read(client, who)]

            await until(answered)
            await asyncio.sleep(0.5)
    assert [one["event"] for one in logs].count("telegram_token_refused") == 1
    assert len(calls(telegram, "getMe")) == 0  # the token is looked at before all else
    assert calls(telegram, "getUpdates", "deleteWebhook", "setMyCommands") == []
    assert token not in repr(logs)
    assert token not in caplog.text and token not in repr([one.__dict__ for one in caplog.records])


async def test_no_log_holds_the_token_nor_what_is_said(
    sqlite_url: str,
    fake_rasa: FakeRasa,
    tmp_path: Path,
    telegram: Telegram,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    database = Database(sqlite_url)
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.WARNING, "httpx")
    person = Person(telegram)
    with capture_logs() as logs:
        async with running(made(database, fake_rasa, tmp_path, telegram)):
            await greeted(database, person)
            telegram.fail("sendChatAction", code=500)
            telegram.fail("sendMessage", cut=True)
            telegram.fail("sendMessage", code=502)
            telegram.fail("getUpdates", 2, cut=True)
            telegram.fail("getUpdates", code=502)
            person.say("secret de Camille")
            await heard(person, "Réponse à bonjour", "Réponse à secret de Camille")
            await settled(database)
            await telegram.stop()
            await asyncio.sleep(0.5)
            await telegram.start()
            person.say("encore")
            await heard(
                person,
                "Réponse à bonjour",
                "Réponse à secret de Camille",
                "Réponse à encore",
            )
    events = {one["event"] for one in logs}
    assert {"message_not_sent", "telegram_not_polled", "message_delivered"} <= events
    for written in (repr(logs), caplog.text, repr([one.__dict__ for one in caplog.records])):
        assert TOKEN not in written
        assert "Camille" not in written
        assert str(person.id) not in written
    await database.close()


async def test_stopping_is_quick_while_telegram_holds_a_poll(
    file: Database, fake_rasa: FakeRasa, tmp_path: Path, telegram: Telegram
) -> None:
    person = Person(telegram)
    async with running(made(file, fake_rasa, tmp_path, telegram)):
        await greeted(file, person)
        before = time.monotonic()
    assert time.monotonic() - before < 2


async def test_stopping_is_quick_while_telegram_is_away(
    sqlite_url: str, fake_rasa: FakeRasa, tmp_path: Path, telegram: Telegram
) -> None:
    database = Database(sqlite_url)
    person = Person(telegram)
    async with running(made(database, fake_rasa, tmp_path, telegram)):
        await greeted(database, person)
        await telegram.stop()
        await asyncio.sleep(0.3)
        before = time.monotonic()
    assert time.monotonic() - before < 2
    await database.close()
