"""The reception: whom each message goes to, and the answers that need no understanding.

A message of words goes to Rasa. The welcome, what is no text, the files of
messaging applications and what a person may ask of their data are answered here.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from sqlalchemy.exc import SQLAlchemyError

from bot.joining import File, NoDraft, Unfit, checked, join
from bot.rasa import Fault, Rasa, Turn
from bot.text import MAX_LENGTH, disarm
from candidature.attachments import MOST_BYTES, Refusal
from candidature.commands import Commands
from candidature.places import words
from candidature.wording import number_told, paragraphs
from knowledge import Knowledge
from knowledge.dialogue import Wording
from knowledge.telegram import TelegramWording
from knowledge.typography import french
from storage import chats, conversations, drafts, erasure, inbox, payloads
from storage.database import Database
from storage.inbox import Claim, Reply
from storage.models import Channel, Direction
from storage.payloads import HOUSE, payload_of
from storage.times import utc_now
from storage.trackers import Trackers

LONGEST_TITLE = 200
"""Characters of a message that may be the words of a button."""
Fetch = Callable[[str], Awaitable[bytes | None]]
"""Gets a file from a messaging application by its id; `None`: it is not there any more.

Raises `Fault` if it cannot be had now, `Unfit` if it is too large to be had at all.
"""

_TOLD = {1: "un jour", 365: "un an", 730: "deux ans"}
"""Durations, in days, that are told otherwise."""


class Reception:
    """Answers messages, by itself or by Rasa.

    `fetch` is missing where no messaging application is served: then a file that
    came by one waits for a process that serves it.
    """

    def __init__(
        self,
        database: Database,
        rasa: Rasa,
        trackers: Trackers,
        knowledge: Knowledge,
        telegram: TelegramWording,
        wording: Wording,
        *,
        retention_days: int,
        prefecture: str,
        fetch: Fetch | None = None,
    ) -> None:
        self._database = database
        self._rasa = rasa
        self._trackers = trackers
        self._knowledge = knowledge
        self._telegram = telegram
        self._refusals = wording.refusals
        said = {one.does: one.said for one in telegram.commands.values() if one.said}
        said[payloads.PRIVACY] = telegram.privacy
        self._orders = Commands(said, wording.polite)
        self._confirms = Commands(
            {
                payloads.ERASE_YES: wording.commands["yes"],
                payloads.ERASE_NO: wording.commands["no"],
            },
            wording.polite,
        )
        self._kept = _TOLD.get(retention_days, f"{retention_days} jours")
        self._prefecture = prefecture
        self.fetch = fetch

    async def answer(self, held: Claim) -> Turn:
        """Answer the claimed message; the first one in a chat is also told who answers.

        Raises:
            Fault: there is no answer yet.
        """
        turn = await self._answer(held)
        if turn.erased or held.message.payload == payloads.WELCOME or not await self._first(held):
            return turn
        return replace(turn, replies=[Reply(self._say("notice")), *turn.replies])

    async def _answer(self, held: Claim) -> Turn:
        payload = held.message.payload
        if payload is None:
            payload = await self._meant(held)
        if payload is None or not payload.startswith(HOUSE):
            return await self._understood(held, payload)
        verb, _, rest = payload.partition(":")
        match verb:
            case payloads.WELCOME:
                return await self._welcome(held)
            case payloads.FILE:
                return await self._file(held)
            case payloads.EXPORT:
                return Turn([Reply(self._say("export"), export=True)])
            case payloads.ERASE:
                buttons = [
                    (self._say("erase_yes"), payloads.ERASE_YES),
                    (self._say("erase_no"), payloads.ERASE_NO),
                ]
                return Turn([Reply(self._say("erase"), buttons)])
            case payloads.ERASE_YES:
                return await self._erase(held)
            case payloads.PRIVACY:
                return Turn([Reply(self._say("notice"))])
            case payloads.ERASE_NO:
                return Turn([Reply(self._say("kept"))])
            case payloads.WORDLESS:
                told = self._telegram.wordless
                return Turn([Reply(told.get(rest) or told["other"])])
            case _:  # it only gets a sentence
                return Turn([Reply(self._say(verb.removeprefix(HOUSE)))])

    async def _meant(self, held: Claim) -> str | None:
        """Return what is received for words that say what a button does; nothing for others."""
        message, text = held.message, held.message.text
        if len(text) > LONGEST_TITLE:
            return None
        async with self._database.read() as session:
            asked = await chats.last_message(session, held.conversation_id, Direction.outbound)
        # Of several messages sent at once, or of one that was changed, the words were
        # written before what was said last: they are no choice among its buttons.
        seen = asked is not None and asked.seq < message.seq and message.corrects is None
        offered = (asked.buttons if asked and seen else None) or []
        said = words(text)
        for button in offered:
            if said and said == words(button["title"]):
                return button["payload"]
        confirms = any(button["payload"] == payloads.ERASE_YES for button in offered)
        if confirms and (confirmed := self._confirms.find(text)):
            return confirmed
        return self._orders.find(text) if held.channel is Channel.telegram else None

    async def _understood(self, held: Claim, message: str | None) -> Turn:
        """Have Rasa answer: the text that was typed, or what is given for it."""
        said = held.message
        return await self._rasa.answer(
            held.conversation_id,
            disarm(said.text) if message is None else message,
            seq=said.seq,
            again=said.attempts > 0,
            corrects=said.corrects,
        )

    async def _first(self, held: Claim) -> bool:
        if held.channel is not Channel.telegram or held.message.seq > 2:
            return False
        async with self._database.read() as session:
            return await inbox.is_first(session, held.message)

    # The welcome

    async def _welcome(self, held: Claim) -> Turn:
        # Who has read the notice already finds it again by asking.
        first = await self._first(held)
        hello = paragraphs(self._say("hello"), self._say("notice") if first else None)
        async with self._database.read() as session:
            draft = await drafts.open_draft(session, held.conversation_id)
        if draft is not None:  # its question is what waits for an answer
            turn = await self._understood(held, payload_of("resume"))
            return replace(turn, replies=[Reply(hello), *turn.replies])
        buttons = [(self._knowledge.title(one), payload_of(one)) for one in self._telegram.welcome]
        return Turn([Reply(paragraphs(hello, self._say("ask")), buttons)])

    # A file

    async def _file(self, held: Claim) -> Turn:
        (told,) = held.message.attachments or ({},)
        conversation = held.conversation_id
        if told.get("size", 0) > MOST_BYTES:
            return self._not_joined(Refusal.TOO_LARGE)
        async with self._database.read() as session:
            draft = await drafts.open_draft(session, conversation)
        if draft is None:
            return await self._no_draft(held)
        try:
            content = await self._fetched(told)
            if content is None:
                return Turn([Reply(self._say("lost_file"))])
            file = File(told["name"], content)
            attachment = await checked(self._database, conversation, file)
            async with self._database.write() as session:
                await conversations.lock_conversation(session, conversation)
                _, payload = await join(session, conversation, file, attachment, utc_now())
        except NoDraft:
            return await self._no_draft(held)
        except Unfit as unfit:
            return self._not_joined(unfit.reason)
        turn = await self._understood(held, payload)
        if held.message.text:  # as an answer it could be taken for what it is not
            turn = replace(turn, replies=[Reply(self._say("caption")), *turn.replies])
        return turn

    async def _fetched(self, told: dict[str, str]) -> bytes | None:
        if self.fetch is None:
            raise Fault("no_channel")
        return await self.fetch(told["file_id"])

    async def _no_draft(self, held: Claim) -> Turn:
        """Answer a file that goes with nothing; what was written with it is a message."""
        begin = self._telegram.commands["eligibilite"].does
        buttons = [(self._knowledge.title(begin), payload_of(begin))]
        if not held.message.text:
            return Turn([Reply(self._say("no_draft"), buttons)])
        turn = await self._understood(held, None)
        return replace(turn, replies=[Reply(self._say("no_draft")), *turn.replies])

    def _not_joined(self, reason: Refusal) -> Turn:
        return Turn([Reply(self._refusals[reason])])

    # What a person may ask of their data

    async def _erase(self, held: Claim) -> Turn:
        """Erase the conversation; its chat, if it has one, is told so and then forgotten."""
        conversation = held.conversation_id
        # Rasa's rows first: were the rest to fail, this is done again.
        try:
            await self._trackers.forget([conversation])
        except SQLAlchemyError:
            raise Fault("not_erased") from None
        async with self._database.write() as session:
            filed = await drafts.last_filed(session, conversation)
            told = self._say("erased_filed") if filed else None
            farewell = paragraphs(self._say("erased"), told)
            await chats.begin_anew(session, conversation, farewell, utc_now())
            await erasure.erase(session, conversation)
        await self._database.scrub()
        return Turn([], erased=True)

    def _say(self, sentence: str) -> str:
        return french(
            self._telegram.sentences[sentence].format(
                kept=self._kept, limit=number_told(MAX_LENGTH), prefecture=self._prefecture
            )
        )
