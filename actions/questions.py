"""What to do about a whole message: one thing or, where it asks several, each in its turn."""

from actions.decision import Decision, Thread, beside, decide, followed
from actions.understanding import Heard, Understanding
from knowledge import Knowledge

MAX_ANSWERS = 3
PIECE_SURE = 0.7
"""From this probability on, each, the pieces of a sentence are things asked in one breath."""


def decide_all(
    heard: Heard, thread: Thread, knowledge: Knowledge
) -> tuple[tuple[Decision, ...], Thread]:
    """Return what to say, in order, and what the conversation is about afterwards.

    Several questions that are each understood get each their answer. If only
    one is, it is the message's: the rest was its politeness or its context,
    unless the message as a whole is better understood otherwise.
    """
    whole = decide(heard.whole, thread, knowledge)
    understood: list[Decision] = []
    after = _opened(heard, thread, knowledge)
    for part in heard.parts or (heard.whole,):
        for piece, decision in _decided(part, after, knowledge):
            if len(understood) == MAX_ANSWERS:
                break
            if decision.kind == "answer":
                said = decision.candidates[0].reference
                if said not in [one.candidates[0].reference for one in understood]:
                    understood.append(decision)
                after = followed(decision, after, knowledge, piece.named)
            else:  # it may be a title: what follows is about it
                after = Thread(after.aspect, _title(piece, after, knowledge))
    if len(understood) > 1:
        return tuple(understood), after
    if understood and understood[0].confidence > whole.confidence:
        whole = understood[0]
    return (whole,), followed(whole, thread, knowledge, heard.whole.named)


def _opened(heard: Heard, thread: Thread, knowledge: Knowledge) -> Thread:
    """Return what the first part is about, if it does not say: the one subject that is named."""
    named = [name for name in heard.whole.named if name in knowledge.subjects]
    return Thread(thread.aspect, named[0]) if len(named) == 1 else thread


def _decided(
    part: Understanding, thread: Thread, knowledge: Knowledge
) -> list[tuple[Understanding, Decision]]:
    """Return what to do about each piece if each is surely a question of its own; or of the part.

    « Le montant et les dates » asks twice, « des ordinateurs et des tablettes » once.
    """
    after, decided = thread, []
    for piece in part.pieces:
        decision = decide(piece, after, knowledge)
        if decision.kind != "answer" or decision.confidence < PIECE_SURE:
            break
        after = followed(decision, after, knowledge, piece.named)
        decided.append((piece, decision))
    if len(decided) < len(part.pieces) or len({d.candidates for _, d in decided}) < 2:
        return [(part, decide(part, thread, knowledge))]
    return decided


def _title(piece: Understanding, thread: Thread, knowledge: Knowledge) -> str | None:
    """Return what the conversation is about after a piece that asks nothing."""
    if len(piece.named) == 1:
        return next(iter(piece.named))
    return beside(piece, thread.subject, knowledge) or thread.subject
