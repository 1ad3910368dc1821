"""The Telegram channel: a bot, from its token to its chats."""

import asyncio
import hashlib
import hmac
import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog
from telegram import Bot
from telegram.error import BadRequest, Forbidden, InvalidToken, RetryAfter, TelegramError
from telegram.request import HTTPXRequest

from bot.arrivals import Arrivals
from bot.joining import Unfit
from bot.metrics import Metrics
from bot.processes import here, is_gone
from bot.rasa import Fault
from bot.relay import Relay
from bot.retries import retry_delay
from bot.telegram.delivery import Delivery
from bot.telegram.intake import Intake
from bot.telegram.manners import Courtesies
from bot.telegram.menu import show_menu
from bot.telegram.pace import Pace, wait_asked
from bot.telegram.polling import LONGEST_RETRY, Polling
from bot.telegram.posting import Posting
from bot.telegram.status import Status
from candidature.attachments import Refusal
from knowledge import Knowledge
from knowledge.telegram import TelegramWording
from storage import chats, telegram_bots
from storage.database import Database
from storage.times import utc_now

RENEW = 5.0
"""How often a process says that it still speaks for the bot, in seconds."""
MARGIN = timedelta(seconds=5)
"""How long before its end a hold that cannot be renewed is left."""
FETCH_WITHIN = 10.0
"""Longest wait for a person's file, in seconds: with Rasa's turn, well under a lease."""
UPDATES_KEPT = timedelta(days=3)
"""How long an update is known to have been taken: Telegram keeps it for one day."""
LONGEST_MENU = timedelta(minutes=5)
"""Longest wait before the menu is tried again: nobody waits for it."""
CONNECTIONS = 64
DEFAULT_PATH = "/telegram"
"""Where Telegram posts updates if the webhook's address says nothing of it."""

_TOKEN = re.compile(r"([0-9]{1,18}):[A-Za-z0-9_-]+", re.ASCII)

log = structlog.get_logger()


class Telegram:
    """One bot: takes its updates, sends its messages.

    Args:
        token: what @BotFather gave. It is a secret: nothing here logs it, nor any
            error's words, which may hold it.
        api: base URL of the Bot API.
        webhook_url: the public address to which Telegram posts updates; polls without.
    """

    def __init__(
        self,
        token: str,
        api: str,
        webhook_url: str | None,
        *,
        database: Database,
        relay: Relay,
        arrivals: Arrivals,
        metrics: Metrics,
        wording: TelegramWording,
        knowledge: Knowledge,
    ) -> None:
        self._status = Status.starting
        self.username: str | None = None
        self._webhook_url = _with_path(webhook_url) if webhook_url else None
        # Known to us and to Telegram alone, the same for all processes.
        self._secret = hmac.new(token.encode(), b"webhook", hashlib.sha256).hexdigest()
        self._database = database
        self._arrivals = arrivals
        self._wording = wording
        self._process = here()
        shaped = _TOKEN.fullmatch(token)
        self._bot_id = int(shaped[1]) if shaped else 0
        self._held_until: datetime | None = None
        polling_request = _request(api)
        self._bot = Bot(
            token,
            base_url=f"{api.rstrip('/')}/bot",
            base_file_url=f"{api.rstrip('/')}/file/bot",
            request=_request(api),
            get_updates_request=polling_request,
        )
        self._pace = Pace()
        self._intake = Intake(database, relay, self._bot_id, wording, knowledge)
        self._delivery = Delivery(
            database,
            self._bot,
            self._bot_id,
            self._process,
            arrivals,
            self._pace,
            metrics,
            wording,
        )
        self._courtesies = Courtesies(self._bot, self._pace, arrivals, database, wording)
        self._way: Polling | Posting
        if self._webhook_url:
            self._way = Posting(self._bot, self._webhook_url, self._secret)
        else:
            show = self._courtesies.show
            self._way = Polling(self._bot, polling_request, self._intake, show)

    @property
    def status(self) -> Status:
        """How the channel is now."""
        if self._status is Status.on and self._way.trouble:
            return self._way.trouble
        return self._status

    # Running

    async def run(self) -> None:
        """Be there until cancelled; not at all if Telegram does not know the token."""
        try:
            if not await self._introduced():
                return
            while True:
                if await self._hold():
                    await self._speak()
                await asyncio.sleep(RENEW)
        finally:
            await self._leave()

    async def _introduced(self) -> bool:
        """Learn what we are called; tell whether Telegram knows us at all."""
        failures = 0
        while True:
            try:
                if not self._bot_id:
                    raise InvalidToken
                await self._bot.initialize()
                self.username = self._bot.username
                self._intake.username = self._courtesies.username = self.username
                async with self._database.write() as session:
                    await telegram_bots.add_bot(session, self._bot_id)
                    await telegram_bots.name_bot(session, self._bot_id, self.username)
            except InvalidToken:
                self._status = Status.refused
                log.error("telegram_token_refused", setting="PASSERELLE_TELEGRAM_TOKEN")
                return False
            except Exception as error:  # Telegram, or the database, may come back
                if isinstance(error, TelegramError):
                    self._status = Status.unreachable
                failures += 1
                log.warning("telegram_not_reached", error=type(error).__name__, failures=failures)
                await asyncio.sleep(retry_delay(failures, LONGEST_RETRY).total_seconds())
                continue
            self._status = Status.on
            log.info("telegram_reached", webhook=self._webhook_url is not None)
            return True

    async def _hold(self) -> bool:
        """Take or keep the right to speak for the bot; tell whether it is ours."""
        now = utc_now()
        try:
            async with self._database.write() as session:
                held = await telegram_bots.hold(session, self._bot_id, self._process, now, is_gone)
        except Exception as error:  # what we held, we hold to its end
            log.error("telegram_not_held", error=type(error).__name__)
            return self._held_until is not None and now < self._held_until
        self._held_until = now + telegram_bots.HELD - MARGIN if held else None
        return held

    async def _speak(self) -> None:
        """Do what only one process may do, as long as it is ours to do."""
        works = [self._delivery.run(), self._way.run(), self._menu(), self._tidy()]
        tasks = [asyncio.create_task(work) for work in works]
        try:
            while True:
                ended, _ = await asyncio.wait(
                    tasks, timeout=RENEW, return_when=asyncio.FIRST_COMPLETED
                )
                for task in ended:
                    # Its type and no more: what it says may hold the token.
                    log.error("telegram_work_ended", error=type(task.exception()).__name__)
                if ended:
                    return
                if not await self._hold():
                    log.warning("telegram_left_to_another")
                    return
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._way.trouble = None  # it is another process's now

    async def _menu(self) -> None:
        """Show the menu, again and again until it goes well; then wait like the others."""
        failures = 0
        while True:
            try:
                await show_menu(self._bot, self._wording)
                break
            except RetryAfter as error:
                wait = wait_asked(error)
            except Exception as error:  # its words may hold the token
                failures += 1
                log.warning("menu_not_shown", error=type(error).__name__, failures=failures)
                wait = retry_delay(failures, LONGEST_MENU)
            await asyncio.sleep(wait.total_seconds())
        await asyncio.Event().wait()

    async def _tidy(self) -> None:
        """Forget the marks of updates that Telegram will not send again, and chats that left."""
        while True:
            try:
                async with self._database.write() as session:
                    await telegram_bots.forget_updates(session, utc_now() - UPDATES_KEPT)
                    await chats.forget_left(session, self._bot_id)
            except Exception as error:
                log.warning("updates_not_tidied", error=type(error).__name__)
            await asyncio.sleep(3600)

    async def _leave(self) -> None:
        await self._courtesies.stop()
        try:
            async with self._database.write() as session:
                await telegram_bots.let_go(session, self._bot_id, self._process)
        except Exception as error:
            log.warning("telegram_not_let_go", error=type(error).__name__)
        await self._bot.shutdown()

    # A webhook's updates, which any process may be given

    @property
    def webhook_path(self) -> str | None:
        """The path at which Telegram posts updates, if it does."""
        return urlsplit(self._webhook_url).path if self._webhook_url else None

    def knows_secret(self, secret: str) -> bool:
        """Tell whether a request comes from Telegram; takes as long whatever is wrong in it."""
        return hmac.compare_digest(secret.encode("utf-8", "replace"), self._secret.encode())

    async def take(self, raw: dict[str, Any]) -> None:
        """Store an update that was posted.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: it is not stored, and has to come again.
        """
        self._courtesies.show(await self._intake.take(raw))

    # Files

    async def fetch(self, file_id: str) -> bytes | None:
        """Return a file that a person sent; nothing if Telegram does not have it any more.

        Raises:
            Fault: it cannot be had now.
            Unfit: Telegram gives no file as large as this to a bot.
        """
        try:
            async with asyncio.timeout(FETCH_WITHIN):
                file = await self._bot.get_file(file_id)
                try:
                    return bytes(await file.download_as_bytearray())
                except (InvalidToken, Forbidden):  # what the library makes of a file not found
                    return None
        except BadRequest as error:
            if "too big" in str(error).lower():
                raise Unfit(Refusal.TOO_LARGE) from None
            return None
        except (TelegramError, TimeoutError):
            raise Fault("telegram") from None


def _with_path(url: str) -> str:
    """Return the webhook's address; with a path of its own, lest it be the page's."""
    parts = urlsplit(url)
    return url if parts.path.strip("/") else parts._replace(path=DEFAULT_PATH).geturl()


def _request(api: str) -> HTTPXRequest:
    # What is on this machine is not behind a proxy of the environment.
    local = urlsplit(api).hostname in ("127.0.0.1", "localhost", "::1")
    return HTTPXRequest(
        connection_pool_size=CONNECTIONS,
        read_timeout=10,
        write_timeout=10,
        connect_timeout=5,
        pool_timeout=5,
        media_write_timeout=30,
        httpx_kwargs={"trust_env": not local},
    )
