"""A draft as it goes on: its answers, and where one stands; plain enough to be a row."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from candidature.evaluation import Value
from candidature.interview import Interview, State
from knowledge.questionnaire import Question


@dataclass(frozen=True)
class Draft:
    """What a person answered to a questionnaire and, once begun, to the form that follows it.

    `pending` is what was asked besides the questions: what a bare « oui » would
    confirm (`cancel`, `file`) or go on to (`next`), or what is to be changed
    (`change.`). `kept` are answers that are asked again and come back if they are
    not replaced; `back` tells that one went back to them.
    """

    questionnaire: str
    state: State = State()  # noqa: RUF009 (frozen, and empty)
    form: bool = False
    pending: str | None = None
    kept: Mapping[str, Value] = field(default_factory=dict)
    back: bool = False
    attachments: Mapping[int, str] = field(default_factory=dict)
    """The names of the files that go with it, by their number; rows of their own."""


def encoded(value: Value) -> str | int:
    """Return a value as JSON has it: days in ISO 8601, sums in euros with their cents."""
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def decoded(question: Question, value: str | int) -> Value:
    """Return a value from JSON; raise `ValueError` or `ArithmeticError` if it is none."""
    match question.kind:
        case "number":
            return int(value)
        case "date":
            return dt.date.fromisoformat(str(value))
        case "amount":
            return Decimal(str(value))
        case "choice" if str(value) not in question.choices:
            raise ValueError(f"no such choice: {question.id}")
        case _:
            return str(value)


def as_json(draft: Draft) -> dict[str, Any]:
    """Return what is kept of the answers and of where one stands."""
    return {
        "answers": {name: encoded(value) for name, value in draft.state.answers.items()},
        "given": list(draft.state.given),
        "misses": draft.state.misses,
        "form": draft.form,
        "pending": draft.pending,
        "kept": {name: encoded(value) for name, value in draft.kept.items()},
        "back": draft.back,
    }


def from_json(questionnaire: str, kept: Mapping[str, Any], interview: Interview) -> Draft:
    """Return a draft from what was kept of it.

    What its questions no longer know, because they changed meanwhile, is left out.
    """
    answers = _known(kept["answers"], interview)
    given = tuple(
        name
        for name in kept["given"]
        # Not known is an answer; one that no longer reads has to be given again.
        if interview.knows(name) and (name in answers or name not in kept["answers"])
    )
    return Draft(
        questionnaire,
        State(answers, given, kept["misses"]),
        kept["form"],
        kept["pending"],
        _known(kept["kept"], interview),
        kept.get("back", False),
    )


def _known(values: Mapping[str, str | int], interview: Interview) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name, value in values.items():
        if interview.knows(name):
            try:
                found[name] = decoded(interview.named(name), value)
            except (ValueError, ArithmeticError):
                continue
    return found
