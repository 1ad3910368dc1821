"""Posting: has Telegram post updates to our address, and looks whether it does."""

import asyncio
from datetime import timedelta

import structlog
from telegram import Bot, WebhookInfo
from telegram.error import BadRequest, InvalidToken, RetryAfter, TelegramError

from bot.retries import retry_delay
from bot.telegram.pace import wait_asked
from bot.telegram.polling import AWAY, LONGEST_RETRY
from bot.telegram.reading import ALLOWED
from bot.telegram.status import Status
from storage.times import utc_now

LOOK = 60.0
"""How often we look whether Telegram still posts, in seconds: nothing else would tell."""
RECENT = timedelta(minutes=5)
"""Age of a failure that still tells how things are, where updates wait."""

log = structlog.get_logger()


class Posting:
    """Has one bot's updates posted to `url`, with the secret by which we know Telegram."""

    def __init__(self, bot: Bot, url: str, secret: str) -> None:
        self._bot = bot
        self._url = url
        self._secret = secret
        self._known_as: str | None = None
        self.trouble: Status | None = None
        """What keeps updates from coming, at the last look."""

    async def run(self) -> None:
        """Tell Telegram the address, and look again and again, until cancelled."""
        failures = 0
        self._known_as = None
        while True:
            try:
                await self._look()
                failures, wait = 0, LOOK
            except RetryAfter as error:
                wait = wait_asked(error).total_seconds()
            except Exception as error:  # whatever it is, the worker must not end of it
                failures += 1
                if isinstance(error, InvalidToken):
                    self.trouble = Status.refused
                elif isinstance(error, BadRequest):
                    self.trouble = Status.webhook_refused
                elif isinstance(error, TelegramError) and failures >= AWAY:
                    self.trouble = Status.unreachable
                wait = retry_delay(failures, LONGEST_RETRY).total_seconds()
                # Its type and no more: what it says may hold the token.
                log.warning("webhook_not_set", error=type(error).__name__, failures=failures)
            await asyncio.sleep(wait)

    async def _look(self) -> None:
        info = await self._bot.get_webhook_info()
        if info.url == self._known_as:
            self.trouble = self._failing(info)
            return
        taken_away = self._known_as is not None
        await self._bot.set_webhook(
            self._url, allowed_updates=list(ALLOWED), secret_token=self._secret
        )
        # It may write the address in another way than we do.
        self._known_as = (await self._bot.get_webhook_info()).url or self._url
        self.trouble = Status.conflict if taken_away else None
        if taken_away:
            log.error("telegram_conflict")

    def _failing(self, info: WebhookInfo) -> Status | None:
        failed = info.last_error_date
        if not info.pending_update_count or failed is None or utc_now() - failed > RECENT:
            return None
        if self.trouble is not Status.webhook_failing:
            log.error("webhook_failing", waiting=info.pending_update_count)
        return Status.webhook_failing
