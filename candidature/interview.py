"""A questionnaire under way: pure steps from one state to the next.

A state is small and plain, so that it can be a row: a person stops, and takes
it up again days later, in another session or another channel.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from candidature.answering import Heard, hear
from candidature.evaluation import Answers, Value, Verdict, asked, evaluate, holds
from candidature.places import Finder, words
from candidature.reading import Problem, day
from knowledge.questionnaire import Question, Questionnaire

PLACE, POPULATION = "lieu", "population"
"""The questions that the official lists answer together."""

_CORRECTS = re.compile(
    r"^(?:en fait|finalement|plutot|non plutot|pardon|correction|je corrige|je me suis trompe\w*"
    r"|erreur|je voulais dire)\b"
)
_OTHERS = re.compile(r"€|\beuros?\b|\bans?\b", re.IGNORECASE)
_INHABITANTS = re.compile(r"\bhab\b|\bhabitants?\b|\bames\b|\bd habitants\b|\d+ ?h\b")


@dataclass(frozen=True)
class State:
    """What is known so far; `given` are the questions answered, in that order.

    An answer that is not known is in `given` and not in `answers`.
    """

    answers: Mapping[str, Value] = field(default_factory=dict)
    given: tuple[str, ...] = ()
    misses: int = 0


@dataclass(frozen=True)
class Step:
    """What came of a message: the state after it, the questions it answered, and the trouble.

    `heard` is what the current question made of it, if nothing was answered.
    """

    state: State
    answered: tuple[str, ...] = ()
    heard: Heard | None = None


class Interview:
    """One questionnaire, and the official lists that spare some of its questions."""

    def __init__(self, questionnaire: Questionnaire, finder: Finder) -> None:
        self.questionnaire = questionnaire
        self._finder = finder

    def question(self, state: State) -> Question | None:
        """Return the question to ask now; none if all is answered."""
        left = (one for one in self._asked(state) if one.id not in state.given)
        return next(left, None)

    def progress(self, state: State) -> tuple[int, int]:
        """Return the number of the current question, from 1, and of how many, as far as known.

        What the official lists answer is no question; what depends on an answer
        to come counts if most of the answers lead to it.
        """
        counted = [
            one.id
            for one in self._asked(state)
            if one.id in state.given or holds(one.when, state.answers) or self._likely(one)
        ]
        if PLACE in counted and (PLACE in state.answers or PLACE not in state.given):
            counted = [name for name in counted if name != POPULATION]
        done = sum(name in state.given for name in counted)
        return min(done + 1, len(counted)), len(counted)

    def hear(self, state: State, text: str) -> Step:
        """Take a message as the answer to the current question, and to others it may hold.

        « On est une commune de 650 habitants, Saint-Flovier, et on veut former
        nos agents » answers several. Beginning with « en fait », it corrects.
        """
        current = self.question(state)
        if _CORRECTS.match(" ".join(words(text))):
            corrected = self._volunteered(text, [*map(self._named, state.given)])
            if corrected:
                return self._taken(state, corrected)
        if current is None:
            return Step(state)
        heard = hear(current, text, self._finder)
        others = [one for one in self.questionnaire.questions if one.id not in state.given]
        found = self._volunteered(text, [one for one in others if one.id != current.id])
        if heard.value is not None and not (current.kind == "number" and _of_something_else(text)):
            found = {current.id: heard.value, **found}
        if found:
            return self._taken(state, found)
        if heard.unknown:
            return Step(self._without(state, current.id), (current.id,))
        return Step(replace(state, misses=state.misses + 1), heard=heard)

    def answer(self, state: State, question: str, value: Value) -> State:
        """Return the state once `question` has this answer, which may change an earlier one.

        What no longer matters is forgotten: the financing of an association
        once a commune carries the project.
        """
        answers = {**state.answers, question: value}
        given = [*(one for one in state.given if one != question), question]
        if question == PLACE:
            population = self._population(str(value))
            if population is not None:
                answers[POPULATION] = population
                given = [*(one for one in given if one != POPULATION), POPULATION]
        matter = {one.id for one in asked(self.questionnaire, answers)}
        return State(
            {name: one for name, one in answers.items() if name in matter},
            tuple(name for name in given if name in matter),
        )

    def back(self, state: State) -> State:
        """Return the state before the last answer that the person gave."""
        given = list(state.given)
        if given and given[-1] == POPULATION and PLACE in given:
            given.pop()  # it came with the place
        last = given.pop() if given else None
        gone = set(state.given) - set(given) | {last}
        answers = {name: one for name, one in state.answers.items() if name not in gone}
        return State(answers, tuple(given))

    def verdict(self, state: State) -> Verdict:
        """Return what the answers so far come to."""
        return evaluate(self.questionnaire, state.answers)

    def _asked(self, state: State) -> tuple[Question, ...]:
        """Return the questions that matter; not known is an answer that leads nowhere."""
        skipped = set(state.given) - state.answers.keys()
        return tuple(
            one
            for one in asked(self.questionnaire, state.answers)
            if not (_depends_on(one) & skipped) or one.id in state.given
        )

    def _likely(self, question: Question) -> bool:
        """Tell whether at least half of the answers that it depends on lead to it."""
        if not question.when:
            return True
        (name,) = _depends_on(question)
        choices = self._named(name).choices
        lead = sum(bool(holds(question.when, {name: choice})) for choice in choices)
        return 2 * lead >= len(choices)

    def _named(self, question: str) -> Question:
        return self.questionnaire.question(question)

    def _taken(self, state: State, found: Answers) -> Step:
        for question, value in found.items():
            state = self.answer(state, question, value)
        return Step(state, tuple(name for name in found if name in state.given))

    def _without(self, state: State, question: str) -> State:
        answers = {name: one for name, one in state.answers.items() if name != question}
        return State(answers, (*(one for one in state.given if one != question), question))

    def _volunteered(self, text: str, questions: list[Question]) -> dict[str, Value]:
        """Return what a message says, beyond doubt, of these questions."""
        found: dict[str, Value] = {}
        for question in questions:
            heard = hear(question, text, self._finder)
            if heard.value is not None and _says_so(question, text):
                found[question.id] = heard.value
        return found

    def _population(self, place: str) -> int | None:
        commune = self._finder.places.communes.get(place)
        if commune:
            return commune.population
        members = self._finder.places.members(place)
        return sum(one.population for one in members) or None


def _says_so(question: Question, text: str) -> bool:
    """Tell whether a message that was no answer to it may be taken for one."""
    if question.kind == "number":
        return bool(_INHABITANTS.search(_plain(text)))
    # « Oui », « non » and days answer what was asked, and nothing else.
    said = {tuple(words(phrase)) for phrases in question.said.values() for phrase in phrases}
    return question.kind == "place" or (question.kind == "choice" and ("non",) not in said)


def _of_something_else(text: str) -> bool:
    """Tell whether a number is of something else than people: a sum, a day, years."""
    told = _INHABITANTS.search(_plain(text))
    return not told and (day(text).problem is not Problem.NOTHING or bool(_OTHERS.search(text)))


def _plain(text: str) -> str:
    return " ".join(words(text))


def _depends_on(question: Question) -> set[str]:
    return {name for line in question.when for name in line}
