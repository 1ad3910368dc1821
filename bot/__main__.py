"""`python -m bot`: migrates the database, then serves the web and answers messages."""

import uvicorn

from bot.arrivals import Arrivals
from bot.log import configure_logs
from bot.mail.outbox import Outbox
from bot.metrics import Metrics
from bot.rasa import Rasa
from bot.reception import Reception
from bot.relay import Relay
from bot.retention import Retention
from bot.telegram.channel import Telegram
from bot.web.app import create_app
from bot.web.services import Services
from knowledge import load
from knowledge.dialogue import load_wording
from knowledge.telegram import load_telegram
from settings import Settings
from storage.database import Database
from storage.migrate import upgrade
from storage.trackers import Trackers

STOP_TIMEOUT = 5
"""How long open requests may still take when the process stops, in seconds."""


def main() -> None:
    """Run until a signal says to stop."""
    settings = Settings()
    configure_logs()
    upgrade(settings.sqlalchemy_url)
    database = Database(settings.sqlalchemy_url)
    arrivals, metrics = Arrivals(database), Metrics()
    knowledge, wording = load(), load_telegram()
    rasa = Rasa(settings.rasa_url, settings.actions_url)
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
    relay = Relay(database, reception, arrivals, metrics, knowledge.sentences)
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
    services = Services(
        database,
        rasa,
        relay,
        arrivals,
        Outbox(database, settings.var / "mail", settings.mail_from),
        metrics,
        Retention(database, trackers, settings.retention_days),
        telegram,
    )
    uvicorn.run(
        create_app(services),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        # Nothing here needs the visitor's address, and what only this machine
        # may see must not depend on a header.
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_TIMEOUT,
    )


if __name__ == "__main__":
    main()
