"""Joining a file to the draft of a conversation, whatever the channel that it comes by."""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from sqlalchemy.ext.asyncio import AsyncSession

from candidature.attachments import Attachment, Refusal, check, too_much
from storage import drafts, models
from storage.database import Database
from storage.models import Draft
from storage.payloads import step_payload


class NoDraft(LookupError):
    """The conversation has no open draft."""


class Unfit(ValueError):
    """The file is not taken, for this `reason`."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class File:
    """A file as it is sent."""

    name: str
    content: bytes

    @cached_property
    def sha256(self) -> str:
        """The content's fingerprint, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


async def checked(database: Database, conversation: str, file: File) -> Attachment:
    """Return the file as it may be joined; in a thread, and in no transaction: it takes a while.

    Raises:
        NoDraft: there is nothing to join it to.
        Unfit: it is not taken.
    """
    async with database.read() as session:
        sizes = await _others(session, await _draft(session, conversation), file)
    return _taken(await asyncio.to_thread(check, file.name, file.content, sizes))


async def join(
    session: AsyncSession, conversation: str, file: File, attachment: Attachment, now: datetime
) -> tuple[models.Attachment, str]:
    """Keep a file that was checked; return its row, and what Rasa receives of it.

    The caller holds the conversation's lock. The same file again is the one that is there.

    Raises:
        NoDraft: the draft was left meanwhile.
        Unfit: the draft's other files leave it no room any more.
    """
    draft = await _draft(session, conversation)
    # Again, now that nobody else may be at it.
    _taken(too_much(len(file.content), await _others(session, draft, file)) or attachment)
    kept = await drafts.attach(
        session,
        draft.id,
        name=attachment.name,
        media_type=attachment.media_type,
        sha256=file.sha256,
        content=file.content,
        now=now,
    )
    return kept, step_payload(f"{draft.id}:attached:{kept.id}:{file.sha256[:16]}")


def _taken(found: Attachment | Refusal) -> Attachment:
    if isinstance(found, Attachment):
        return found
    raise Unfit(found)


async def _draft(session: AsyncSession, conversation: str) -> Draft:
    draft = await drafts.open_draft(session, conversation)
    if draft is None:
        raise NoDraft
    return draft


async def _others(session: AsyncSession, draft: Draft, file: File) -> list[int]:
    """Return the sizes of the draft's other files."""
    there = await drafts.attachments_of(session, draft.id)
    return [one.size for one in there if one.sha256 != file.sha256]
