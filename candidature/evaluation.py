"""What the answers to a questionnaire come to: a pure function, criterion by criterion."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from knowledge.questionnaire import (
    Among,
    Conclusion,
    Condition,
    Criterion,
    Question,
    Questionnaire,
    Range,
)

Value = str | int | dt.date | Decimal
"""A choice, a place's code, a text; a number; a day; a sum in euros."""
Answers = Mapping[str, Value]
"""By question. What is not known, for want of an answer or by « je ne sais pas », is not there."""


class Status(StrEnum):
    """Whether a criterion is met."""

    MET = "met"
    NOT_MET = "not_met"
    TO_CONFIRM = "to_confirm"


@dataclass(frozen=True)
class Verdict:
    """Indicative: a person at the préfecture decides."""

    criteria: tuple[tuple[Criterion, Status], ...]
    conclusions: tuple[Conclusion, ...]

    @property
    def status(self) -> Status:
        """Return the whole: not met if one criterion is not, met if all are."""
        found = {status for _, status in self.criteria}
        if Status.NOT_MET in found:
            return Status.NOT_MET
        return Status.MET if found == {Status.MET} else Status.TO_CONFIRM


def evaluate(questionnaire: Questionnaire, answers: Answers) -> Verdict:
    """Return the verdict on `answers`, as far as they are known.

    What is not known settles nothing: a criterion that is met, or not met,
    stays so whatever the other answers turn out to be.
    """
    return Verdict(
        tuple((one, _status(one, answers)) for one in questionnaire.criteria),
        tuple(one for one in questionnaire.conclusions if holds(one.when, answers)),
    )


def asked(questions: Iterable[Question], answers: Answers) -> tuple[Question, ...]:
    """Return those of `questions` that the answers leave to be asked, or have answered.

    A question whose condition depends on an answer that is not known is asked.
    """
    return tuple(one for one in questions if not one.when or holds(one.when, answers) is not False)


def holds(condition: Condition, answers: Answers) -> bool | None:
    """Tell whether a condition holds; `None` while that is not known (Kleene's logic)."""
    lines = (
        _all(_passes(test, answers.get(name)) for name, test in line.items()) for line in condition
    )
    return _any(lines)


def _status(criterion: Criterion, answers: Answers) -> Status:
    if holds(criterion.not_met, answers):
        return Status.NOT_MET
    return Status.MET if holds(criterion.met, answers) else Status.TO_CONFIRM


def _passes(test: Among | Range, value: Value | None) -> bool | None:
    if value is None:
        return None
    if isinstance(test, Among):
        return value in test.among
    if isinstance(value, int):
        return (test.at_most is None or value <= test.at_most) and (
            test.more_than is None or value > test.more_than
        )
    if isinstance(value, dt.date):
        return (test.before is None or value < test.before) and (
            test.from_ is None or value >= test.from_
        )
    return None


def _all(parts: Iterable[bool | None]) -> bool | None:
    found = set(parts)
    return False if False in found else None if None in found else True


def _any(parts: Iterable[bool | None]) -> bool | None:
    found = set(parts)
    return True if True in found else None if None in found else False
