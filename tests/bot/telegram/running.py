"""Bots that run on the fake Telegram, in the loop of the test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, or_, select
from telegram.request import HTTPXRequest

import bot.processes
from bot.rasa import Rasa
from bot.services import Services
from storage.database import Database
from storage.models import Chat, Direction, Message, State, TelegramUpdate
from tests.bot.fakes import ACTIONS, RASA, FakeRasa, parts
from tests.bot.threads import until
from tests.telegram.api import Telegram
from tests.telegram.people import Person

TOKEN = "123:ABC"
BOT = 123
READ_TIMEOUT = 1.0
NOTICE = "un programme qui vous répond"


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make whatever waits wait less."""
    monkeypatch.setattr("bot.relay.POLL", 0.05)
    monkeypatch.setattr("bot.telegram.delivery.POLL", 0.05)
    monkeypatch.setattr("bot.telegram.delivery.STOP_GRACE", 0.5)
    monkeypatch.setattr("bot.telegram.channel.RENEW", 0.2)
    monkeypatch.setattr("bot.retries.FIRST_RETRY", bot.retries.FIRST_RETRY / 20)
    monkeypatch.setattr("bot.telegram.polling.CONFLICT_WAIT", 0.2)
    monkeypatch.setattr("bot.telegram.posting.LOOK", 0.2)
    monkeypatch.setattr("bot.telegram.pace.BURST", 500)
    monkeypatch.setattr("bot.telegram.pace.IN_ALL", 500)
    monkeypatch.setattr("bot.telegram.channel._request", impatient)


def impatient(_api: str) -> HTTPXRequest:
    return HTTPXRequest(
        connection_pool_size=64,
        read_timeout=READ_TIMEOUT,
        pool_timeout=5,
        # No certificates to load: Telegram is on this machine.
        httpx_kwargs={"trust_env": False, "verify": False},
    )


def made(
    database: Database,
    fake_rasa: FakeRasa,
    folder: Path,
    telegram: Telegram,
    *,
    process: str | None = None,
    **more: Any,
) -> Services:
    """Return the parts of a bot, as those of another process if one is named."""
    told = {"token": TOKEN, "api": telegram.url} | more
    with pytest.MonkeyPatch.context() as patch:
        if process is not None:
            patch.setattr("bot.relay.here", lambda: process)
            patch.setattr("bot.telegram.channel.here", lambda: process)
        return parts(database, Rasa(RASA, ACTIONS, transport=fake_rasa), folder, **told)


def killed_before() -> str:
    """Return what a process of this machine was called that runs no more."""
    return f"{bot.processes.here().rpartition(':')[0]}:00000000"


@asynccontextmanager
async def running(*several: Services) -> AsyncIterator[None]:
    """Run the relays, what looks for arrivals, and the channels."""
    tasks = []
    for services in several:
        assert services.telegram
        works = (services.relay.run(), services.arrivals.run(), services.telegram.run())
        tasks += [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for services in several:
            await services.rasa.close()


def said(person: Person) -> list[str]:
    """Return what the bot said to a person, without its first words on what it is."""
    return [one.text for one in person.said if NOTICE not in one.text]


async def heard(person: Person, *texts: str, seconds: float = 20) -> None:
    """Wait until the bot has said as many texts; they must be these."""

    async def enough() -> bool:
        return len(said(person)) >= len(texts)

    with suppress(TimeoutError):  # the difference tells more
        await until(enough, seconds)
    assert said(person) == list(texts), said(person)


async def all_sent(database: Database) -> bool:
    """Tell whether nothing waits to be answered or sent."""
    async with database.read() as session:
        due = select(func.count()).where(Message.state == State.due)
        flying = select(func.count()).where(or_(Chat.in_flight, Chat.parts_sent > 0))
        return not await session.scalar(due) and not await session.scalar(flying)


async def settled(database: Database, updates: int = 0, seconds: float = 20) -> None:
    """Wait until this many updates were taken, and nothing waits to be answered or sent."""

    async def nothing() -> bool:
        return await taken(database) >= updates and await all_sent(database)

    await until(nothing, seconds)


async def taken(database: Database) -> int:
    async with database.read() as session:
        return await session.scalar(select(func.count()).select_from(TelegramUpdate)) or 0


async def rows(database: Database, direction: Direction) -> list[Message]:
    async with database.read() as session:
        query = select(Message).where(Message.direction == direction)
        return list((await session.scalars(query.order_by(Message.id))).all())


async def received(database: Database) -> list[str]:
    """Return what people said, as it is stored."""
    return [one.text for one in await rows(database, Direction.inbound)]


async def chat_of(database: Database, person: Person) -> Chat | None:
    async with database.read() as session:
        return await session.get(Chat, (BOT, person.id))


async def greeted(database: Database, *persons: Person) -> None:
    """Have persons begin, so that what follows is not the first message of a chat."""
    for person in persons:
        person.say("bonjour")
    for person in persons:
        await heard(person, "Réponse à bonjour")
    await settled(database)


def calls(telegram: Telegram, *methods: str) -> list[dict[str, str]]:
    """Return what these methods were called with."""
    return [told for method, told in telegram.calls if method in methods]
