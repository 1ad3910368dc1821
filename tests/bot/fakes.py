"""A Rasa that fails on demand (a real one answers in other tests), and a clock set at will.

`parts` puts a bot together around them.
"""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from bot.rasa import Rasa
from bot.services import Services, assembled
from knowledge import load
from settings import Settings
from storage.database import Database
from storage.times import utc_now

RASA, ACTIONS = "http://rasa.test", "http://actions.test"
UNAVAILABLE = load().sentences["unavailable"]
SENDER = "passerelle@exemple.fr"
PREFECTURE = "prefecture@exemple.fr"
KEPT_DAYS = 365


class FakeRasa(httpx.AsyncBaseTransport):
    """Rasa's REST channel and its action server's health, strict about what they are sent.

    `fault` is what is wrong now: `down`, `slow`, `error`, `silent`,
    `unreadable`, `actions_down` or nothing.
    """

    def __init__(self) -> None:
        self.fault: str | None = None
        self.messages: list[tuple[str, str]] = []
        self.replies: Callable[[str], list[Any]] = lambda message: [
            {"recipient_id": "x", "text": f"Réponse à {message}"}
        ]
        self.pause = 0.0
        self._busy: set[str] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.fault == "down":
            raise httpx.ConnectError("refused")
        match request.method, str(request.url):
            case "GET", "http://rasa.test/":
                return httpx.Response(200, text="Hello from Rasa: 3.6.21")
            case "GET", "http://actions.test/health":
                return httpx.Response(503 if self.fault == "actions_down" else 200)
            case "POST", "http://rasa.test/webhooks/rest/webhook":
                body = json.loads(await request.aread())
                return await self._turn(**body)
        raise AssertionError(f"Rasa has no {request.method} {request.url}")

    async def _turn(self, *, sender: str, message: str, metadata: dict[str, int]) -> httpx.Response:
        assert {"seq"} <= metadata.keys() <= {"seq", "corrects"} and metadata["seq"] > 0
        assert sender not in self._busy, "two turns of one conversation at the same time"
        self.messages.append((sender, message))
        self._busy.add(sender)
        try:
            await asyncio.sleep(self.pause)
        finally:
            self._busy.discard(sender)
        if self.fault == "slow":
            raise httpx.ReadTimeout("slow")
        if self.fault == "error":
            return httpx.Response(500, text="<h1>500</h1>")
        if self.fault == "unreadable":
            return httpx.Response(200, text='[{"text": ')
        if self.fault in ("silent", "actions_down"):
            return httpx.Response(200, json=[])
        return httpx.Response(200, json=self.replies(message))


class Clock:
    """The relay's clock: the real one, set forward."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.ahead

    def advance(self, **by: float) -> None:
        self.ahead += timedelta(**by)


def parts(
    database: Database,
    rasa: Rasa,
    folder: Path,
    *,
    clock: Callable[[], datetime] = utc_now,
    token: str | None = None,
    api: str = "",
    webhook_url: str | None = None,
) -> Services:
    """Return the parts of a bot process; with a token, those of Telegram too."""
    settings = Settings(
        var=folder,
        tracker_url=None,
        mail_from=SENDER,
        prefecture_mail=PREFECTURE,
        retention_days=KEPT_DAYS,
        telegram_token=SecretStr(token) if token else None,
        telegram_api=api,
        telegram_webhook_url=webhook_url,
    )
    return assembled(settings, database, rasa, clock=clock)
