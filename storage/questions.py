"""Questions to learn from: what was not understood, asked back, admitted or disliked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from storage.models import Message, Rating


@dataclass(frozen=True)
class Question:
    """What a person typed, how it was decided, and what they think of the answer."""

    text: str
    outcome: dict[str, Any]
    rating: Rating | None


async def typed_questions(session: AsyncSession, since: datetime) -> Sequence[Question]:
    """Return what was said since then and got an answer, oldest first.

    A pressed button teaches nothing, unless its answer was disliked.
    """
    answered, asked = aliased(Message), aliased(Message)
    rows = await session.execute(
        select(asked.text, answered.outcome, answered.rating)
        .join(asked, asked.id == answered.in_reply_to)
        .where(
            answered.outcome.is_not(None),
            answered.created_at >= since,
            or_(asked.payload.is_(None), answered.rating == Rating.down),
        )
        .order_by(answered.id)
    )
    return [Question(row.text, row.outcome, row.rating) for row in rows]
