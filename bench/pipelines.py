"""The pipelines that are compared: ours, and what `rasa init` writes, on the same examples."""

import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bench import examples
from deploy import rasa
from nlu.components.text import RELATIVE_MARK, Vocabulary, fold
from settings import ROOT

STOCK_CONFIG = ROOT / "bench" / "rasa_init.yml"
STOCK_EPOCHS = 10
"""Epochs of DIET in the comparison. `rasa init` writes 100, made for a few hundred examples:
with our 12,000 that is four hours on two cores. Ten make as many steps as 100 on 1,200."""
WHOLE = ("train", "--skip-validation", "--force")
"""Rasa's command that trains a whole model."""


@dataclass(frozen=True)
class Trained:
    """A trained model: its name for people, its file, and the seconds its training took."""

    name: str
    model: Path
    seconds: float


def train_ours(folder: Path) -> Trained:
    """Train this repository's pipeline anew, without any cache, into `folder`."""
    return train("Passerelle", [*WHOLE, *rasa.data_arguments()], folder)


def train_stock(folder: Path, epochs: int = STOCK_EPOCHS) -> Trained:
    """Train `rasa init`'s pipeline into `folder`, on the same examples.

    It knows no subject of a block, so the examples get what a stock project
    would have: each name of a subject (`nlu/subjects.yml`) annotated as an
    entity. A rule for its fallback leads to the same action as ours.
    """
    data = folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    # « Le deuxième » means a subject by its conversation alone, of which it has none.
    blocks = [
        block for block in examples.read() if not block.get("synonym", "").startswith(RELATIVE_MARK)
    ]
    synonyms = (block for block in blocks if "synonym" in block)
    vocabulary = Vocabulary(
        {name: block["synonym"] for block in synonyms for name in examples.lines(block)}
    )
    for index, block in enumerate(blocks):
        if "intent" in block:
            block.pop("metadata", None)
            annotated = (annotate(line, vocabulary) for line in examples.lines(block))
            blocks[index] = examples.with_lines(block, annotated)
    examples.write(data / "nlu.yml", blocks)
    steps = [{"intent": "nlu_fallback"}, {"action": "action_answer"}]
    rules = [{"rule": "Fallback", "steps": steps}]
    write_yaml(data / "fallback.yml", {"version": "3.1", "rules": rules})
    config = read_config(STOCK_CONFIG)
    for component in config["pipeline"]:
        if "epochs" in component:
            component["epochs"] = epochs
    write_yaml(folder / "config.yml", config)
    arguments = ["--config", str(folder / "config.yml"), "--domain", "domain"]
    return train("rasa init", [*WHOLE, *arguments, "--data", str(data), "stories"], folder)


def annotate(example: str, vocabulary: Vocabulary) -> str:
    """Return `example` with each subject's name marked up as Rasa's entity."""
    folded = fold(example)
    parts, end = [], 0
    for mention in vocabulary.find(folded.text):
        start, stop = folded.offsets[mention.start], folded.offsets[mention.end - 1] + 1
        entity = json.dumps({"entity": "subject", "value": mention.value})
        parts += [example[end:start], f"[{example[start:stop]}]{entity}"]
        end = stop
    return "".join([*parts, example[end:]])


def train(name: str, arguments: Sequence[str], folder: Path) -> Trained:
    """Train into `folder` by Rasa's command `arguments`, without any cache.

    Raises:
        RasaError: Rasa cannot learn from these files.
    """
    started = time.perf_counter()
    where = ["--out", str(folder), "--fixed-model-name", "model"]
    log, cache = folder / "train.log", folder / "cache"
    shutil.rmtree(cache, ignore_errors=True)
    rasa.run([*arguments, *where], f"Apprentissage ({name})", log=log, cache=cache)
    return Trained(name, folder / "model.tar.gz", time.perf_counter() - started)


def read_config(file: Path) -> dict[str, Any]:
    """Return a configuration of Rasa."""
    content: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return content


def write_yaml(file: Path, content: object) -> None:
    """Write a file of Rasa's, its keys in their order."""
    text = yaml.dump(content, allow_unicode=True, sort_keys=False)
    file.write_text(text, encoding="utf-8")
