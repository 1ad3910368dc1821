"""What an outcome is worth, and how it is told."""

from pathlib import Path
from typing import Any

import pytest

from bench import report, tables
from bench.measure import Judged, Measures
from bench.pipelines import Trained, annotate
from bench.player import Turn
from bench.questions import Question
from bench.scoring import Verdict, verdict
from knowledge import load
from nlu.components.text import Vocabulary

KNOWLEDGE = load()
LOCAL = Question(text="?", aspect=("local",), subject=("fonds",), facts=frozenset({"F12"}))
WEATHER = Question(text="?", reply=("out_of_scope",))
SILENT = Question(text="?", reply=("undocumented",), answers=("delai/fonds",))
THANKS = Question(text="?", reply=("thank",))
WHY = Question(text="?", follow="why")
BOTH = Question(text="?", parts=(frozenset({"F41"}), frozenset({"F14"})))


def outcome(kind: str, *references: str, asked: str | None = None) -> dict[str, Any]:
    followed = [asked] if asked else []
    return {"kind": kind, "confidence": 0.9, "references": list(references), "asked": followed}


@pytest.mark.parametrize(
    ("question", "said", "worth"),
    [
        (LOCAL, outcome("answer", "local/fonds"), "right"),
        (LOCAL, outcome("answer", "contact/fonds", "local/fonds"), "right"),
        (LOCAL, outcome("answer", "contact/fonds"), "wrong"),
        (LOCAL, outcome("answer", "contact/fonds", "undocumented/fonds"), "wrong"),
        (LOCAL, outcome("answer", "undocumented/fonds"), "asked"),
        (LOCAL, outcome("did_you_mean", "local/fonds", "contact/fonds"), "asked"),
        (LOCAL, outcome("which_subject", "local"), "asked"),
        (LOCAL, outcome("suggest", "local/fonds", asked="more"), "asked"),
        (LOCAL, outcome("reply", "undocumented"), "asked"),
        (LOCAL, outcome("reply", "greet"), "asked"),
        (LOCAL, outcome("reply", "information_age"), "wrong"),
        (WEATHER, outcome("reply", "out_of_scope"), "right"),
        (WEATHER, outcome("reply", "small_talk"), "right"),
        (WEATHER, outcome("not_understood"), "right"),
        (WEATHER, outcome("reply", "information_age"), "wrong"),
        (WEATHER, outcome("reply", "undocumented"), "asked"),
        (WEATHER, outcome("answer", "undocumented/fonds"), "asked"),
        (WEATHER, outcome("did_you_mean", "local/fonds"), "asked"),
        (WEATHER, outcome("answer", "local/fonds"), "wrong"),
        (SILENT, outcome("answer", "undocumented/aidants_connect"), "right"),
        (SILENT, outcome("answer", "delai/fonds"), "right"),
        (SILENT, outcome("reply", "undocumented"), "right"),
        (SILENT, outcome("reply", "human_handoff"), "asked"),
        (SILENT, outcome("not_understood"), "asked"),
        (SILENT, outcome("reply", "thank"), "wrong"),
        (SILENT, outcome("answer", "local/fonds"), "wrong"),
        (THANKS, outcome("reply", "thank"), "right"),
        (THANKS, outcome("reply", "help"), "asked"),
        (THANKS, outcome("reply", "insult"), "wrong"),
        (WHY, outcome("answer", "objectifs/fonds", asked="why"), "right"),
        (WHY, outcome("answer", "objectifs/fonds"), "right"),
        (WHY, outcome("answer", "montant/fonds"), "wrong"),
        (WHY, outcome("suggest", "objectifs/fonds", asked="something_else"), "asked"),
        (WHY, outcome("did_you_mean", "objectifs/fonds", asked="why"), "asked"),
        (BOTH, outcome("answer", "local/fonds", "objectifs/fonds"), "right"),
        (BOTH, outcome("answer", "local/fonds"), "asked"),
        (BOTH, outcome("not_understood"), "asked"),
        (BOTH, outcome("answer", "undocumented/fonds"), "asked"),
        (BOTH, outcome("answer", "montant/fonds"), "wrong"),
    ],
)
def test_verdict(question: Question, said: dict[str, Any], worth: Verdict) -> None:
    assert verdict(question, said, KNOWLEDGE) == worth


def test_names_are_marked_up_for_the_stock_pipeline() -> None:
    marked = annotate("Et l'Axe 1 alors ?", Vocabulary({"axe 1": "axe_1"}))
    assert marked == 'Et l\'[Axe 1]{"entity": "subject", "value": "axe_1"} alors ?'


def test_the_tables_in_markdown(tmp_path: Path) -> None:
    model = tmp_path / "model.tar.gz"
    turns = [("answer", "local/fonds"), ("answer", "contact/fonds")]
    judged = [
        Judged(
            LOCAL, Turn("?", outcome(*said), 0.1), verdict(LOCAL, outcome(*said), KNOWLEDGE), False
        )
        for said in turns
    ]
    measures = Measures(Trained("Ici", model, 12.0), judged, 14.2, 600.0, 15.0, 0.02, 0.021)
    text = tables.markdown(report.comparison([measures]))
    assert "### Comparaison" in text
    assert "questions (2) : justes" in text
    assert "50,0 %" in text
    assert "| fonds" in text
