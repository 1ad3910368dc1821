"""Deliveries to chats: what is to be sent next, and how far its sending is.

Each function runs in the caller's transaction; `now` is the caller's clock.
Chats are locked before the messages of their conversations, everywhere.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage.due import is_next, next_due
from storage.models import Chat, Direction, Message, State, TelegramBot


@dataclass(frozen=True)
class Due:
    """The first message that is to be sent to a chat, and how far its sending is.

    `after` is the highest number that Telegram gave to a message before this part, or
    0 if none is known; `keyboard` tells whether the last one sent showed a reply keyboard.
    """

    chat_id: int
    conversation_id: str
    message: Message
    parts_sent: int
    in_flight: bool
    after: int
    keyboard: bool
    leaving: bool


async def due_chats(
    session: AsyncSession, bot_id: int, now: datetime, busy: Collection[int], limit: int
) -> Sequence[int]:
    """Return chats to which something may be sent now, the longest waiting first.

    `busy` are those that are being served.
    """
    query = (
        select(Chat.chat_id)
        .join(Message, Message.conversation_id == Chat.conversation_id)
        .where(
            *is_next(Direction.outbound, now),
            Chat.bot_id == bot_id,
            Chat.blocked_at.is_(None),
            Chat.chat_id.not_in(busy),
        )
        .order_by(Message.next_attempt_at)
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def first_due(session: AsyncSession, bot_id: int, chat_id: int, now: datetime) -> Due | None:
    """Return what is to be sent next to a chat, if it may be sent now."""
    chat = await session.get(Chat, (bot_id, chat_id), populate_existing=True)
    if chat is None or chat.blocked_at is not None:
        return None
    message = await next_due(session, chat.conversation_id, Direction.outbound, now)
    if message is None:
        return None
    before = (
        Message.conversation_id == chat.conversation_id,
        Message.seq < message.seq,
    )
    # The highest, not the last: a reply may be sent after the next message has come.
    highest = select(func.max(Message.channel_number)).where(
        Message.conversation_id == chat.conversation_id, Message.seq <= message.seq
    )
    shown = (
        select(Message.asks)
        .where(*before, Message.direction == Direction.outbound, Message.state == State.done)
        .order_by(Message.seq.desc())
        .limit(1)
    )
    return Due(
        chat_id,
        chat.conversation_id,
        message,
        chat.parts_sent,
        chat.in_flight,
        await session.scalar(highest) or 0,
        await session.scalar(shown) is not None,
        chat.leaving,
    )


async def is_tapped(session: AsyncSession, message: Message) -> bool:
    """Tell whether a person has tapped a button of a message of ours."""
    query = select(Message.id).where(
        Message.conversation_id == message.conversation_id,
        Message.direction == Direction.inbound,
        Message.in_reply_to == message.id,
    )
    return await session.scalar(query.limit(1)) is not None


async def hand_over(
    session: AsyncSession, bot_id: int, process: str, due: Due, part: int, *, again: bool
) -> bool:
    """Mark a part as handed to Telegram, before it is; tell whether we may still send it.

    `again` says that it was before, and not found. Of two that would send it, one may.
    """
    holder = await session.scalar(select(TelegramBot.holder).where(TelegramBot.id == bot_id))
    if holder != process:
        return False
    as_read = (Chat.parts_sent == part, Chat.in_flight == again)
    return await _progress(session, bot_id, due, part, *as_read, in_flight=True)


async def refused(session: AsyncSession, bot_id: int, due: Due, part: int) -> None:
    """Mark a part as not taken by Telegram: it is still to be sent."""
    await _progress(session, bot_id, due, part, in_flight=False)


async def sent(
    session: AsyncSession, bot_id: int, due: Due, part: int, *, last: bool, number: int | None
) -> bool:
    """Mark a part as sent, under Telegram's number; tell whether the message is still to be."""
    if not await _progress(session, bot_id, due, 0 if last else part + 1, in_flight=False):
        return False
    values = {"state": State.done, "next_attempt_at": None} if last else {}
    query = update(Message).where(Message.id == due.message.id, Message.state == State.due)
    await session.execute(query.values(channel_number=number, **values))
    return True


async def put_off(
    session: AsyncSession, bot_id: int, due: Due, until: datetime | None, *, failed: bool = True
) -> None:
    """Have a message sent later, or given up (`None`); `failed` counts an attempt."""
    if until is None and not await _progress(session, bot_id, due, 0, in_flight=False):
        return
    await session.execute(
        update(Message)
        .where(Message.id == due.message.id, Message.state == State.due)
        .values(
            state=State.failed if until is None else State.due,
            next_attempt_at=until,
            attempts=Message.attempts + (1 if failed else 0),
        )
    )


async def _progress(
    session: AsyncSession,
    bot_id: int,
    due: Due,
    part: int,
    *conditions: ColumnElement[bool],
    in_flight: bool,
) -> bool:
    # Not of a chat that has begun anew, or was blocked, meanwhile.
    changed = await session.scalar(
        update(Chat)
        .where(
            Chat.bot_id == bot_id,
            Chat.chat_id == due.chat_id,
            Chat.conversation_id == due.conversation_id,
            Chat.blocked_at.is_(None),
            *conditions,
        )
        .values(parts_sent=part, in_flight=in_flight)
        .returning(Chat.chat_id)
    )
    return changed is not None
