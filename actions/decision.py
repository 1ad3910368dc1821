"""The order of doubt: answer, ask back, or say that one does not know.

A pure function from what was understood, and what the conversation is about,
to what to do. Probabilities are gathered by what would be *said*: two readings
of a message that lead to the same answer are no reason to doubt.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from actions.understanding import Understanding
from knowledge import Knowledge

SURE = 0.5
"""From this probability on, the answer is given at once."""
CLEAR_LEAD = 2.5
"""Under `SURE`, an answer this many times likelier than the next is given too…"""
CLEAR_FLOOR = 0.3
"""…if it is at least this likely."""
WORTH_ASKING = 0.12
"""A candidate at least this likely is offered as a button."""
MAX_CANDIDATES = 3
ELLIPTIC = 0.9
"""From this probability on that a message names no subject, nothing else in it suggests one."""
FOLLOW_UP = "follow_up"

Kind = Literal["answer", "reply", "no_answer", "which_subject", "did_you_mean", "not_understood"]


@dataclass(frozen=True)
class Thread:
    """What the conversation is about: the last aspect and subject answered."""

    aspect: str | None = None
    subject: str | None = None


@dataclass(frozen=True)
class Candidate:
    """One thing that could be said, and the aspect and subject that lead to it.

    `reference` is an answer's key, a reply's name, or the aspect alone when the
    subject is missing or the knowledge holds nothing for it.
    """

    kind: Kind
    reference: str
    aspect: str | None = None
    subject: str | None = None


@dataclass(frozen=True)
class Decision:
    """What to do, and how sure one is of it (0 to 1)."""

    kind: Kind
    confidence: float
    candidates: tuple[Candidate, ...] = ()


def decide(understanding: Understanding, thread: Thread, knowledge: Knowledge) -> Decision:
    """Return what to do about a message."""
    ranked = _gathered(_readings(understanding, thread, knowledge))
    if not ranked:
        return Decision("not_understood", 0.0)
    best, first = ranked[0]
    second = ranked[1][1] if len(ranked) > 1 else 0.0
    if first >= SURE or (first >= CLEAR_FLOOR and first >= CLEAR_LEAD * second):
        return Decision(best.kind, first, (best,))
    worth = tuple(
        candidate
        for candidate, probability in ranked
        if probability >= WORTH_ASKING and candidate.kind == "answer"
    )[:MAX_CANDIDATES]
    return Decision("did_you_mean" if worth else "not_understood", first, worth)


def _gathered(readings: Iterable[tuple[Candidate, float]]) -> list[tuple[Candidate, float]]:
    """Return what could be said, likeliest first, each by its likeliest reading."""
    totals: dict[tuple[Kind, str], float] = {}
    likeliest: dict[tuple[Kind, str], tuple[float, Candidate]] = {}
    for candidate, probability in readings:
        key = (candidate.kind, candidate.reference)
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
        if aspect in knowledge.replies:
            yield Candidate("reply", aspect, aspect), likely
        elif aspect in knowledge.aspects or aspect == FOLLOW_UP:
            for subject, share in subjects.items():
                yield _reading(aspect, subject, thread, knowledge), likely * share


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
    if not unnamed:
        return subjects
    if thread.subject in knowledge.subjects:
        return {**subjects, thread.subject: subjects.get(thread.subject, 0.0) + unnamed}
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
    if aspect == FOLLOW_UP:
        aspect = _same_aspect(subject, thread, knowledge)
    if subject is None:
        known = [s for s in knowledge.main_subjects if knowledge.find(aspect, s)]
        if len(known) != 1:
            return Candidate("which_subject", aspect, aspect)
        subject = known[0]
    answer = knowledge.find(aspect, subject)
    if answer is None:
        return Candidate("no_answer", f"{aspect}/{subject}", aspect, subject)
    return Candidate("answer", answer.key, aspect, subject)
