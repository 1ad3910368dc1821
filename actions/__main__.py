"""The action server: `python -m actions`, on `settings.actions_url`."""

import logging
import warnings
from urllib.parse import urlsplit

from rasa_sdk.endpoint import create_app
from rasa_sdk.executor import ActionExecutor

from actions.answers import ActionAnswer
from settings import Settings


def main() -> None:
    """Serve the actions over HTTP, in this one process, until told to stop."""
    # rasa-sdk 3.21 answers Rasa 3.6.21 well, and warns of the difference at every call.
    warnings.filterwarnings("ignore", module="rasa_sdk.utils")
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    address = urlsplit(Settings().actions_url)
    executor = ActionExecutor()
    executor.register_action(ActionAnswer())
    app = create_app(executor)
    app.run(address.hostname, address.port, single_process=True, access_log=False, motd=False)


if __name__ == "__main__":
    main()
