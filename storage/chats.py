"""Telegram's rows: bots, updates that were taken, chats, and how far sending is.

Each function runs in the caller's transaction; `now` is the caller's clock.
Chats are locked before the messages of their conversations, everywhere.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from storage.conversations import open_conversation
from storage.models import (
    Author,
    Base,
    Channel,
    Chat,
    Conversation,
    Direction,
    Message,
    State,
    TelegramBot,
    TelegramUpdate,
)

HELD = timedelta(seconds=20)
"""How long a process speaks for a bot unless it says so again: another waits for that."""

_Earlier = aliased(Message)


# The bot, and who speaks for it


async def add_bot(session: AsyncSession, bot_id: int) -> None:
    """Add a bot, if it is not there."""
    query = _insert(session, TelegramBot).values(id=bot_id)
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


async def username(session: AsyncSession) -> str | None:
    """Return what our bot is called, if we have one: the one that was last held."""
    query = select(TelegramBot.username).where(TelegramBot.username.is_not(None))
    found: str | None = await session.scalar(
        query.order_by(TelegramBot.held_until.desc().nulls_last()).limit(1)
    )
    return found


# Updates


async def take_update(session: AsyncSession, bot_id: int, update_id: int, now: datetime) -> bool:
    """Mark an update as taken; tell whether it was not yet."""
    query = (
        _insert(session, TelegramUpdate)
        .values(bot_id=bot_id, update_id=update_id, taken_at=now)
        .on_conflict_do_nothing()
        .returning(TelegramUpdate.update_id)
    )
    return await session.scalar(query) is not None


async def forget_updates(session: AsyncSession, before: datetime) -> None:
    """Remove the marks of updates that Telegram no longer sends again."""
    await session.execute(delete(TelegramUpdate).where(TelegramUpdate.taken_at < before))


# Chats


async def find_chat(session: AsyncSession, bot_id: int, chat_id: int) -> Chat | None:
    """Return a chat, if the person has one with us; its row is locked."""
    found: Chat | None = await session.get(
        Chat, (bot_id, chat_id), with_for_update=True, populate_existing=True
    )
    return found


async def open_chat(session: AsyncSession, bot_id: int, chat_id: int, now: datetime) -> Chat:
    """Return a chat, made with its conversation if there is none; its row is locked.

    Whoever writes is there: neither blocked nor about to be forgotten.
    """
    chat = await find_chat(session, bot_id, chat_id)
    if chat is None:
        conversation = await open_conversation(session, Channel.telegram)
        query = (
            _insert(session, Chat)
            .values(
                bot_id=bot_id,
                chat_id=chat_id,
                conversation_id=conversation.id,
                parts_sent=0,
                in_flight=False,
                leaving=False,
                created_at=now,
            )
            .on_conflict_do_nothing()
            .returning(Chat.chat_id)
        )
        if await session.scalar(query) is None:  # another process was faster
            await session.delete(conversation)
        chat = await find_chat(session, bot_id, chat_id)
        assert chat is not None
    chat.blocked_at, chat.leaving = None, False
    return chat


async def chat_of(
    session: AsyncSession, conversation_id: str | None, *, lock: bool = False
) -> Chat | None:
    """Return the chat of a conversation, if it is one of Telegram's."""
    query = select(Chat).where(Chat.conversation_id == conversation_id)
    found: Chat | None = await session.scalar(query.with_for_update() if lock else query)
    return found


async def forget_chat(session: AsyncSession, bot_id: int, chat_id: int) -> None:
    """Remove a chat that is leaving, with what is left of its conversation."""
    chat = await find_chat(session, bot_id, chat_id)
    if chat is not None and chat.leaving:
        # The chat goes with it.
        await session.execute(delete(Conversation).where(Conversation.id == chat.conversation_id))


async def begin_anew(
    session: AsyncSession, conversation_id: str, farewell: str, now: datetime
) -> None:
    """Give the chat of a conversation that is to be erased another one, which only says goodbye.

    Once that is sent, the chat is forgotten, unless the person writes again. Does
    nothing for a conversation that is in no chat.
    """
    chat = await chat_of(session, conversation_id, lock=True)
    if chat is None:
        return
    highest = select(func.max(Message.channel_number))
    number = await session.scalar(highest.where(Message.conversation_id == conversation_id))
    conversation = await open_conversation(session, Channel.telegram)
    conversation.last_seq = 1
    session.add(
        Message(
            conversation_id=conversation.id,
            seq=1,
            direction=Direction.outbound,
            author=Author.assistant,
            text=farewell,
            state=State.due,
            next_attempt_at=now,
            created_at=now,
            # Where to look for it, should it not be known whether it was sent.
            channel_number=number,
        )
    )
    chat.conversation_id = conversation.id
    chat.parts_sent, chat.in_flight, chat.leaving = 0, False, True
    await session.flush()


async def block(session: AsyncSession, bot_id: int, chat_id: int, now: datetime) -> None:
    """Record that a person blocked the bot: what was to be sent to them is given up."""
    chat = await find_chat(session, bot_id, chat_id)
    if chat is None:
        return
    chat.blocked_at, chat.parts_sent, chat.in_flight = now, 0, False
    await session.flush()
    await session.execute(
        update(Message)
        .where(
            Message.conversation_id == chat.conversation_id,
            Message.direction == Direction.outbound,
            Message.state == State.due,
        )
        .values(state=State.failed, next_attempt_at=None)
    )


async def unblock(session: AsyncSession, bot_id: int, chat_id: int) -> None:
    """Record that a person is back."""
    if chat := await find_chat(session, bot_id, chat_id):
        chat.blocked_at = None


# Sending


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
            Message.direction == Direction.outbound,
            Message.state == State.due,
            Message.next_attempt_at <= now,
            Chat.bot_id == bot_id,
            Chat.blocked_at.is_(None),
            Chat.chat_id.not_in(busy),
            # What is first goes first: while it waits, so do those behind it.
            ~exists().where(
                _Earlier.conversation_id == Message.conversation_id,
                _Earlier.direction == Direction.outbound,
                _Earlier.state == State.due,
                _Earlier.seq < Message.seq,
            ),
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
    message: Message | None = await session.scalar(
        select(Message)
        .where(
            Message.conversation_id == chat.conversation_id,
            Message.direction == Direction.outbound,
            Message.state == State.due,
        )
        .order_by(Message.seq)
        .limit(1)
    )
    if message is None or message.next_attempt_at is None or message.next_attempt_at > now:
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


async def hand_over(session: AsyncSession, bot_id: int, process: str, due: Due, part: int) -> bool:
    """Mark a part as handed to Telegram, before it is; tell whether we may still send it."""
    holder = await session.scalar(select(TelegramBot.holder).where(TelegramBot.id == bot_id))
    return holder == process and await _progress(session, bot_id, due, part, in_flight=True)


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
    session: AsyncSession, bot_id: int, due: Due, part: int, *, in_flight: bool
) -> bool:
    # Not of a chat that has begun anew, or was blocked, meanwhile.
    changed = await session.scalar(
        update(Chat)
        .where(
            Chat.bot_id == bot_id,
            Chat.chat_id == due.chat_id,
            Chat.conversation_id == due.conversation_id,
            Chat.blocked_at.is_(None),
        )
        .values(parts_sent=part, in_flight=in_flight)
        .returning(Chat.chat_id)
    )
    return changed is not None


# Messages


async def with_number(session: AsyncSession, conversation_id: str, number: int) -> Message | None:
    """Return the person's message that has this number in Telegram."""
    found: Message | None = await session.scalar(
        select(Message)
        .where(
            Message.conversation_id == conversation_id,
            Message.direction == Direction.inbound,
            Message.channel_number == number,
        )
        # One that was changed before has its number too: the last word counts.
        .order_by(Message.seq.desc())
        .limit(1)
    )
    return found


async def is_answered(session: AsyncSession, conversation_id: str, seq: int) -> bool:
    """Tell whether something was said after message number `seq`."""
    query = select(Message.id).where(
        Message.conversation_id == conversation_id,
        Message.direction == Direction.outbound,
        Message.seq > seq,
    )
    return await session.scalar(query.limit(1)) is not None


async def tapped(session: AsyncSession, message_id: int, payload: str) -> bool:
    """Tell whether this very button of a message was tapped before."""
    query = select(Message.id).where(Message.in_reply_to == message_id, Message.payload == payload)
    return await session.scalar(query.limit(1)) is not None


async def last_message(
    session: AsyncSession, conversation_id: str, direction: Direction
) -> Message | None:
    """Return the last message in a direction."""
    found: Message | None = await session.scalar(
        select(Message)
        .where(Message.conversation_id == conversation_id, Message.direction == direction)
        .order_by(Message.seq.desc())
        .limit(1)
    )
    return found


def _insert(session: AsyncSession, table: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that may do nothing where the row is there."""
    on_postgresql = session.get_bind().dialect.name == "postgresql"
    return postgresql.insert(table) if on_postgresql else sqlite.insert(table)
