"""The draft candidature: what it asks besides its questionnaire, and in which parts it is read."""

import datetime as dt
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

from pydantic import Field

from knowledge.document import FOLDER, Document
from knowledge.questionnaire import Question, Questionnaire, check_condition, load_questionnaires
from knowledge.schema import Identifier, Label, Name, Strict


class Same(Strict):
    """A group that may be answered as another was: who represents may be who answers."""

    title: Label
    said: tuple[Name, ...] = Field(min_length=1)
    answers: dict[Identifier, Identifier] = Field(min_length=1)


class Group(Strict):
    """Questions that one message may answer together, such as a person's name and address."""

    text: Name
    why: Name
    of: tuple[Identifier, ...] = Field(min_length=2)
    same: Same | None = None


class Section(Strict):
    """A part of the form; `also` are answers of the questionnaire that are read there."""

    id: Identifier
    title: Label
    also: tuple[Identifier, ...] = ()
    named: tuple[Name, ...] = Field((), description="what else it is called")
    questions: tuple[Question, ...] = Field(min_length=1)


class Campaign(Strict):
    """The first and the last day of the campaign: days are judged against it, not against today."""

    from_: dt.date = Field(alias="from")
    to: dt.date


class Form(Strict):
    """`form.yml`; `reference` begins the reference of a filed candidature."""

    questionnaire: Identifier
    reference: str = Field(pattern=r"^[A-Z]{2,8}$")
    title: Name
    sections: tuple[Section, ...] = Field(min_length=1)
    groups: tuple[Group, ...] = ()
    functions: tuple[Name, ...] = Field(min_length=1)
    campaign: Campaign
    consent: Name

    @property
    def questions(self) -> tuple[Question, ...]:
        """The questions of all sections, in order."""
        return tuple(question for section in self.sections for question in section.questions)


@cache
def load_form(folder: Path = FOLDER / "candidature") -> Form:
    """Read and check `form.yml`, with the questionnaire that it goes on from.

    Raises:
        KnowledgeError: it cannot be read, does not follow the schema, or refers to
            something that does not exist.
    """
    document = Document(folder / "form.yml")
    form = document.checked(Form)
    questionnaires = load_questionnaires()
    if form.questionnaire not in questionnaires:
        problem = f"« {form.questionnaire} » n'existe pas"
        raise document.error(("questionnaire",), problem)
    try:
        _check(form, questionnaires[form.questionnaire])
    except ValueError as error:
        raise document.error((), str(error)) from error
    return form


def _check(form: Form, questionnaire: Questionnaire) -> None:
    """Raise unless all that the form names exists, and was asked before."""
    asked: dict[str, Question] = {one.id: one for one in questionnaire.questions}
    for question in form.questions:
        if question.id in asked:
            raise ValueError(f"la question « {question.id} » est posée deux fois")
        where = f"la question « {question.id} »"
        check_condition(question.when, asked, where)
        before = (question.at_most, question.less, question.from_on)
        _known({name for name in before if name}, asked, where)
        if question.derived:
            _check_derived(question, asked, where)
        asked[question.id] = question
    for section in form.sections:
        _known(section.also, asked, f"la partie « {section.id} »")
    for number, group in enumerate(form.groups, 1):
        same = group.same.answers if group.same else {}
        _known((*group.of, *same, *same.values()), asked, f"le groupe {number}")


def _known(names: Collection[str], asked: Mapping[str, Question], where: str) -> None:
    if unknown := set(names) - asked.keys():
        raise ValueError(f"{where} renvoie à « {', '.join(sorted(unknown))} », qui n'existe pas")


def _check_derived(question: Question, asked: Mapping[str, Question], where: str) -> None:
    assert question.derived
    source = question.derived.question
    _known({source}, asked, where)
    if unknown := question.derived.values.keys() - asked[source].choices.keys():
        raise ValueError(f"{where} se déduit de « {', '.join(unknown)} », qui n'existe pas")
    values = set(question.derived.values.values())
    if question.kind == "choice" and (unknown_values := values - question.choices.keys()):
        listed = ", ".join(map(str, unknown_values))
        raise ValueError(f"{where} se déduit en « {listed} », qui n'existe pas")
