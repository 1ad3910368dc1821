"""What the routes work with, made once a process."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from bot.arrivals import Arrivals
from bot.mail.outbox import Outbox
from bot.metrics import Metrics
from bot.rasa import Rasa
from bot.relay import Relay
from bot.retention import Retention
from bot.telegram.channel import Telegram
from storage.database import Database


@dataclass(frozen=True)
class Services:
    """The parts of a running bot."""

    database: Database
    rasa: Rasa
    relay: Relay
    arrivals: Arrivals
    outbox: Outbox
    metrics: Metrics
    retention: Retention
    telegram: Telegram | None = None


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


FromServices = Annotated[Services, Depends(_services)]
