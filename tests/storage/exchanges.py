"""Questions and their answers, stored by the functions that the relay uses."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from storage import inbox
from storage.conversations import open_conversation
from storage.database import Database
from storage.inbox import Claim, Reply
from storage.models import Channel

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
OUTCOME = {"kind": "answer", "confidence": 0.9, "references": ["montant/fonds"]}


async def opened(database: Database) -> str:
    async with database.write() as session:
        return (await open_conversation(session, Channel.web)).id


async def asked(
    database: Database,
    conversation: str,
    text: str,
    *,
    payload: str | None = None,
    now: datetime = NOON,
) -> Claim:
    """Store a question, and hold the conversation."""
    async with database.write() as session:
        await inbox.receive(
            session,
            conversation,
            scope=conversation,
            external_id=str(uuid4()),
            text=text,
            payload=payload,
            now=now,
        )
        held = await inbox.claim(session, conversation, "worker", now)
    assert held is not None
    return held


async def exchanged(
    database: Database,
    conversation: str,
    text: str,
    *,
    payload: str | None = None,
    now: datetime = NOON,
    replies: Sequence[str] = ("Réponse",),
    outcome: dict[str, Any] | None = OUTCOME,
) -> int:
    """Store a question and what is answered; return the number of the last reply."""
    held = await asked(database, conversation, text, payload=payload, now=now)
    async with database.write() as session:
        await inbox.answer(session, held, [Reply(reply) for reply in replies], outcome, now)
    return held.message.seq + len(replies)
