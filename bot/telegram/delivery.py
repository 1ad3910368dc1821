"""Delivery: what is said in chats is sent, in order, once.

Telegram cannot be asked whether it has a message, and keeps no key of ours: a
message whose answer was lost, because the network or this process died, may be
there or not. So a part is marked as handed over before it is sent; if its fate
is unknown, the numbers that it may have got are tried by giving its message the
keyboard that it has already. Telegram refuses that as no change if it is there,
and as no message of ours if it is not.
"""

import asyncio
from datetime import timedelta
from functools import partial

import httpx
import structlog
from sqlalchemy.exc import SQLAlchemyError
from telegram import Bot, InlineKeyboardMarkup, InputFile
from telegram.constants import ParseMode
from telegram.error import (
    BadRequest,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from bot.arrivals import Arrivals
from bot.enclosures import content_of
from bot.metrics import Metrics
from bot.relay import short
from bot.retries import retry_delay
from bot.telegram.manners import NO_PREVIEW
from bot.telegram.pace import Pace, wait_asked
from bot.telegram.parts import Part, parts
from bot.telegram.rendering import html
from knowledge.telegram import TelegramWording
from storage import chats, deliveries
from storage.database import Database
from storage.deliveries import Due
from storage.times import utc_now

POLL = 1.0
"""How often what is due is looked for if nothing rings, in seconds."""
AT_ONCE = 32
"""How many chats are served at the same time."""
LONGEST_RETRY = timedelta(seconds=10)
"""Longest wait before a message is sent again; Telegram's own `retry_after` may be longer."""
MAKE_AT_MOST = 5
"""Failed attempts after which a document that cannot be made is given up; what has to
wait for Telegram never is."""
TRIED = 20
"""Numbers under which a message whose fate is unknown is looked for."""
STOP_GRACE = 3.0
"""How long messages under way may still take when the process stops, in seconds."""

log = structlog.get_logger()


class NotOurs(RuntimeError):
    """The message is not ours to send: another process holds the bot, or it was erased."""


class Delivery:
    """Sends what is due to one bot's chats, as the process that holds the bot."""

    def __init__(
        self,
        database: Database,
        bot: Bot,
        bot_id: int,
        process: str,
        arrivals: Arrivals,
        pace: Pace,
        metrics: Metrics,
        wording: TelegramWording,
    ) -> None:
        self._database = database
        self._bot = bot
        self._bot_id = bot_id
        self._process = process
        self._arrivals = arrivals
        self._pace = pace
        self._metrics = metrics
        self._wording = wording
        self._serving: dict[int, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Send what is due, until cancelled; then let what is under way end."""
        with self._arrivals.watch_all() as arrival:
            try:
                while True:
                    arrival.clear()
                    await self._look()
                    try:
                        async with asyncio.timeout(POLL):
                            await arrival.wait()
                    except TimeoutError:
                        pass
            finally:
                await self._finish()

    async def _look(self) -> None:
        room = AT_ONCE - len(self._serving)
        if room <= 0:
            return
        try:
            async with self._database.read() as session:
                ids = await deliveries.due_chats(
                    session, self._bot_id, utc_now(), list(self._serving), room
                )
        except Exception as error:  # whatever it is, the worker must not end of it
            log.error("deliveries_not_read", error=type(error).__name__)
            return
        for chat_id in ids:
            task = asyncio.create_task(self._serve(chat_id))
            self._serving[chat_id] = task
            task.add_done_callback(partial(self._served, chat_id))

    def _served(self, chat_id: int, _: asyncio.Task[None]) -> None:
        self._serving.pop(chat_id, None)
        # Something may have become due in it since it was last looked at.
        self._arrivals.ring_all()

    async def _finish(self) -> None:
        if not self._serving:
            return
        _, late = await asyncio.wait(self._serving.values(), timeout=STOP_GRACE)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _serve(self, chat_id: int) -> None:
        """Send to one chat what is due there, until nothing is or something goes wrong."""
        try:
            while await self._send_next(chat_id):
                pass
        except Exception as error:  # the rows still tell what is to be sent
            # Its type and no more: what it says may hold the token, or what people write.
            log.error("delivery_failed", error=type(error).__name__)
            # What goes wrong at once must not be tried again at once.
            await asyncio.sleep(POLL)

    async def _send_next(self, chat_id: int) -> bool:
        """Send the next message; tell whether another may follow."""
        async with self._database.read() as session:
            due = await deliveries.first_due(session, self._bot_id, chat_id, utc_now())
        if due is None:
            return False
        whole = parts(due.message, self._wording, keyboard=due.keyboard)
        unknown = due.in_flight
        for index in range(due.parts_sent, len(whole)):
            if not await self._send(due, whole, index, unknown=unknown):
                return False
            unknown = False
        if due.parts_sent >= len(whole):  # there is nothing in it that can be shown
            await self._mark(due, len(whole), None, last=True)
        self._metrics.delivered.labels("sent").inc()
        log.info("message_delivered", conversation=short(due.conversation_id), seq=due.message.seq)
        if due.leaving:
            await self._database.scrub()
        return True

    async def _send(self, due: Due, whole: list[Part], index: int, *, unknown: bool) -> bool:
        """Send one part; tell whether it is there."""
        part, last = whole[index], index == len(whole) - 1
        number = None
        if unknown:
            if part.has_buttons and await self._tapped(due):
                return await self._mark(due, index, None, last=last)
            try:
                number = await self._found(due, part)
            except Forbidden:
                await self._blocked(due)
                return False
            except TelegramError as error:  # it says nothing of the message itself
                log.warning("message_not_looked_for", **_about(due), error=type(error).__name__)
                await self._put_off(due)
                return False
        try:
            if number is None:
                content = await self._content(due, part)
                await self._pace.turn(due.chat_id)
                async with self._database.write() as session:
                    if not await deliveries.hand_over(
                        session, self._bot_id, self._process, due, index, again=unknown
                    ):
                        raise NotOurs
                number = await self._sent(due.chat_id, part, content)
        except TelegramError as error:
            await self._failed(due, index, error)
            return False
        except (SQLAlchemyError, NotOurs):
            raise
        except Exception as error:  # the document cannot be made
            log.error("message_not_made", **_about(due), error=type(error).__name__)
            if due.message.attempts + 1 < MAKE_AT_MOST:
                await self._put_off(due, index)
                return False
        return await self._mark(due, index, number, last=last)

    async def _mark(self, due: Due, index: int, number: int | None, *, last: bool) -> bool:
        async with self._database.write() as session:
            sent = await deliveries.sent(
                session, self._bot_id, due, index, last=last, number=number
            )
            if sent and last and due.leaving:
                await chats.forget_chat(session, self._bot_id, due.chat_id)
            return sent

    async def _content(self, due: Due, part: Part) -> bytes | None:
        if part.document is None:
            return None
        content = await content_of(self._database, due.conversation_id, part.document)
        if content is None:
            raise LookupError
        return content

    async def _sent(self, chat_id: int, part: Part, content: bytes | None) -> int:
        """Hand a part to Telegram; return the number that it got."""
        if part.document is not None and content is not None:
            message = await self._bot.send_document(
                chat_id, InputFile(content, filename=part.document["name"])
            )
        else:
            message = await self._bot.send_message(
                chat_id,
                html(part.text),
                parse_mode=ParseMode.HTML,
                link_preview_options=NO_PREVIEW,
                reply_markup=part.markup,
            )
        return message.message_id

    async def _tapped(self, due: Due) -> bool:
        """Tell whether a button of a message was tapped: it is there, then, without them."""
        async with self._database.read() as session:
            return await deliveries.is_tapped(session, due.message)

    async def _found(self, due: Due, part: Part) -> int | None:
        """Return the number of a part that may have been sent; nothing if it was not."""
        if not due.after or not part.editable:
            return None
        markup = part.markup if isinstance(part.markup, InlineKeyboardMarkup) else None
        number, last = due.after + 1, due.after + TRIED
        while number <= last:
            await self._pace.turn_of_all()
            try:
                await self._bot.edit_message_reply_markup(due.chat_id, number, reply_markup=markup)
            except RetryAfter as error:
                await asyncio.sleep(wait_asked(error).total_seconds())
                continue
            except BadRequest as error:
                if "not modified" not in str(error).lower():
                    number += 1  # nobody's, or the person's
                    continue
            log.info("message_found", **_about(due))
            return number
        return None

    async def _failed(self, due: Due, index: int, error: TelegramError) -> None:
        """Record why a part could not be sent, and what is to be done about it."""
        match error:
            case RetryAfter():
                self._metrics.delivered.labels("slowed").inc()
                await self._put_off(due, index, wait_asked(error))
            case Forbidden():
                await self._blocked(due)
            case BadRequest() if "chat not found" in str(error).lower():
                await self._blocked(due)
            case BadRequest():
                self._metrics.delivered.labels("refused").inc()
                log.error("message_refused", **_about(due), part=index)
                await self._give_up(due)
            case _:
                self._metrics.delivered.labels("failed").inc()
                log.warning("message_not_sent", **_about(due), error=type(error).__name__)
                # It may be there all the same, unless there was no connection to send it by.
                await self._put_off(due, index if _was_not_sent(error) else None)

    async def _put_off(
        self, due: Due, refused: int | None = None, wait: timedelta | None = None
    ) -> None:
        """Have a message sent later; `refused` is a part that Telegram surely has not."""
        until = utc_now() + (wait or retry_delay(due.message.attempts + 1, LONGEST_RETRY))
        async with self._database.write() as session:
            if refused is not None:
                await deliveries.refused(session, self._bot_id, due, refused)
            await deliveries.put_off(session, self._bot_id, due, until, failed=wait is None)

    async def _give_up(self, due: Due) -> None:
        async with self._database.write() as session:
            await deliveries.put_off(session, self._bot_id, due, None)
            if due.leaving:
                await chats.forget_chat(session, self._bot_id, due.chat_id)

    async def _blocked(self, due: Due) -> None:
        """Record that the person wants no more messages: they are not sent any."""
        self._metrics.delivered.labels("blocked").inc()
        log.info("chat_blocked", conversation=short(due.conversation_id))
        async with self._database.write() as session:
            await chats.block(session, self._bot_id, due.chat_id, utc_now())
            await chats.forget_chat(session, self._bot_id, due.chat_id)


def _was_not_sent(error: TelegramError) -> bool:
    if isinstance(error, NetworkError):
        not_connected = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
        return isinstance(error.__cause__, not_connected)
    # Any other may be of an answer that could not be read.
    return isinstance(error, InvalidToken)


def _about(due: Due) -> dict[str, object]:
    return {"conversation": short(due.conversation_id), "seq": due.message.seq}
