"""A questionnaire, then a candidature, as a conversation: a message comes, what to say goes.

Pure: from a draft and a message to the draft after it and the words. What only
the rows can do (find another draft, file one) is left to the caller, as an
`Effect`.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from candidature.commands import Commands, named_change, stops
from candidature.draft import Draft
from candidature.evaluation import Status, Verdict, evaluate
from candidature.interview import FREE, PLACE, Interview, State, Step
from candidature.kept import back, settled, to_change
from candidature.places import Finder, words
from candidature.reading import unknown
from candidature.summary import changes, summary
from candidature.wording import Button, Said, Words, paragraphs
from knowledge import Knowledge
from knowledge.dialogue import Wording
from knowledge.form import Form
from knowledge.questionnaire import Question, Questionnaire

STUCK = 3
"""Answers in a row that were not taken, from which it is explained, and others are offered."""
WORTH_AN_ANSWER = 0.7
"""From this probability on, what is no answer is a question, however it is put."""
ASIDES = frozenset(
    {"greet", "goodbye", "thank", "help", "human_handoff", "bot_challenge", "information_age"}
)
"""Dialogue acts that are no answer to a question asked, even to one of free text."""
SURELY = 0.9
"""From this probability on, a short message is such an act rather than free text."""
SHORT = 5
"""Words of such a message, at most."""
BEGIN = "begin_"
"""How the commands begin that begin a questionnaire; its name follows."""
CONFIRMED = ("cancel", "file")
"""What is done only once it is confirmed."""
CHANGE = "change."
"""How it begins that one was asked what to change; the part of the candidature follows."""
NEXT = "next"
"""What is said leads on: to the candidature, to what it lacks, or to its filing."""
ALWAYS = ("resume", "cancel", "form", "file", "reference", "where")
"""Commands that are understood where no draft is open, besides those that begin one."""


class Effect(StrEnum):
    """What the caller has to do besides."""

    STOP = "stop"
    """Close the draft, and say how it is resumed."""
    CANCEL = "cancel"
    """Erase it."""
    FILE = "file"
    """File it: the person agreed."""
    DETACH = "detach"
    """Remove the files that the draft no longer names."""


@dataclass(frozen=True)
class Meaning:
    """What a message would be if it were no answer.

    `asks`: it is put as a question. `act`: the dialogue act, or `None` for what
    is told of a subject; nothing at all was understood if `confidence` is 0.
    """

    asks: bool = False
    act: str | None = None
    confidence: float = 0.0


@dataclass(frozen=True)
class Turn:
    """The draft after a message, and what to say."""

    draft: Draft
    said: Said
    effect: Effect | None = None


class Dialogue:
    """Conducts any of the questionnaires, and the form that one of them leads to."""

    def __init__(
        self,
        questionnaires: Mapping[str, Questionnaire],
        form: Form,
        wording: Wording,
        knowledge: Knowledge,
        finder: Finder,
        prefecture: str,
    ) -> None:
        self.questionnaires = questionnaires
        self.form = form
        self.places = finder.places
        self.words = Words(wording, knowledge, form, finder.places, prefecture)
        self.commands = Commands(wording.commands, wording.polite)
        self._interviews = {name: Interview.of(one, finder) for name, one in questionnaires.items()}
        self._whole = Interview.with_form(questionnaires[form.questionnaire], form, finder)

    def interview(self, questionnaire: str, *, form: bool = False) -> Interview:
        """Return the interview of a questionnaire; with the form, once it is begun."""
        return self._whole if form else self._interviews[questionnaire]

    def command(self, text: str, *, open_draft: bool) -> str | None:
        """Return the step that a message commands, if it does nothing else."""
        found = self.commands.find(text)
        if found is None and open_draft:
            if stops(text):
                return "stop"
            return self._change_named(text)
        if found is None or found in ("yes", "no"):
            return None
        if found.startswith(BEGIN):
            return f"begin:{found.removeprefix(BEGIN)}"
        return found if open_draft or found in ALWAYS else None

    def _change_named(self, text: str) -> str | None:
        """Return the step of « changer le titre » or « modifier le contact »."""
        questions = self._whole.questions
        named = named_change(text, {one.id: (one.label,) for one in questions})
        named = named or named_change(text, {one.id: one.named for one in questions})
        if named:
            return f"change:{'='.join(filter(None, named))}"
        parts = {one.id: (one.title, *one.named) for one in self.form.sections}
        part = named_change(text, parts)
        return f"change:section.{part[0]}" if part else None

    # The ways in

    def begin(self, questionnaire: str, today: dt.date) -> Turn:
        """Begin a questionnaire; first of all, tell how old its rules are."""
        draft, about = Draft(questionnaire), self.questionnaires[questionnaire]
        _, count = self.interview(questionnaire).progress(State())
        intro = self.words.say("intro", title=about.title, count=count)
        return self._asked(draft, paragraphs(intro, self.words.notice(about, today)))

    def hear(self, draft: Draft, text: str, meaning: Meaning, today: dt.date) -> Turn | None:
        """Take what was typed; `None`: it is a question, or an act, and not for the draft."""
        agrees = self.commands.find(text, ("yes", "no"))
        if draft.pending in CONFIRMED:
            hesitates = draft.pending == "file" and not meaning.asks
            if agrees or hesitates or words(text)[:1] == ["non"]:
                return self._confirmed(draft, agrees == "yes", today)
        short = len(text.split()) <= SHORT
        aside = meaning.act in ASIDES and meaning.confidence >= SURELY and short
        pending, draft = draft.pending, replace(draft, pending=None)
        if pending and pending.startswith(CHANGE) and not meaning.asks and not aside:
            if agrees == "no":
                return self._asked_or_summary(draft, None, today)
            return self._change_told(draft, pending.removeprefix(CHANGE), text, today)
        if pending == NEXT and agrees == "yes":
            return self._next(draft, today)
        interview = self._interview(draft)
        current = interview.question(draft.state)
        free = current is not None and current.kind in FREE
        if current is not None and aside and not unknown(text):
            return None
        if current is not None and (term := self.words.explained(text)):
            return self._asked(draft, term)
        if meaning.asks and (free or meaning.confidence >= SURELY):
            return None
        if current is not None and draft.form and self._declines(current, agrees):
            return self._skipped(draft, "", today)
        step = interview.hear(draft.state, text)
        if step.answered and current is not None and self._tells_nothing(current, agrees):
            step = interview.missed(draft.state)
        if step.answered:
            return self._taken(draft, step, today, typed=text)
        if current is None or meaning.asks:
            return None
        told = meaning.act is None or meaning.act in ASIDES
        enough = SURELY if len(text.split()) < SHORT else WORTH_AN_ANSWER
        if told and meaning.confidence >= enough and not _nearly(step):
            return None
        return self._missed(draft, interview, step, text)

    def press(self, draft: Draft, step: str, today: dt.date) -> Turn | None:
        """Take a pressed button, or a command; `None`: it means nothing any more."""
        verb, _, rest = step.partition(":")
        draft = replace(draft, pending=None)
        match verb:
            case "answer":
                return self._answered(draft, rest, today)
            case "skip":
                return self._skipped(draft, rest, today)
            case "same":
                return self._same(draft, today)
            case "keep":
                return self._onwards(self._settled(draft), None, today)
            case "why":
                return self._why(draft)
            case "required":
                return self._required(draft)
            case "data":
                return self._asked_or_summary(draft, self.words.say("data"), today)
            case "back":
                return self._back(draft, today)
            case "where":
                return self._where(draft, today)
            case "change":
                return self._change(draft, rest, today)
            case "form":
                return self._begun(draft, today)
            case "complete":
                state = self._interview(draft).again(draft.state, *self.missing(draft))
                return self._onwards(replace(self._settled(draft), state=state), None, today)
            case "reference":
                return None
            case "stop":
                return Turn(self._settled(draft), Said(""), Effect.STOP)
            case "cancel":
                said = Said(
                    self.words.say("cancel"),
                    (
                        self.words.button("cancel_yes", "yes:cancel"),
                        self.words.button("cancel_no", "no:cancel"),
                    ),
                )
                return Turn(replace(draft, pending="cancel"), said)
            case "attach":
                return self._asked_or_summary(draft, self.words.say("attach_how"), today)
            case "attached":
                name = draft.attachments.get(_number(rest.partition(":")[0]))
                lead = self.words.say("attached", name=name) if name else None
                return self._asked_or_summary(draft, lead, today)
            case "detach":
                return self._detached(draft, _number(rest), today)
            case "file":
                return self._file(self._settled(draft), today)
            case "yes" | "no" if rest in CONFIRMED:
                return self._confirmed(replace(draft, pending=rest), verb == "yes", today)
            case _:
                return None

    def prompt(self, draft: Draft) -> Said | None:
        """Return the question that waits for its answer; where none does, what may be done."""
        asked = self.words.question(self._interview(draft), draft)
        if asked is not None:
            return asked
        if draft.form:
            show = self.words.button("summary_button", "where")
            return Said("", (show, *self.summary(draft).buttons[:1]))
        if draft.questionnaire == self.form.questionnaire:
            return Said("", (self.words.button("form_button", "form"),))
        return None

    def asks_phone(self, draft: Draft) -> bool:
        """Tell whether what waits for an answer is a telephone number, and nothing else."""
        interview = self._interview(draft)
        current = interview.question(draft.state)
        if current is None or draft.pending or interview.group(draft.state):
            return False
        return current.kind == "phone"

    def resumed(self, draft: Draft, today: dt.date) -> Turn:
        """Return what is said when a draft is taken up again."""
        lead = self.words.say("resumed", title=self.title(draft))
        return self._onwards(self._settled(replace(draft, pending=None)), lead, today)

    # What it comes to

    def verdict(self, draft: Draft) -> Verdict:
        """Return the verdict on the answers so far."""
        return evaluate(self.questionnaires[draft.questionnaire], draft.state.answers)

    def missing(self, draft: Draft) -> tuple[str, ...]:
        """Return what a candidature needs and this one has not; all of it, before the form."""
        if draft.questionnaire != self.form.questionnaire:
            return tuple(one.id for one in self.form.questions if one.needed)
        return self._whole.missing(draft.state)

    def complete(self, draft: Draft) -> bool:
        """Tell whether nothing is missing for it to be filed."""
        return draft.form and not self.missing(draft)

    def title(self, draft: Draft) -> str:
        """Return what a draft is called: the project's title, where it is, or what it is about."""
        answers = draft.state.answers
        if own := answers.get("titre"):
            return str(own)
        place = answers.get(PLACE)
        if place is None:
            return self.questionnaires[draft.questionnaire].title
        named = self.places.communes.get(str(place)) or self.places.epcis.get(str(place))
        return self.words.say("title_of", place=named.name if named else place)

    def summary(self, draft: Draft) -> Said:
        """Return the whole candidature, part by part, and what may be done with it."""
        not_met = self.verdict(draft).status is Status.NOT_MET
        return summary(self.words, self.form, self._whole, draft, not_met=not_met)

    # The steps

    def _interview(self, draft: Draft) -> Interview:
        return self.interview(draft.questionnaire, form=draft.form)

    def _settled(self, draft: Draft) -> Draft:
        return settled(draft, self._interview(draft))

    def _asked(self, draft: Draft, lead: str | None) -> Turn:
        said = self.words.question(self._interview(draft), draft)
        assert said is not None
        return Turn(draft, Said(paragraphs(lead, said.text), said.buttons))

    def _onwards(self, draft: Draft, lead: str | None, today: dt.date) -> Turn:
        """Ask what comes next or, if nothing does, tell what it comes to."""
        interview = self._interview(draft)
        if interview.question(draft.state) is not None:
            return self._asked(draft, lead)
        said = self.summary(draft) if draft.form else self._concluded(draft, today)
        return self._leads_on(draft, Said(paragraphs(lead, said.text), said.buttons))

    def _leads_on(self, draft: Draft, said: Said) -> Turn:
        """Return a turn after which « oui » does what the first of its buttons does."""
        pending = NEXT if draft.questionnaire == self.form.questionnaire else None
        return Turn(replace(draft, pending=pending), said)

    def _next(self, draft: Draft, today: dt.date) -> Turn | None:
        if not draft.form:
            return self._begun(draft, today)
        return self.press(draft, "file" if self.complete(draft) else "complete", today)

    def _concluded(self, draft: Draft, today: dt.date) -> Said:
        verdict = self.verdict(draft)
        questionnaire = self.questionnaires[draft.questionnaire]
        buttons = []
        if draft.questionnaire == self.form.questionnaire:
            buttons.append(self.words.button("form_button", "form"))
        for one in verdict.conclusions:
            if one.kind in ("other", "next"):
                buttons.append(Button(self.words.title(one.reference), f"ask:{one.reference}"))
        buttons += [
            self.words.button("change_button", "change"),
            self.words.button("stop_button", "stop"),
        ]
        return Said(self.words.verdict(questionnaire, verdict, today), tuple(buttons))

    def _taken(self, draft: Draft, step: Step, today: dt.date, typed: str | None = None) -> Turn:
        kept = {name: one for name, one in draft.kept.items() if name not in step.answered}
        after = replace(draft, state=step.state, kept=kept, back=draft.back and bool(kept))
        current = self._interview(draft).question(draft.state)
        if typed is not None and (current is None or current.id not in step.answered):
            typed = ""  # what answers another question than the one asked is told
        changed = bool(draft.kept) and not draft.back
        corrected = changed or any(name in draft.state.given for name in step.answered)
        lead = self.words.noted(
            self._interview(after), after, step, corrected=corrected, typed=typed
        )
        was_whole = changed or current is None
        if after.form and was_whole:  # the whole summary again would bury what has changed
            return self._asked_or_summary(after, lead, today)
        return self._onwards(after, lead, today)

    def _missed(self, draft: Draft, interview: Interview, step: Step, text: str) -> Turn:
        assert step.heard is not None
        trouble = self.words.trouble(interview, draft, step.heard, text)
        after = replace(draft, state=step.state)
        asked = self.words.question(interview, draft)
        assert asked is not None
        stuck = step.state.misses >= STUCK
        why = self._reason(interview, draft.state)
        lead = trouble.text
        if stuck:
            lead = paragraphs(lead, self.words.say("stuck", why=why))
        person = (Button(self.words.say("person"), "ask:human_handoff"),) if stuck else ()
        buttons = (*(trouble.buttons or asked.buttons[:-1]), asked.buttons[-1], *person)
        return Turn(after, Said(paragraphs(lead, asked.text), buttons))

    @staticmethod
    def _tells_nothing(current: Question, agrees: str | None) -> bool:
        """Tell whether it is « oui » where words are asked for; « non », where they are needed."""
        return current.kind in FREE and (agrees == "yes" or (agrees == "no" and current.needed))

    @staticmethod
    def _declines(current: Question, agrees: str | None) -> bool:
        """Tell whether « non » leaves out what need not be told: a number, a sum."""
        return agrees == "no" and not current.needed and current.kind not in (*FREE, "choice")

    def _reason(self, interview: Interview, state: State) -> str:
        group, current = interview.group(state), interview.question(state)
        return group.why if group else current.why if current else ""

    def _answered(self, draft: Draft, rest: str, today: dt.date) -> Turn | None:
        # « porteur=epci&lieu=200071587 »: a carrier, and the place that was named for another.
        rest, _, place = rest.partition(f"&{PLACE}=")
        name, _, said = rest.partition("=")
        interview = self._interview(draft)
        before = draft.state
        if not interview.knows(name) or not self._offered(interview.named(name), said):
            return None
        if interview.trouble(name, said, before):  # a place, of a carrier that was corrected since
            return None
        state = interview.answer(before, name, said)
        offered = place and self._offered(interview.named(PLACE), place)
        answered = [name]
        if offered and not interview.trouble(PLACE, place, state):
            state = interview.answer(state, PLACE, place)
            answered.append(PLACE)
        dropped = tuple(one for one in before.answers if interview.dropped(one, state))
        return self._taken(draft, Step(state, tuple(answered), dropped=dropped), today)

    def _offered(self, question: Question, value: str) -> bool:
        """Tell whether there are buttons for this answer: of choices, and of places."""
        if question.kind == "place":
            listed = value in self.places.communes or value in self.places.epcis
            return listed or value in self.places.elsewhere
        return value in question.choices

    def _skipped(self, draft: Draft, name: str, today: dt.date) -> Turn | None:
        interview = self._interview(draft)
        current = interview.question(draft.state)
        if not name and current is None:
            return None
        name = name or (current.id if current else "")
        # An old button of a question that has its answer changes nothing.
        if current is None or name != current.id:
            return self._onwards(draft, None, today)
        group = interview.group(draft.state)
        names = group.of if group else (name,)
        state = draft.state
        for one in names:
            state = interview.skip(state, one)
        return self._taken(draft, Step(state, names), today)

    def _same(self, draft: Draft, today: dt.date) -> Turn:
        interview = self._interview(draft)
        group = interview.group(draft.state)
        if group is None or group.same is None:
            return self._onwards(draft, None, today)
        step = interview.hear(draft.state, group.same.title)
        return self._taken(draft, step, today, typed=group.same.title)

    def _why(self, draft: Draft) -> Turn | None:
        interview = self._interview(draft)
        if interview.question(draft.state) is None:
            return None
        return self._asked(draft, self.words.say("why", why=self._reason(interview, draft.state)))

    def _required(self, draft: Draft) -> Turn | None:
        interview = self._interview(draft)
        current, group = interview.question(draft.state), interview.group(draft.state)
        if current is None:
            return None
        needed = any(interview.named(one).needed for one in (group.of if group else [current.id]))
        sentence = ("required" if needed else "optional") if draft.form else "indicative_answer"
        return self._asked(draft, self.words.say(sentence))

    def _back(self, draft: Draft, today: dt.date) -> Turn:
        if draft.kept and not draft.back:  # back from what was to be changed
            return self._onwards(self._settled(draft), None, today)
        interview = self._interview(draft)
        if before := back(draft, interview):
            return self._asked(before, None)
        lead = self.words.say("nothing_before")
        nothing = interview.question(draft.state) is None
        return Turn(draft, Said(lead)) if nothing else self._asked(draft, lead)

    def _where(self, draft: Draft, today: dt.date) -> Turn:
        draft = self._settled(draft)
        interview = self._interview(draft)
        if draft.form and interview.question(draft.state) is None:
            return self._leads_on(draft, self.summary(draft))
        title = self.words.say("where_title", title=self.title(draft))
        recap = f"{title}\n{self.words.recap(interview.asked(draft.state), draft)}"
        return self._onwards(draft, recap, today)

    def _change(self, draft: Draft, name: str, today: dt.date) -> Turn | None:
        draft = self._settled(draft)
        name, _, value = name.partition("=")
        interview = self._interview(draft)
        given = [one for one in interview.asked(draft.state) if one.id in draft.state.given]
        if not name or name.startswith("section."):
            return self._choose_change(draft, name.removeprefix("section."), today)
        if not interview.knows(name):
            return None
        if name not in [one.id for one in given]:
            return self._onwards(draft, None, today)
        again_asked = to_change(draft, interview, name)
        step = interview.hear(again_asked.state, value) if value else None
        if step and step.answered:
            return self._taken(again_asked, step, today, typed=value)
        return self._onwards(again_asked, None, today)

    def _choose_change(self, draft: Draft, section: str, today: dt.date) -> Turn:
        """Offer what may be changed: the answers or, where they are many, first their parts."""
        buttons = changes(self.words, self.form, self._interview(draft), draft, section)
        if not buttons:
            return self._onwards(draft, self.words.say("where_none"), today)
        go_on = self.words.button("continue_button", "where")
        said = Said(self.words.say("change"), (*buttons, go_on))
        return Turn(replace(draft, pending=f"{CHANGE}{section}"), said)

    def _change_told(self, draft: Draft, section: str, text: str, today: dt.date) -> Turn:
        """Take what was typed where one was asked what to change: its name, or what it becomes."""
        interview = self._interview(draft)
        named = self._change_named(f"changer {text}")
        if named:
            turn = self._change(draft, named.partition(":")[2], today)
            if turn:
                return turn
        within = next((one for one in self.form.sections if one.id == section), None)
        names = {one.id for one in within.questions} if within else set()
        step = interview.correct(draft.state, text, names)
        if step.state.answers != draft.state.answers:
            return self._taken(draft, step, today, typed=text)
        return self._choose_change(draft, section, today)

    def _detached(self, draft: Draft, number: int, today: dt.date) -> Turn:
        name = draft.attachments.get(number)
        lead = self.words.say("detached", name=name) if name else None
        left = {one: other for one, other in draft.attachments.items() if one != number}
        turn = self._asked_or_summary(replace(draft, attachments=left), lead, today)
        return replace(turn, effect=Effect.DETACH)

    def _asked_or_summary(self, draft: Draft, lead: str | None, today: dt.date) -> Turn:
        """Say something short, then go on; the whole summary again would bury it."""
        if draft.form and self._interview(draft).question(draft.state) is None:
            buttons = self.summary(draft).buttons
            names = ", ".join(draft.attachments.values())
            told = "attachments" if names else None if lead else "no_attachments"
            files = self.words.say(told, names=names) if told else None
            show = self.words.button("summary_button", "where")
            return Turn(draft, Said(paragraphs(lead, files), (show, *buttons)))
        return self._onwards(draft, lead, today)

    def _begun(self, draft: Draft, today: dt.date) -> Turn:
        """Go on to the form."""
        if draft.questionnaire != self.form.questionnaire:
            turn = self.begin(self.form.questionnaire, today)
            lead = self.words.say("no_form")
            return replace(turn, said=replace(turn.said, text=paragraphs(lead, turn.said.text)))
        if draft.form:
            return self._onwards(draft, None, today)
        if self._interview(draft).question(draft.state) is not None:
            lead = "no_form_yet" if draft.state.given else "no_form"
            return self._asked(draft, self.words.say(lead))
        begun = replace(draft, form=True, state=self._whole.begun(draft.state))
        return self._onwards(begun, self.words.say("intro_form"), today)

    def _file(self, draft: Draft, today: dt.date) -> Turn:
        if not draft.form:
            return self._begun(draft, today)
        if not self.complete(draft):
            said = self.summary(draft)
            lead = self.words.say("not_filed")
            return Turn(draft, Said(paragraphs(lead, said.text), said.buttons))
        said = Said(
            self.words.say(
                "consent",
                consent=self.form.consent,
                prefecture=self.words.prefecture,
                email=draft.state.answers["contact_email"],
            ),
            (
                self.words.button("consent_yes", "yes:file"),
                self.words.button("consent_no", "no:file"),
            ),
        )
        return Turn(replace(draft, pending="file"), said)

    def _confirmed(self, draft: Draft, yes: bool, today: dt.date) -> Turn:
        pending, draft = draft.pending, replace(draft, pending=None)
        if pending == "file":
            if yes and self.complete(draft):
                return Turn(draft, Said(""), Effect.FILE)
            lead = None if yes else self.words.say("not_sent")
            return self._asked_or_summary(draft, lead, today)
        if yes:
            return Turn(
                Draft(draft.questionnaire), Said(self.words.say("cancelled")), Effect.CANCEL
            )
        return self._onwards(draft, self.words.say("kept"), today)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 19 else 0


def _nearly(step: Step) -> bool:
    """Tell whether a message was nearly an answer: one of several places, a day without year."""
    return step.heard is not None and (
        step.heard.problem not in (None, "nothing") or bool(step.heard.found.elsewhere)
    )
