"""Right, asked back or wrong: what an outcome is worth."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from bench.questions import Question
from knowledge import Knowledge

Verdict = Literal["right", "asked", "wrong"]
VERDICTS: tuple[Verdict, ...] = ("right", "asked", "wrong")

REFUSALS = {"out_of_scope", "undocumented", "human_handoff", "help"}
"""Replies that tell no fact and lead on."""


def verdict(question: Question, outcome: Mapping[str, Any], knowledge: Knowledge) -> Verdict:
    """Judge the outcome of a turn, as `actions/answers.py` reports it.

    Right: the answer carries every fact that the question needs, or the reply
    is the expected one; a question that the documentation does not answer is
    also right when the assistant says so of the subject it is about.
    Asked back: it offered candidates, or gave no answer. Wrong: all else.
    """
    kind = outcome["kind"]
    if kind in {"did_you_mean", "which_subject", "not_understood"}:
        return "asked"
    if kind == "no_answer":
        return "right" if "undocumented" in question.reply else "asked"
    reference = outcome["references"][0]
    if kind == "reply":
        if reference in question.reply:
            return "right"
        told = knowledge.replies[reference].facts
        if question.facts and question.facts <= set(told):
            return "right"
        no_fact = reference in REFUSALS or "out_of_scope" in question.reply
        return "asked" if no_fact else "wrong"
    return (
        "right"
        if question.facts and question.facts <= set(knowledge.answers[reference].facts)
        else "wrong"
    )


def tally(verdicts: Iterable[tuple[str, Verdict]]) -> dict[str, Counter[Verdict]]:
    """Count the verdicts under each label."""
    table: dict[str, Counter[Verdict]] = {}
    for label, one in verdicts:
        table.setdefault(label, Counter())[one] += 1
    return table
