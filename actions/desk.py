"""The desk: where a message meets the drafts of its conversation, and their rows.

A message that is taken twice, because its first answer was lost on the way, is
heard once: the row keeps the number of the last one, and the reply that it got.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from candidature.dialogue import Dialogue, Effect, Meaning, Turn
from candidature.draft import Draft, as_json, from_json
from candidature.filed import Attached
from candidature.filing import applicant, as_filed
from candidature.wording import Button, Said
from storage import drafts, models
from storage.database import Database
from storage.models import Status
from storage.times import utc_now

PARIS = ZoneInfo("Europe/Paris")
"""Where the préfecture's year begins, and its day."""
LONGEST_TITLE = 44
"""Characters of a title in a button."""
_CODE = re.compile(
    r"^\W*(?:je\s+)?repren\w*\W+(?:\w+\W+){0,4}?([a-z0-9]{4}[\s-]+[a-z0-9]{4}[\s-]+[a-z0-9]{4})\W*$",
    re.I,
)


@dataclass(frozen=True)
class Message:
    """What a person sent: the text typed, or the step of the button pressed.

    `seq` is its number in the conversation, if the relay told it.
    """

    conversation: str
    seq: int | None
    text: str
    step: str | None = None


@dataclass(frozen=True)
class Reply:
    """What to say, and the reference of a candidature whose document goes with it."""

    said: Said
    document: str | None = None


@dataclass(frozen=True)
class Taken:
    """What became of a message: the draft's reply or, if it is not for the draft, what waits."""

    reply: Reply | None = None
    waiting: Said | None = None


class Desk:
    """Takes the messages that are for a draft."""

    def __init__(
        self, database: Database, dialogue: Dialogue, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._database = database
        self._dialogue = dialogue
        self._clock = clock

    async def take(self, message: Message, meaning: Meaning) -> Taken:
        """Take a message, or leave it to whoever answers questions."""
        async with self._database.read() as session:
            before = await self._heard_before(session, message)
            if before:
                return Taken(before)
            row = await drafts.open_draft(session, message.conversation)
        command = None
        if message.step is None:
            command = self._dialogue.command(message.text, open_draft=row is not None)
        code = _CODE.match(message.text) if message.step is None else None
        if row is None and not (message.step or command or code):
            return Taken()
        async with self._database.write() as session:
            # Again, now that nobody else may be at it.
            reply = await self._heard_before(session, message)
            if reply is None and code:
                reply = await self._with_code(session, message, code[1])
            elif reply is None and (message.step or command):
                reply = await self._stepped(session, message, message.step or f"0:{command}")
            elif reply is None:
                reply = await self._heard(session, message, meaning)
        return Taken(reply) if reply else Taken(waiting=await self._waiting(message))

    def again(self) -> str:
        """Return what is said before a question that was left is asked again."""
        return self._dialogue.words.say("again")

    async def _heard_before(self, session: AsyncSession, message: Message) -> Reply | None:
        if message.seq is None:
            return None
        row = await drafts.heard_before(session, message.conversation, message.seq)
        return _reply_from_json(row.reply) if row and row.reply else None

    async def _waiting(self, message: Message) -> Said | None:
        async with self._database.read() as session:
            row = await drafts.open_draft(session, message.conversation)
            if row is None:
                return None
            said = self._dialogue.prompt(self._draft(row))
            return _of_draft(said, row.id) if said else None

    async def _heard(
        self, session: AsyncSession, message: Message, meaning: Meaning
    ) -> Reply | None:
        row = await drafts.open_draft(session, message.conversation)
        if row is None:
            return None
        draft = await self._whole(session, row)
        turn = self._dialogue.hear(draft, message.text, meaning, self._today())
        return await self._done(session, message, row, turn) if turn else None

    async def _stepped(self, session: AsyncSession, message: Message, pressed: str) -> Reply | None:
        number, _, step = pressed.partition(":")
        verb, _, rest = step.partition(":")
        if verb == "begin":
            return await self._begin(session, message, rest)
        row = await drafts.open_draft(session, message.conversation)
        if row is None and verb in ("form", "cancel") and not await self._begun(session, message):
            if verb == "cancel":
                return Reply(Said(self._dialogue.words.say("nothing_to_cancel")))
            return await self._begin(session, message, self._dialogue.form.questionnaire)
        if verb == "resume":
            return await self._resume(session, message, row, rest)
        filed = await drafts.filed_one(session, message.conversation, int(number))
        if filed:
            told = self._dialogue.words.say("filed_already", reference=filed.reference)
            return Reply(Said(told), filed.reference)
        if row is None or number not in ("0", str(row.id)):
            # The button of a draft that was left meanwhile: take it up, and look before acting.
            return await self._resume(session, message, row, number if number != "0" else "")
        draft = await self._whole(session, row)
        turn = self._dialogue.press(draft, step, self._today())
        if turn is None:
            turn = self._dialogue.resumed(draft, self._today())
        if turn.draft.questionnaire != row.questionnaire:  # it leads to another questionnaire
            row = await drafts.begin(
                session, message.conversation, turn.draft.questionnaire, self._clock()
            )
        return await self._done(session, message, row, turn)

    async def _begin(self, session: AsyncSession, message: Message, name: str) -> Reply | None:
        if name not in self._dialogue.questionnaires:
            return None
        row = await drafts.begin(session, message.conversation, name, self._clock())
        return await self._done(session, message, row, self._dialogue.begin(name))

    async def _resume(
        self, session: AsyncSession, message: Message, row: models.Draft | None, wanted: str
    ) -> Reply:
        begun = await self._begun(session, message)
        chosen = [one for one in begun if str(one.id) == wanted] if wanted else begun
        if row in chosen and not wanted:
            chosen = [row]
        if not chosen:
            return Reply(self._none())
        if len(chosen) > 1:
            words = self._dialogue.words
            buttons = tuple(Button(self._label(one), f"0:resume:{one.id}") for one in chosen[:8])
            return Reply(Said(words.say("which_draft"), buttons))
        return await self._taken_up(session, message, chosen[0])

    async def _begun(self, session: AsyncSession, message: Message) -> list[models.Draft]:
        """Return the drafts that may go on; one that holds no answer is none."""
        found = await drafts.drafts_of(session, message.conversation)
        return [one for one in found if one.state.get("given")]

    async def _with_code(self, session: AsyncSession, message: Message, code: str) -> Reply:
        row = await drafts.with_code(session, code)
        if row is None:
            return Reply(Said(self._dialogue.words.say("wrong_code")))
        return await self._taken_up(session, message, row)

    async def _taken_up(self, session: AsyncSession, message: Message, row: models.Draft) -> Reply:
        await drafts.take_up(session, row, message.conversation)
        draft = await self._whole(session, row)
        turn = self._dialogue.resumed(draft, self._today())
        return await self._done(session, message, row, turn)

    async def _done(
        self, session: AsyncSession, message: Message, row: models.Draft, turn: Turn
    ) -> Reply:
        """Keep what came of a message, and what it was answered."""
        self._keep(row, turn.draft)
        said, document = turn.said, None
        words = self._dialogue.words
        if turn.effect is Effect.STOP:
            row.open = False
            resume = words.button("resume", "resume")
            said = Said(words.say("stopped", code=drafts.give_code(row)), (resume,))
        elif turn.effect is Effect.CANCEL:
            await self._erase(session, row)
        elif turn.effect is Effect.DETACH:
            await drafts.keep_attachments(session, row.id, turn.draft.attachments)
        elif turn.effect is Effect.FILE:
            document = await self._file(session, row, turn.draft)
            told = words.say("filed", reference=document, email=row.email)
            said = Said(told)
        reply = Reply(_of_draft(said, row.id), document)
        row.heard_seq, row.reply = message.seq, _reply_as_json(reply)
        await session.flush()
        return reply

    def _keep(self, row: models.Draft, draft: Draft) -> None:
        answers = draft.state.answers
        row.state = as_json(draft)
        row.status = Status.complete if self._dialogue.complete(draft) else Status.draft
        row.title = _text(answers.get("titre"))
        row.applicant = applicant(self._dialogue, draft)
        row.siret = _text(answers.get("siret"))
        row.email = _text(answers.get("contact_email"))
        row.cost_cents = _cents(answers.get("cout"))
        row.amount_cents = _cents(answers.get("montant"))
        row.updated_at = self._clock()

    async def _erase(self, session: AsyncSession, row: models.Draft) -> None:
        row.status, row.open, row.resume_hash = Status.withdrawn, False, None
        await drafts.keep_attachments(session, row.id, ())

    async def _file(self, session: AsyncSession, row: models.Draft, draft: Draft) -> str:
        now = self._clock()
        year = now.astimezone(PARIS).year
        number = await drafts.next_number(session, year)
        reference = f"{self._dialogue.form.reference}-{year}-{number:04}"
        attached = [
            Attached(name=one.name, media_type=one.media_type, size=one.size, sha256=one.sha256)
            for one in await drafts.attachments_of(session, row.id)
        ]
        filed = as_filed(self._dialogue, draft, reference, now, attached)
        await session.flush()
        await drafts.file(session, row, filed.model_dump(mode="json"), now)
        return reference

    def _draft(self, row: models.Draft, attachments: Sequence[models.Attachment] = ()) -> Draft:
        if not row.state:
            return Draft(row.questionnaire)
        interview = self._dialogue.interview(row.questionnaire, form=row.state["form"])
        draft = from_json(row.questionnaire, row.state, interview)
        return replace(draft, attachments={one.id: one.name for one in attachments})

    async def _whole(self, session: AsyncSession, row: models.Draft) -> Draft:
        """Return a row's draft with the names of its files."""
        return self._draft(row, await drafts.attachments_of(session, row.id))

    def _label(self, row: models.Draft) -> str:
        """Return what tells a draft from others: what it is called, and when it was last used."""
        title = self._dialogue.title(self._draft(row))
        return f"{title[:LONGEST_TITLE]} ({row.updated_at.astimezone(PARIS):%d/%m, %H:%M})"

    def _none(self) -> Said:
        buttons = tuple(
            Button(one.button, f"0:begin:{name}")
            for name, one in self._dialogue.questionnaires.items()
        )
        return Said(self._dialogue.words.say("no_draft"), buttons)

    def _today(self) -> date:
        return self._clock().astimezone(PARIS).date()


def _of_draft(said: Said, draft_id: int) -> Said:
    """Return what is said with the draft's number in each step, so that no other takes it."""
    buttons = (
        one
        if one.step.startswith("ask:") or one.step[:1].isdigit()
        else replace(one, step=f"{draft_id}:{one.step}")
        for one in said.buttons
    )
    return replace(said, buttons=tuple(buttons))


def _reply_as_json(reply: Reply) -> dict[str, Any]:
    buttons = [[one.title, one.step] for one in reply.said.buttons]
    return {"text": reply.said.text, "buttons": buttons, "document": reply.document}


def _reply_from_json(kept: dict[str, Any]) -> Reply:
    buttons = tuple(Button(title, step) for title, step in kept["buttons"])
    return Reply(Said(kept["text"], buttons), kept["document"])


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _cents(value: object) -> int | None:
    return int(value * 100) if isinstance(value, Decimal) else None
