"""The parts of a running bot, and how they are put together."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.arrivals import Arrivals
from bot.mail.outbox import Outbox
from bot.metrics import Metrics
from bot.rasa import Rasa
from bot.reception import Reception
from bot.relay import Relay
from bot.retention import Retention
from bot.telegram.channel import Telegram
from knowledge import load
from knowledge.dialogue import load_wording
from knowledge.telegram import load_telegram
from settings import Settings
from storage.database import Database
from storage.times import utc_now
from storage.trackers import Trackers


@dataclass(frozen=True)
class Services:
    """The parts of a running bot; there is no Telegram without a token."""

    database: Database
    rasa: Rasa
    relay: Relay
    arrivals: Arrivals
    outbox: Outbox
    metrics: Metrics
    retention: Retention
    telegram: Telegram | None = None


def assembled(
    settings: Settings,
    database: Database,
    rasa: Rasa,
    *,
    clock: Callable[[], datetime] = utc_now,
) -> Services:
    """Return the parts of a bot on `database`, none of which runs yet."""
    arrivals, metrics = Arrivals(database), Metrics()
    knowledge, wording = load(), load_telegram()
    trackers = Trackers(settings.rasa_database_url)
    reception = Reception(
        database,
        rasa,
        trackers,
        knowledge,
        wording,
        load_wording(),
        retention_days=settings.retention_days,
        prefecture=settings.prefecture_mail,
    )
    relay = Relay(database, reception, arrivals, metrics, knowledge.sentences, clock=clock)
    telegram = None
    if settings.telegram_token and settings.telegram_token.get_secret_value():
        telegram = Telegram(
            settings.telegram_token.get_secret_value(),
            settings.telegram_api,
            settings.telegram_webhook_url or None,
            database=database,
            relay=relay,
            arrivals=arrivals,
            metrics=metrics,
            wording=wording,
            knowledge=knowledge,
        )
        reception.fetch = telegram.fetch
    return Services(
        database,
        rasa,
        relay,
        arrivals,
        Outbox(database, settings.var / "mail", settings.mail_from),
        metrics,
        Retention(database, trackers, settings.retention_days),
        telegram,
    )
