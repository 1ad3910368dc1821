"""Drafts and their rows: each made of the other, erased, filed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from candidature.dialogue import Dialogue
from candidature.draft import Draft, as_json, from_json
from candidature.filed import Attached
from candidature.filing import applicant, as_filed
from storage import drafts, models
from storage.models import Status
from storage.times import PARIS

LONGEST_TITLE = 44
"""Characters of a title in a button."""


class Rows:
    """Reads and writes the rows of what a dialogue conducts."""

    def __init__(self, dialogue: Dialogue) -> None:
        self._dialogue = dialogue

    def draft(self, row: models.Draft, attachments: Sequence[models.Attachment] = ()) -> Draft:
        """Return the draft that a row holds."""
        if not row.state:
            return Draft(row.questionnaire)
        interview = self._dialogue.interview(row.questionnaire, form=row.state["form"])
        draft = from_json(row.questionnaire, row.state, interview)
        return replace(draft, attachments={one.id: one.name for one in attachments})

    async def whole(self, session: AsyncSession, row: models.Draft) -> Draft:
        """Return the draft that a row holds, with the names of its files."""
        return self.draft(row, await drafts.attachments_of(session, row.id))

    def keep(self, row: models.Draft, draft: Draft, now: datetime) -> None:
        """Write a draft to its row."""
        answers = draft.state.answers
        row.state = as_json(draft)
        row.status = Status.complete if self._dialogue.complete(draft) else Status.draft
        row.title = _text(answers.get("titre"))
        row.applicant = applicant(self._dialogue, draft)
        row.siret = _text(answers.get("siret"))
        row.email = _text(answers.get("contact_email"))
        row.cost_cents = _cents(answers.get("cout"))
        row.amount_cents = _cents(answers.get("montant"))
        row.updated_at = now

    def label(self, row: models.Draft) -> str:
        """Return what tells a draft from others: what it is called, and when it was last used."""
        title = self._dialogue.title(self.draft(row))
        return f"{title[:LONGEST_TITLE]} ({row.updated_at.astimezone(PARIS):%d/%m, %H:%M})"

    async def erase(self, session: AsyncSession, row: models.Draft) -> None:
        """Empty a row, and remove what goes with it; it stays, to say that nothing is left."""
        self.keep(row, Draft(row.questionnaire), row.updated_at)
        row.status, row.open, row.resume_hash = Status.withdrawn, False, None
        row.before = None
        await drafts.keep_attachments(session, row.id, ())

    async def file(
        self, session: AsyncSession, row: models.Draft, draft: Draft, now: datetime
    ) -> str:
        """File a complete draft; return its reference."""
        year = now.astimezone(PARIS).year
        number = await drafts.next_number(session, year)
        reference = f"{self._dialogue.form.reference}-{year}-{number:04}"
        attached = [
            Attached(name=one.name, media_type=one.media_type, size=one.size, sha256=one.sha256)
            for one in await drafts.attachments_of(session, row.id)
        ]
        row.before = None
        filed = as_filed(self._dialogue, draft, reference, now, attached)
        await session.flush()
        await drafts.file(session, row, filed.model_dump(mode="json"), now)
        return reference


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _cents(value: object) -> int | None:
    return int(value * 100) if isinstance(value, Decimal) else None
