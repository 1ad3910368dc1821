"""The order of doubt: answer, ask back, or say that one does not know.

A pure function from what was understood, and what the conversation is about,
to what to do. Probabilities are gathered by what would be *said*: two readings
of a message that lead to the same answer are no reason to doubt.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from actions.understanding import Understanding
from knowledge import OUT_OF_SCOPE, UNDOCUMENTED, Knowledge

SURE = 0.45
"""From this probability on, the answer is given at once."""
CLEAR_LEAD = 1.8
"""Under `SURE`, an answer this many times likelier than the next is given too…"""
CLEAR_FLOOR = 0.3
"""…if it is at least this likely."""
WORTH_ASKING = 0.12
"""A candidate at least this likely is offered as a button."""
MAX_CANDIDATES = 3
ALONE = 0.35
"""From this probability on, what would be the only button, and is likeliest, is said at once."""
ELLIPTIC = 0.9
"""From this probability on that a message names no subject, nothing else in it suggests one."""
THREAD_WEIGHT = 4.0
"""How much likelier the conversation's subject is than the words alone make it, unless named."""
CONTEXT = 0.6
"""How far a message that names no subject is read as if it named the conversation's."""
OFF_SUBJECT_WEIGHT = 0.2
"""How much less likely something quite different is in a conversation, if nothing is named."""
SAME_ASPECT_WEIGHT = 2.0
"""How much likelier it is, once on a subject, that one goes on about the same aspect of it."""
TOLD_WEIGHT = 1.5
"""How much likelier one asks, in a conversation, what is told of a subject than what is not."""

FOLLOW_UP = "follow_up"
"""« Et pour l'axe 2 ? »: the conversation's aspect, of another subject."""
WHY = "why"
AIMS = "objectifs"
"""The aspect that answers « pourquoi ? »."""
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
    if worth == (best,) and first >= ALONE:
        return Decision(best.kind, first, worth)
    return Decision("did_you_mean" if worth else "not_understood", first, worth)


def followed(
    decision: Decision, thread: Thread, knowledge: Knowledge, named: Collection[str] = ()
) -> Thread:
    """Return what the conversation is about once this was said.

    Where one had to admit to know nothing, only a subject that was `named` is a new one.
    """
    if decision.kind not in ("answer", "which_subject"):
        return thread
    said = decision.candidates[0]
    subject = knowledge.subjects.get(said.subject or "")
    if subject is None:
        return Thread(said.aspect, thread.subject)
    if subject.next_door:  # a step aside: the conversation goes on where it was
        return Thread(thread.aspect, thread.subject or subject.parent)
    if knowledge.answers[said.reference].documented:
        return Thread(said.aspect, said.subject)
    moved = thread.subject is None or said.subject in named
    return Thread(thread.aspect, said.subject if moved else thread.subject)


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
    """Return what the message may mean, each with its probability, in the light of the thread."""
    weighed: list[tuple[Candidate, float]] = []
    spoken_of = thread.subject in knowledge.subjects
    for subject, aspects, share in _shares(understanding, thread, knowledge):
        for aspect, likely in aspects.items():
            if aspect in knowledge.aspects or aspect in FOLLOW_UPS:
                reading = _reading(aspect, subject, thread, knowledge)
                likely *= _weight(aspect, subject, understanding, thread, knowledge)
                weighed.append((reading, likely * share))
            elif aspect in knowledge.replies:
                if aspect == OUT_OF_SCOPE and spoken_of and not understanding.named:
                    likely *= OFF_SUBJECT_WEIGHT
                weighed.append((Candidate("reply", aspect, aspect), likely * share))
    total = sum(weight for _, weight in weighed)
    told = min(1.0, sum(understanding.aspects.values()))
    return ((candidate, weight / total * told) for candidate, weight in weighed if weight)


def _weight(
    aspect: str,
    subject: str | None,
    understanding: Understanding,
    thread: Thread,
    knowledge: Knowledge,
) -> float:
    """Return how much likelier the conversation makes a reading than the words alone."""
    if thread.subject not in knowledge.subjects:
        return 1.0
    weight = TOLD_WEIGHT if f"{aspect}/{subject}" in knowledge.answers else 1.0
    if subject == thread.subject:
        weight *= 1.0 if understanding.named else THREAD_WEIGHT
        weight *= SAME_ASPECT_WEIGHT if aspect == thread.aspect else 1.0
    return weight


def _shares(
    understanding: Understanding, thread: Thread, knowledge: Knowledge
) -> Iterator[tuple[str | None, Mapping[str, float], float]]:
    """Return the subjects meant, the aspects likely of each, and its share.

    A message that names no subject means the conversation's. At its beginning
    there is none yet: then what the words suggest is all there is, if anything.
    """
    # A slot may hold a subject that the knowledge has lost since.
    known = {None, *knowledge.subjects}
    subjects = {name: share for name, share in understanding.subjects.items() if name in known}
    unnamed = subjects.pop(None, 0.0)
    elliptic = understanding.aspects_of(None)
    spoken_of = thread.subject if thread.subject in known else None
    meant = beside(understanding, spoken_of, knowledge)
    if meant:
        subjects, unnamed, spoken_of = {}, 1.0, meant
    for subject, share in subjects.items():
        if subject:
            yield subject, understanding.aspects_of(knowledge.family(subject)), share
    suggested = sum(subjects.values())
    if spoken_of:
        family = understanding.aspects_of(knowledge.family(spoken_of))
        yield spoken_of, elliptic, unnamed * (1 - CONTEXT)
        yield spoken_of, family, unnamed * CONTEXT
    elif unnamed > ELLIPTIC or not suggested:
        yield None, elliptic, unnamed
    else:
        for subject, share in subjects.items():
            yield subject, elliptic, unnamed * share / suggested


def beside(understanding: Understanding, subject: str | None, knowledge: Knowledge) -> str | None:
    """Return what « le deuxième » means once `subject` is spoken of, if nothing else is named."""
    if understanding.named or subject is None or subject not in knowledge.subjects:
        return None
    family = knowledge.family(subject)
    meant = (name for name in understanding.relatives if knowledge.family(name) == family)
    return next(meant, None)


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
        aspect = AIMS
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
