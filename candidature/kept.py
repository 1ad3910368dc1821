"""Answers that are asked again: shown, and back in place unless they are replaced."""

from dataclasses import replace

from candidature.draft import Draft
from candidature.interview import Interview, State


def back(draft: Draft, interview: Interview) -> Draft | None:
    """Return the draft in which the last answer is asked again; nothing if there is none before.

    Those that one went back over before stay kept, and are asked again after it.
    """
    state = interview.back(draft.state)
    if state == draft.state:
        return None
    gone = draft.state.answers.keys() - set(state.given)
    kept = {**draft.kept, **{name: draft.state.answers[name] for name in gone}}
    return replace(draft, state=state, kept=kept, back=bool(kept))


def to_change(draft: Draft, interview: Interview, name: str) -> Draft:
    """Return the draft in which an answer is asked again, with what follows from it."""
    again = (name, *interview.followed(draft.state, name))
    answers = draft.state.answers
    kept = {one: answers[one] for one in again if one in answers}
    return replace(draft, state=interview.again(draft.state, *again), kept=kept)


def settled(draft: Draft, interview: Interview) -> Draft:
    """Return the draft with what is kept back in place, where it was not replaced.

    What no longer goes with the other answers has to be given again.
    """
    state = draft.state
    for one in interview.questions:
        value = draft.kept.get(one.id)
        if value is None or one.id in state.given or one not in interview.asked(state):
            continue
        if not interview.trouble(one.id, value, state):
            state = State({**state.answers, one.id: value}, (*state.given, one.id))
    return replace(draft, state=interview.holding(state), kept={}, back=False)
