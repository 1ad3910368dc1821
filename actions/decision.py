"""The order of doubt: answer, ask back, or say that one does not know.

A pure function from what was understood, and what the conversation is about,
to what to do. Probabilities are gathered by what would be *said*: two readings
of a message that lead to the same answer are no reason to doubt.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from actions.understanding import Understanding
from knowledge import UNDOCUMENTED, Knowledge

SURE = 0.45
"""From this probability on, the answer is given at once."""
CLEAR_LEAD = 1.8
"""Under `SURE`, an answer this many times likelier than the next is given too…"""
CLEAR_FLOOR = 0.3
"""…if it is at least this likely."""
WORTH_ASKING = 0.12
"""A candidate at least this likely is offered as a button."""
MAX_CANDIDATES = 3
ELLIPTIC = 0.9
"""From this probability on that a message names no subject, nothing else in it suggests one."""
THREAD_WEIGHT = 3.0
"""How much likelier the conversation's subject is than its words alone make it, unless named."""

FOLLOW_UP = "follow_up"
"""« Et pour l'axe 2 ? »: the conversation's aspect, of another subject."""
WHY = "why"
MORE = "more"
SOMETHING_ELSE = "something_else"
FOLLOW_UPS = frozenset({FOLLOW_UP, WHY, MORE, SOMETHING_ELSE})
"""The intents that only mean something in the light of what was said before."""

Kind = Literal["answer", "reply", "suggest", "which_subject", "did_you_mean", "not_understood"]


@dataclass(frozen=True)
class Thread:
    """What the conversation is about: the last aspect and subject answered."""

    aspect: str | None = None
    subject: str | None = None


@dataclass(frozen=True)
class Candidate:
    """One thing that could be said, and the aspect and subject that lead to it.

    `reference` is an answer's key, a reply's name, or the aspect alone when the
    subject is missing. `asked` is the intent, where it is a follow-up.
    """

    kind: Kind
    reference: str
    aspect: str | None = None
    subject: str | None = None
    asked: str | None = None


@dataclass(frozen=True)
class Decision:
    """What to do, and how sure one is of it (0 to 1)."""

    kind: Kind
    confidence: float
    candidates: tuple[Candidate, ...] = ()


def decide(understanding: Understanding, thread: Thread, knowledge: Knowledge) -> Decision:
    """Return what to do about a message, or about one part of it."""
    ranked = _gathered(_readings(understanding, thread, knowledge), knowledge)
    if not ranked:
        return Decision("not_understood", 0.0)
    best, first = ranked[0]
    second = ranked[1][1] if len(ranked) > 1 else 0.0
    if first >= SURE or (first >= CLEAR_FLOOR and first >= CLEAR_LEAD * second):
        return Decision(best.kind, first, (best,))
    worth = tuple(
        candidate
        for candidate, probability in ranked
        if probability >= WORTH_ASKING and _offered(candidate, knowledge)
    )[:MAX_CANDIDATES]
    return Decision("did_you_mean" if worth else "not_understood", first, worth)


def followed(decision: Decision, thread: Thread, knowledge: Knowledge) -> Thread:
    """Return what the conversation is about once this was said."""
    if decision.kind not in ("answer", "which_subject"):
        return thread
    said = decision.candidates[0]
    subject = knowledge.subjects.get(said.subject or "")
    if subject is None:
        return Thread(said.aspect, thread.subject)
    if subject.next_door:  # a step aside: the conversation goes on where it was
        return Thread(thread.aspect, thread.subject or subject.parent)
    documented = knowledge.answers[said.reference].documented
    return Thread(said.aspect if documented else thread.aspect, said.subject)


def _offered(candidate: Candidate, knowledge: Knowledge) -> bool:
    return candidate.kind == "answer" and not _admits(candidate, knowledge)


def _admits(candidate: Candidate, knowledge: Knowledge) -> bool:
    return candidate.kind == "answer" and not knowledge.answers[candidate.reference].documented


def _gathered(
    readings: Iterable[tuple[Candidate, float]], knowledge: Knowledge
) -> list[tuple[Candidate, float]]:
    """Return what could be said, likeliest first, each by its likeliest reading.

    Answers that admit to know nothing count together: whatever the subject, the
    same is to be admitted.
    """
    totals: dict[tuple[Kind, str], float] = {}
    likeliest: dict[tuple[Kind, str], tuple[float, Candidate]] = {}
    for candidate, probability in readings:
        key = (candidate.kind, candidate.reference)
        if candidate.aspect == UNDOCUMENTED or _admits(candidate, knowledge):
            key = ("answer", UNDOCUMENTED)
        totals[key] = totals.get(key, 0.0) + probability
        if key not in likeliest or probability > likeliest[key][0]:
            likeliest[key] = (probability, candidate)
    ranked = sorted(totals, key=lambda key: totals[key], reverse=True)
    return [(likeliest[key][1], totals[key]) for key in ranked]


def _readings(
    understanding: Understanding, thread: Thread, knowledge: Knowledge
) -> Iterator[tuple[Candidate, float]]:
    subjects = _subjects(understanding, thread, knowledge)
    for aspect, likely in understanding.aspects.items():
        if aspect in knowledge.aspects or aspect in FOLLOW_UPS:
            for subject, share in subjects.items():
                yield _reading(aspect, subject, thread, knowledge), likely * share
        elif aspect in knowledge.replies:
            yield Candidate("reply", aspect, aspect), likely


def _subjects(
    understanding: Understanding, thread: Thread, knowledge: Knowledge
) -> Mapping[str | None, float]:
    """Return the subjects meant, once the message's silence is filled.

    A message that names none means the conversation's. At its beginning there
    is none yet: then what the words suggest is all there is, if anything.
    """
    # A slot may hold a subject that the knowledge has lost since.
    known = {None, *knowledge.subjects}
    subjects = {name: share for name, share in understanding.subjects.items() if name in known}
    unnamed = subjects.pop(None, 0.0)
    if thread.subject in knowledge.subjects:
        total = sum(subjects.values()) + unnamed
        meant = subjects.get(thread.subject, 0.0)
        if not understanding.named:
            meant *= THREAD_WEIGHT
        weighed = {**subjects, thread.subject: meant + unnamed}
        weight = sum(weighed.values())
        return {name: share / weight * total for name, share in weighed.items()} if weight else {}
    if not unnamed:
        return subjects
    suggested = sum(subjects.values())
    if unnamed > ELLIPTIC or not suggested:
        return {**subjects, None: unnamed}
    return {name: share / suggested * (suggested + unnamed) for name, share in subjects.items()}


def _same_aspect(subject: str | None, thread: Thread, knowledge: Knowledge) -> str:
    """Return the conversation's aspect, if something is said of this very subject under it."""
    if thread.aspect not in knowledge.aspects:
        return "definition"
    cell = f"{thread.aspect}/{subject}"
    own = subject is None or cell in knowledge.answers or cell in knowledge.aliases
    return thread.aspect if own else "definition"


def _reading(aspect: str, subject: str | None, thread: Thread, knowledge: Knowledge) -> Candidate:
    asked = aspect if aspect in FOLLOW_UPS else None
    if asked == FOLLOW_UP:
        aspect = _same_aspect(subject, thread, knowledge)
    elif asked == WHY:
        aspect = "objectifs"
    elif asked:
        return _onwards(asked, subject, thread, knowledge)
    if subject is None:
        if aspect in knowledge.replies:
            return Candidate("reply", aspect, aspect)
        known = knowledge.told_of(aspect)
        if len(known) != 1:
            return Candidate("which_subject", aspect, aspect)
        subject = known[0]
    answer = knowledge.answer(aspect, subject)
    return Candidate("answer", answer.key, aspect, subject, asked)


def _onwards(asked: str, subject: str | None, thread: Thread, knowledge: Knowledge) -> Candidate:
    """Return what comes after the last answer: the next thing to know, or the choice of it."""
    if subject is None or subject != thread.subject:
        last = knowledge.answer("definition", subject) if subject else None
    else:
        last = knowledge.answer(thread.aspect or "definition", subject)
    if last is None:
        return Candidate("which_subject", "definition", "definition")
    if asked == SOMETHING_ELSE:
        return Candidate("suggest", last.key, thread.aspect, subject, asked)
    for reference in last.next:
        if "/" in reference:
            aspect, _, next_subject = reference.partition("/")
            key = knowledge.answer(aspect, next_subject).key
            return Candidate("answer", key, aspect, next_subject, asked)
    return Candidate("suggest", last.key, thread.aspect, subject, asked)
