"""The questionnaires: what is asked, which criteria it settles and what follows from it."""

import datetime as dt
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from knowledge.document import FOLDER, Document, KnowledgeError
from knowledge.schema import FactId, Identifier, Label, Name, Reference, Strict


class Range(Strict):
    """Bounds of a number (`at_most`, `more_than`) or of a day (`before` it, `from` it on)."""

    at_most: int | None = None
    more_than: int | None = None
    before: dt.date | None = None
    from_: dt.date | None = Field(None, alias="from")

    @model_validator(mode="after")
    def _of_one_kind(self) -> "Range":
        number = {self.at_most, self.more_than} - {None}
        day = {self.before, self.from_} - {None}
        if bool(number) == bool(day):
            raise ValueError("il faut « at_most » ou « more_than », ou bien « before » ou « from »")
        return self


class Among(Strict):
    """The choices that do; in the file, a list of them."""

    among: tuple[Identifier, ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _list(cls, value: object) -> object:
        return {"among": value} if isinstance(value, list) else value


def _form(value: object) -> str:
    return "list" if isinstance(value, list | Among) else "range"


Test = Annotated[
    Annotated[Among, Tag("list")] | Annotated[Range, Tag("range")], Discriminator(_form)
]
Condition = tuple[dict[Identifier, Test], ...]
"""Holds if any of its lines does; a line, if all that it names does."""


class Derived(Strict):
    """An answer that follows from the one to another question, where that one settles it."""

    question: Identifier
    values: dict[Identifier, str | int] = Field(min_length=1)


class Listed(Strict):
    """The official list that a place is in, by the answer to another question."""

    question: Identifier
    values: dict[Identifier, Literal["communes", "epcis"]] = Field(min_length=1)


class Question(Strict):
    """One thing asked; `why` answers « pourquoi ? » in one line, `label` is its short name."""

    id: Identifier
    label: Label
    text: Name
    why: Name
    kind: Literal[
        "choice",
        "place",
        "number",
        "date",
        "text",
        "function",
        "first_name",
        "last_name",
        "siret",
        "email",
        "phone",
        "amount",
    ]
    needed: bool = Field(False, description="a candidature is not filed without it")
    most: int = Field(200, ge=1, description="longest text, in characters")
    unit: Name | None = Field(None, description="of a number, after it")
    first: bool = Field(False, description="of a month or a year, the first day is meant")
    exact: bool = Field(False, description="of a day: a month or a year does not do")
    taxes: bool = Field(True, description="a sum with taxes does")
    at_most: Identifier | None = Field(None, description="whose amount it does not exceed")
    less: Identifier | None = Field(None, description="whose amount is taken from the most")
    from_on: Identifier | None = Field(None, description="before whose day it does not come")
    named: tuple[Name, ...] = Field((), description="what says, in a correction, that it is this")
    campaign: bool = Field(False, description="a day out of the campaign is taken, and told so")
    derived: Derived | None = None
    listed: Listed | None = Field(None, description="of a place: a commune or an EPCI")
    choices: dict[Identifier, Label] = Field(default_factory=dict)
    said: dict[Identifier, tuple[Name, ...]] = Field(
        default_factory=dict, description="what people say for each choice, besides its label"
    )
    when: Condition = Field((), description="asked only if this holds")

    @model_validator(mode="after")
    def _choices_of_a_choice(self) -> "Question":
        if (self.kind == "choice") != (len(self.choices) > 1):
            raise ValueError("« choices » va avec « kind: choice », et en compte deux au moins")
        if self.listed and self.kind != "place":
            raise ValueError("« listed » va avec « kind: place »")
        if unknown := self.said.keys() - self.choices.keys():
            raise ValueError(f"« said » cite « {', '.join(sorted(unknown))} », qui n'existe pas")
        return self


class Criterion(Strict):
    """A condition of the page, its own words, and what to do where it is not met."""

    id: Identifier
    title: Label
    facts: tuple[FactId, ...] = Field(min_length=1)
    page: str = Field(min_length=1, description="the sentence of the page, as it stands there")
    met: Condition = Field(min_length=1)
    not_met: Condition = Field((), description="none: what is not met yet may still be")
    advice: Name


class Conclusion(Strict):
    """What follows from the answers: axe, thématique, another dispositif that fits, a next step."""

    id: Identifier
    kind: Literal["axe", "thematique", "other", "next"]
    reference: Reference
    when: Condition = Field(min_length=1)


class Questionnaire(Strict):
    """One file of `questionnaires/`."""

    title: Name
    button: Label = Field(description="what begins it")
    subject: Identifier
    questions: tuple[Question, ...] = Field(min_length=1)
    criteria: tuple[Criterion, ...] = Field(min_length=1)
    conclusions: tuple[Conclusion, ...] = ()

    @model_validator(mode="after")
    def _everything_named_exists(self) -> "Questionnaire":
        asked: dict[str, Question] = {}
        for question in self.questions:
            if question.id in asked:
                raise ValueError(f"la question « {question.id} » est posée deux fois")
            check_condition(question.when, asked, f"la question « {question.id} »")
            if listed := question.listed:
                values: Condition = ({listed.question: Among(among=tuple(listed.values))},)
                check_condition(values, asked, f"« listed » de « {question.id} »")
            asked[question.id] = question
        for name, condition in self._conditions():
            check_condition(condition, asked, name)
        return self

    def _conditions(self) -> Iterator[tuple[str, Condition]]:
        for criterion in self.criteria:
            yield f"le critère « {criterion.id} »", criterion.met
            yield f"le critère « {criterion.id} »", criterion.not_met
        for conclusion in self.conclusions:
            yield f"la conclusion « {conclusion.id} »", conclusion.when

    def question(self, name: str) -> Question:
        """Return a question that exists."""
        return next(one for one in self.questions if one.id == name)


def check_condition(condition: Condition, asked: Mapping[str, Question], where: str) -> None:
    """Raise unless all that a condition names was asked, and may be answered so."""
    for line in condition:
        for name, test in line.items():
            if name not in asked:
                raise ValueError(f"{where} renvoie à « {name} », qui n'est pas demandé avant")
            kind = asked[name].kind
            if isinstance(test, Among):
                unknown = set(test.among) - asked[name].choices.keys()
                if kind != "choice" or unknown:
                    problem = f"renvoie à « {', '.join(sorted(unknown))} » de « {name} »"
                    raise ValueError(f"{where} {problem}, qui n'existe pas")
            elif kind != ("number" if {test.at_most, test.more_than} - {None} else "date"):
                raise ValueError(f"{where} compare « {name} », qui est d'une autre nature")


@cache
def load_questionnaires(folder: Path = FOLDER / "questionnaires") -> Mapping[str, Questionnaire]:
    """Read and check every questionnaire, each under its file's name.

    Raises:
        KnowledgeError: a file cannot be read or does not follow the schema.
    """
    files = sorted(folder.glob("*.yml"))
    if not files:
        raise KnowledgeError(folder, 1, "", "aucun questionnaire")
    return {file.stem: Document(file).checked(Questionnaire) for file in files}
