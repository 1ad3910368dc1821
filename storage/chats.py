"""People's chats with a Telegram bot, and what is looked up of their messages.

Each function runs in the caller's transaction; `now` is the caller's clock.
Chats are locked before the messages of their conversations, everywhere.
"""

from datetime import datetime

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage.conversations import open_conversation
from storage.inserts import insert
from storage.models import Author, Channel, Chat, Conversation, Direction, Message, State


async def find_chat(session: AsyncSession, bot_id: int, chat_id: int) -> Chat | None:
    """Return a chat, if the person has one with us; its row is locked."""
    found: Chat | None = await session.get(
        Chat, (bot_id, chat_id), with_for_update=True, populate_existing=True
    )
    return found


async def open_chat(session: AsyncSession, bot_id: int, chat_id: int, now: datetime) -> Chat:
    """Return a chat, made with its conversation if there is none; its row is locked.

    Whoever writes is there: neither blocked nor about to be forgotten. What was
    made for them while they were not is not told any more.
    """
    chat = await find_chat(session, bot_id, chat_id)
    if chat is None:
        conversation = await open_conversation(session, Channel.telegram)
        query = (
            insert(session, Chat)
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
    chat.leaving = False
    await _come_back(session, chat)
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


async def forget_left(session: AsyncSession, bot_id: int) -> None:
    """Remove the chats that are leaving and can be told nothing more: should one be left."""
    due = exists().where(
        Message.conversation_id == Chat.conversation_id,
        Message.direction == Direction.outbound,
        Message.state == State.due,
    )
    gone = or_(~due, Chat.blocked_at.is_not(None))
    query = select(Chat.chat_id).where(Chat.bot_id == bot_id, Chat.leaving, gone)
    for chat_id in (await session.scalars(query)).all():
        await forget_chat(session, bot_id, chat_id)


async def begin_anew(
    session: AsyncSession, conversation_id: str, farewell: str, now: datetime
) -> None:
    """Give the chat of a conversation that is to be erased another one, which only says goodbye.

    Once that is sent, the chat is forgotten, unless the person writes again. Does
    nothing for a conversation that is in no chat, or in one where nothing can be
    said: that goes with its conversation.
    """
    chat = await chat_of(session, conversation_id, lock=True)
    if chat is None or chat.blocked_at is not None:
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
    await _give_up(session, chat)


async def unblock(session: AsyncSession, bot_id: int, chat_id: int) -> None:
    """Record that a person is back; what was made for them meanwhile is given up."""
    if chat := await find_chat(session, bot_id, chat_id):
        await _come_back(session, chat)


async def _come_back(session: AsyncSession, chat: Chat) -> None:
    if chat.blocked_at is None:
        return
    chat.blocked_at = None
    await session.flush()
    await _give_up(session, chat)


async def _give_up(session: AsyncSession, chat: Chat) -> None:
    await session.execute(
        update(Message)
        .where(
            Message.conversation_id == chat.conversation_id,
            Message.direction == Direction.outbound,
            Message.state == State.due,
        )
        .values(state=State.failed, next_attempt_at=None)
    )


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
    """Tell whether something was said after message number `seq`, or never will be."""
    if await session.get(Conversation, conversation_id) is None:  # it was erased
        return True
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
