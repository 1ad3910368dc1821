"""What is due next in a conversation, on its way in or out: the first one speaks for the rest.

While it waits for its next attempt, so do those behind it: they stay in order.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from storage.models import Direction, Message, State

_Earlier = aliased(Message)


def is_next(direction: Direction, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions on a message that is due now, with none due before it."""
    earlier = exists().where(
        _Earlier.conversation_id == Message.conversation_id,
        _Earlier.direction == direction,
        _Earlier.state == State.due,
        _Earlier.seq < Message.seq,
    )
    return (*_is_due(direction), Message.next_attempt_at <= now, ~earlier)


async def next_due(
    session: AsyncSession, conversation_id: str, direction: Direction, now: datetime
) -> Message | None:
    """Return the message of a conversation that is due now, with none due before it."""
    # Of one conversation, the first is read at once: no need to compare each with the others.
    message: Message | None = await session.scalar(
        select(Message)
        .where(Message.conversation_id == conversation_id, *_is_due(direction))
        .order_by(Message.seq)
        .limit(1)
    )
    if message is None or message.next_attempt_at is None or message.next_attempt_at > now:
        return None
    return message


def _is_due(direction: Direction) -> tuple[ColumnElement[bool], ...]:
    return (Message.direction == direction, Message.state == State.due)
