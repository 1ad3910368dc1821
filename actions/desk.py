"""The desk: where a message meets the drafts of its conversation.

A message that is taken twice, because its first answer was lost on the way, is
heard once: the row keeps the number of the last one, and the reply that it got.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Self

from sqlalchemy.ext.asyncio import AsyncSession

from actions.rows import Rows
from candidature.dialogue import Dialogue, Effect, Meaning, Turn
from candidature.wording import Button, Said, paragraphs
from storage import chats, drafts, models, telegram_bots
from storage.conversations import lock_conversation
from storage.database import Database
from storage.times import PARIS, utc_now

LONGEST_WITH_CODE = 200
"""Characters of a message in which a code is looked for."""
MOST_OFFERED = 8
"""Drafts offered to be taken up, the last used first."""
_PART = rf"[{drafts.LETTERS}]{{4}}"
_CODE = re.compile(rf"(?<![\w-])({_PART}(\s?[-–]\s?|\s){_PART}\2{_PART})(?![\w-])", re.IGNORECASE)
_ANNOUNCED = re.compile(r"\brepren|\bcode\b", re.IGNORECASE)


def code_in(text: str) -> str | None:
    """Return the code to resume by that a message gives: with hyphens, announced, or alone."""
    for found in _CODE.finditer(text[:LONGEST_WITH_CODE]):
        alone = found[0] == text.strip()
        if found[2].strip() or alone or _ANNOUNCED.search(text):
            return found[1]
    return None


@dataclass(frozen=True)
class Message:
    """What a person sent: the text typed, or the step of the button pressed.

    `seq` is its number in the conversation, if the relay told it; `corrects` that
    of the one which its author changed to this.
    """

    conversation: str
    seq: int | None
    text: str
    step: str | None = None
    corrects: int | None = None

    @property
    def typed(self) -> bool:
        """Whether it was typed: what begins with a slash is a button's."""
        return self.step is None and not self.text.startswith("/")


@dataclass(frozen=True)
class Pressed:
    """A step, and the number of the draft whose button it is; 0: whichever is open."""

    draft: int
    step: str

    @classmethod
    def of(cls, step: str) -> Self:
        """Read `12:answer:porteur=commune`."""
        number, _, rest = step.partition(":")
        # No longer than a row's number may be.
        return cls(int(number) if re.fullmatch(r"[0-9]{1,18}", number) else 0, rest)

    @property
    def verb(self) -> str:
        """What it does."""
        return self.step.partition(":")[0]

    @property
    def rest(self) -> str:
        """What it does it with."""
        return self.step.partition(":")[2]

    @property
    def wanted(self) -> int:
        """The number of the draft that it takes up; 0 if it names none."""
        chosen = Pressed.of(self.rest).draft if self.verb == "resume" else 0
        return chosen or self.draft


@dataclass(frozen=True)
class Reply:
    """What to say, and the reference of a candidature whose document goes with it.

    `asks_phone` tells whether it asks for a telephone number, which some
    applications can give by themselves.
    """

    said: Said
    document: str | None = None
    asks_phone: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return what is kept of it."""
        buttons = [[one.title, one.step] for one in self.said.buttons]
        return {
            "text": self.said.text,
            "buttons": buttons,
            "document": self.document,
            "asks_phone": self.asks_phone,
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """Return it as it was."""
        buttons = tuple(Button(title, step) for title, step in kept["buttons"])
        return cls(Said(kept["text"], buttons), kept["document"], kept.get("asks_phone", False))


@dataclass(frozen=True)
class Taken:
    """What became of a message: the draft's reply or, if it is not for the draft, what waits.

    `about` is the subject of the draft that is open then.
    """

    reply: Reply | None = None
    waiting: Reply | None = None
    about: str | None = None


class Desk:
    """Takes the messages that are for a draft."""

    def __init__(
        self, database: Database, dialogue: Dialogue, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._database = database
        self._dialogue = dialogue
        self._words = dialogue.words
        self._rows = Rows(dialogue)
        self._clock = clock

    async def take(self, message: Message, meaning: Meaning) -> Taken:
        """Take a message, or leave it to whoever answers questions."""
        async with self._database.read() as session:
            before = await self._heard_before(session, message)
            if before:
                return Taken(before)
            row = await drafts.open_draft(session, message.conversation)
        pressed = self._pressed(message, open_draft=row is not None)
        code = code_in(message.text) if message.typed else None
        if row is None and not (pressed or code):
            return Taken()
        async with self._database.write() as session:
            await lock_conversation(session, message.conversation)
            # Again, now that nobody else may be at it.
            reply = await self._heard_before(session, message)
            if reply is None and message.corrects is not None:
                await self._take_back(session, message)
            if reply is None and pressed:
                reply = await self._stepped(session, message, pressed)
            elif reply is None:
                reply = await self._with_code(session, message, code) if code else None
                # With its hyphens it is nothing but a code.
                surely = code is not None and "-" in code
                if reply is None and not surely:
                    reply = await self._heard(session, message, meaning)
            if reply is None and code:
                reply = Reply(Said(self._words.say("wrong_code")))
        return Taken(reply) if reply else await self._left(message)

    def again(self) -> str:
        """Return what is said before a question that was left is asked again."""
        return self._words.say("again")

    def _pressed(self, message: Message, *, open_draft: bool) -> Pressed | None:
        """Return the step of a button, or of a command that is typed."""
        if message.step is not None:
            return Pressed.of(message.step)
        command = None
        if message.typed:
            command = self._dialogue.command(message.text, open_draft=open_draft)
        return Pressed.of(f"0:{command}") if command else None

    async def _heard_before(self, session: AsyncSession, message: Message) -> Reply | None:
        if message.seq is None:
            return None
        row = await drafts.heard_before(session, message.conversation, message.seq)
        return Reply.from_json(row.reply) if row and row.reply else None

    async def _take_back(self, session: AsyncSession, message: Message) -> None:
        """Put back the answers as they were before a message that its author has changed since.

        If nothing came after it.
        """
        row = await drafts.open_draft(session, message.conversation)
        if row and row.heard_seq == message.corrects and row.before is not None:
            row.state = row.before
            self._rows.keep(row, self._rows.draft(row), self._clock())

    async def _left(self, message: Message) -> Taken:
        """Return what a message that is not for the draft leaves waiting."""
        async with self._database.read() as session:
            row = await drafts.open_draft(session, message.conversation)
        if row is None:
            return Taken()
        draft = self._rows.draft(row)
        said = self._dialogue.prompt(draft)
        asks_phone = self._dialogue.asks_phone(draft)
        waiting = Reply(_of_draft(said, row.id), asks_phone=asks_phone) if said else None
        return Taken(None, waiting, self._dialogue.questionnaires[row.questionnaire].subject)

    async def _heard(
        self, session: AsyncSession, message: Message, meaning: Meaning
    ) -> Reply | None:
        row = await drafts.open_draft(session, message.conversation)
        if row is None:
            return None
        draft = await self._rows.whole(session, row)
        turn = None
        if message.typed:
            turn = self._dialogue.hear(draft, message.text, meaning, self._today())
        if turn:
            return await self._done(session, message, row, turn)
        if draft.pending:  # a « oui » that comes later will be no answer to what was asked before
            self._rows.keep(row, replace(draft, pending=None), self._clock())
        return None

    async def _stepped(
        self, session: AsyncSession, message: Message, pressed: Pressed
    ) -> Reply | None:
        if pressed.verb == "begin":
            return await self._begun_already(session, message, pressed.rest) or (
                await self._begin(session, message, pressed.rest)
            )
        if pressed.verb == "anew":
            return await self._begin(session, message, pressed.rest)
        filed = await drafts.filed_one(session, message.conversation, pressed.draft)
        if filed:
            return self._filed_already(filed)
        row = await drafts.open_draft(session, message.conversation)
        if pressed.step == "form" and not pressed.draft and not (row and row.state.get("given")):
            begun = await self._begun_already(session, message, self._dialogue.form.questionnaire)
            if begun:
                return begun
        if row is None and pressed.verb in ("reference", "file", "where"):
            last = await drafts.last_filed(session, message.conversation)
            if last:
                return self._filed_already(last)
        if pressed.verb == "resume" or (row and pressed.draft not in (0, row.id)) or not row:
            # The button of a draft that was left meanwhile takes it up, and looks before acting.
            return await self._resume(session, message, row, pressed)
        draft = await self._rows.whole(session, row)
        turn = self._dialogue.press(draft, pressed.step, self._today())
        if turn is None:
            turn = self._dialogue.resumed(draft, self._today())
        if turn.draft.questionnaire != row.questionnaire:  # it leads to another questionnaire
            row = await drafts.begin(
                session, message.conversation, turn.draft.questionnaire, self._clock()
            )
        return await self._done(session, message, row, turn)

    def _filed_already(self, row: models.Draft) -> Reply:
        told = self._words.say(
            "filed_already", reference=row.reference, prefecture=self._words.prefecture
        )
        return Reply(Said(told, self._afterwards()), row.reference)

    async def _begun_already(
        self, session: AsyncSession, message: Message, name: str
    ) -> Reply | None:
        """Offer what was begun and not filed, rather than to ask all of it again."""
        begun = [
            one
            for one in await drafts.drafts_of(session, message.conversation)
            if one.questionnaire == name and one.state.get("given")
        ]
        if not begun:
            return None
        anew = self._words.button("anew", f"0:anew:{name}")
        return Reply(Said(self._words.say("begun_already"), (*self._offered(begun), anew)))

    def _offered(self, rows: Sequence[models.Draft]) -> tuple[Button, ...]:
        """Return the buttons that take up one of these drafts."""
        return tuple(
            Button(self._rows.label(one), f"0:resume:{one.id}") for one in rows[:MOST_OFFERED]
        )

    async def _begin(
        self, session: AsyncSession, message: Message, name: str, lead: str | None = None
    ) -> Reply | None:
        if name not in self._dialogue.questionnaires:
            return None
        before = await drafts.open_draft(session, message.conversation)
        row = await drafts.begin(session, message.conversation, name, self._clock())
        turn = self._dialogue.begin(name, self._today())
        if before and before.state.get("given"):
            lead = paragraphs(lead, self._words.say("still_kept"))
        if lead:
            text = paragraphs(lead, turn.said.text)
            turn = replace(turn, said=replace(turn.said, text=text))
        return await self._done(session, message, row, turn)

    async def _resume(
        self, session: AsyncSession, message: Message, row: models.Draft | None, pressed: Pressed
    ) -> Reply | None:
        there = await drafts.drafts_of(session, message.conversation)
        begun = [one for one in there if one.state.get("given")]
        if wanted := pressed.wanted:
            chosen = [one for one in there if one.id == wanted]
        elif row and not (begun and pressed.verb == "resume"):
            chosen = [row]
        else:
            chosen = begun
        if not chosen:
            return await self._nothing_to_resume(session, message, pressed)
        if len(chosen) > 1:
            return Reply(Said(self._words.say("which_draft"), self._offered(chosen)))
        return await self._taken_up(session, message, chosen[0])

    async def _nothing_to_resume(
        self, session: AsyncSession, message: Message, pressed: Pressed
    ) -> Reply | None:
        if pressed.verb == "cancel":
            return Reply(Said(self._words.say("nothing_to_cancel")))
        if pressed.verb == "form":
            return await self._begin(
                session, message, self._dialogue.form.questionnaire, self._words.say("no_form")
            )
        buttons = tuple(
            Button(one.button, f"0:begin:{name}")
            for name, one in self._dialogue.questionnaires.items()
        )
        return Reply(Said(self._words.say("no_draft"), buttons))

    async def _with_code(self, session: AsyncSession, message: Message, code: str) -> Reply | None:
        row = await drafts.with_code(session, code, message.conversation)
        return await self._taken_up(session, message, row) if row else None

    async def _taken_up(self, session: AsyncSession, message: Message, row: models.Draft) -> Reply:
        await drafts.take_up(session, row, message.conversation)
        draft = await self._rows.whole(session, row)
        return await self._done(session, message, row, self._dialogue.resumed(draft, self._today()))

    async def _done(
        self, session: AsyncSession, message: Message, row: models.Draft, turn: Turn
    ) -> Reply:
        """Keep what came of a message, and what it was answered."""
        row.before = row.state
        self._rows.keep(row, turn.draft, self._clock())
        said, document = turn.said, None
        if turn.effect is Effect.STOP:
            said = await self._stopped(session, row)
        elif turn.effect is Effect.CANCEL:
            await self._rows.erase(session, row)
        elif turn.effect is Effect.DETACH:
            await drafts.keep_attachments(session, row.id, turn.draft.attachments)
        elif turn.effect is Effect.FILE:
            document = await self._rows.file(session, row, turn.draft, self._clock())
            told = self._words.say("filed", reference=document, email=row.email)
            said = Said(told, self._afterwards())
        asks_phone = row.open and self._dialogue.asks_phone(turn.draft)
        reply = Reply(_of_draft(said, row.id), document, asks_phone)
        row.heard_seq, row.reply = message.seq, reply.as_json()
        await session.flush()
        return reply

    async def _stopped(self, session: AsyncSession, row: models.Draft) -> Said:
        """Leave a draft for later; one that holds no answer is forgotten."""
        if not row.state["given"]:
            await self._rows.erase(session, row)
            return Said(self._words.say("left"))
        row.open = False
        resume = self._words.button("resume", "resume")
        code = drafts.give_code(row)
        if await chats.chat_of(session, row.conversation_id):
            return Said(self._words.say("stopped_in_telegram", code=code), (resume,))
        told = self._words.say("stopped", code=code)
        if bot := await telegram_bots.username(session, self._clock()):
            link = f"https://t.me/{bot}?start={code}"
            told = paragraphs(told, self._words.say("stopped_telegram", link=link))
        return Said(told, (resume,))

    def _afterwards(self) -> tuple[Button, ...]:
        """Return what one may do once a candidature is filed."""
        return (
            Button(self._words.say("another"), f"0:begin:{self._dialogue.form.questionnaire}"),
            Button(self._words.say("person"), "ask:human_handoff"),
        )

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
