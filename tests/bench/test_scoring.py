"""What an outcome is worth, and how it is told."""

from pathlib import Path
from typing import Any

import pytest

from actions.decision import FOLLOW_UP
from bench import questions, report
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
SILENT = Question(text="?", reply=("undocumented", "human_handoff"))


def outcome(kind: str, *references: str) -> dict[str, Any]:
    return {"kind": kind, "confidence": 0.9, "references": list(references)}


@pytest.mark.parametrize(
    ("question", "said", "worth"),
    [
        (LOCAL, outcome("answer", "local/fonds"), "right"),
        (LOCAL, outcome("answer", "contact/fonds"), "wrong"),
        (LOCAL, outcome("did_you_mean", "local/fonds", "contact/fonds"), "asked"),
        (LOCAL, outcome("which_subject", "local"), "asked"),
        (LOCAL, outcome("no_answer", "local/fonds"), "asked"),
        (LOCAL, outcome("reply", "undocumented"), "asked"),
        (LOCAL, outcome("reply", "greet"), "wrong"),
        (WEATHER, outcome("reply", "out_of_scope"), "right"),
        (WEATHER, outcome("reply", "small_talk"), "asked"),
        (WEATHER, outcome("not_understood"), "asked"),
        (WEATHER, outcome("answer", "local/fonds"), "wrong"),
        (SILENT, outcome("no_answer", "delai/aidants_connect"), "right"),
        (SILENT, outcome("reply", "human_handoff"), "right"),
        (SILENT, outcome("answer", "local/fonds"), "wrong"),
    ],
)
def test_verdict(question: Question, said: dict[str, Any], worth: Verdict) -> None:
    assert verdict(question, said, KNOWLEDGE) == worth


@pytest.mark.parametrize("file", [questions.FILE, questions.VALIDATION], ids=lambda file: file.name)
def test_the_questions_name_what_exists(file: Path) -> None:
    aspects = {*KNOWLEDGE.aspects, FOLLOW_UP}
    for conversation in questions.load(file).conversations():
        for question in conversation:
            assert set(question.aspect) <= aspects, question.text
            assert set(question.subject) <= set(KNOWLEDGE.subjects), question.text
            assert set(question.reply) <= set(KNOWLEDGE.replies), question.text


def test_the_development_set_is_large_enough() -> None:
    assert len(questions.load().questions) >= 200


def test_a_question_expects_facts_or_a_reply() -> None:
    with pytest.raises(ValueError, match="facts ou reply"):
        Question(text="?")


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
    text = report.markdown([measures])
    assert "### Comparaison" in text
    assert "questions (2) : justes" in text
    assert "50,0 %" in text
    assert "| fonds" in text
