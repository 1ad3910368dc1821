"""Erasing what a person left in a conversation, and finding the conversations left to themselves.

Each function runs in the caller's transaction.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage.chats import chat_of
from storage.conversations import lock_conversation
from storage.models import Conversation, Draft, Message

_last_at = func.coalesce(Message.created_at, Conversation.created_at)
"""When somebody last wrote in a conversation; without a message, when it was opened."""


async def erase(session: AsyncSession, conversation_id: str) -> None:
    """Erase a conversation, its messages, and its drafts that were not filed, with their files.

    A filed candidature stays, since the préfecture has it: what was filed, its
    document, its files and its mail; nothing else of its row, which belongs to
    no conversation any more. Does nothing if there is no such conversation.
    """
    # First of all, as everybody does who changes a draft: nobody then waits for
    # somebody who waits for them. The chat before it, as the intake of messages does.
    await chat_of(session, conversation_id, lock=True)
    if not await lock_conversation(session, conversation_id):
        return
    here = Draft.conversation_id == conversation_id
    # Never filed: it has no such instant. One that was filed, then withdrawn, was received.
    await session.execute(delete(Draft).where(here, Draft.filed_at.is_(None)))
    await session.execute(
        update(Draft)
        .where(here)
        # The state may hold an answer that was being changed, and the reply quotes messages.
        .values(
            conversation_id=None,
            state={},
            before=None,
            heard_seq=None,
            reply=None,
            resume_hash=None,
        )
    )
    await session.execute(delete(Conversation).where(Conversation.id == conversation_id))


async def idle(session: AsyncSession, before: datetime, limit: int) -> Sequence[str]:
    """Return conversations in which nothing happened since `before`, the oldest first.

    At most `limit` of them. Neither a message nor a draft that is not filed is as recent.
    """
    query = _idle_query(before).order_by(_last_at, Conversation.id).limit(limit)
    return (await session.scalars(query)).all()


async def still_idle(session: AsyncSession, conversation_id: str, before: datetime) -> bool:
    """Tell whether there is such a conversation, and nothing happened in it since `before`.

    Its row is locked, so that this holds until the transaction ends.
    """
    await chat_of(session, conversation_id, lock=True)
    if not await lock_conversation(session, conversation_id):
        return False
    query = _idle_query(before).where(Conversation.id == conversation_id)
    return await session.scalar(query) is not None


def _idle_query(before: datetime) -> Select[str]:
    return (
        select(Conversation.id)
        # The last message by its number: one look-up in the index of a
        # conversation, however many messages it has.
        .outerjoin(
            Message,
            (Message.conversation_id == Conversation.id) & (Message.seq == Conversation.last_seq),
        )
        .where(
            _last_at < before,
            ~exists().where(
                Draft.conversation_id == Conversation.id,
                Draft.filed_at.is_(None),
                Draft.updated_at >= before,
            ),
        )
    )
