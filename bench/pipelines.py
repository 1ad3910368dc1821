"""The pipelines that are compared: ours, and what `rasa init` writes, on the same examples."""

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from deploy import rasa
from nlu.components.text import Vocabulary, fold
from settings import ROOT

STOCK_CONFIG = ROOT / "bench" / "rasa_init.yml"
STOCK_EPOCHS = 10
"""Epochs of DIET in the comparison. `rasa init` writes 100, made for a few hundred examples:
with our 12,000 that is four hours on two cores. Ten make as many steps as 100 on 1,200."""


@dataclass(frozen=True)
class Trained:
    """A trained model: its name for people, its file, and the seconds its training took."""

    name: str
    model: Path
    seconds: float


def train_ours(folder: Path) -> Trained:
    """Train this repository's pipeline anew, without any cache, into `folder`."""
    return _train("Passerelle", rasa.data_arguments(), folder)


def train_stock(folder: Path, epochs: int = STOCK_EPOCHS) -> Trained:
    """Train `rasa init`'s pipeline into `folder`, on the same examples.

    It knows no subject of a block, so the examples get what a stock project
    would have: each name of a subject (`nlu/subjects.yml`) annotated as an
    entity. A rule for its fallback leads to the same action as ours.
    """
    data = folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    blocks = [block for file in rasa.examples() for block in _read(ROOT / file).get("nlu", [])]
    vocabulary = Vocabulary(
        {name: block["synonym"] for block in blocks if "synonym" in block for name in _lines(block)}
    )
    for block in blocks:
        if "intent" in block:
            block.pop("metadata", None)
            annotated = (annotate(line, vocabulary) for line in _lines(block))
            block["examples"] = "".join(f"- {line}\n" for line in annotated)
    _write(data / "nlu.yml", {"version": "3.1", "nlu": blocks})
    steps = [{"intent": "nlu_fallback"}, {"action": "action_answer"}]
    rules = [{"rule": "Fallback", "steps": steps}]
    _write(data / "fallback.yml", {"version": "3.1", "rules": rules})
    config = _read(STOCK_CONFIG)
    for component in config["pipeline"]:
        if "epochs" in component:
            component["epochs"] = epochs
    _write(folder / "config.yml", config)
    arguments = ["--config", str(folder / "config.yml"), "--domain", "domain"]
    return _train("rasa init", [*arguments, "--data", str(data), "stories"], folder)


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


def _train(name: str, arguments: list[str], folder: Path) -> Trained:
    started = time.perf_counter()
    where = ["--out", str(folder), "--fixed-model-name", "model"]
    log, cache = folder / "train.log", folder / "cache"
    shutil.rmtree(cache, ignore_errors=True)
    command = ["train", "--skip-validation", "--force", *arguments, *where]
    rasa.run(command, f"Apprentissage ({name})", log=log, cache=cache)
    return Trained(name, folder / "model.tar.gz", time.perf_counter() - started)


def _lines(block: dict[str, str]) -> list[str]:
    return [line[2:].strip() for line in block["examples"].splitlines() if line.startswith("- ")]


def _read(file: Path) -> dict[str, list[dict[str, Any]]]:
    content: dict[str, list[dict[str, Any]]] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return content


def _write(file: Path, content: object) -> None:
    # One line an example, as Rasa reads them.
    text = yaml.dump(
        content, allow_unicode=True, sort_keys=False, width=100_000, default_style=None
    )
    file.write_text(text, encoding="utf-8")
