"""The inbox: what people sent, answered once and in order, by one worker at a time.

A worker holds a conversation by a lease on its row. A lease is taken by one
conditional UPDATE, the same on every database, and ends by itself if its holder
dies. What a worker stores is refused once it no longer holds the lease, so a
slow one cannot answer a second time.

Each function runs in the caller's transaction; `now` is the caller's clock.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage.due import is_next, next_due
from storage.models import (
    Asks,
    Author,
    Button,
    Channel,
    Conversation,
    Direction,
    Message,
    State,
)

LEASE = timedelta(seconds=30)
"""How long a conversation waits for a worker that died. A turn must take less."""
EXPORTED = (("mes-donnees.txt", "text/plain"), ("mes-donnees.json", "application/json"))
"""The files in which a person gets what is kept of them: one to read, one for programs."""


class UnknownConversation(LookupError):
    """There is no such conversation (any more)."""


class DifferentContent(ValueError):
    """Another message came under the same external id."""


class LeaseLost(RuntimeError):
    """The lease passed to another worker: what was to be stored must not be."""


@dataclass(frozen=True)
class Received:
    """A message that was stored: `fresh` unless it had been before."""

    seq: int
    fresh: bool


@dataclass(frozen=True)
class Reply:
    """One thing to say; buttons are pairs of what is shown and what Rasa receives.

    `document` is the reference of a filed candidature whose PDF goes with it,
    `export` whether all that is kept of the conversation does; `asks` is what a
    messaging application may help to answer.
    """

    text: str
    buttons: Sequence[tuple[str, str]] = ()
    document: str | None = None
    export: bool = False
    asks: Asks | None = None


@dataclass(frozen=True)
class Extra:
    """What a message may come with besides its text.

    `not_before` puts its answer off; `corrects` is the number of the message that
    it takes the place of, `in_reply_to` the row that offered the button pressed.
    """

    attachments: list[dict[str, Any]] | None = None
    channel_number: int | None = None
    corrects: int | None = None
    in_reply_to: int | None = None
    not_before: datetime | None = None


@dataclass(frozen=True)
class Claim:
    """A lease on a conversation, and the first of its messages that is due."""

    conversation_id: str
    channel: Channel
    holder: str
    message: Message


async def receive(
    session: AsyncSession,
    conversation_id: str,
    *,
    scope: str | None,
    external_id: str | None,
    text: str,
    payload: str | None,
    now: datetime,
    extra: Extra = Extra(),
) -> Received:
    """Store what a person sent, to be answered; do nothing if it already is.

    Without an `external_id`, the caller knows that it is not.

    Raises:
        UnknownConversation: there is none under this id.
        DifferentContent: `external_id` is taken, by another text or button.
    """
    # The lock makes two deliveries of one message take turns.
    query = select(Conversation.id).where(Conversation.id == conversation_id).with_for_update()
    if await session.scalar(query) is None:
        raise UnknownConversation
    stored = None
    if scope is not None and external_id is not None:
        stored = await stored_message(session, scope, external_id)
    if stored is not None:
        # Nothing is left to compare of a message that was forgotten.
        if stored.text and (stored.text, stored.payload) != (text, payload):
            raise DifferentContent
        return Received(stored.seq, fresh=False)
    seq = await session.scalar(
        update(Conversation)
        .where(Conversation.id == conversation_id)
        .values(last_seq=Conversation.last_seq + 1)
        .returning(Conversation.last_seq)
    )
    assert seq is not None  # locked above
    session.add(
        Message(
            conversation_id=conversation_id,
            seq=seq,
            direction=Direction.inbound,
            author=Author.person,
            external_scope=scope,
            external_id=external_id,
            text=text,
            payload=payload,
            state=State.due,
            next_attempt_at=extra.not_before or now,
            created_at=now,
            attachments=extra.attachments,
            channel_number=extra.channel_number,
            corrects=extra.corrects,
            in_reply_to=extra.in_reply_to,
        )
    )
    await session.flush()
    return Received(seq, fresh=True)


async def stored_message(session: AsyncSession, scope: str, external_id: str) -> Message | None:
    """Return the message that came under this id, if one did."""
    found: Message | None = await session.scalar(
        select(Message).where(Message.external_scope == scope, Message.external_id == external_id)
    )
    return found


async def is_first(session: AsyncSession, message: Message) -> bool:
    """Tell whether a message is the first that its conversation received."""
    query = select(Message.id).where(
        Message.conversation_id == message.conversation_id,
        Message.direction == Direction.inbound,
        Message.seq < message.seq,
    )
    return await session.scalar(query.limit(1)) is None


async def is_first_due(session: AsyncSession, message: Message) -> bool:
    """Tell whether no message of the conversation is to be answered before this one."""
    query = select(Message.id).where(
        Message.conversation_id == message.conversation_id,
        Message.direction == Direction.inbound,
        Message.state == State.due,
        Message.seq < message.seq,
    )
    return await session.scalar(query.limit(1)) is None


async def waiting(session: AsyncSession, now: datetime, limit: int) -> Sequence[str]:
    """Return conversations that a worker could answer now, the longest waiting first."""
    return (await session.scalars(waiting_query(now, limit))).all()


def waiting_query(now: datetime, limit: int) -> Select[str]:
    """Return the query of `waiting`."""
    return (
        select(Message.conversation_id)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(
            *is_next(Direction.inbound, now),
            _free(now),
        )
        .order_by(Message.next_attempt_at)
        .limit(limit)
    )


async def claim(
    session: AsyncSession, conversation_id: str, worker: str, now: datetime
) -> Claim | None:
    """Take the lease on a conversation that is free and has a message due now."""
    # Unique for each claim: a worker that lost a lease must not pass for the
    # one that took it over, were it itself.
    holder = f"{worker}/{secrets.token_hex(4)}"
    channel = await session.scalar(
        update(Conversation)
        .where(Conversation.id == conversation_id, _free(now))
        .values(claimed_by=holder, claimed_until=now + LEASE)
        .returning(Conversation.channel)
    )
    if channel is None:
        return None
    message = await next_due(session, conversation_id, Direction.inbound, now)
    if message is None:
        await _let_go(session, conversation_id, holder)
        return None
    return Claim(conversation_id, channel, holder, message)


async def answer(
    session: AsyncSession,
    held: Claim,
    replies: Sequence[Reply],
    outcome: dict[str, Any] | None,
    now: datetime,
    *,
    forget: bool = False,
) -> Claim | None:
    """Store the replies to the claimed message and mark it done.

    `outcome` goes to the last of them; `forget` empties the message's own text.
    Returns the claim renewed on the next message due, or `None` once there is
    none and the lease was given back.

    Raises:
        LeaseLost: nothing may be stored; the transaction must be undone.
    """
    first = await _numbers(session, held, len(replies), now)
    for index, reply in enumerate(replies):
        last = index == len(replies) - 1
        session.add(_outbound(held, first + index, reply, outcome if last else None, now))
    await session.execute(
        update(Message)
        .where(Message.id == held.message.id)
        .values(state=State.done, next_attempt_at=None, **({"text": ""} if forget else {}))
    )
    await session.flush()
    message = await next_due(session, held.conversation_id, Direction.inbound, now)
    if message is None:
        await _let_go(session, held.conversation_id, held.holder)
        return None
    return Claim(held.conversation_id, held.channel, held.holder, message)


async def postpone(
    session: AsyncSession,
    held: Claim,
    *,
    retry_at: datetime | None,
    notice: str | None,
    now: datetime,
) -> None:
    """Record that the claimed message could not be answered, and give the lease back.

    It stays due, not before `retry_at`; `None` gives it up. `notice` is said to
    the person, if there is one.

    Raises:
        LeaseLost: nothing may be stored; the transaction must be undone.
    """
    first = await _numbers(session, held, 1 if notice else 0, now)
    if notice:
        session.add(_outbound(held, first, Reply(notice), None, now))
    await session.execute(
        update(Message)
        .where(Message.id == held.message.id)
        .values(
            state=State.failed if retry_at is None else State.due,
            next_attempt_at=retry_at,
            attempts=Message.attempts + 1,
        )
    )
    await session.flush()
    await _let_go(session, held.conversation_id, held.holder)


async def release(session: AsyncSession, held: Claim) -> None:
    """Give a lease back with nothing done; do nothing if it is lost already."""
    await _let_go(session, held.conversation_id, held.holder)


async def release_left(session: AsyncSession, gone: Callable[[str], bool]) -> None:
    """Give back the leases of workers that are `gone`: nobody else has to wait for their end."""
    query = select(Conversation.claimed_by).where(Conversation.claimed_by.is_not(None))
    left = [one for one in await session.scalars(query) if one and gone(one.partition("/")[0])]
    for start in range(0, len(left), 500):
        await session.execute(
            update(Conversation)
            .where(Conversation.claimed_by.in_(left[start : start + 500]))
            .values(claimed_by=None, claimed_until=None)
        )


async def count_due(session: AsyncSession, conversation_id: str | None = None) -> int:
    """Return how many inbound messages wait for their answer, in all or in a conversation."""
    query = select(func.count()).where(
        Message.direction == Direction.inbound, Message.state == State.due
    )
    if conversation_id is not None:
        query = query.where(Message.conversation_id == conversation_id)
    return await session.scalar(query) or 0


async def is_held(session: AsyncSession, conversation_id: str, now: datetime) -> bool:
    """Tell whether a worker is answering in a conversation."""
    query = select(Conversation.id).where(Conversation.id == conversation_id, _free(now))
    return await session.scalar(query) is None


def _free(now: datetime) -> Any:
    return or_(Conversation.claimed_until.is_(None), Conversation.claimed_until < now)


async def _numbers(session: AsyncSession, held: Claim, count: int, now: datetime) -> int:
    """Take `count` message numbers and renew the lease; return the first number."""
    last: int | None = await session.scalar(
        update(Conversation)
        .where(Conversation.id == held.conversation_id, Conversation.claimed_by == held.holder)
        .values(last_seq=Conversation.last_seq + count, claimed_until=now + LEASE)
        .returning(Conversation.last_seq)
    )
    if last is None:
        raise LeaseLost
    return last - count + 1


async def _let_go(session: AsyncSession, conversation_id: str, holder: str) -> None:
    await session.execute(
        update(Conversation)
        .where(and_(Conversation.id == conversation_id, Conversation.claimed_by == holder))
        .values(claimed_by=None, claimed_until=None)
    )


def _outbound(
    held: Claim, seq: int, reply: Reply, outcome: dict[str, Any] | None, now: datetime
) -> Message:
    # On the web people come and read; elsewhere an adapter delivers.
    delivered = held.channel is Channel.web
    # The message's number makes the ids of buttons unique in the conversation;
    # the random part keeps clients from taking them for something to compute.
    buttons = [
        Button(id=f"{seq}-{secrets.token_hex(4)}", title=title, payload=payload)
        for title, payload in reply.buttons
    ]
    return Message(
        conversation_id=held.conversation_id,
        seq=seq,
        direction=Direction.outbound,
        author=Author.assistant,
        text=reply.text,
        buttons=buttons or None,
        attachments=_attachments(reply),
        asks=reply.asks,
        outcome=outcome,
        state=State.done if delivered else State.due,
        next_attempt_at=None if delivered else now,
        created_at=now,
        in_reply_to=held.message.id,
    )


def _attachments(reply: Reply) -> list[dict[str, Any]] | None:
    told: list[dict[str, Any]] = []
    if reply.document:
        name = f"{reply.document}.pdf"
        told.append({"name": name, "media_type": "application/pdf", "document": reply.document})
    if reply.export:
        told += [{"name": name, "media_type": kind, "export": True} for name, kind in EXPORTED]
    return told or None
