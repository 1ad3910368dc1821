"""Polling: asks Telegram for updates, and confirms them only once they are rows."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import structlog
from telegram import Bot
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError
from telegram.request import BaseRequest

from bot.retries import retry_delay
from bot.telegram.intake import Intake
from bot.telegram.manners import Manners
from bot.telegram.pace import wait_asked
from bot.telegram.reading import ALLOWED, update_number
from bot.telegram.status import Status

WAIT = 25
"""How long Telegram may hold a request that has nothing to give, in seconds."""
LONGEST_RETRY = timedelta(seconds=10)
AWAY = 3
"""Failed attempts in a row after which Telegram is said not to be reached."""
CONFLICT_WAIT = 5.0
"""Wait before asking again where another program asks for the same updates, in seconds."""

log = structlog.get_logger()


class Polling:
    """Polls for one bot.

    The library's own would confirm updates before they are stored, and would lose
    a whole batch for one update that it cannot read: so the request is ours, by
    the library's transport.
    """

    def __init__(
        self, bot: Bot, request: BaseRequest, intake: Intake, show: Callable[[Manners], None]
    ) -> None:
        self._bot = bot
        self._request = request
        self._intake = intake
        self._show = show
        self._offset = 0
        self._asked_for = False
        self.trouble: Status | None = None
        """What keeps updates from coming, at the last look."""

    async def run(self) -> None:
        """Take updates until cancelled."""
        failures = away = 0
        self._asked_for = False
        while True:
            try:
                await self._poll()
                failures, away, self.trouble = 0, 0, None
                continue
            except Conflict:
                if self.trouble is not Status.conflict:
                    log.error("telegram_conflict")
                self.trouble = Status.conflict
                wait = CONFLICT_WAIT
            except RetryAfter as error:
                wait = wait_asked(error).total_seconds()
            except Exception as error:  # whatever it is, the worker must not end of it
                failures += 1
                away += isinstance(error, TelegramError)  # or it is of our own
                self.trouble = Status.unreachable if away >= AWAY else None
                if isinstance(error, InvalidToken):
                    self.trouble = Status.refused
                wait = retry_delay(failures, LONGEST_RETRY).total_seconds()
                # Its type and no more: what it says may hold the token.
                log.warning("telegram_not_polled", error=type(error).__name__, failures=failures)
            await asyncio.sleep(wait)

    async def _poll(self) -> None:
        if not self._asked_for:
            await self._bot.delete_webhook()
            self._asked_for = True
        asked = {"offset": self._offset, "timeout": WAIT, "allowed_updates": json.dumps(ALLOWED)}
        updates: Any = await self._request.post(
            f"{self._bot.base_url}/getUpdates?{urlencode(asked)}", read_timeout=WAIT + 10
        )
        numbers = []
        for raw in updates:
            self._show(await self._intake.take(raw))
            # Only now: what is not stored comes again. One that has no number has
            # nothing to be confirmed by.
            if (number := update_number(raw)) is not None:
                numbers.append(number)
                # Not the highest: after a week of silence Telegram's numbers begin anywhere.
                self._offset = number + 1
        if updates and not numbers:
            raise LookupError  # the same come again: not at once
