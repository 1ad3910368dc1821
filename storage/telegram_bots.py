"""Telegram's bots: which process speaks for one, what it is called, the updates that were taken.

Each function runs in the caller's transaction; `now` is the caller's clock.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage.inserts import insert
from storage.models import TelegramBot, TelegramUpdate

HELD = timedelta(seconds=20)
"""How long a process speaks for a bot unless it says so again: another waits for that."""


async def add_bot(session: AsyncSession, bot_id: int) -> None:
    """Add a bot, if it is not there."""
    query = insert(session, TelegramBot).values(id=bot_id)
    await session.execute(query.on_conflict_do_nothing())


async def hold(
    session: AsyncSession, bot_id: int, process: str, now: datetime, gone: Callable[[str], bool]
) -> bool:
    """Take, or keep, the right to speak for a bot; tell whether it is ours."""
    row = await session.get(TelegramBot, bot_id, with_for_update=True, populate_existing=True)
    if row is None:
        return False
    over = row.held_until is None or row.held_until < now
    if row.holder not in (None, process) and not over and not gone(row.holder or ""):
        return False
    row.holder, row.held_until = process, now + HELD
    return True


async def let_go(session: AsyncSession, bot_id: int, process: str) -> None:
    """Leave it to another process to speak for a bot; do nothing if one does already."""
    await session.execute(
        update(TelegramBot)
        .where(TelegramBot.id == bot_id, TelegramBot.holder == process)
        .values(holder=None, held_until=None)
    )


async def name_bot(session: AsyncSession, bot_id: int, username: str) -> None:
    """Keep what a bot is called, for the links that lead to it."""
    query = update(TelegramBot).where(TelegramBot.id == bot_id)
    await session.execute(query.values(username=username))


async def username(session: AsyncSession, now: datetime) -> str | None:
    """Return what our bot is called, if one is there to answer."""
    query = select(TelegramBot.username).where(
        TelegramBot.username.is_not(None), TelegramBot.held_until > now
    )
    found: str | None = await session.scalar(query.order_by(TelegramBot.held_until.desc()).limit(1))
    return found


# Updates


async def take_update(session: AsyncSession, bot_id: int, update_id: int, now: datetime) -> bool:
    """Mark an update as taken; tell whether it was not yet."""
    query = (
        insert(session, TelegramUpdate)
        .values(bot_id=bot_id, update_id=update_id, taken_at=now)
        .on_conflict_do_nothing()
        .returning(TelegramUpdate.update_id)
    )
    return await session.scalar(query) is not None


async def forget_updates(session: AsyncSession, before: datetime) -> None:
    """Remove the marks of updates that Telegram no longer sends again."""
    await session.execute(delete(TelegramUpdate).where(TelegramUpdate.taken_at < before))
