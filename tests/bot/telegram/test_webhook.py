"""Updates that Telegram posts: answered once they are rows, and taken from Telegram alone."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError
from telegram import Bot

from bot.services import Services
from bot.telegram.channel import Telegram as Channel
from bot.telegram.intake import Intake
from bot.telegram.manners import Manners
from bot.telegram.status import Status
from bot.web.app import create_app
from deploy.ports import LOOPBACK, free
from storage import telegram_bots
from storage.database import Database
from tests.bot.fakes import FakeRasa
from tests.bot.live import listening
from tests.bot.telegram.running import (
    TOKEN,
    calls,
    heard,
    impatient,
    made,
    received,
    running,
    said,
    settled,
    taken,
)
from tests.bot.threads import until
from tests.telegram.api import Telegram
from tests.telegram.people import Person

SECRET = "X-Telegram-Bot-Api-Secret-Token"


pytestmark = pytest.mark.usefixtures("hurried")


Behind = Callable[..., Services]


@pytest.fixture
def behind(database_url: str, fake_rasa: FakeRasa, tmp_path: Path, telegram: Telegram) -> Behind:
    """What makes the parts of a bot to which Telegram posts."""

    def make(url: str, **more: Any) -> Services:
        base = Database(database_url)
        return made(base, fake_rasa, tmp_path, telegram, webhook_url=url, **more)

    return make


async def hooked(telegram: Telegram) -> str:
    """Wait until Telegram knows where to post; return the secret."""

    async def known() -> bool:
        return telegram.updates.webhook is not None

    await until(known)
    assert telegram.updates.webhook
    return telegram.updates.webhook.secret


async def comes_to(services: Services, expected: Status) -> None:
    """Wait until the channel says that it is so."""

    async def is_it() -> bool:
        return services.telegram is not None and services.telegram.status is expected

    await until(is_it)


async def test_what_is_posted_is_answered(
    database: Database, behind: Behind, telegram: Telegram
) -> None:
    port = free()
    person = Person(telegram)
    services = behind(f"http://{LOOPBACK}:{port}/telegram/ici")
    with listening(services, port):
        secret = await hooked(telegram)
        assert len(secret) >= 32 and TOKEN not in secret
        person.say("un")
        person.say("deux")
        await heard(person, "Réponse à un", "Réponse à deux")
        await settled(database, 2)
    assert await received(database) == ["un", "deux"]
    assert calls(telegram, "getUpdates") == []
    assert telegram.updates.allowed == [
        "message",
        "edited_message",
        "callback_query",
        "my_chat_member",
    ]


async def test_the_address_has_a_path_of_its_own(
    database: Database, behind: Behind, telegram: Telegram
) -> None:
    port = free()
    person = Person(telegram)
    with listening(behind(f"http://{LOOPBACK}:{port}"), port):
        await hooked(telegram)
        assert telegram.updates.webhook
        assert telegram.updates.webhook.url == f"http://{LOOPBACK}:{port}/telegram"
        person.say("un")
        await heard(person, "Réponse à un")


async def test_an_address_that_telegram_refuses_is_told_until_it_takes_it(
    database: Database, behind: Behind, telegram: Telegram
) -> None:
    telegram.https_only = True
    port = free()
    person = Person(telegram)
    services = behind(f"http://{LOOPBACK}:{port}/telegram")
    with listening(services, port):
        await comes_to(services, Status.webhook_refused)
        telegram.https_only = False
        await comes_to(services, Status.on)
        person.say("un")
        await heard(person, "Réponse à un")


async def test_an_address_that_leads_nowhere_is_told_and_loses_nothing(
    database: Database, behind: Behind, telegram: Telegram
) -> None:
    public = free()
    person = Person(telegram)
    services = behind(f"http://{LOOPBACK}:{public}/telegram")
    with listening(services, free()):
        await comes_to(services, Status.on)
        await hooked(telegram)
        person.say("un")
        await comes_to(services, Status.webhook_failing)
        with listening(behind(f"http://{LOOPBACK}:{public}/telegram"), public):
            await heard(person, "Réponse à un")
            await comes_to(services, Status.on)


async def test_an_address_that_another_program_takes_away_is_told_again(
    database: Database, behind: Behind, telegram: Telegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.telegram.posting.LOOK", 1.0)  # it is told from one look to the next
    port = free()
    url = f"http://{LOOPBACK}:{port}/telegram"
    person = Person(telegram)
    services = behind(url)
    with listening(services, port):
        await comes_to(services, Status.on)
        await hooked(telegram)
        async with Bot(TOKEN, base_url=f"{telegram.url}/bot", request=impatient("")) as other:
            await other.set_webhook("http://127.0.0.1:9/ailleurs")
            await comes_to(services, Status.conflict)
            person.say("un")
            await heard(person, "Réponse à un")
            await comes_to(services, Status.on)
            assert (await other.get_webhook_info()).url == url


async def test_telegram_away_or_a_token_revoked_is_told_by_webhook_too(
    database: Database, behind: Behind, telegram: Telegram
) -> None:
    port = free()
    services = behind(f"http://{LOOPBACK}:{port}/telegram")
    with listening(services, port):
        await comes_to(services, Status.on)
        await hooked(telegram)
        for code, status in ((502, Status.unreachable), (401, Status.refused)):
            telegram.fail("getWebhookInfo", 1000, code=code)
            await comes_to(services, status)
            telegram.faults.clear()
            await comes_to(services, Status.on)


async def test_repeats_and_disorder_change_nothing(
    database: Database, behind: Behind, telegram: Telegram
) -> None:
    port = free()
    person = Person(telegram)
    with listening(behind(f"http://{LOOPBACK}:{port}"), port):
        await hooked(telegram)
        with telegram.updates.held():
            for text in ("un", "deux", "trois"):
                person.say(text)
            telegram.updates.reorder()
        await settled(database, 3)
        telegram.updates.repeat()
        telegram.updates.repeat(telegram.updates.given[0])
        person.say("quatre")
        await heard(person, *(f"Réponse à {word}" for word in ("trois", "deux", "un", "quatre")))
        await settled(database, 4)
    assert await received(database) == ["trois", "deux", "un", "quatre"]


async def test_a_database_that_fails_is_given_the_update_again(
    database: Database, behind: Behind, telegram: Telegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    take, failures = Intake.take, [0]

    async def failing(self: Intake, raw: dict[str, Any]) -> Manners:
        if failures[0] < 2:
            failures[0] += 1
            raise OperationalError("INSERT", {}, Exception("the disk is full"))
        return await take(self, raw)

    monkeypatch.setattr(Intake, "take", failing)
    port = free()
    person = Person(telegram)
    with listening(behind(f"http://{LOOPBACK}:{port}"), port):
        await hooked(telegram)
        person.say("un")
        await heard(person, "Réponse à un")
        await settled(database, 1)
        assert telegram.updates.webhook and telegram.updates.webhook.last_error
        assert "503" in telegram.updates.webhook.last_error[1]
    assert failures == [2]
    assert await received(database) == ["un"]


async def test_two_processes_behind_one_address(
    database: Database,
    database_url: str,
    behind: Behind,
    telegram: Telegram,
    tmp_path: Path,
    fake_rasa: FakeRasa,
) -> None:
    """Both take updates; one of them sends."""
    port = free()
    url = f"http://{LOOPBACK}:{port}/telegram"
    other = made(
        Database(database_url), fake_rasa, tmp_path, telegram, webhook_url=url, process="ici:1:aaaa"
    )
    persons = [Person(telegram, name) for name in ("Camille", "Alix")]
    services = behind(url, process="la-bas:1:bbbb")
    async with running(other):
        with listening(services, port):
            secret = await hooked(telegram)
            assert other.telegram and other.telegram.knows_secret(secret)
            for number in range(3):
                for person in persons:
                    person.say(f"{number}")
            for person in persons:
                await heard(person, *(f"Réponse à {number}" for number in range(3)))
            # What one was given already, the other is given.
            for update in telegram.updates.given:
                await other.telegram.take(update)
            await other.telegram.take(
                {"update_id": 1, "message": telegram.updates.given[0]["message"] | {"text": "x"}}
            )
            await heard(persons[0], *(f"Réponse à {text}" for text in (0, 1, 2, "x")))
            await settled(database, 7)
    assert len(await received(database)) == 7
    for person in persons:
        assert len(said(person)) == len(set(said(person)))
    await other.database.close()


# By hand


@pytest.fixture
async def client(behind: Behind) -> AsyncIterator[httpx.AsyncClient]:
    """Whoever posts to a bot; its channel does not run by itself."""
    services = behind("https://exemple.fr/crochet")
    transport = httpx.ASGITransport(create_app(services))
    assert services.telegram
    headers = {SECRET: services.telegram._secret, "Content-Type": "application/json"}
    async with services.database.write() as session:
        await telegram_bots.add_bot(session, 123)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://bot.test", headers=headers
    ) as client:
        yield client
    await services.telegram._courtesies.stop()
    await services.database.close()


def update(text: str = "un", **more: Any) -> dict[str, Any]:
    chat = {"id": 5_000_000_001, "type": "private", "first_name": "Camille"}
    sender = {"id": chat["id"], "is_bot": False, "first_name": "Camille"}
    message = {"message_id": 1, "date": 1, "chat": chat, "from": sender, "text": text}
    return {"update_id": 864_201_001, "message": message | more}


async def test_what_is_posted_is_stored_before_the_answer(
    client: httpx.AsyncClient, database: Database
) -> None:
    response = await client.post("/crochet", json=update())
    assert (response.status_code, response.content) == (200, b"")
    assert await received(database) == ["un"]


@pytest.mark.parametrize(
    "secret", [None, "", "faux", "0" * 64, "é", "a" * 5000], ids=lambda secret: str(secret)[:5]
)
async def test_without_the_secret_nothing_is_read(
    client: httpx.AsyncClient, database: Database, secret: str | None
) -> None:
    read = []

    async def body() -> AsyncIterator[bytes]:
        read.append(True)
        yield json.dumps(update()).encode()

    del client.headers[SECRET]
    headers = {} if secret is None else {SECRET.encode(): secret.encode()}
    response = await client.post("/crochet", content=body(), headers=headers)
    assert (response.status_code, response.content) == (403, b"")
    assert await received(database) == [] and await taken(database) == 0
    assert read == []


async def test_other_paths_and_methods(client: httpx.AsyncClient, database: Database) -> None:
    for path in ("/crochet/", "/telegram", "/crochet/x", "/api/crochet", "/CROCHET"):
        assert (await client.post(path, json=update())).status_code in (404, 405), path
    assert (await client.post("/telegram", json=update())).status_code == 404
    for method in ("GET", "PUT", "DELETE"):
        assert (await client.request(method, "/crochet")).status_code == 405
    assert await taken(database) == 0
    assert "crochet" not in (await client.get("/api/openapi.json")).text


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b"[]", b'"a"', b"null", b"5", b"[" * 100_000, b'{"a":' * 100_000],
    ids=lambda body: repr(body[:5]),
)
async def test_what_is_no_update_is_refused(
    client: httpx.AsyncClient, database: Database, body: bytes
) -> None:
    response = await client.post("/crochet", content=body)
    assert response.status_code == 400
    assert await taken(database) == 0
    assert (await client.post("/crochet", json=update())).status_code == 200


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"update_id": "un"},
        {"update_id": -1},
        {"update_id": 2**63},
        {"update_id": None, "message": {}},
        {"update_id": 5},
        {"update_id": 5, "message": []},
        {"update_id": 5, "message": {"chat": 5}},
        {"update_id": 5, "new_kind": {"a": [1, 2, {"b": None}]}},
    ],
    ids=repr,
)
async def test_an_odd_update_is_taken_lest_it_come_again(
    client: httpx.AsyncClient, database: Database, odd: dict[str, Any]
) -> None:
    assert (await client.post("/crochet", json=odd)).status_code == 200
    assert await received(database) == []
    assert (await client.post("/crochet", json=update())).status_code == 200
    assert await received(database) == ["un"]


async def test_fields_that_are_unknown_change_nothing(
    client: httpx.AsyncClient, database: Database
) -> None:
    raw = update(new_field={"a": 1}, chat=update()["message"]["chat"] | {"colour": [1]})
    assert (await client.post("/crochet", json=raw | {"other": 5})).status_code == 200
    assert await received(database) == ["un"]


async def test_a_caption_of_megabytes(client: httpx.AsyncClient, database: Database) -> None:
    document = {"file_id": "a", "file_unique_id": "b", "file_name": "a.pdf"}
    raw = update(document=document, caption="é" * 5_000_000)
    del raw["message"]["text"]
    content = json.dumps(raw, ensure_ascii=False).encode()
    assert (await client.post("/crochet", content=content)).status_code == 413
    content = content.replace("é".encode(), b"e")
    assert len(content) > 5_000_000
    assert (await client.post("/crochet", content=content)).status_code == 200
    (caption,) = await received(database)
    assert caption == "e" * 4000


async def test_a_database_that_fails_for_real(
    client: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a row is left of it: neither the message, nor the mark that it was taken."""
    opened: list[str] = []

    def fails(_: Any, __: Any, statement: str, *___: Any) -> None:
        if statement.startswith("INSERT INTO message") and not opened:
            opened.append(statement)
            raise OperationalError("INSERT", {}, Exception("the disk is full"))

    event.listen(Engine, "before_cursor_execute", fails)
    try:
        response = await client.post("/crochet", json=update())
        assert (response.status_code, response.content) == (503, b"")
        assert await taken(database) == 0
        assert (await client.post("/crochet", json=update())).status_code == 200
        assert (await client.post("/crochet", json=update())).status_code == 200
    finally:
        event.remove(Engine, "before_cursor_execute", fails)
    assert opened
    assert await received(database) == ["un"]


async def test_the_same_update_posted_many_times_at_once(
    client: httpx.AsyncClient, database: Database
) -> None:
    responses = await asyncio.gather(*(client.post("/crochet", json=update()) for _ in range(10)))
    assert {response.status_code for response in responses} == {200}
    assert await received(database) == ["un"]


async def test_without_an_address_nothing_is_taken(
    sqlite_url: str, fake_rasa: FakeRasa, tmp_path: Path, telegram: Telegram
) -> None:
    services = made(Database(sqlite_url), fake_rasa, tmp_path, telegram)
    assert isinstance(services.telegram, Channel) and services.telegram.webhook_path is None
    transport = httpx.ASGITransport(create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://bot.test") as client:
        headers = {SECRET: services.telegram._secret}
        response = await client.post("/telegram", json=update(), headers=headers)
    assert response.status_code in (404, 405)
    assert await taken(services.database) == 0
    await services.database.close()
