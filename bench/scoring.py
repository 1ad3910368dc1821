"""Right, asked back or wrong: what an outcome is worth."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from actions.decision import AIMS, WHY
from bench.questions import Question
from knowledge import UNDOCUMENTED, Knowledge

Verdict = Literal["right", "asked", "wrong"]
VERDICTS: tuple[Verdict, ...] = ("right", "asked", "wrong")

REFUSALS = {"out_of_scope", "undocumented", "human_handoff", "help"}
"""Replies that answer nothing and lead on."""


def verdict(question: Question, outcome: Mapping[str, Any], knowledge: Knowledge) -> Verdict:
    """Judge the outcome of a turn, as `actions/answers.py` reports it.

    Right: what was said, taken together, is what the question needs; a question
    that the documentation does not answer needs to be told so. Asked back: the
    assistant offered candidates, said nothing of substance, or answered some of
    several questions. Wrong: all else.
    """
    said = set(outcome["references"]) if outcome["kind"] in ("answer", "reply") else set()
    told = frozenset(fact for one in said for fact in _facts(one, knowledge))
    if any(map(_admits, said)):
        told |= {UNDOCUMENTED}
    if _right(question, outcome, said, told):
        return "right"
    if any(part <= told for part in question.parts):
        return "asked"
    return "asked" if all(_says_nothing(one, question, knowledge) for one in said) else "wrong"


def _right(
    question: Question, outcome: Mapping[str, Any], said: set[str], told: frozenset[str]
) -> bool:
    kind = outcome["kind"]
    if question.facts:
        return question.facts <= told
    if question.parts:
        return all(part <= told for part in question.parts)
    if question.follow:
        # Why: the aims, whether they were understood as the reason or asked for themselves.
        why = question.follow == WHY and any(one.startswith(f"{AIMS}/") for one in said)
        return kind in ("answer", "suggest") and (question.follow in outcome["asked"] or why)
    if said & {*question.reply, *question.answers}:
        return True
    admitted = any(map(_admits, said))
    if "undocumented" in question.reply and admitted:
        return True
    if "out_of_scope" in question.reply:
        courtesy = kind == "reply" and not admitted and "information_age" not in said
        return courtesy or kind == "not_understood"
    return False


def _admits(reference: str) -> bool:
    """Tell whether an answer or a reply says that the documentation does not say."""
    return reference.partition("/")[0] == UNDOCUMENTED


def _facts(reference: str, knowledge: Knowledge) -> tuple[str, ...]:
    if "/" in reference:
        return knowledge.answers[reference].facts
    return knowledge.replies[reference].facts


def _says_nothing(reference: str, question: Question, knowledge: Knowledge) -> bool:
    """Tell whether it leaves the question open: no fact of it could be a wrong one."""
    if _admits(reference) or reference in REFUSALS:
        return True
    # To a courtesy, another courtesy is no answer; to a question, it is none given.
    return "/" not in reference and not question.reply and not _facts(reference, knowledge)


def tally(verdicts: Iterable[tuple[str, Verdict]]) -> dict[str, Counter[Verdict]]:
    """Count the verdicts under each label."""
    table: dict[str, Counter[Verdict]] = {}
    for label, one in verdicts:
        table.setdefault(label, Counter())[one] += 1
    return table
