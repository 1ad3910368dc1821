"""Drafts of candidatures: finding them, taking them up again, filing them.

Each function runs in the caller's transaction; `now` is the caller's clock.
"""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage.inserts import insert
from storage.models import Attachment, Draft, Mail, ReferenceCount, State, Status

MAY_CHANGE = (Status.draft, Status.complete)
LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
"""Of a code: none that is taken for another when it is copied by hand."""
_GROUPS, _GROUP = 3, 4


class NotFiled(ValueError):
    """A candidature is not, or no longer, one that may be filed."""


async def open_draft(session: AsyncSession, conversation_id: str) -> Draft | None:
    """Return the draft that the conversation's messages go to; its row is locked."""
    query = select(Draft).where(Draft.conversation_id == conversation_id, Draft.open)
    found: Draft | None = await session.scalar(query.with_for_update())
    return found


async def heard_before(session: AsyncSession, conversation_id: str, seq: int) -> Draft | None:
    """Return the draft that took message `seq` already, with the reply that it got."""
    query = select(Draft).where(Draft.conversation_id == conversation_id, Draft.heard_seq == seq)
    found: Draft | None = await session.scalar(query.order_by(Draft.id.desc()).limit(1))
    return found


async def drafts_of(session: AsyncSession, conversation_id: str) -> Sequence[Draft]:
    """Return the drafts of a conversation that may still change, the last used first."""
    query = select(Draft).where(
        Draft.conversation_id == conversation_id, Draft.status.in_(MAY_CHANGE)
    )
    return (await session.scalars(query.order_by(Draft.updated_at.desc(), Draft.id.desc()))).all()


async def filed_one(session: AsyncSession, conversation_id: str, draft_id: int) -> Draft | None:
    """Return draft `draft_id` of the conversation, if it is filed."""
    query = select(Draft).where(
        Draft.conversation_id == conversation_id,
        Draft.id == draft_id,
        Draft.status == Status.filed,
    )
    found: Draft | None = await session.scalar(query)
    return found


async def last_filed(session: AsyncSession, conversation_id: str) -> Draft | None:
    """Return the candidature that the conversation filed last, if it filed one."""
    query = select(Draft).where(
        Draft.conversation_id == conversation_id, Draft.status == Status.filed
    )
    found: Draft | None = await session.scalar(query.order_by(Draft.filed_at.desc()).limit(1))
    return found


async def begin(
    session: AsyncSession, conversation_id: str, questionnaire: str, now: datetime
) -> Draft:
    """Add an empty draft, and open it in place of any other."""
    await close(session, conversation_id)
    draft = Draft(
        conversation_id=conversation_id,
        questionnaire=questionnaire,
        status=Status.draft,
        open=True,
        state={},
        created_at=now,
        updated_at=now,
    )
    session.add(draft)
    await session.flush()
    return draft


async def close(session: AsyncSession, conversation_id: str) -> None:
    """Leave the conversation with no open draft."""
    await session.execute(
        update(Draft)
        .where(Draft.conversation_id == conversation_id, Draft.open)
        .values(open=False)
        .execution_options(synchronize_session="fetch")
    )


async def take_up(session: AsyncSession, draft: Draft, conversation_id: str) -> None:
    """Open a draft in a conversation, which may be another than the one it was begun in."""
    await close(session, conversation_id)
    draft.conversation_id, draft.open = conversation_id, True
    await session.flush()


async def with_code(session: AsyncSession, code: str, conversation_id: str) -> Draft | None:
    """Return the draft that may still change and that this code resumes; its row is locked.

    A code serves once; where it was used, it still says which draft it was.
    """
    known = (_hashed(code), _hashed(code, conversation_id))
    query = select(Draft).where(Draft.resume_hash.in_(known), Draft.status.in_(MAY_CHANGE))
    found: Draft | None = await session.scalar(query.with_for_update())
    if found is not None:
        found.resume_hash = known[1]
    return found


def give_code(draft: Draft) -> str:
    """Give a draft a new code to be resumed by, in place of the last; its digest is kept."""
    groups = ("".join(secrets.choice(LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
    code = "-".join(groups)
    draft.resume_hash = _hashed(code)
    return code


def _hashed(code: str, conversation_id: str = "") -> str:
    plain = "".join(character for character in code.upper() if character.isalnum())
    return hashlib.sha256(f"{plain}{conversation_id}".encode()).hexdigest()


async def next_number(session: AsyncSession, year: int) -> int:
    """Take the next number of a year's references, from 1."""
    query = (
        insert(session, ReferenceCount)
        .values(year=year, last=1)
        .on_conflict_do_update(
            index_elements=[ReferenceCount.year], set_={"last": ReferenceCount.last + 1}
        )
        .returning(ReferenceCount.last)
    )
    number: int | None = await session.scalar(query)
    assert number is not None
    return number


async def file(session: AsyncSession, draft: Draft, filed: dict[str, Any], now: datetime) -> None:
    """File a complete draft, once: what it is, its reference, and the mail that carries it.

    Raises:
        NotFiled: it is not complete, or filed already.
        sqlalchemy.exc.IntegrityError: something that it must have is missing.
    """
    if draft.status is not Status.complete:
        raise NotFiled(draft.status)
    draft.status, draft.open = Status.filed, False
    draft.reference, draft.filed = filed["reference"], filed
    draft.filed_at = draft.consented_at = draft.updated_at = now
    session.add(Mail(draft_id=draft.id, state=State.due, next_attempt_at=now, created_at=now))
    await session.flush()


async def attachments_of(session: AsyncSession, draft_id: int) -> Sequence[Attachment]:
    """Return what goes with a draft, in the order in which it came; not its content."""
    query = select(Attachment).where(Attachment.draft_id == draft_id).order_by(Attachment.id)
    return (await session.scalars(query)).all()


async def keep_attachments(session: AsyncSession, draft_id: int, kept: Collection[int]) -> None:
    """Remove the files of a draft but those `kept`."""
    await session.execute(
        delete(Attachment).where(Attachment.draft_id == draft_id, Attachment.id.not_in(kept))
    )


async def attach(
    session: AsyncSession,
    draft_id: int,
    *,
    name: str,
    media_type: str,
    sha256: str,
    content: bytes,
    now: datetime,
) -> Attachment:
    """Add a file to a draft; the same content again is the file that is there."""
    query = select(Attachment).where(Attachment.draft_id == draft_id, Attachment.sha256 == sha256)
    found: Attachment | None = await session.scalar(query)
    if found is None:
        found = Attachment(
            draft_id=draft_id,
            name=name,
            media_type=media_type,
            size=len(content),
            sha256=sha256,
            content=content,
            created_at=now,
        )
        session.add(found)
        await session.flush()
    return found


async def count_mails_due(session: AsyncSession) -> int:
    """Return how many mails wait to be sent."""
    query = select(func.count()).select_from(Mail).where(Mail.state == State.due)
    return await session.scalar(query) or 0


async def filed_drafts(session: AsyncSession, *, every: bool = False) -> Sequence[Draft]:
    """Return the candidatures that were filed, or `every` draft, the latest last."""
    query = select(Draft).order_by(Draft.id)
    if not every:
        query = query.where(Draft.reference.is_not(None))
    return (await session.scalars(query)).all()


async def of_reference(session: AsyncSession, reference: str) -> Draft | None:
    """Return the candidature of this reference, however its letters are written."""
    query = select(Draft).where(func.upper(Draft.reference) == reference.strip().upper())
    found: Draft | None = await session.scalar(query)
    return found


async def mail_of(session: AsyncSession, draft_id: int) -> Mail | None:
    """Return the mail that carries a filed candidature."""
    found: Mail | None = await session.scalar(select(Mail).where(Mail.draft_id == draft_id))
    return found
