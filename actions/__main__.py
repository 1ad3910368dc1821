"""The action server: `python -m actions`, on `settings.actions_url`."""

import logging
import warnings
from urllib.parse import urlsplit

from rasa_sdk.endpoint import create_app
from rasa_sdk.executor import ActionExecutor

from actions.answers import ActionAnswer
from actions.desk import Desk
from candidature.dialogue import Dialogue
from candidature.places import Finder
from knowledge import load
from knowledge.dialogue import load_wording
from knowledge.form import load_form
from knowledge.places import load_places
from knowledge.questionnaire import load_questionnaires
from settings import Settings
from storage.database import Database


def main() -> None:
    """Serve the actions over HTTP, in this one process, until told to stop."""
    # rasa-sdk 3.21 answers Rasa 3.6.21 well, and warns of the difference at every call.
    warnings.filterwarnings("ignore", module="rasa_sdk.utils")
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    settings = Settings()
    address = urlsplit(settings.actions_url)
    dialogue = Dialogue(
        load_questionnaires(),
        load_form(),
        load_wording(),
        load(),
        Finder(load_places()),
        settings.prefecture_mail,
    )
    executor = ActionExecutor()
    executor.register_action(ActionAnswer(Desk(Database(settings.sqlalchemy_url), dialogue)))
    app = create_app(executor)
    app.run(address.hostname, address.port, single_process=True, access_log=False, motd=False)


if __name__ == "__main__":
    main()
