"""What to do about a whole message, on the real knowledge base."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from actions.decision import FOLLOW_UP, FOLLOW_UPS, Decision, Thread, decide, followed
from actions.questions import MAX_ANSWERS, decide_all
from actions.understanding import Heard, Understanding
from knowledge import load

KNOWLEDGE = load()
START = Thread()
ELSEWHERE = Thread("delai", "aidants_connect")
POLITE = Understanding({"greet": 1.0}, {None: 1.0})
LOST = Understanding({}, {None: 1.0})
NOTHING = Decision("not_understood", 0.0)


def part(aspect: str, subject: str | None = None, sure: float = 1.0) -> Understanding:
    """What is understood of a part that names its subject, or none."""
    return Understanding({aspect: sure}, {subject: 1.0}, frozenset({subject} if subject else ()))


def told(
    *parts: Understanding, whole: Understanding = LOST, thread: Thread = START
) -> tuple[list[str], Thread]:
    """Return the answers given, in order, and what the conversation is about afterwards."""
    decisions, after = decide_all(Heard(whole, parts), thread, KNOWLEDGE)
    said = [decision.candidates[0].reference for decision in decisions if decision.candidates]
    return said, after


def test_two_questions_get_two_answers_in_order() -> None:
    first, second = part("definition", "axe_3"), part("montant", "conseiller_numerique")
    assert told(first, second) == (
        ["definition/axe_3", "montant/conseiller_numerique"],
        Thread("montant", "conseiller_numerique"),
    )
    assert told(second, first) == (
        ["montant/conseiller_numerique", "definition/axe_3"],
        Thread("definition", "axe_3"),
    )


def test_the_second_question_may_leave_its_subject_to_the_first() -> None:
    for thread in (START, ELSEWHERE):
        said, after = told(
            part("definition", "conseiller_numerique"), part("montant"), thread=thread
        )
        assert said == ["definition/conseiller_numerique", "montant/conseiller_numerique"]
        assert after == Thread("montant", "conseiller_numerique")


def test_the_first_question_may_leave_its_subject_to_the_conversation() -> None:
    thread = Thread("definition", "conseiller_numerique")
    said, after = told(part("montant"), part("candidature"), thread=thread)
    assert said == ["montant/conseiller_numerique", "candidature/conseiller_numerique"]
    assert after == Thread("candidature", "conseiller_numerique")


def test_a_follow_up_keeps_the_aspect_of_the_part_before() -> None:
    said, after = told(part("definition", "axe_1"), part(FOLLOW_UP, "axe_2"), thread=ELSEWHERE)
    assert (said, after) == (
        ["definition/axe_1", "definition/axe_2"],
        Thread("definition", "axe_2"),
    )


def joined(*pieces: Understanding, otherwise: Understanding = LOST) -> Understanding:
    """What is understood of a part that may ask several things in one breath."""
    return replace(otherwise, pieces=pieces)


def test_things_asked_in_one_breath_get_each_their_answer() -> None:
    both = joined(part("montant", "conseiller_numerique"), part("remuneration"))
    answers = ["montant/conseiller_numerique", "remuneration/conseiller_numerique"]
    after = Thread("remuneration", "conseiller_numerique")
    assert told(whole=both) == (answers, after)
    assert told(both, part("definition", "axe_3")) == (
        [*answers, "definition/axe_3"],
        Thread("definition", "axe_3"),
    )


def test_pieces_that_are_not_each_a_sure_question_are_one() -> None:
    whole = part("besoin", "thematique_3c")
    unsure = part("montant", "fonds", 0.6)
    same = part("besoin", "thematique_3c")
    for other in (unsure, LOST, POLITE, same):
        both = joined(part("besoin", "thematique_3c"), other, otherwise=whole)
        assert told(whole=both)[0] == ["besoin/thematique_3c"]


def test_no_more_is_answered_than_one_can_read() -> None:
    three = [part(aspect, "fonds") for aspect in ("montant", "candidature", "pieces")]
    said, after = told(part("definition", "axe_1"), joined(*three), part("delai", "axe_2"))
    assert said == ["definition/axe_1", "montant/fonds", "candidature/fonds"]
    assert after == Thread("candidature", "fonds")


def test_the_same_answer_is_given_once() -> None:
    thread = Thread("definition", "fonds")
    same = KNOWLEDGE.aliases["parcours/fonds"]
    aspect = same.partition("/")[0]
    said, after = told(part("parcours"), part(aspect), part("montant"), thread=thread)
    assert (said, after) == ([same, "montant/fonds"], Thread("montant", "fonds"))
    # Twice the same is one question, and the message's.
    whole = part("delai", "fonds", 0.8)
    assert told(part("parcours"), part(aspect), whole=whole, thread=thread)[0] == [same]


def test_politeness_is_not_answered_beside_a_question() -> None:
    question = part("montant", "fonds")
    assert told(POLITE, question, POLITE)[0] == ["montant/fonds"]
    assert told(POLITE, question, POLITE, part("delai"))[0] == ["montant/fonds", "delai/fonds"]
    # Alone, it is.
    assert told(POLITE, POLITE, whole=POLITE) == (["greet"], START)


def test_parts_that_are_not_understood_are_left_out() -> None:
    vague = Understanding({"montant": 0.4, "delai": 0.38}, {"fonds": 1.0})
    said, after = told(vague, part("definition", "axe_3"), LOST, part("montant"), LOST)
    assert (said, after) == (["definition/axe_3", "montant/axe_3"], Thread("montant", "axe_3"))


def test_a_whole_that_is_surer_than_its_only_part_wins() -> None:
    whole = part("montant", "fonds", 0.9)
    assert told(part("delai", "fonds", 0.8), whole=whole) == (
        ["montant/fonds"],
        Thread("montant", "fonds"),
    )
    assert told(part("delai", "fonds", 0.95), whole=whole) == (
        ["delai/fonds"],
        Thread("delai", "fonds"),
    )


def test_several_parts_understood_win_over_any_whole() -> None:
    parts = part("montant", "fonds", 0.6), part("candidature", "fonds", 0.6)
    said, _ = told(*parts, whole=part("delai", "fonds", 0.99))
    assert said == ["montant/fonds", "candidature/fonds"]


def test_without_parts_the_whole_is_the_message() -> None:
    assert told(whole=part("montant", "fonds")) == (["montant/fonds"], Thread("montant", "fonds"))
    assert decide_all(Heard(LOST), ELSEWHERE, KNOWLEDGE) == ((NOTHING,), ELSEWHERE)
    assert decide_all(Heard(LOST, (LOST, LOST)), ELSEWHERE, KNOWLEDGE) == ((NOTHING,), ELSEWHERE)


def test_at_most_three_answers_and_the_conversation_is_about_the_last_given() -> None:
    parts = [
        part("definition", "axe_1"),
        part("definition", "axe_2"),
        part("definition", "axe_2"),
        part("definition", "axe_3"),
        part("montant", "conseiller_numerique"),
    ]
    assert told(*parts) == (
        ["definition/axe_1", "definition/axe_2", "definition/axe_3"],
        Thread("definition", "axe_3"),
    )


def test_a_step_aside_does_not_lose_the_thread() -> None:
    aside = part("montant", "autres_aides")
    said, after = told(part("definition", "conseiller_numerique"), aside, part("montant"))
    assert said == [
        "definition/conseiller_numerique",
        "undocumented/autres_aides",
        "montant/conseiller_numerique",
    ]
    assert after == Thread("montant", "conseiller_numerique")
    assert told(part("definition", "conseiller_numerique"), aside)[1] == Thread(
        "definition", "conseiller_numerique"
    )


def test_a_title_says_what_its_questions_are_about() -> None:
    title = Understanding({"greet": 1.0}, {None: 1.0}, frozenset({"conseiller_numerique"}))
    said, after = told(title, part("montant"), part("candidature"), thread=ELSEWHERE)
    assert said == ["montant/conseiller_numerique", "candidature/conseiller_numerique"]
    assert after == Thread("candidature", "conseiller_numerique")


def test_the_only_subject_named_is_that_of_what_stands_before_it() -> None:
    whole = Understanding({}, {None: 1.0}, frozenset({"conseiller_numerique"}))
    said, _ = told(
        part("montant"), part("candidature", "conseiller_numerique"), whole=whole, thread=ELSEWHERE
    )
    assert said == ["montant/conseiller_numerique", "candidature/conseiller_numerique"]


ASPECTS = [*sorted(KNOWLEDGE.aspects), *sorted(KNOWLEDGE.replies), *FOLLOW_UPS, "nlu_fallback"]
SUBJECTS: list[str | None] = [None, *KNOWLEDGE.subjects, "forgotten"]
UNDERSTANDINGS = st.builds(
    Understanding,
    st.dictionaries(st.sampled_from(ASPECTS), st.floats(0, 1), max_size=3),
    st.dictionaries(st.sampled_from(SUBJECTS), st.floats(0, 1), max_size=3),
    st.frozensets(st.sampled_from([*KNOWLEDGE.subjects, "forgotten"]), max_size=2),
)
THREADS = st.builds(Thread, st.sampled_from([None, *ASPECTS]), st.sampled_from(SUBJECTS))


@settings(deadline=None)
@given(UNDERSTANDINGS, st.lists(UNDERSTANDINGS, max_size=6), THREADS)
def test_any_message_gets_one_decision_or_a_few_different_answers(
    whole: Understanding, parts: list[Understanding], thread: Thread
) -> None:
    decisions, after = decide_all(Heard(whole, tuple(parts)), thread, KNOWLEDGE)
    assert 1 <= len(decisions) <= MAX_ANSWERS
    if len(decisions) > 1:
        assert {decision.kind for decision in decisions} == {"answer"}
        references = [decision.candidates[0].reference for decision in decisions]
        assert len({*references}) == len(references)
    else:
        assert after == followed(decisions[0], thread, KNOWLEDGE, whole.named)
        assert decisions[0].confidence >= decide(whole, thread, KNOWLEDGE).confidence
