"""Conversations: opening one, finding it by its token, reading its messages."""

import hashlib
import re
import secrets
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage.models import (
    Author,
    Button,
    Channel,
    Conversation,
    Direction,
    Message,
    Rating,
)

PAGE = 500
"""Most messages read at once: one asks for the following ones by the last number."""


def token_hash(token: str) -> str:
    """Return what is kept of a token.

    A plain digest is enough, and can be looked up: a token has 256 random bits.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


async def open_conversation(session: AsyncSession, channel: Channel) -> Conversation:
    """Add a conversation that no token opens yet."""
    conversation = Conversation(id=secrets.token_hex(16), channel=channel, last_seq=0)
    session.add(conversation)
    await session.flush()
    return conversation


async def open_web_conversation(session: AsyncSession) -> tuple[str, str]:
    """Add a conversation on the web; return its id and its token, kept nowhere else."""
    token = secrets.token_urlsafe(32)
    conversation = await open_conversation(session, Channel.web)
    conversation.token_hash = token_hash(token)
    return conversation.id, token


async def conversation_of_token(session: AsyncSession, token: str) -> str | None:
    """Return the id of the conversation that `token` opens."""
    found: str | None = await session.scalar(
        select(Conversation.id).where(Conversation.token_hash == token_hash(token))
    )
    return found


async def lock_conversation(session: AsyncSession, conversation_id: str) -> bool:
    """Have whatever else changes something of this conversation wait for the transaction's end.

    Tells whether there is such a conversation.
    """
    query = select(Conversation.id).where(Conversation.id == conversation_id)
    return await session.scalar(query.with_for_update()) is not None


async def messages_after(
    session: AsyncSession, conversation_id: str, after: int
) -> Sequence[Message]:
    """Return the messages numbered above `after`, in order, at most `PAGE` of them."""
    query = (
        select(Message)
        .where(Message.conversation_id == conversation_id, Message.seq > after)
        .order_by(Message.seq)
        .limit(PAGE)
    )
    return (await session.scalars(query)).all()


async def attachments_of_message(
    session: AsyncSession, conversation_id: str, seq: int
) -> Sequence[dict[str, Any]]:
    """Return what goes with a message of this very conversation; nothing if there is none."""
    query = select(Message.attachments).where(
        Message.conversation_id == conversation_id, Message.seq == seq
    )
    return await session.scalar(query) or ()


async def offer(
    session: AsyncSession, conversation_id: str, button_id: str
) -> tuple[Message, Button] | None:
    """Return a button and its message, if it was offered in this very conversation."""
    # A button's id begins with its message's number.
    seq = button_id.partition("-")[0]
    if not re.fullmatch(r"[0-9]{1,9}", seq):
        return None
    message: Message | None = await session.scalar(
        select(Message).where(
            Message.conversation_id == conversation_id,
            Message.seq == int(seq),
            Message.direction == Direction.outbound,
        )
    )
    for button in (message.buttons if message else None) or ():
        if message and button["id"] == button_id:
            return message, button
    return None


async def rate(
    session: AsyncSession, conversation_id: str, seq: int, rating: Rating | None
) -> bool:
    """Keep what the person thinks of an answer; tell whether `seq` is one."""
    rated = await session.scalar(
        update(Message)
        .where(
            Message.conversation_id == conversation_id,
            Message.seq == seq,
            Message.author == Author.assistant,
            Message.outcome.is_not(None),
        )
        .values(rating=rating)
        .returning(Message.id)
    )
    return rated is not None


async def last_numbers(session: AsyncSession, conversation_ids: Collection[str]) -> dict[str, int]:
    """Return the number of the last message of each of these conversations."""
    query = select(Conversation.id, Conversation.last_seq).where(
        Conversation.id.in_(conversation_ids)
    )
    return {row.id: row.last_seq for row in await session.execute(query)}
