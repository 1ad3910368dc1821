"""A questionnaire under way: pure steps from one state to the next.

A state is small and plain, so that it can be a row: a person stops, and takes
it up again days later, in another session or another channel.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Self

from candidature.answering import Heard, hear, hear_group, trouble
from candidature.evaluation import Answers, Value, asked, holds
from candidature.places import Finder, words
from candidature.reading import Problem, choice, day
from knowledge.form import Form, Group
from knowledge.questionnaire import Question, Questionnaire

PLACE, POPULATION = "lieu", "population"
"""The questions that the official lists answer together."""
SHORT = 8
"""Words of a correction that may be a number of inhabitants without saying so."""
OTHER = "autre"
"""The choice that is left when none fits."""

FREE = frozenset({"text", "function", "first_name", "last_name"})
"""The kinds of which nearly any text is an answer."""
_TELLING = frozenset({"place", "siret", "email", "phone"})
"""The kinds whose answers tell by their form what they answer."""

_CORRECTS = re.compile(
    r"^(?:en fait|finalement|plutot|non plutot|pardon|correction|je corrige|je me suis trompe\w*"
    r"|erreur|je voulais dire)\b"
)
_SAYS = re.compile(
    r"\b(?:en fait|finalement|plutot|c est|c|je suis|on est|nous sommes|pardon|correction)\b"
)
"""What tells that something is stated, where a name alone is asked for."""
_OTHERS = re.compile(
    r"€|%|\b(?:euros?|ans?|mois|jours?|semaines?|heures?|agents?|personnes formées)\b",
    re.IGNORECASE,
)
_ADDRESSES = re.compile(r"\S+@\S+|https?://\S+")
_DATED = re.compile(
    r"\b(?:en|fin|debut|courant|avant|apres|d ici|mi|printemps|ete|automne|hiver|rentree|noel"
    r"|trimestre|semestre|janvier|fevrier|mars|avril|mai|juin|juillet|aout|sept(?:embre)?"
    r"|octobre|novembre|decembre)\b|\d/\d"
)
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
    `dropped` are earlier answers that no longer hold, and are asked again.
    """

    state: State
    answered: tuple[str, ...] = ()
    heard: Heard | None = None
    dropped: tuple[str, ...] = ()


class Interview:
    """Questions to be asked in order, and what spares some of them.

    A questionnaire's, which listens for any answer in any message; or those of a
    form that goes on from it, where free text is taken as it is.
    """

    def __init__(
        self,
        questions: Sequence[Question],
        finder: Finder,
        *,
        groups: Sequence[Group] = (),
        functions: Iterable[str] = (),
        before: Sequence[Question] = (),
    ) -> None:
        self.questions = (*before, *questions)
        self.finder = finder
        self._named = {one.id: one for one in self.questions}
        self._groups = groups
        self._functions = functions
        self._before = frozenset(one.id for one in before)

    @classmethod
    def of(cls, questionnaire: Questionnaire, finder: Finder) -> Self:
        """Return the interview of a questionnaire."""
        return cls(questionnaire.questions, finder)

    @classmethod
    def with_form(cls, questionnaire: Questionnaire, form: Form, finder: Finder) -> Self:
        """Return the interview of a form, which goes on from its questionnaire."""
        return cls(
            form.questions,
            finder,
            groups=form.groups,
            functions=form.functions,
            before=questionnaire.questions,
        )

    def named(self, question: str) -> Question:
        """Return a question that exists."""
        return self._named[question]

    def knows(self, question: str) -> bool:
        """Tell whether there is such a question."""
        return question in self._named

    def question(self, state: State) -> Question | None:
        """Return the question to ask now; none if all is answered."""
        left = (one for one in self.asked(state) if one.id not in state.given)
        return next(left, None)

    def group(self, state: State) -> Group | None:
        """Return the group to ask now, if the question is the first of one with no answer yet."""
        current = self.question(state)
        return self._group(current.id, state) if current else None

    def asked(self, state: State) -> tuple[Question, ...]:
        """Return the questions that matter; not known is an answer that leads nowhere."""
        skipped = set(state.given) - state.answers.keys()
        return tuple(
            one
            for one in asked(self.questions, state.answers)
            if not (_depends_on(one) & skipped) or one.id in state.given
        )

    def progress(self, state: State) -> tuple[int, int]:
        """Return the number of the current question, from 1, and of how many, as far as known.

        What follows from other answers is no question, and a group is one; what
        depends on an answer to come counts if most of the answers lead to it.
        """
        counted: dict[str, bool] = {}
        for one in self.asked(state):
            given = one.id in state.given
            if one.id in self._before or self._spared(one.id, state):
                continue
            if given or holds(one.when, state.answers) or self._likely(one):
                group = next((group.of[0] for group in self._groups if one.id in group.of), one.id)
                counted[group] = counted.get(group, True) and given
        return min(sum(counted.values()) + 1, len(counted)), len(counted)

    def hear(self, state: State, text: str) -> Step:
        """Take a message as the answer to the current question, and to others it may hold.

        « On est une commune de 650 habitants, Saint-Flovier, et on veut former
        nos agents » answers several. Beginning with « en fait », it corrects.
        """
        current = self.question(state)
        free = current is not None and current.kind == "text"
        # Where nothing is asked, what names an answer corrects it.
        corrects = _CORRECTS.match(" ".join(words(text))) or (current is None and self._before)
        if not free and corrects:
            step = self.correct(state, text)
            if step.answered:
                return step
        if current is None:
            return Step(state)
        if group := self.group(state):
            return self._hear_group(state, group, current, text)
        heard = hear(current, text, self.finder, state.answers)
        others = () if self._before else self.asked(state)
        left = [one for one in others if one.id not in state.given and one.id != current.id]
        left += [one for one in self._beside(current) if one.id not in state.answers]
        found = self._volunteered(text, left, state.answers)
        if heard.value is not None and not (current.kind == "number" and _of_something_else(text)):
            found = {current.id: heard.value, **found}
        if not found and heard.value is None:
            found = self._other_sort(state, current, text)
        if found:
            return self._taken(state, found)
        if heard.unknown:
            return Step(self.skip(state, current.id), (current.id,))
        return self.missed(state, heard)

    def _other_sort(self, state: State, current: Question, text: str) -> dict[str, Value]:
        """Return the carrier, and its place, of « en fait c'est la commune de Bléré »."""
        listed = current.listed
        if listed is None or not _SAYS.search(" ".join(words(text))):
            return {}
        about = self.named(listed.question)
        carrier = hear(about, text, self.finder, state.answers).value
        if carrier not in listed.values or carrier == state.answers.get(about.id):
            return {}
        place = hear(current, text, self.finder, {**state.answers, about.id: carrier}).value
        return {about.id: carrier} | ({} if place is None else {current.id: place})

    def correct(self, state: State, text: str, within: Collection[str] = ()) -> Step:
        """Take a message as correcting what it names; within a part, a group of it too."""
        for group in self._groups:
            if set(group.of) <= set(within):
                found, _ = hear_group(
                    group, self._named, text, self.finder, state.answers, self._functions
                )
                if found:
                    return self._taken(state, found)
        given = [self.named(name) for name in state.given]
        corrected = self._volunteered(text, given, state.answers, correcting=True)
        return self._taken(state, corrected) if corrected else Step(state)

    def missed(self, state: State, heard: Heard = Heard(problem=Problem.NOTHING)) -> Step:  # noqa: B008
        """Return the step of a message that answered nothing."""
        return Step(replace(state, misses=state.misses + 1), heard=heard)

    def answer(self, state: State, question: str, value: Value) -> State:
        """Return the state once `question` has this answer, which may change an earlier one.

        What no longer matters is forgotten: the financing of an association
        once a commune carries the project. So is what no longer holds: a sum
        asked for that exceeds the new cost.
        """
        answers = {**state.answers, question: value}
        given = [*(one for one in state.given if one != question), question]
        for name, follows in self._following(question, value).items():
            given = [one for one in given if one != name]
            answers.pop(name, None)
            if follows is not None:
                answers[name] = follows
                given.append(name)
        held = self.holding(State(answers, tuple(given)), question)
        answers, given = dict(held.answers), list(held.given)
        matter = {one.id for one in asked(self.questions, answers)}
        return State(
            {name: one for name, one in answers.items() if name in matter},
            tuple(name for name in given if name in matter),
        )

    def holding(self, state: State, but: str | None = None) -> State:
        """Return the state without the answers that do not go with the others; `but` one stays."""
        for one in self.questions:
            value = state.answers.get(one.id)
            if value is not None and one.id != but and self.trouble(one.id, value, state):
                state = self.again(state, one.id, *self.followed(state, one.id))
        return state

    def skip(self, state: State, question: str) -> State:
        """Return the state once one does not know the answer, or leaves it for later.

        What followed from the answer that it had is no more known.
        """
        gone = {question, *self.followed(state, question)}
        answers = {name: one for name, one in state.answers.items() if name not in gone}
        given = (*(one for one in state.given if one not in gone), question)
        matter = {one.id for one in self.asked(State(answers, given))}
        return State(
            {name: one for name, one in answers.items() if name in matter},
            tuple(one for one in given if one in matter or one == question),
        )

    def again(self, state: State, *questions: str) -> State:
        """Return the state in which these questions have still to be asked."""
        answers = {name: one for name, one in state.answers.items() if name not in questions}
        return State(answers, tuple(one for one in state.given if one not in questions))

    def trouble(self, question: str, value: Value, state: State) -> Problem | None:
        """Return what keeps a value from going with the other answers."""
        return trouble(self._named[question], value, state.answers, self.finder.places)

    def dropped(self, question: str, state: State) -> bool:
        """Tell whether an answer that there was has to be given again."""
        asked = any(one.id == question for one in self.asked(state))
        return asked and question not in state.given and not self._spared(question, state)

    def begun(self, state: State) -> State:
        """Return the state from which a form goes on: with what follows from the answers so far.

        What was not known and is needed is asked again.
        """
        missing = [one for one in self.missing(state) if one in state.given]
        state = self.again(state, *missing)
        answers, given = dict(state.answers), list(state.given)
        for name, value in state.answers.items():
            for follows, derived in self._following(name, value).items():
                if derived is not None and follows not in given:
                    answers[follows] = derived
                    given.append(follows)
        return State(answers, tuple(given))

    def missing(self, state: State) -> tuple[str, ...]:
        """Return the needed questions that have no answer."""
        return tuple(
            one.id for one in self.asked(state) if one.needed and one.id not in state.answers
        )

    def back(self, state: State) -> State:
        """Return the state before the last answer that the person gave, alone or in a group."""
        own = [name for name in state.given if not self._spared(name, state)]
        last = own.pop() if own else None
        if last is None:
            return state
        gone = {last}
        group = next((group.of for group in self._groups if last in group.of), ())
        while own and own[-1] in group:
            gone.add(own.pop())
        for name in tuple(gone):
            gone |= self.followed(state, name)
        return self.again(state, *gone)

    def followed(self, state: State, question: str) -> set[str]:
        """Return what follows from the answer to a question, and is as it follows."""
        value = state.answers.get(question)
        if value is None:
            return set()
        follows = self._following(question, value).items()
        return {name for name, one in follows if one is not None and state.answers.get(name) == one}

    def _hear_group(self, state: State, group: Group, current: Question, text: str) -> Step:
        found, problem = hear_group(
            group, self._named, text, self.finder, state.answers, self._functions
        )
        if found:
            state = self._taken(state, found).state
            # What need not be told, and was not, is not asked for its own sake; unless
            # something else of the group is, as after « la même personne ».
            left = [name for name in group.of if name not in state.given]
            if not any(self._named[name].needed for name in left):
                for name in left:
                    state = self.skip(state, name)
            return Step(state, tuple(found))
        if problem is None:  # not known
            for name in group.of:
                state = self.skip(state, name)
            return Step(state, group.of)
        return self.missed(state, Heard(problem=problem))

    def _beside(self, question: Question) -> list[Question]:
        """Return the others of its group that tell by their form what they answer."""
        group = next((group.of for group in self._groups if question.id in group.of), ())
        beside = (self._named[name] for name in group if name != question.id)
        return [one for one in beside if one.kind in _TELLING]

    def _group(self, question: str, state: State) -> Group | None:
        for group in self._groups:
            if group.of[0] == question and not set(group.of).intersection(state.given):
                return group
        return None

    def _likely(self, question: Question) -> bool:
        """Tell whether at least half of the answers that it depends on lead to it."""
        if not question.when:
            return True
        (name,) = _depends_on(question)
        choices = self.named(name).choices
        lead = sum(bool(holds(question.when, {name: choice})) for choice in choices)
        return 2 * lead >= len(choices)

    def _following(self, question: str, value: Value) -> dict[str, Value | None]:
        """Return what follows from an answer, and what no longer does (`None`)."""
        follows: dict[str, Value | None] = {}
        if question == PLACE and (population := self._population(str(value))) is not None:
            follows[POPULATION] = population
        for one in self.questions:
            if one.derived and one.derived.question == question:
                derived = one.derived.values.get(str(value))
                in_euros = one.kind == "amount" and derived is not None
                follows[one.id] = Decimal(str(derived)) if in_euros else derived
        return follows

    def _spared(self, question: str, state: State) -> bool:
        """Tell whether an answer to come, or one that is given, leaves nothing to ask of this."""
        if question == POPULATION and PLACE in self._named:
            if PLACE in state.given:
                value = state.answers.get(PLACE)
                return value is not None and self._population(str(value)) is not None
            return holds(self._named[PLACE].when, state.answers) is True
        derived = self._named[question].derived
        return derived is not None and str(state.answers.get(derived.question)) in derived.values

    def _taken(self, state: State, found: Answers) -> Step:
        before = state.answers
        # A place tells its population, unless the message tells another.
        for question in sorted(found, key=lambda name: name != PLACE):
            state = self.answer(state, question, found[question])
        dropped = tuple(one for one in before if self.dropped(one, state))
        return Step(state, tuple(name for name in found if name in state.given), dropped=dropped)

    def _volunteered(
        self,
        text: str,
        questions: Iterable[Question],
        answers: Answers,
        *,
        correcting: bool = False,
    ) -> dict[str, Value]:
        """Return what a message says, beyond doubt, of these questions."""
        found: dict[str, Value] = {}
        plain = _ADDRESSES.sub(" ", text)
        # In a form, a word in passing (« le Département met 3 000 € ») changes no choice.
        barred = FREE | {"choice"} if self._before else FREE
        for question in questions:
            if question.kind in barred or not _says_so(question, plain, correcting=correcting):
                continue
            addressed = question.kind == "email"
            # « En fait on est la commune de Ligueil »: the carrier tells which place is meant.
            known = {**answers, **found}
            heard = hear(question, text if addressed else plain, self.finder, known)
            # What is left when nothing else fits is no answer that one gives in passing.
            if heard.value is not None and heard.value != OTHER:
                found[question.id] = heard.value
        return found

    def _population(self, place: str) -> int | None:
        commune = self.finder.places.communes.get(place)
        if commune:
            return commune.population
        members = self.finder.places.members(place)
        return sum(one.population for one in members) or None


def _says_so(question: Question, text: str, *, correcting: bool) -> bool:
    """Tell whether a message that was no answer to it may be taken for one."""
    if question.kind == "number":
        told = bool(_INHABITANTS.search(_plain(text)))
        short = len(words(text)) <= SHORT
        return told or (correcting and short and not _of_something_else(text))
    if question.named and question.kind not in _TELLING:
        return correcting and choice(text, {question.id: question.named}).value is not None
    # « Oui », « non » and days answer what was asked, and nothing else.
    said = {tuple(words(phrase)) for phrases in question.said.values() for phrase in phrases}
    return question.kind in _TELLING or (question.kind == "choice" and ("non",) not in said)


def _of_something_else(text: str) -> bool:
    """Tell whether a number is of something else than people: a sum, a day, years."""
    plain = _plain(text)
    if _INHABITANTS.search(plain):
        return False
    dated = day(text).problem is not Problem.NOTHING and bool(_DATED.search(plain))
    return dated or bool(_OTHERS.search(text))


def _plain(text: str) -> str:
    return " ".join(words(text))


def _depends_on(question: Question) -> set[str]:
    return {name for line in question.when for name in line}
