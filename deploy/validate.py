"""`python -m deploy.validate`: Rasa checks its files against one another, warnings included."""

import sys

from deploy import rasa
from deploy.progress import say
from settings import Settings


def main() -> int:
    """Validate; return the exit code."""
    var = Settings().var
    try:
        rasa.run(
            ["data", "validate", "--fail-on-warnings", *rasa.data_arguments()],
            "Vérification des fichiers de Rasa",
            log=var / "log" / "validate.log",
            cache=var / "cache" / "rasa",
        )
    except rasa.RasaError as error:
        say(str(error), sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
