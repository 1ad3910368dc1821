"""Cross-validation: a part of the examples is held out, the rest is learnt, in turn."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from actions.answers import outcome
from actions.decision import Thread
from actions.questions import decide_all
from actions.understanding import Heard, Understanding, read
from bench import examples, variants
from bench.pipelines import read_config
from bench.scoring import Verdict
from bench.understanding import Parses, parse
from knowledge import UNDOCUMENTED, Knowledge
from settings import ROOT

FOLDS = 5


def cross_validate(folder: Path, knowledge: Knowledge) -> list[list[Verdict]]:
    """Return what each held-out example is worth, fold by fold.

    Raises:
        RasaError: a training failed.
    """
    return variants.side_by_side(
        partial(_fold, index, folder / f"fold{index}", knowledge) for index in range(FOLDS)
    )


def judge(
    held_out: Iterable[examples.Example], parses: Parses, knowledge: Knowledge
) -> list[Verdict]:
    """Judge by what is said: two labels that lead to the same answer are both right."""
    return [
        _verdict(
            _said(read(parses[example.text].parse), knowledge),
            _said(_certain(example), knowledge),
        )
        for example in held_out
    ]


def _fold(index: int, folder: Path, knowledge: Knowledge) -> list[Verdict]:
    learnt, held_out = examples.fold(examples.read(), index, FOLDS)
    config = read_config(ROOT / "config.yml")
    name = f"pli {index + 1} sur {FOLDS}"
    trained = variants.train_nlu(name, config, learnt, folder)
    parses = parse(trained.model, (e.text for e in held_out), folder / "parse.log")
    return judge(held_out, parses, knowledge)


def _certain(example: examples.Example) -> Heard:
    """Return the understanding of an example as its block declares it."""
    return Heard(Understanding({example.intent: 1.0}, {example.subject: 1.0}))


def _said(heard: Heard, knowledge: Knowledge) -> dict[str, Any]:
    """Return the outcome at the beginning of a conversation."""
    decisions, _ = decide_all(heard, Thread(), knowledge)
    return outcome(decisions)


def _verdict(said: dict[str, Any], meant: dict[str, Any]) -> Verdict:
    if said["kind"] != "did_you_mean" and _things(meant) <= _things(said):
        return "right"
    return "wrong" if said["kind"] in ("answer", "reply", "suggest") else "asked"


def _things(said: dict[str, Any]) -> set[str]:
    """Return what is said; all ways to admit that one does not know are the same."""
    named = said["references"] or [said["kind"]]
    return {
        UNDOCUMENTED if one.partition("/")[0] == UNDOCUMENTED else f"{said['kind']} {one}"
        for one in named
    }
