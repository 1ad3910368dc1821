"""What to do about a whole message: one thing or, where it asks several, each in its turn."""

from actions.decision import Decision, Thread, decide, followed
from actions.understanding import Heard
from knowledge import Knowledge

MAX_ANSWERS = 3


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
    for part in heard.parts:
        decision = decide(part, after, knowledge)
        if decision.kind == "answer":
            said = decision.candidates[0].reference
            if said not in [one.candidates[0].reference for one in understood]:
                understood.append(decision)
            after = followed(decision, after, knowledge, part.named)
        elif len(part.named) == 1:  # a title: what follows is about it
            after = Thread(after.aspect, *part.named)
        if len(understood) == MAX_ANSWERS:
            break
    if len(understood) > 1:
        return tuple(understood), after
    if understood and understood[0].confidence > whole.confidence:
        whole = understood[0]
    return (whole,), followed(whole, thread, knowledge, heard.whole.named)


def _opened(heard: Heard, thread: Thread, knowledge: Knowledge) -> Thread:
    """Return what the first part is about, if it does not say: the one subject that is named."""
    named = [name for name in heard.whole.named if name in knowledge.subjects]
    return Thread(thread.aspect, named[0]) if len(named) == 1 else thread
