"""The order of doubt at its edges, and that whatever is decided can be read and pressed."""

import json
from datetime import date

from hypothesis import example, given, settings
from hypothesis import strategies as st

from actions.decision import FOLLOW_UP, FOLLOW_UPS, Decision, Thread, decide
from actions.rendering import AGAIN, render
from actions.understanding import Understanding, read
from knowledge import load

KNOWLEDGE = load()
START = Thread()
ASPECTS = [*sorted(KNOWLEDGE.aspects), *sorted(KNOWLEDGE.replies), *FOLLOW_UPS, "nlu_fallback"]
SUBJECTS: list[str | None] = [None, *KNOWLEDGE.subjects, "forgotten"]
WEIGHTS = st.floats(0, 1, allow_subnormal=True)


def doubt(
    aspects: dict[str, float], subjects: dict[str | None, float], thread: Thread = START
) -> Decision:
    return decide(Understanding(aspects, subjects), thread, KNOWLEDGE)


def said(decision: Decision) -> list[str]:
    return [candidate.reference for candidate in decision.candidates]


def test_intents_that_nobody_here_knows_say_nothing() -> None:
    assert doubt({"nlu_fallback": 1.0}, {"fonds": 1.0}) == Decision("not_understood", 0.0)


def test_a_follow_up_keeps_an_aspect_that_another_answer_stands_for() -> None:
    # The plan's amount is said by the fund's answer: it is the plan's own cell all the same.
    assert KNOWLEDGE.aliases["montant/france_relance"] == "montant/fonds"
    thread = Thread("montant", "axe_3")
    assert said(doubt({FOLLOW_UP: 1.0}, {"france_relance": 1.0}, thread)) == ["montant/fonds"]


def test_a_follow_up_at_the_start_says_what_its_subject_is() -> None:
    assert said(doubt({FOLLOW_UP: 1.0}, {"axe_2": 1.0})) == ["definition/axe_2"]


def test_a_thread_about_something_forgotten_is_no_thread() -> None:
    """Slots outlive the knowledge files."""
    for thread in (Thread("montant", "forgotten"), Thread("forgotten", "forgotten")):
        assert doubt({"montant": 1.0}, {None: 1.0}, thread).kind == "which_subject"
        assert said(doubt({FOLLOW_UP: 1.0}, {"axe_1": 1.0}, thread)) in (
            ["montant/axe_1"],
            ["definition/axe_1"],
        )


def test_a_subject_that_nobody_here_knows_is_not_answered_for() -> None:
    assert doubt({"montant": 1.0}, {"forgotten": 1.0}).kind == "not_understood"


@settings(deadline=None, max_examples=200)
@given(
    aspects=st.dictionaries(st.sampled_from(ASPECTS), WEIGHTS, max_size=6),
    subjects=st.dictionaries(st.sampled_from(SUBJECTS), WEIGHTS, max_size=6),
    thread=st.builds(
        Thread, st.sampled_from([None, *ASPECTS, "forgotten"]), st.sampled_from(SUBJECTS)
    ),
    misses=st.integers(0, AGAIN + 1),
)
@example({"montant": 1.0}, {None: 0.5, "fonds": 5e-324}, START, 0)
def test_whatever_is_decided_can_be_read_and_pressed(
    aspects: dict[str, float], subjects: dict[str | None, float], thread: Thread, misses: int
) -> None:
    """Not only for distributions: for any weights between 0 and 1."""
    decision = doubt(aspects, subjects, thread)
    mass = sum(aspects.values()) * max(1.0, sum(subjects.values()))
    assert 0 <= decision.confidence <= mass + 1e-9
    text, buttons = render([decision], KNOWLEDGE, date(2026, 1, 5), misses)
    assert text.strip()
    assert "{" not in text
    assert 1 <= len(buttons) <= 4
    for button in buttons:
        name, _, entities = button["payload"].removeprefix("/").partition("{")
        named = (
            [
                {"entity": entity, "value": value}
                for entity, value in json.loads(f"{{{entities}").items()
            ]
            if entities
            else []
        )
        pressed = read({"intent": {"name": name, "confidence": 1.0}, "entities": named})
        outcome = decide(pressed.whole, thread, KNOWLEDGE)
        assert outcome.kind in {"answer", "reply"}, button
        assert outcome.confidence == 1.0
