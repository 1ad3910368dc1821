"""The intake: each update becomes rows, once, before Telegram is told that we have it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.exc import DataError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.relay import Relay
from bot.telegram.manners import Manners
from bot.telegram.menu import ordered
from bot.telegram.reading import (
    Card,
    Edit,
    Group,
    Presence,
    Tap,
    Told,
    Upload,
    Wordless,
    Words,
    read,
    update_number,
)
from bot.telegram.rendering import LONGEST, marked
from bot.text import MAX_LENGTH, clean
from candidature.attachments import safe_name
from knowledge import Knowledge
from knowledge.base import BEGIN
from knowledge.telegram import TelegramWording
from storage import chats, conversations, inbox, telegram_bots
from storage.database import Database
from storage.inbox import Extra, Received
from storage.models import Asks, Chat, Direction, Message, State
from storage.payloads import EMPTY, FILE, OLD_EDIT, TOO_LONG, WORDLESS
from storage.times import utc_now

BURST = 5
"""Messages that may wait for their answer at the same time in one chat."""
PACE = timedelta(seconds=1)
"""Beyond those, how much later each one is answered: a flood is slowed."""
TOGETHER = timedelta(seconds=2)
"""Within this, by Telegram's clock, what follows a message that is too long is its end."""
MOST_CUT = 1000
"""Chats of which one remembers when they sent what is too long."""
CUT = 200
"""Characters kept of a message that is too long to be answered."""

log = structlog.get_logger()


class Intake:
    """Takes the updates of one bot."""

    def __init__(
        self,
        database: Database,
        relay: Relay,
        bot_id: int,
        wording: TelegramWording,
        knowledge: Knowledge,
    ) -> None:
        self._database = database
        self._relay = relay
        self.username: str | None = None
        """What the bot is called, once it is known: a group's other bots have commands too."""
        self._bot_id = bot_id
        self._wording = wording
        # In memory: should it be lost, the end of such a message is only taken for another.
        self._cut: dict[int, datetime] = {}
        beginnings = knowledge.beginnings
        self._questionnaires = frozenset(one.removeprefix(f"{BEGIN}/") for one in beginnings)

    async def take(self, raw: dict[str, Any]) -> Manners:
        """Store what an update tells, once; return what courtesy asks for.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: it is not stored, and has to come again.
        """
        update_id = update_number(raw)
        if update_id is None:
            log.warning("update_not_read", error="no number")
            return Manners()
        try:
            told = read(raw, self.username)
        except Exception as error:  # whatever an update lacks, the next ones count
            # Its type and no more: what it says may quote what people wrote.
            log.warning("update_not_read", update=update_id, error=type(error).__name__)
            told = None
        try:
            return await self._take(update_id, told)
        except DataError:  # no row can hold it
            log.error("update_not_taken", update=update_id, error="DataError")
            return Manners()
        except SQLAlchemyError:
            raise
        except Exception as error:  # it would be so each time: better one lost than all held up
            log.error("update_not_taken", update=update_id, error=type(error).__name__)
            return Manners()

    async def _take(self, update_id: int, told: Told | None) -> Manners:
        now = utc_now()
        if len(self._cut) > MOST_CUT:
            self._cut.clear()
        async with self._database.write() as session:
            taking = _Taking(self, session, now)
            if not await telegram_bots.take_update(session, self._bot_id, update_id, now):
                # Stored before, by who may have died before it could be courteous.
                return await taking.tap(told, again=True) if isinstance(told, Tap) else Manners()
            manners = await taking.take(told)
        # Not before: an update that is not stored comes again.
        if isinstance(told, Words):
            self._cut.pop(told.chat, None)
            if taking.cut:
                self._cut[told.chat] = told.at
        if taking.received and taking.conversation:
            self._relay.announce(taking.conversation, taking.received)
        return manners


class _Taking:
    """One update, being stored in a transaction."""

    def __init__(self, intake: Intake, session: AsyncSession, now: datetime) -> None:
        self._bot_id = intake._bot_id
        self._wording = intake._wording
        self._questionnaires = intake._questionnaires
        self._session = session
        self._now = now
        self._cut_before = intake._cut
        self.cut = False
        """Whether it is a piece of what is too long."""
        self.conversation: str | None = None
        self.received: Received | None = None

    async def take(self, told: Told | None) -> Manners:
        match told:
            case Words():
                return await self._words(told)
            case Edit():
                return await self._edit(told)
            case Tap():
                return await self.tap(told)
            case Upload():
                return await self._upload(told)
            case Card():
                return await self._card(told)
            case Wordless():
                return await self._wordless(told)
            case Presence(chat, blocked):
                if blocked:
                    await chats.block(self._session, self._bot_id, chat, self._now)
                    await chats.forget_chat(self._session, self._bot_id, chat)
                else:
                    await chats.unblock(self._session, self._bot_id, chat)
                return Manners()
            case Group(chat):
                return Manners(chat, private=True)
            case None:
                return Manners()

    async def _words(self, told: Words) -> Manners:
        text, payload = self._received_as(told.text)
        cut_at = self._cut_before.get(told.chat)
        goes_on = cut_at is not None and told.at - cut_at <= TOGETHER
        if payload == TOO_LONG or (goes_on and payload is None):
            # Applications cut what is longer than Telegram's own limit. The end by
            # itself would be taken for an answer.
            self.cut = True
            if goes_on:
                return Manners()
        return await self._store(await self._chat(told.chat), text, payload, told.number)

    def _received_as(self, typed: str) -> tuple[str, str | None]:
        """Return what is stored of a text, and what is received for it."""
        text = clean(typed[: 4 * MAX_LENGTH])
        if not text:
            return self._wording.sentences["without_text"], EMPTY
        if len(text) > MAX_LENGTH:
            return f"{text[:CUT]}…", TOO_LONG
        order = ordered(text, self._wording, self._questionnaires)
        return (order.text, order.payload) if order else (text, None)

    async def _edit(self, told: Edit) -> Manners:
        chat = await chats.find_chat(self._session, self._bot_id, told.chat)
        if chat is None:
            return Manners()
        conversation = chat.conversation_id
        await conversations.lock_conversation(self._session, conversation)
        message = await chats.with_number(self._session, conversation, told.number)
        text, payload = self._received_as(told.text)
        # The applications also say « edited » of what is as it was.
        unchanged = message and (text, payload) == (message.text, message.payload)
        if message is None or unchanged or payload == EMPTY:
            return Manners()
        chat = await self._chat(told.chat)
        if await self._waits(message) and payload != TOO_LONG:
            message.text, message.payload = text, payload
            return Manners()
        last = await chats.last_message(self._session, conversation, Direction.inbound)
        if last is None or last.id != message.id:
            return await self._store(chat, text, OLD_EDIT, None)
        return await self._store(chat, text, payload, told.number, corrects=message.seq)

    async def _waits(self, message: Message) -> bool:
        """Tell whether nobody has begun to answer a message."""
        if message.state is not State.due or message.attempts:
            return False
        conversation = message.conversation_id
        # Whoever holds the conversation answers the first that is due.
        first = await inbox.is_first_due(self._session, message)
        return not first or not await inbox.is_held(self._session, conversation, self._now)

    async def tap(self, told: Tap, *, again: bool = False) -> Manners:
        """Take a tap; `again`, if it is stored already, only answer and mark it."""
        refused = Manners(told.chat, query=told.query, toast=self._wording.sentences["not_offered"])
        chat = await chats.find_chat(self._session, self._bot_id, told.chat)
        if chat is None:
            return refused
        await conversations.lock_conversation(self._session, chat.conversation_id)
        offer = await conversations.offer(self._session, chat.conversation_id, told.button)
        if offer is None:
            return refused
        message, button = offer
        mark = None
        if told.number is not None and isinstance(told.shown, str):
            mark = (told.number, marked(told.shown[:LONGEST], button["title"]))
        courtesy = Manners(told.chat, query=told.query, mark=mark)
        if again:
            return courtesy
        if await chats.tapped(self._session, message.id, button["payload"]):
            # It is still there to be tapped: to mark it did not go well.
            return replace(courtesy, toast=self._wording.sentences["chosen_before"])
        chat = await self._chat(told.chat)
        manners = await self._store(
            chat, button["title"], button["payload"], None, in_reply_to=message.id
        )
        return replace(courtesy, typing=manners.typing)

    async def _upload(self, told: Upload) -> Manners:
        chat = await self._chat(told.chat)
        attachment = {
            "name": safe_name(told.name[:1000], ""),
            "media_type": told.media_type[:128].replace("\0", ""),
            "size": told.size,
            "file_id": told.file_id.replace("\0", ""),
        }
        caption = clean(told.caption[: 4 * MAX_LENGTH])[:MAX_LENGTH]
        return await self._store(chat, caption, FILE, told.number, attachments=[attachment])

    async def _card(self, told: Card) -> Manners:
        chat = await self._chat(told.chat)
        asked = await chats.last_message(self._session, chat.conversation_id, Direction.outbound)
        if asked is None or asked.asks is not Asks.phone:
            return await self._store(
                chat, self._wording.sentences["without_text"], f"{WORDLESS}:contact", told.number
            )
        return await self._store(chat, clean(told.phone[:40]), None, told.number)

    async def _wordless(self, told: Wordless) -> Manners:
        chat = await self._chat(told.chat)
        return await self._store(
            chat, self._wording.sentences["without_text"], f"{WORDLESS}:{told.kind}", told.number
        )

    async def _chat(self, chat_id: int) -> Chat:
        return await chats.open_chat(self._session, self._bot_id, chat_id, self._now)

    async def _store(
        self,
        chat: Chat,
        text: str,
        payload: str | None,
        number: int | None,
        *,
        corrects: int | None = None,
        in_reply_to: int | None = None,
        attachments: list[dict[str, Any]] | None = None,
    ) -> Manners:
        conversation = chat.conversation_id
        waiting = await inbox.count_due(self._session, conversation)
        late = max(0, waiting - BURST + 1) * PACE
        self.conversation = conversation
        self.received = await inbox.receive(
            self._session,
            conversation,
            # Telegram gives numbers of updates out again: `telegram_update` knows the recent ones.
            scope=None,
            external_id=None,
            text=text,
            payload=payload,
            now=self._now,
            extra=Extra(attachments, number, corrects, in_reply_to, self._now + late),
        )
        return Manners(chat.chat_id, typing=(conversation, self.received.seq))
