"""Conversations with a bot taken by its parts, without the web."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from bot.services import Services
from storage import inbox
from storage.conversations import messages_after, open_web_conversation
from storage.database import Database
from storage.models import Direction, Message


@asynccontextmanager
async def running(*several: Services) -> AsyncIterator[None]:
    """Run the relays."""
    tasks = [asyncio.create_task(services.relay.run()) for services in several]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 10) -> None:
    """Wait until `condition` holds; fail after `seconds`."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.03)


async def opened(database: Database) -> str:
    async with database.write() as session:
        return (await open_web_conversation(session))[0]


async def say(services: Services, conversation: str, *words: str) -> None:
    for text in words:
        await services.relay.receive(
            conversation, scope=conversation, external_id=text, text=text, payload=None
        )


async def thread(database: Database, conversation: str) -> Sequence[Message]:
    async with database.read() as session:
        return await messages_after(session, conversation, 0)


async def answers(database: Database, conversation: str) -> list[str]:
    rows = await thread(database, conversation)
    return [m.text for m in rows if m.direction is Direction.outbound]


async def answered(database: Database, conversation: str, *expected: str) -> None:
    async def are_there() -> bool:
        return len(await answers(database, conversation)) >= len(expected)

    await until(are_there)
    assert await answers(database, conversation) == list(expected)


async def due(database: Database) -> int:
    async with database.read() as session:
        return await inbox.count_due(session)
