"""The model of the current files: `python -m deploy.train` makes it if it is not there.

Nothing is trained twice: a model is named for what it was learnt from.
"""

import fcntl
import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy import rasa
from deploy.progress import say
from settings import ROOT, Settings

KEPT_MODELS = 3
"""The models kept: this one and the last used before it."""


def main() -> int:
    """Train if needed; return the exit code."""
    try:
        trained_model(Settings().var)
    except rasa.RasaError as error:
        say(str(error), sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def trained_model(var: Path) -> Path:
    """Return the model of the current files, in the data folder `var`; train it if it is not there.

    Raises:
        RasaError: Rasa cannot learn from these files.

    """
    models = var / "models"
    models.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(models):
        while not (model := models / f"{fingerprint()}.tar.gz").exists():
            # Again if a file changed meanwhile: the model goes by the name of what it learnt.
            _train(model, var)
        os.utime(model)
        _prune(models)
    return model


def fingerprint() -> str:
    """Return what stands for everything a model depends on: files, components, Rasa's release."""
    components = (ROOT / "nlu" / "components").rglob("*.py")
    files = [*rasa.sources(), Path("nlu/requirements.txt")]
    files += sorted(path.relative_to(ROOT) for path in components)
    total = hashlib.sha256()
    for path in files:
        try:
            content = (ROOT / path).read_bytes()
        except OSError as error:
            raise rasa.RasaError(f"{path} ne peut pas être lu : {error.strerror}.") from None
        total.update(f"{path}\0{len(content)}\0".encode() + content)
    return total.hexdigest()[:16]


def _train(model: Path, var: Path) -> None:
    draft = model.parent / ".draft"
    shutil.rmtree(draft, ignore_errors=True)
    where = ["--out", str(draft.resolve()), "--fixed-model-name", "model"]
    try:
        rasa.run(
            # What Rasa would look for at length before it learns, `make test` does (validate.py).
            ["train", "--skip-validation", *rasa.data_arguments(), *where],
            "Apprentissage du modèle de langue",
            log=var / "log" / "train.log",
            cache=var / "cache" / "rasa",
        )
        if model.stem == f"{fingerprint()}.tar":
            # Whole or not there: whoever stops us leaves no half model.
            (draft / "model.tar.gz").replace(model)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _prune(models: Path) -> None:
    newest_first = sorted(models.glob("*.tar.gz"), key=lambda model: -model.stat().st_mtime)
    for model in newest_first[KEPT_MODELS:]:
        model.unlink()


@contextmanager
def _one_at_a_time(models: Path) -> Iterator[None]:
    with (models / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("Un apprentissage est déjà en cours : attente de sa fin…")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main())
