"""The channel by itself, on a Telegram that is a function."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData

import bot.telegram.channel
from bot.rasa import Fault
from bot.telegram.channel import Telegram
from knowledge.telegram import load_telegram
from storage import chats, telegram_bots
from storage.database import Database
from storage.models import Chat, TelegramUpdate
from storage.times import utc_now
from tests.bot.fakes import FakeRasa
from tests.bot.telegram.running import BOT, hurry, made, received
from tests.bot.threads import until
from tests.telegram.api import Telegram as Server

Result = Callable[[str, dict[str, Any]], Any]


class Requests(BaseRequest):
    """What the library asks of Telegram, answered by `answers`: what it returns, or raises."""

    asked: list[tuple[str, dict[str, Any]]]
    answers: dict[str, list[Any]]

    def __init__(self, asked: list[tuple[str, dict[str, Any]]], answers: dict[str, Any]) -> None:
        self.asked, self.answers = asked, answers

    @property
    def read_timeout(self) -> float | None:
        return 5

    async def initialize(self) -> None: ...

    async def shutdown(self) -> None: ...

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *_: Any, **__: Any
    ) -> tuple[int, bytes]:
        name = url.rpartition("/")[2].partition("?")[0]
        self.asked.append((name, dict(request_data.parameters) if request_data else {}))
        answers = self.answers.get(name, [])
        answer = answers.pop(0) if answers else True
        if isinstance(answer, BaseException):
            raise answer
        if answer is asyncio:
            await asyncio.Event().wait()
        if isinstance(answer, bytes):
            return 200, answer
        if isinstance(answer, tuple):
            code, said = answer
            told = {"ok": False, "error_code": code, "description": said}
            return code, json.dumps(told).encode()
        if name == "getMe":
            answer = {"id": BOT, "is_bot": True, "first_name": "P", "username": "passerelle_bot"}
        if name == "getUpdates":
            await asyncio.sleep(0.02)
            answer = answer if isinstance(answer, list) else []
        return 200, json.dumps({"ok": True, "result": answer}).encode()


Asked = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def asked() -> Asked:
    return []


@pytest.fixture
def answers() -> dict[str, list[Any]]:
    return {}


@pytest.fixture
async def channel(
    sqlite_url: str,
    fake_rasa: FakeRasa,
    tmp_path: Path,
    asked: Asked,
    answers: dict[str, list[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Telegram]:
    hurry(monkeypatch)
    monkeypatch.setattr("bot.telegram.channel._request", lambda _: Requests(asked, answers))
    database = Database(sqlite_url)
    server = Server()
    server.url = "http://telegram.test"
    services = made(database, fake_rasa, tmp_path, server)
    async with database.write() as session:
        await telegram_bots.add_bot(session, BOT)
    assert services.telegram
    yield services.telegram
    await services.rasa.close()
    await database.close()


def told(asked: Asked, *names: str) -> list[dict[str, Any]]:
    return [parameters for name, parameters in asked if name in names]


async def run_until(channel: Telegram, condition: Callable[[], bool], rows: int = 0) -> None:
    """Run until this holds, and so many messages were received."""

    async def holds() -> bool:
        return condition() and len(await received(channel._database)) >= rows

    task = asyncio.create_task(channel.run())
    try:
        await until(holds)
        await asyncio.sleep(0.2)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_menu_and_the_descriptions_are_set(channel: Telegram, asked: Asked) -> None:
    await run_until(channel, lambda: bool(told(asked, "setMyShortDescription")))
    wording = load_telegram()
    (menu,) = told(asked, "setMyCommands")
    commands = menu["commands"]
    commands = json.loads(commands) if isinstance(commands, str) else commands
    shown = [one if isinstance(one, dict) else one.to_dict() for one in commands]
    assert [(one["command"], one["description"]) for one in shown] == [
        (name, one.title) for name, one in wording.commands.items()
    ]
    assert told(asked, "setMyDescription") == [{"description": wording.description}]
    assert told(asked, "setMyShortDescription") == [
        {"short_description": wording.short_description}
    ]


async def test_the_menu_is_set_again_until_it_is_and_holds_nothing_up(
    channel: Telegram, asked: Asked, answers: dict[str, list[Any]]
) -> None:
    answers["setMyCommands"] = [(500, "Internal"), NetworkError("cut")]
    answers["setMyDescription"] = [TimedOut()]
    await run_until(channel, lambda: bool(told(asked, "setMyShortDescription")))
    assert len(told(asked, "setMyCommands")) == 4
    assert len(told(asked, "setMyShortDescription")) == 1
    names = [name for name, _ in asked]
    assert "getUpdates" in names[: names.index("setMyShortDescription")]


async def test_a_file_is_fetched(
    channel: Telegram, asked: Asked, answers: dict[str, list[Any]]
) -> None:
    file = {"file_id": "a", "file_unique_id": "b", "file_path": "documents/a.pdf"}
    answers["getFile"] = [file]
    answers["a.pdf"] = [b"%PDF"]
    assert await channel.fetch("a") == b"%PDF"
    assert told(asked, "getFile") == [{"file_id": "a"}]


async def test_a_file_that_is_not_there_any_more(
    channel: Telegram, answers: dict[str, list[Any]]
) -> None:
    answers["getFile"] = [(400, "Bad Request: invalid file_id")]
    assert await channel.fetch("a") is None


@pytest.mark.parametrize("code", [403, 404])
async def test_a_file_of_which_nothing_is_left_at_its_address(
    channel: Telegram, answers: dict[str, list[Any]], code: int
) -> None:
    answers["getFile"] = [{"file_id": "a", "file_unique_id": "b", "file_path": "documents/a.pdf"}]
    answers["a.pdf"] = [(code, "Not Found")]
    assert await channel.fetch("a") is None


async def test_a_hold_is_kept_to_its_end_while_the_database_fails(
    channel: Telegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(*_: object) -> bool:
        raise OperationalError("UPDATE", {}, Exception("away"))

    monkeypatch.setattr(telegram_bots, "hold", failing)
    assert not await channel._hold()  # it never was ours
    monkeypatch.undo()
    assert await channel._hold()
    monkeypatch.setattr(telegram_bots, "hold", failing)
    assert await channel._hold()
    ended = utc_now() + telegram_bots.HELD
    monkeypatch.setattr("bot.telegram.channel.utc_now", lambda: ended)
    assert not await channel._hold()


async def test_marks_of_updates_and_chats_that_left_are_tidied(channel: Telegram) -> None:
    now = utc_now()
    async with channel._database.write() as session:
        for number, age in ((1, timedelta(days=4)), (2, timedelta(days=2))):
            await telegram_bots.take_update(session, BOT, number, now - age)
        left = await chats.open_chat(session, BOT, 7, now)
        left.leaving = True
        await chats.open_chat(session, BOT, 8, now)

    async def tidied() -> bool:
        async with channel._database.read() as session:
            there = (await session.scalars(select(Chat.chat_id))).all()
            marks = (await session.scalars(select(TelegramUpdate.update_id))).all()
        return (there, marks) == ([8], [2])

    task = asyncio.create_task(channel.run())
    try:
        await until(tidied)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize(
    "answer", [NetworkError("cut"), TimedOut(), (500, "Internal"), (429, "Too Many"), asyncio]
)
@pytest.mark.parametrize("step", ["getFile", "a.pdf"])
async def test_a_file_that_cannot_be_had_now(
    channel: Telegram,
    answers: dict[str, list[Any]],
    monkeypatch: pytest.MonkeyPatch,
    answer: Any,
    step: str,
) -> None:
    monkeypatch.setattr(bot.telegram.channel, "FETCH_WITHIN", 0.3)
    answers["getFile"] = [{"file_id": "a", "file_unique_id": "b", "file_path": "documents/a.pdf"}]
    answers[step] = [answer]
    with pytest.raises(Fault, match="telegram") as raised:
        await channel.fetch("a")
    assert raised.value.__cause__ is None and raised.value.__suppress_context__


def update(number: int, kind: str = "private", chat: int = 7, **message: Any) -> dict[str, Any]:
    sender = {"id": 7, "is_bot": False, "first_name": "Camille"}
    place = {"id": chat, "type": kind, "title": "Conseil"}
    key = "channel_post" if kind == "channel" else "message"
    content = {"message_id": number, "date": 1, "chat": place, "from": sender} | message
    return {"update_id": number, key: content}


@pytest.mark.parametrize("answer", [(500, "x"), (403, "x"), (400, "x"), TimedOut()])
async def test_courtesies_that_fail_disturb_nothing(
    channel: Telegram, asked: Asked, answers: dict[str, list[Any]], answer: Any
) -> None:
    answers["sendChatAction"] = [answer] * 5
    answers["answerCallbackQuery"] = [answer]
    sender = {"id": 7, "is_bot": False, "first_name": "Camille"}
    tap = {"id": "1", "from": sender, "chat_instance": "1", "data": "x"}
    answers["getUpdates"] = [
        [update(1, text="un"), {"update_id": 2, "callback_query": tap}, update(3, text="deux")]
    ]
    await run_until(channel, lambda: bool(told(asked, "answerCallbackQuery")), 2)
    assert await received(channel._database) == ["un", "deux"]
    assert told(asked, "sendChatAction")


async def test_a_group_is_answered_once_and_politely(
    channel: Telegram, asked: Asked, answers: dict[str, list[Any]]
) -> None:
    sender = {"id": 7, "is_bot": False, "first_name": "Camille"}
    robot = {"id": BOT, "is_bot": True, "first_name": "P"}
    invited = {
        "chat": {"id": -5, "type": "group", "title": "Conseil"},
        "from": sender,
        "date": 1,
        "old_chat_member": {"status": "left", "user": robot},
        "new_chat_member": {"status": "member", "user": robot},
    }
    answers["getUpdates"] = [
        [
            {"update_id": 1, "my_chat_member": invited},
            update(2, "group", -5, new_chat_members=[robot]),
            update(3, "group", -5, text="que pensez-vous du robot ?"),
        ],
        [update(4, "supergroup", -6, text="/aide"), update(5, text="un")],
    ]
    await run_until(channel, lambda: len(told(asked, "sendMessage")) >= 2, 1)
    said = told(asked, "sendMessage")
    assert [one["chat_id"] for one in said] == [-5, -6]
    assert all("https://t.me/passerelle_bot" in one["text"] for one in said)
    assert await received(channel._database) == ["un"]


async def test_channels_are_not_answered(
    channel: Telegram, asked: Asked, answers: dict[str, list[Any]]
) -> None:
    answers["getUpdates"] = [
        [
            update(1, "channel", -9, text="/aide"),
            {"update_id": 2, "message": update(2, "channel", -9, text="/aide")["channel_post"]},
            update(3, text="un"),
        ]
    ]
    await run_until(channel, lambda: bool(told(asked, "sendChatAction")), 1)
    assert told(asked, "sendMessage") == []
    assert await received(channel._database) == ["un"]
