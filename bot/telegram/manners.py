"""Manners: what is done at once beside an answer; nothing is lost if it cannot be."""

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError
from telegram import Bot, LinkPreviewOptions
from telegram.constants import ChatAction, ParseMode
from telegram.error import RetryAfter, TelegramError

from bot.arrivals import Arrivals
from bot.telegram.pace import Pace, wait_asked
from knowledge.telegram import TelegramWording
from storage import chats
from storage.database import Database

TYPING_LASTS = 4.0
"""How long the applications show that somebody types, in seconds, less a little."""
TYPING_AT_MOST = 8
"""How many times in a row they are told so."""
DECLINE_EVERY = 60.0
"""How often a group is told that we talk in private, in seconds."""
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
"""A link is a line of text, not a picture of where it leads."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Manners:
    """What courtesy asks for in a chat.

    `typing` is the message that waits for its answer: its conversation and its
    number there; `mark` the number of a message whose button was tapped, and what
    it becomes (HTML).
    """

    chat: int = 0
    typing: tuple[str, int] | None = None
    query: str | None = None
    toast: str = ""
    mark: tuple[int, str] | None = None
    private: bool = False
    """Whether to say that we talk in private."""


class Courtesies:
    """Shows the manners of one bot."""

    def __init__(
        self,
        bot: Bot,
        pace: Pace,
        arrivals: Arrivals,
        database: Database,
        wording: TelegramWording,
    ) -> None:
        self.username: str | None = None
        self._bot = bot
        self._pace = pace
        self._arrivals = arrivals
        self._database = database
        self._wording = wording
        self._tasks: set[asyncio.Task[None]] = set()
        self._typing: set[int] = set()
        self._declined: dict[int, float] = {}

    async def stop(self) -> None:
        """Leave undone what is not done yet."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def show(self, manners: Manners) -> None:
        """Do what courtesy asks for, beside what goes on; if it fails, nothing is lost."""
        task = asyncio.create_task(self._show(manners))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _show(self, manners: Manners) -> None:
        if manners.query:
            text = manners.toast or None
            await self._try(self._bot.answer_callback_query(manners.query, text))
        await asyncio.gather(self._mark(manners), self._type(manners), self._decline(manners))

    async def _mark(self, manners: Manners) -> None:
        """Show which choice was tapped, and take the others away."""
        if manners.mark is None:
            return
        number, text = manners.mark
        for _ in range(2):
            await self._pace.turn(manners.chat)
            wait = await self._try(
                self._bot.edit_message_text(
                    text,
                    manners.chat,
                    number,
                    parse_mode=ParseMode.HTML,
                    link_preview_options=NO_PREVIEW,
                )
            )
            if wait is None:
                return
            await asyncio.sleep(wait.total_seconds())

    async def _type(self, manners: Manners) -> None:
        """Show that an answer is being written, until something is said."""
        if manners.typing is None or manners.chat in self._typing:
            return
        self._typing.add(manners.chat)
        try:
            for _ in range(TYPING_AT_MOST):
                await self._try(self._bot.send_chat_action(manners.chat, ChatAction.TYPING))
                try:
                    async with asyncio.timeout(TYPING_LASTS):
                        await self._answer(*manners.typing)
                    return
                except TimeoutError:
                    pass
        finally:
            self._typing.discard(manners.chat)

    async def _answer(self, conversation: str, seq: int) -> None:
        """Wait until something is said after a message."""
        with self._arrivals.watch(conversation) as arrival:
            while True:
                arrival.clear()
                try:
                    async with self._database.read() as session:
                        if await chats.is_answered(session, conversation, seq):
                            return
                except SQLAlchemyError:
                    pass
                await arrival.wait()

    async def _decline(self, manners: Manners) -> None:
        """Say in a group that we talk in private."""
        if manners.private and self.username and self._may_decline(manners.chat):
            text = self._wording.sentences["private"].format(username=self.username)
            await self._pace.turn(manners.chat)
            await self._try(
                self._bot.send_message(manners.chat, text, link_preview_options=NO_PREVIEW)
            )

    def _may_decline(self, chat: int) -> bool:
        """Tell whether a group was not told lately: once is enough."""
        now = time.monotonic()
        self._declined = {one: at for one, at in self._declined.items() if now - at < DECLINE_EVERY}
        if chat in self._declined:
            return False
        self._declined[chat] = now
        return True

    async def _try(self, call: Awaitable[object]) -> timedelta | None:
        """Do one thing if it can be done; return how long Telegram asks to wait, if it does."""
        try:
            await call
        except RetryAfter as error:
            return wait_asked(error)
        except (TelegramError, RuntimeError) as error:  # the latter once the bot is shut down
            log.info("courtesy_failed", error=type(error).__name__)
        return None
