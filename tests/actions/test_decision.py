"""The order of doubt, on the real knowledge base."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.decision import FOLLOW_UPS, Decision, Thread, decide, followed
from actions.understanding import Understanding
from knowledge import load

KNOWLEDGE = load()
START = Thread()


def doubt(
    aspects: dict[str, float], subjects: dict[str | None, float], thread: Thread = START
) -> Decision:
    return decide(Understanding(aspects, subjects), thread, KNOWLEDGE)


def said(decision: Decision) -> list[str]:
    return [candidate.reference for candidate in decision.candidates]


def test_a_sure_question_is_answered() -> None:
    decision = doubt({"definition": 0.9, "montant": 0.1}, {"axe_3": 1.0})
    assert (decision.kind, said(decision)) == ("answer", ["definition/axe_3"])
    assert decision.confidence == pytest.approx(0.9)


def test_two_readings_of_one_answer_are_no_doubt() -> None:
    same = KNOWLEDGE.aliases["parcours/fonds"]
    decision = doubt(
        {same.partition("/")[0]: 0.3, "parcours": 0.3, "contact": 0.25, "greet": 0.15},
        {"fonds": 1.0},
    )
    assert (decision.kind, said(decision)) == ("answer", [same])
    assert decision.confidence == pytest.approx(0.6)


def test_two_or_three_likely_answers_are_offered() -> None:
    decision = doubt({"montant": 0.43, "versement": 0.4, "delai": 0.17}, {"fonds": 1.0})
    assert decision.kind == "did_you_mean"
    assert said(decision) == ["montant/fonds", "versement/fonds", "delai/fonds"]


def test_one_does_not_ask_back_with_a_single_button() -> None:
    aspects = {"montant": 0.4, "out_of_scope": 0.35, "undocumented": 0.25}
    decision = doubt(aspects, {"fonds": 1.0})
    assert (decision.kind, said(decision)) == ("answer", ["montant/fonds"])
    # Unless it is too unlikely, or is not the likeliest.
    for likely in (0.32, 0.37):
        aspects = {"montant": likely, "out_of_scope": 0.38 if likely > 0.35 else 0.3}
        assert doubt(aspects, {"fonds": 1.0}).kind == "did_you_mean"


def test_nothing_likely_is_not_understood() -> None:
    aspects = dict.fromkeys(["montant", "delai", "greet", "pieces", "contact"], 0.1)
    assert doubt(aspects, {"fonds": 1.0}).kind == "not_understood"
    assert doubt({}, {}).kind == "not_understood"


def test_an_elliptic_question_at_the_start_asks_which_subject() -> None:
    decision = doubt({"montant": 1.0}, {None: 0.97, "fonds": 0.03})
    assert (decision.kind, said(decision)) == ("which_subject", ["montant"])


def test_words_that_suggest_a_subject_settle_it_at_the_start() -> None:
    decision = doubt({"montant": 1.0}, {None: 0.6, "fonds": 0.35, "axe_3": 0.05})
    assert said(decision) == ["montant/fonds"]


def test_an_aspect_of_one_subject_only_needs_none() -> None:
    assert said(doubt({"mandat": 1.0}, {None: 1.0})) == ["mandat/aidants_connect"]


def test_the_conversation_s_subject_is_meant_when_none_is_named() -> None:
    thread = Thread("definition", "conseiller_numerique")
    decision = doubt({"montant": 1.0}, {None: 0.95, "fonds": 0.05}, thread)
    assert said(decision) == ["montant/conseiller_numerique"]


def test_a_follow_up_keeps_the_aspect() -> None:
    decision = doubt({"follow_up": 1.0}, {"axe_1": 1.0}, Thread("definition", "axe_3"))
    assert said(decision) == ["definition/axe_1"]


def test_a_follow_up_says_something_of_its_own_subject() -> None:
    # The fund counts its axes; an axis has no such count of its own.
    decision = doubt({"follow_up": 1.0}, {"axe_1": 1.0}, Thread("nombre", "fonds"))
    assert said(decision) == ["definition/axe_1"]


def test_an_empty_cell_is_admitted() -> None:
    decision = doubt({"mandat": 1.0}, {"fonds": 1.0})
    assert (decision.kind, said(decision)) == ("answer", ["undocumented/fonds"])


def test_an_intent_that_is_no_aspect_is_no_reading() -> None:
    decision = doubt({"nlu_fallback": 0.6, "montant": 0.4}, {"fonds": 1.0})
    assert said(decision) == ["montant/fonds"]


def test_admitting_to_know_nothing_counts_once_whatever_the_subject() -> None:
    decision = doubt(
        {"undocumented": 0.6, "montant": 0.4}, {"fonds": 0.4, "regles_depense": 0.35, "axe_3": 0.25}
    )
    assert said(decision) == ["undocumented/fonds"]
    assert decision.confidence == pytest.approx(0.74)


def test_what_is_next_door_has_one_answer_whatever_is_asked() -> None:
    for aspect in ("montant", "candidature", "undocumented"):
        assert said(doubt({aspect: 1.0}, {"autres_aides": 1.0})) == ["undocumented/autres_aides"]


def test_a_step_aside_does_not_lose_the_thread() -> None:
    thread = Thread("montant", "conseiller_numerique")
    aside = doubt({"undocumented": 1.0}, {"autres_aides": 1.0}, thread)
    assert followed(aside, thread, KNOWLEDGE) == thread
    assert followed(aside, START, KNOWLEDGE) == Thread(None, "fonds")


def test_why_gives_the_aims_of_what_was_spoken_of() -> None:
    decision = doubt({"why": 1.0}, {None: 1.0}, Thread("exclusions", "fonds"))
    assert said(decision) == ["objectifs/fonds"]
    assert doubt({"why": 1.0}, {None: 1.0}).kind == "which_subject"


def test_more_goes_on_to_what_comes_next() -> None:
    decision = doubt({"more": 1.0}, {None: 1.0}, Thread("definition", "aidants_connect"))
    assert said(decision) == [KNOWLEDGE.answers["definition/aidants_connect"].next[0]]
    assert doubt({"more": 1.0}, {None: 1.0}).kind == "which_subject"


def test_something_else_offers_the_choice() -> None:
    decision = doubt({"something_else": 1.0}, {None: 1.0}, Thread("montant", "axe_3"))
    assert (decision.kind, said(decision)) == ("suggest", ["montant/axe_3"])


def test_the_conversation_s_subject_weighs_more_unless_another_is_named() -> None:
    thread = Thread("definition", "conseiller_numerique")
    shares: dict[str | None, float] = {"fonds": 0.6, "conseiller_numerique": 0.4}
    assert said(doubt({"montant": 1.0}, shares, thread)) == ["montant/conseiller_numerique"]
    named = Understanding({"montant": 1.0}, shares, frozenset({"fonds"}))
    assert said(decide(named, thread, KNOWLEDGE)) == ["montant/fonds"]


def test_where_one_admits_to_know_nothing_only_a_named_subject_is_a_new_one() -> None:
    thread = Thread("montant", "conseiller_numerique")
    admitted = doubt({"undocumented": 1.0}, {"axe_2": 1.0}, thread)
    assert followed(admitted, thread, KNOWLEDGE) == thread
    named = followed(admitted, thread, KNOWLEDGE, {"axe_2"})
    assert named == Thread("montant", "axe_2")


def test_one_rather_goes_on_about_the_same_aspect() -> None:
    aspects = {"montant": 0.5, "versement": 0.5}
    for aspect in aspects:
        thread = Thread(aspect, "conseiller_numerique")
        decision = doubt(aspects, {None: 1.0}, thread)
        assert said(decision) == [f"{aspect}/conseiller_numerique"]


def test_in_a_conversation_one_rather_asks_what_is_told() -> None:
    # Nothing is told of a mandate for the fund.
    thread = Thread("definition", "fonds")
    decision = doubt({"mandat": 0.5, "eligibilite": 0.5}, {None: 1.0}, thread)
    assert said(decision) == ["eligibilite/fonds"]


def test_the_second_is_the_like_of_what_is_spoken_of() -> None:
    second = Understanding({"definition": 1.0}, {None: 1.0}, relatives=frozenset({"axe_2"}))
    thread = Thread("definition", "fonds")
    assert said(decide(second, thread, KNOWLEDGE)) == ["definition/axe_2"]
    # Of a conseiller's second instalment, say, no axe is meant.
    elsewhere = Thread("versement", "conseiller_numerique")
    assert said(decide(second, elsewhere, KNOWLEDGE)) == ["definition/conseiller_numerique"]
    assert decide(second, START, KNOWLEDGE).kind == "which_subject"


def test_a_name_counts_more_than_a_rank() -> None:
    both = Understanding(
        {"montant": 1.0},
        {"conseiller_numerique": 1.0},
        frozenset({"conseiller_numerique"}),
        frozenset({"axe_2"}),
    )
    decision = decide(both, Thread("definition", "axe_1"), KNOWLEDGE)
    assert said(decision) == ["montant/conseiller_numerique"]


def test_what_is_asked_depends_on_what_it_is_asked_of() -> None:
    sign = Understanding(
        {"mandat": 0.5, "pieces": 0.5},
        {"aidants_connect": 0.9, "fonds": 0.1},
        by_family={"aidants_connect": {"mandat": 1.0}, "fonds": {"pieces": 1.0}, "": {}},
    )
    decision = decide(sign, START, KNOWLEDGE)
    assert said(decision) == ["mandat/aidants_connect"]
    assert decision.confidence == pytest.approx(0.9)


def test_an_elliptic_message_is_read_in_the_light_of_the_conversation() -> None:
    sign = Understanding(
        {"contractualisation": 0.6, "mandat": 0.4},
        {None: 1.0},
        by_family={
            "": {"contractualisation": 0.6, "mandat": 0.4},
            "aidants_connect": {"mandat": 1.0},
        },
    )
    decision = decide(sign, Thread("definition", "aidants_connect"), KNOWLEDGE)
    assert said(decision) == ["mandat/aidants_connect"]


def test_amid_a_conversation_one_rather_asks_what_is_not_told_than_something_quite_different() -> (
    None
):
    aspects = {"out_of_scope": 0.6, "undocumented": 0.4}
    assert doubt(aspects, {None: 1.0}).kind == "reply"
    thread = Thread("definition", "fonds")
    assert said(doubt(aspects, {None: 1.0}, thread)) == ["undocumented/fonds"]


NAMES = [*sorted(KNOWLEDGE.aspects), *KNOWLEDGE.replies, *FOLLOW_UPS, "nlu_fallback"]
SUBJECTS = [None, *KNOWLEDGE.subjects, "unknown"]


def distributions(names: list[str | None]) -> st.SearchStrategy[dict[str | None, float]]:
    weights = st.dictionaries(st.sampled_from(names), st.floats(0.001, 1), max_size=8)
    return weights.map(lambda w: {name: weight / sum(w.values()) for name, weight in w.items()})


@given(
    aspects=distributions([*NAMES]),
    subjects=distributions([*SUBJECTS]),
    thread=st.builds(Thread, st.sampled_from([None, *NAMES]), st.sampled_from(SUBJECTS)),
)
def test_any_understanding_gets_a_decision(
    aspects: dict[str, float], subjects: dict[str | None, float], thread: Thread
) -> None:
    decision = doubt(aspects, subjects, thread)
    assert 0 <= decision.confidence <= 1 + 1e-9
    assert len(decision.candidates) <= 3
    assert decision.candidates or decision.kind == "not_understood"
