"""The answer to one question, whatever its kind: pressed or typed, known or not."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from candidature import fields, people
from candidature.evaluation import Answers, Value
from candidature.places import Finder, Found, words
from candidature.reading import Problem, Read, choice, day, number, period, unknown
from knowledge.form import Group
from knowledge.places import Commune, Places
from knowledge.questionnaire import Question

FEWEST_LETTERS = 2
"""Of a free text: a number alone is none."""
LONGEST_UNKNOWN = 6
"""Words of a free text that may say « je ne sais pas », and nothing else."""
PEOPLE = frozenset({"function", "first_name", "last_name"})
"""The kinds that tell together who somebody is."""
SOME_YEAR = 2000
"""Any, to see whether a year is all that a period lacks."""


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


def hear(question: Question, text: str, finder: Finder, answers: Answers) -> Heard:
    """Read `text`, typed or the title of a button, as the answer to `question`.

    `answers` are those known: some bound others.
    """
    if question.kind == "place":
        return _place(question, text, finder, answers)
    # « Je ne sais pas encore » is no « pas encore ».
    if question.kind in ("text", "function", "choice") and says_unknown(text):
        return Heard(unknown=True)
    read = _read(question, text, finder, answers)
    if read.value is None:
        return Heard(unknown=True) if unknown(text) else Heard(problem=read.problem)
    problem = trouble(question, read.value, answers, finder.places)
    return Heard(problem=problem) if problem else Heard(value=read.value)


def trouble(question: Question, value: Value, answers: Answers, places: Places) -> Problem | None:
    """Return what keeps a value, well formed by itself, from going with the other answers."""
    if question.kind == "place":
        meant, listed = list_of(question, answers), places.communes.keys() | places.epcis.keys()
        other = value in listed and meant is not None and value not in getattr(places, meant)
        return Problem.OTHER_SORT if other else None
    if question.kind == "siret":
        body = siren(answers, places)
        return Problem.OTHER_BODY if body and not str(value).startswith(body) else None
    if isinstance(value, Decimal):
        if question.needed and not value:
            return Problem.ZERO
        most = most_of(question, answers)
        return Problem.TOO_MUCH if most is not None and value > most else None
    if isinstance(value, dt.date) and question.from_on:
        start = answers.get(question.from_on)
        return Problem.TOO_EARLY if isinstance(start, dt.date) and value < start else None
    return None


def list_of(question: Question, answers: Answers) -> str | None:
    """Return which of the official lists the place is in, if another answer tells."""
    if question.listed is None:
        return None
    return question.listed.values.get(str(answers.get(question.listed.question)))


def most_of(question: Question, answers: Answers) -> Decimal | None:
    """Return the sum that the answer must not exceed, if there is one and it is known."""
    most = answers.get(question.at_most or "")
    less = answers.get(question.less or "", Decimal(0))
    if not isinstance(most, Decimal) or not isinstance(less, Decimal):
        return None
    return max(most - less, Decimal(0))


def hear_group(
    group: Group,
    questions: Mapping[str, Question],
    text: str,
    finder: Finder,
    answers: Answers,
    functions: Iterable[str],
) -> tuple[dict[str, Value], Problem | None]:
    """Return what `text` answers of the questions of a group; if nothing, what the matter is."""
    found: dict[str, Value] = {}
    rest = text
    if group.same and choice(text, {"same": group.same.said}).value:
        same = group.same.answers.items()
        found |= {name: answers[source] for name, source in same if source in answers}
        rest = re.sub("|".join(map(re.escape, group.same.said)), ",", text, flags=re.IGNORECASE)
    elif says_unknown(text):
        return {}, None
    asked = [questions[name] for name in group.of]
    for question in asked:
        if question.kind in ("email", "phone"):
            heard = hear(question, rest, finder, answers)
            if heard.value is not None:
                found[question.id] = heard.value
    rest = re.sub(r"\S+@\S+|\+?\d[\d .()/-]{6,}\d", ",", rest)
    told = people.person(rest, functions) if any(one.kind in PEOPLE for one in asked) else {}
    for question in asked:
        if question.kind in told and len(told[question.kind]) <= question.most:
            found.setdefault(question.id, told[question.kind])
    days = [one.id for one in asked if one.kind == "date"]
    if len(days) == 2:
        read, problem = _period(text)
        if problem:
            return {}, problem
        found |= dict(zip(days, read, strict=False))
    return {name: found[name] for name in group.of if name in found}, (
        None if found else Problem.NOTHING
    )


def _period(text: str) -> tuple[list[dt.date], Problem | None]:
    """Return the first day that a text tells and the last, or the first alone; or the matter."""
    both = period(text)
    begins, ends = (one.value for one in both) if both else (None, None)
    if begins and ends:
        return ([], Problem.TOO_EARLY) if begins > ends else ([begins, ends], None)
    alone = day(text, first=True)
    if alone.value:
        return [alone.value], None
    if not re.search(r"(?:19|20)\d\d", text) and period(f"{text} {SOME_YEAR}"):
        return [], Problem.NO_YEAR
    return [], alone.problem


def _read(question: Question, text: str, finder: Finder, answers: Answers) -> Read[Value]:
    read: Read[str] | Read[int] | Read[dt.date] | Read[Decimal]
    match question.kind:
        case "choice":
            said = {
                name: (label, *question.said.get(name, ()))
                for name, label in question.choices.items()
            }
            read = choice(text, said)
        case "number":
            read = number(text)
        case "date":
            read = day(text, first=question.first)
            if question.exact and read.value and day(text, first=not question.first) != read:
                read = Read(problem=Problem.NO_DAY)
        case "amount":
            read = _amount(question, text, answers)
        case "siret":
            read = fields.siret(text)
        case "email":
            read = fields.email(text)
        case "phone":
            read = fields.phone(text)
        case "first_name" | "last_name":
            read = people.name(text, question.most)
        case _:
            stripped = text.strip()
            long = len(stripped) > question.most
            empty = sum(character.isalpha() for character in stripped) < FEWEST_LETTERS
            if question.kind == "function":
                empty = empty or people.is_sentence(stripped)
            problem = Problem.TOO_LONG if long else Problem.NOTHING if empty else None
            read = Read(problem=problem) if problem else Read(stripped)
    return Read(read.value, read.problem)


def _amount(question: Question, text: str, answers: Answers) -> Read[Decimal]:
    """Read a sum, or the part of another that it is at most."""
    if not question.taxes and fields.taxed(text):
        return Read(problem=Problem.TAXED)
    whole = answers.get(question.at_most or "")
    part = fields.share(text) if question.needed and isinstance(whole, Decimal) else None
    if part is None or not isinstance(whole, Decimal):
        return fields.amount(text)
    least = most_of(question, answers) if part == 1 else None
    return Read((whole * part if least is None else least).quantize(fields.CENT))


def says_unknown(text: str) -> bool:
    """Tell whether a free text says « je ne sais pas », and nothing else."""
    return len(words(text)) <= LONGEST_UNKNOWN and unknown(text)


def siren(answers: Answers, places: Places) -> str | None:
    """Return the SIREN of the body that applies, if the official lists have it."""
    place = str(answers.get("lieu", ""))
    commune = places.communes.get(place)
    if commune:
        return commune.siren
    return place if place in places.epcis else None


def _place(question: Question, text: str, finder: Finder, answers: Answers) -> Heard:
    places, found = finder.places, finder.find(text)
    if meant := list_of(question, answers):
        found = found.among(meant)
    sure = found.sure
    if sure is not None:
        value = sure.insee if isinstance(sure, Commune) else sure.siren
        problem = trouble(question, value, answers, places)
        if problem is None:
            return Heard(value=value)
        own = isinstance(sure, Commune) and places.epcis.get(sure.epci)
        epcis = (own,) if own else ()
        return Heard(problem=problem, found=Found(epcis=epcis, name=sure.name, code=value))
    if found != Found():
        problem = Problem.SEVERAL if found.communes or found.epcis else Problem.NOTHING
        return Heard(problem=problem, found=found)
    return Heard(unknown=True) if unknown(text) else Heard(problem=Problem.NOTHING)
