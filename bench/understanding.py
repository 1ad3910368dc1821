"""What a model understands of every set: parsed at once by Rasa, then played in this process.

Neither server nor database is needed, so that many models can be measured. What
is measured through the public API is `measure.py`.
"""

import json
import os
import statistics
import subprocess
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from actions.answers import outcome
from actions.decision import Thread
from actions.questions import decide_all
from actions.understanding import read
from bench import noise
from bench.measure import Judged
from bench.player import Turn
from bench.questions import Kind, Question, QuestionSet
from bench.scoring import verdict
from deploy import rasa
from knowledge import Knowledge
from settings import ROOT


class Parsed(NamedTuple):
    """What Rasa understood of a text, and the seconds it took."""

    parse: Mapping[str, Any]
    seconds: float


Parses = Mapping[str, Parsed]
"""By text."""


class Twins(NamedTuple):
    """A question in scope, clean and noisy."""

    clean: Judged
    noisy: Judged


@dataclass(frozen=True)
class Understood:
    """What came of every set, by its name, and of the noisy twins, by the kind of noise."""

    sets: Mapping[str, list[Judged]]
    noise: Mapping[str, list[Twins]]

    def of(self, *kinds: Kind) -> list[Judged]:
        """Return what measures one of `kinds`, in every set; all of it if none is given."""
        judged = (one for some in self.sets.values() for one in some)
        return [one for one in judged if not kinds or one.question.kind(one.follows) in kinds]

    def among(self, names: Collection[str]) -> "Understood":
        """Return what came of these sets, without the noise."""
        return Understood({name: some for name, some in self.sets.items() if name in names}, {})

    @property
    def seconds(self) -> float:
        """The median time that understanding a message takes."""
        return statistics.median(one.turn.seconds for one in self.of())


def parse(model: Path, texts: Iterable[str], log: Path) -> dict[str, Parsed]:
    """Return what `model` understands of each text, in a process of its own.

    Raises:
        RasaError: the model cannot be asked.
    """
    distinct = list(dict.fromkeys(texts))
    log.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="passerelle-parse-") as name, log.open("wb") as output:
        told = Path(name) / "parses.json"
        done = subprocess.run(
            [str(rasa.PYTHON), "-m", "nlu.parse", str(model.resolve()), str(told)],
            cwd=ROOT,
            env={**os.environ, **rasa.ENVIRONMENT},
            input=json.dumps(distinct).encode(),
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode:
            said = log.read_text("utf-8", "replace").splitlines()[-1:]
            raise rasa.RasaError(f"Le modèle {model} ne se laisse pas interroger : {said}")
        parses = json.loads(told.read_text(encoding="utf-8"))
    return {text: Parsed(**one) for text, one in zip(distinct, parses, strict=True)}


def texts(sets: Mapping[str, QuestionSet], kinds: Iterable[str] = noise.KINDS) -> list[str]:
    """Return all that is to be parsed: every message of `sets`, and the twins of these kinds."""
    played = list(_all(sets))
    clean = [question.text for question, _ in played]
    twins = [noise.twin(q.text, kind) for kind in kinds for q, f in played if q.kind(f) == "scope"]
    return [*clean, *twins]


def understand(
    sets: Mapping[str, QuestionSet],
    parses: Parses,
    knowledge: Knowledge,
    kinds: Iterable[str] = noise.KINDS,
) -> Understood:
    """Play every set, and the noisy twins of what is in scope, from what Rasa understood."""
    judged = {
        name: [one for turns in some.conversations() for one in play(turns, parses, knowledge)]
        for name, some in sets.items()
    }
    clean = Understood(judged, {}).of("scope")
    return Understood(
        judged, {kind: list(_twins(clean, kind, parses, knowledge)) for kind in kinds}
    )


def play(questions: tuple[Question, ...], parses: Parses, knowledge: Knowledge) -> Iterator[Judged]:
    """Play one conversation and judge every turn."""
    thread = Thread()
    for index, question in enumerate(questions):
        parsed = parses[question.text]
        decisions, thread = decide_all(read(parsed.parse), thread, knowledge)
        turn = Turn(question.text, outcome(decisions), parsed.seconds)
        worth = verdict(question, turn.outcome, knowledge)
        yield Judged(question, turn, worth, follows=index > 0)


def without_parts(parses: Parses) -> dict[str, Parsed]:
    """Return the same as if no message were ever split."""
    return {
        text: Parsed({**parsed.parse, "parts": []}, parsed.seconds)
        for text, parsed in parses.items()
    }


def _all(sets: Mapping[str, QuestionSet]) -> Iterator[tuple[Question, bool]]:
    """Return every message, and whether it follows another."""
    for one in sets.values():
        for conversation in one.conversations():
            for index, question in enumerate(conversation):
                yield question, index > 0


def _twins(
    clean: Iterable[Judged], kind: str, parses: Parses, knowledge: Knowledge
) -> Iterator[Twins]:
    """Return the questions that the noise changes, each with its twin."""
    for one in clean:
        noisy = noise.twin(one.question.text, kind)
        if noisy != one.question.text:
            question = one.question.model_copy(update={"text": noisy})
            yield Twins(one, *play((question,), parses, knowledge))
