"""What is said of questions, answers and verdicts: text and buttons."""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from candidature.answering import Heard, list_of, most_of, siren
from candidature.draft import Draft
from candidature.evaluation import Answers, Status, Value, Verdict
from candidature.interview import PLACE, POPULATION, Interview, Step
from candidature.places import words
from candidature.reading import Problem
from knowledge import Knowledge
from knowledge.dialogue import Wording
from knowledge.form import Form
from knowledge.places import POPULATION_YEAR, Places
from knowledge.questionnaire import Question, Questionnaire
from knowledge.typography import NBSP, french

MONTHS = [
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
]
MOST_WORDS_ASKED = 14
"""Words of a message that asks what one means."""
_ASKS_MEANING = re.compile(
    r"\bc (?:est )?(?:quoi|koi)|c est a dire|qu est ce que|veut dire|signifie|definition"
    r"|comprends? pas|quoi ca|(?:ou|comment) (?:le |on |je )?trouver?\b"
)
MOST_OFFERED = 8
"""Places among which one asks, at most."""
SHOWN = 160
"""Longest value in a summary, in characters: the rest is in the document."""


@dataclass(frozen=True)
class Button:
    """What is read, and the step that it takes."""

    title: str
    step: str


@dataclass(frozen=True)
class Said:
    """Something to say: paragraphs, then what may be pressed."""

    text: str
    buttons: tuple[Button, ...] = ()


def paragraphs(*parts: str | None) -> str:
    """Return the paragraphs that there are, with an empty line between them."""
    return "\n\n".join(part for part in parts if part)


def day_told(day: dt.date) -> str:
    """Return a day as people read it: « 1er mars 2022 »."""
    number = "1er" if day.day == 1 else str(day.day)
    return f"{number}{NBSP}{MONTHS[day.month - 1]} {day.year}"


def number_told(number: int) -> str:
    """Return a number with its thousands apart."""
    return f"{number:,}".replace(",", NBSP)


def euros_told(amount: Decimal) -> str:
    """Return a sum as people read it: « 12 500 € », « 12 500,50 € »."""
    whole, _, cents = f"{amount:.2f}".partition(".")
    return f"{number_told(int(whole))}{f',{cents}' if int(cents) else ''}{NBSP}€"


def size_told(size: int) -> str:
    """Return a size, given in bytes, as it is read."""
    if size < 1000:
        return f"{size}{NBSP}octet{'s' if size > 1 else ''}"
    return f"{number_told(round(size / 1000))}{NBSP}ko"


def place_told(value: str, places: Places) -> str:
    """Return a place's name with its official number; a place elsewhere as it was written."""
    if commune := places.communes.get(value):
        return f"{commune.name} (INSEE{NBSP}{commune.insee})"
    epci = places.epcis.get(value)
    return f"{epci.name} (SIREN{NBSP}{epci.siren})" if epci else value


def value_told(question: Question, value: Value, places: Places) -> str:
    """Return an answer as people read it."""
    if isinstance(value, dt.date):
        return day_told(value)
    if isinstance(value, Decimal):
        return euros_told(value)
    if isinstance(value, int):
        return f"{number_told(value)}{NBSP}{question.unit}" if question.unit else number_told(value)
    match question.kind:
        case "choice":
            return question.choices.get(value, value)
        case "place":
            return place_told(value, places)
        case "siret":
            return NBSP.join((value[:3], value[3:6], value[6:9], value[9:]))
        case _:
            return value


class Words:
    """Says what there is to say, in the words of `knowledge/candidature/dialogue.yml`."""

    def __init__(
        self, wording: Wording, knowledge: Knowledge, form: Form, places: Places, prefecture: str
    ) -> None:
        self.wording = wording
        self._form_questions = form.questions
        self._campaign = form.campaign
        self.prefecture = prefecture
        self._knowledge = knowledge
        self._places = places

    def say(self, sentence: str, **more: object) -> str:
        """Return one of the sentences, filled in."""
        return french(self.wording.sentences[sentence].format(**more))

    def explained(self, text: str) -> str | None:
        """Return what a word means to who asks: « c'est quoi la réversibilité ? »."""
        said = words(text)
        if not _ASKS_MEANING.search(" ".join(said)) or len(said) > MOST_WORDS_ASKED:
            return None
        singular = {word.removesuffix("s") for word in said}
        named = [
            one
            for term, one in self.wording.glossary.items()
            if {word.removesuffix("s") for word in words(term)} <= singular
        ]
        return named[0] if named else None

    def button(self, sentence: str, step: str) -> Button:
        """Return a button with one of the sentences as its title."""
        return Button(self.say(sentence), step)

    def told(self, question: Question, value: Value) -> str:
        """Return an answer as people read it."""
        return value_told(question, value, self._places)

    def question(self, interview: Interview, draft: Draft) -> Said | None:
        """Return the question to ask now, with its buttons; nothing if all is answered."""
        current = interview.question(draft.state)
        if current is None:
            return None
        group = interview.group(draft.state)
        number, count = interview.progress(draft.state)
        text = group.text if group else current.text
        if current.id in draft.kept:
            asked_of = [interview.named(one) for one in (group.of if group else [current.id])]
            told = (self.told(one, draft.kept[one.id]) for one in asked_of if one.id in draft.kept)
            value = self._shortened(", ".join(told))
            asked = paragraphs(text, self.say("change_now", value=value))
            keep = [self.button("keep", "keep")]
        else:
            asked = self.say("question", number=number, count=count, text=text)
            keep = []
        buttons = [
            Button(label, f"answer:{current.id}={name}") for name, label in current.choices.items()
        ]
        if group and group.same and set(group.same.answers.values()) <= draft.state.answers.keys():
            buttons.append(Button(group.same.title, "same"))
        return Said(asked, (*buttons, *keep, self._left(current, draft)))

    def _left(self, question: Question, draft: Draft) -> Button:
        """Return what one may press who does not answer."""
        if not draft.form:
            return self.button("unknown", f"skip:{question.id}")
        return self.button("later" if question.needed else "skip", f"skip:{question.id}")

    def noted(
        self, interview: Interview, draft: Draft, step: Step, *, corrected: bool, typed: str | None
    ) -> str:
        """Return what was understood, so that a slip of ours is seen at once.

        What was pressed, or `typed` in the very words that stand for it, needs no echo.
        """
        answers = draft.state.answers
        known = [name for name in step.answered if name in answers]
        lines: list[str] = []
        echoed: list[str] = []
        listed = PLACE in known and POPULATION not in known and not corrected
        if listed and (place := self._with_population(answers)):
            lines.append(place)
            known.remove(PLACE)
        told = ""
        for name in known:
            question = interview.named(name)
            first = question.kind == "last_name" and echoed
            told = self.told(question, answers[name])
            if typed is not None and words(told) != words(typed):
                echoed.append(f"{echoed.pop()} {told}" if first else told)
        if echoed or (corrected and known):
            sentence = "corrected" if corrected else "noted"
            lines.append(self.say(sentence, answers=", ".join(echoed or [told])))
        if step.answered and not set(step.answered) & answers.keys():
            needed = draft.form and any(interview.named(one).needed for one in step.answered)
            noted = "missing" if needed else "skipped" if draft.form else "unknown"
            lines.append(self.say(f"noted_{noted}"))
        if any(self._out_of_campaign(interview.named(name), answers[name]) for name in known):
            years = {"from_year": self._campaign.from_.year, "to_year": self._campaign.to.year}
            lines.append(self.say("out_of_campaign", **years))
        if step.dropped:
            labels = ", ".join(interview.named(name).label for name in step.dropped)
            lines.append(self.say("dropped", labels=labels))
        return "\n".join(lines)

    def _out_of_campaign(self, question: Question, value: Value) -> bool:
        if not question.campaign or not isinstance(value, dt.date):
            return False
        return not self._campaign.from_ <= value <= self._campaign.to

    def _with_population(self, answers: Answers) -> str | None:
        """Return a place of the official lists with its population."""
        place, population = str(answers[PLACE]), answers.get(POPULATION)
        if place not in {**self._places.communes, **self._places.epcis} or population is None:
            return None
        return self.say(
            "noted_place",
            place=place_told(place, self._places),
            population=number_told(int(str(population))),
            year=POPULATION_YEAR,
        )

    def trouble(self, interview: Interview, draft: Draft, heard: Heard, text: str) -> Said:
        """Return why an answer was not taken, and what would do."""
        current = interview.question(draft.state)
        assert current is not None
        if heard.found.elsewhere:
            return self._elsewhere(current, heard)
        kind = "group" if interview.group(draft.state) else current.kind
        most = most_of(current, draft.state.answers)
        found = (*heard.found.communes, *heard.found.epcis)
        meant, other = self._sorts(interview, current, draft.state.answers)
        problem = "many" if len(found) > MOST_OFFERED else heard.problem or Problem.NOTHING
        told = self.wording.problem(kind, problem)
        said = french(
            told.format(
                length=number_told(len(text.strip())),
                most=euros_told(most) if most is not None else number_told(current.most),
                siren=siren(draft.state.answers, self._places) or "",
                place=heard.found.name,
                meant=meant.lower(),
                other=other.title,
            )
        )
        if len(found) > MOST_OFFERED:
            return Said(said)
        buttons = [
            *(Button(one.name, f"answer:{current.id}={one.insee}") for one in heard.found.communes),
            *(Button(one.name, f"answer:{current.id}={one.siren}") for one in heard.found.epcis),
        ]
        if problem == Problem.OTHER_SORT:
            buttons.append(replace(other, step=f"{other.step}&{PLACE}={heard.found.code}"))
        return Said(said, tuple(buttons))

    @staticmethod
    def _sorts(interview: Interview, place: Question, answers: Answers) -> tuple[str, Button]:
        """Return what a place was said to be, and the button that says it is of the other list."""
        meant, listed = list_of(place, answers), place.listed
        if meant is None or listed is None:
            return "", Button("", "")
        about = interview.named(listed.question)
        other = next(choice for choice, one in listed.values.items() if one != meant)
        button = Button(about.choices[other], f"answer:{about.id}={other}")
        return about.choices[str(answers[about.id])], button

    def _elsewhere(self, current: Question, heard: Heard) -> Said:
        place = heard.found.name
        departements = heard.found.elsewhere[:4]
        prefectures = ", ".join(
            self.say("prefecture", of=one.of, name=one.name) for one in departements
        )
        said = self.say(
            "elsewhere",
            place=place,
            departements=", ".join(f"{one.name}, {one.code}" for one in departements),
            prefectures=prefectures,
        )
        title = self.say("continue_with", place=place[:40])
        return Said(said, (Button(title, f"answer:{current.id}={place}"),))

    def recap(self, questions: Iterable[Question], draft: Draft) -> str:
        """Return the answers to these questions so far, a line each."""
        lines = []
        for question in questions:
            if question.id not in draft.state.given:
                continue
            if question.id in draft.state.answers:
                value = self._shortened(self.told(question, draft.state.answers[question.id]))
            else:
                value = self.unanswered(question, form=draft.form)
            lines.append(self.say("where_line", label=question.label, value=value))
        return "\n".join(lines) or self.say("where_none")

    def unanswered(self, question: Question, *, form: bool) -> str:
        """Return what stands for an answer that is not known."""
        if form and question.needed:
            return self.say("missing")
        in_form = any(question is one for one in self._form_questions)
        return self.say("not_told" if in_form else "to_confirm")

    @staticmethod
    def _shortened(value: str) -> str:
        flat = " ".join(value.split("\n"))
        return flat if len(flat) <= SHOWN else flat[: SHOWN - 1].rstrip() + "…"

    def verdict(self, questionnaire: Questionnaire, verdict: Verdict, today: dt.date) -> str:
        """Return the verdict, criterion by criterion, and what follows from it."""
        criteria = "\n".join(
            self.say(
                "criterion",
                title=criterion.title,
                status=self.status(status),
                page=criterion.page.rstrip("."),
            )
            for criterion, status in verdict.criteria
        )
        advice = [
            self.say("advice_line", title=criterion.title, advice=criterion.advice)
            for criterion, status in verdict.criteria
            if status is Status.NOT_MET
        ]
        unsure = [one.title for one, status in verdict.criteria if status is Status.TO_CONFIRM]
        return paragraphs(
            self.say(f"verdict_{verdict.status}"),
            criteria,
            "\n".join([self.say("advice"), *advice]) if advice else None,
            self.say("unsure", titles=", ".join(unsure)) if unsure else None,
            "\n".join(self.conclusions(verdict)),
            "\n".join(self.notices(questionnaire, today)),
            f"{self.say('quoted')}\n{self._source(questionnaire, today)}",
        )

    def status(self, status: Status) -> str:
        """Return whether a criterion is met, in words."""
        return self.say("status_to_confirm" if status is Status.TO_CONFIRM else status)

    def conclusions(self, verdict: Verdict) -> Iterable[str]:
        """Return the axe, the thématique, and what else fits, a line a kind."""
        for kind in ("axe", "thematique", "other", "next"):
            of_kind = [one.reference for one in verdict.conclusions if one.kind == kind]
            if of_kind:
                names = ", ".join(self._name(reference, kind) for reference in of_kind)
                yield self.say(kind, names=names)

    def notices(self, questionnaire: Questionnaire, today: dt.date) -> list[str]:
        """Return what must be said wherever a verdict is: it is indicative, and how old it is."""
        notice = self.notice(questionnaire, today)
        return [self.say("indicative"), *([notice] if notice else [])]

    def notice(self, questionnaire: Questionnaire, today: dt.date) -> str | None:
        """Return how old a questionnaire's rules are, once they are."""
        answer = self._knowledge.answer("eligibilite", questionnaire.subject)
        return self._knowledge.notice(answer, today)

    def _source(self, questionnaire: Questionnaire, today: dt.date) -> str:
        answer = self._knowledge.answer("eligibilite", questionnaire.subject)
        return self._knowledge.source_line(answer, today)

    def title(self, reference: str) -> str:
        """Return the words of a button that leads to an answer or a reply."""
        return self._knowledge.title(reference)

    def _name(self, reference: str, kind: str) -> str:
        if kind == "next":
            return self._knowledge.title(reference)
        subject = self._knowledge.subjects[reference.partition("/")[2]]
        return subject.label if kind == "other" else subject.name
