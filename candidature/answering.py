"""The answer to one question, whatever its kind: pressed or typed, known or not."""

import datetime as dt
from dataclasses import dataclass

from candidature.evaluation import Value
from candidature.places import Finder, Found
from candidature.reading import Problem, Read, choice, day, number, unknown
from knowledge.places import Commune
from knowledge.questionnaire import Question


@dataclass(frozen=True)
class Heard:
    """What an answer comes to: a value, not known, or a problem.

    A place is its INSEE code or, of an EPCI, its SIREN. `found` are the places
    among which one has to ask, or the départements where the one named is.
    """

    value: Value | None = None
    unknown: bool = False
    problem: Problem | None = None
    found: Found = Found()  # noqa: RUF009 (frozen, and empty)


def hear(question: Question, text: str, finder: Finder) -> Heard:
    """Read `text`, typed or the title of a button, as the answer to `question`."""
    if question.kind == "place":
        return _place(text, finder)
    read: Read[str] | Read[int] | Read[dt.date]
    if question.kind == "choice":
        read = choice(
            text,
            {
                name: (label, *question.said.get(name, ()))
                for name, label in question.choices.items()
            },
        )
    else:
        read = number(text) if question.kind == "number" else day(text)
    if read.value is not None:
        return Heard(value=read.value)
    if unknown(text):
        return Heard(unknown=True)
    return Heard(problem=read.problem)


def _place(text: str, finder: Finder) -> Heard:
    found = finder.find(text)
    sure = found.sure
    if sure is not None:
        return Heard(value=sure.insee if isinstance(sure, Commune) else sure.siren)
    if found != Found():
        problem = Problem.SEVERAL if found.communes or found.epcis else Problem.NOTHING
        return Heard(problem=problem, found=found)
    return Heard(unknown=True) if unknown(text) else Heard(problem=Problem.NOTHING)
