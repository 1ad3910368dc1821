"""`python -m bot`: migrates the database, then serves the web and answers messages."""

import uvicorn

from bot.log import configure_logs
from bot.rasa import Rasa
from bot.services import assembled
from bot.web.app import create_app
from settings import Settings
from storage.database import Database
from storage.migrate import upgrade

STOP_TIMEOUT = 5
"""How long open requests may still take when the process stops, in seconds."""


def main() -> None:
    """Run until a signal says to stop."""
    settings = Settings()
    configure_logs()
    upgrade(settings.sqlalchemy_url)
    rasa = Rasa(settings.rasa_url, settings.actions_url)
    services = assembled(settings, Database(settings.sqlalchemy_url), rasa)
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
