"""Other models than ours: without one of its pieces, or with fewer examples.

They are trained for the language alone (`rasa train nlu`): the rest of Rasa has
no part in what is measured of them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from bench import examples
from bench.pipelines import Trained, read_config, train, write_yaml
from settings import ROOT

AT_ONCE = 2
"""Trainings at the same time: each takes some 1.5 GB and up to two cores."""
SHARES = (0.25, 0.5, 0.75)
"""The parts of the examples of the learning curve, before all of them."""

Pipeline = list[dict[str, Any]]
T = TypeVar("T")


def without(component: str) -> Callable[[Pipeline], Pipeline]:
    """Return what takes a component out of a pipeline."""
    return lambda pipeline: [one for one in pipeline if not _is(one, component)]


def classifier_without(view: str) -> Callable[[Pipeline], Pipeline]:
    """Return what takes one of its two views of a text away from the classifier."""
    return lambda pipeline: [
        {**one, view: False} if _is(one, "QuestionClassifier") else one for one in pipeline
    ]


def one_family(pipeline: Pipeline) -> Pipeline:
    """Return the pipeline whose classifier takes all subjects for one family."""
    return [
        {**one, "families": {"": [*one["families"], *chain(*one["families"].values())]}}
        if _is(one, "QuestionClassifier")
        else one
        for one in pipeline
    ]


ABLATIONS: Mapping[str, Callable[[Pipeline], Pipeline]] = {
    "sans correcteur d'orthographe": without("SpellingCorrector"),
    "sans noms de sujets": without("SubjectMentions"),
    "sans caractères": classifier_without("characters"),
    "sans mots": classifier_without("words"),
    "sans familles": one_family,
}
"""What is done to our pipeline, by its name for people."""


def train_ablation(name: str, folder: Path) -> Trained:
    """Train our pipeline without one of its pieces into `folder`."""
    config = read_config(ROOT / "config.yml")
    config["pipeline"] = ABLATIONS[name](config["pipeline"])
    return train_nlu(name, config, examples.read(), folder)


def train_share(part: float, folder: Path) -> Trained:
    """Train our pipeline on a part of the examples (0 to 1) into `folder`."""
    blocks = examples.share(examples.read(), part)
    config = read_config(ROOT / "config.yml")
    return train_nlu(f"{part:.0%} des exemples", config, blocks, folder)


def train_nlu(
    name: str, config: Mapping[str, Any], blocks: Sequence[examples.Block], folder: Path
) -> Trained:
    """Train a configuration on these blocks into `folder`.

    Raises:
        RasaError: Rasa cannot learn from them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_yaml(folder / "config.yml", dict(config))
    examples.write(folder / "nlu.yml", blocks)
    files = ["--config", str(folder / "config.yml"), "--nlu", str(folder / "nlu.yml")]
    return train(name, ["train", "nlu", *files, "--domain", "domain"], folder)


def side_by_side(jobs: Iterable[Callable[[], T]]) -> list[T]:
    """Return what each job gives, `AT_ONCE` of them running; after a failure none is begun."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(job) for job in jobs]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _is(component: Mapping[str, Any], name: str) -> bool:
    return str(component["name"]).rpartition(".")[2] == name
