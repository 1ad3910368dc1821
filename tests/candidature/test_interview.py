"""The fund's questionnaire played: the straight path, and the detours."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from candidature.evaluation import Status, evaluate
from candidature.interview import Interview, State, Step
from candidature.places import Finder
from candidature.reading import Problem
from knowledge.places import load_places
from knowledge.questionnaire import load_questionnaires

QUESTIONNAIRE = load_questionnaires()["fonds"]
FUND = Interview.of(QUESTIONNAIRE, Finder(load_places()))
STRAIGHT = (
    "une commune",
    "st flovier",
    "former nos agents",
    "oui on a délibéré le 12 mars",
    "fin 2022",
    "non",
    "non",
)


def play(*messages: str, state: State | None = None) -> Step:
    """Return the last step of a conversation."""
    step = Step(state or State())
    for message in messages:
        step = FUND.hear(step.state, message)
    return step


def current(state: State) -> str | None:
    question = FUND.question(state)
    return question.id if question else None


def test_the_straight_path_is_seven_questions() -> None:
    state, shown = State(), []
    for message in STRAIGHT:
        shown.append(FUND.progress(state))
        state = FUND.hear(state, message).state
    assert shown == [(number, 7) for number in range(1, 8)]
    assert current(state) is None
    verdict = evaluate(QUESTIONNAIRE, state.answers)
    assert verdict.status is Status.MET
    assert [one.id for one in verdict.conclusions] == ["axe_3", "thematique_3b"]


def test_the_official_lists_spare_a_question() -> None:
    state = play("une commune", "Saint-Flovier").state
    commune = load_places().communes["37218"]
    assert state.answers["population"] == commune.population
    assert current(state) == "projet"
    group = play("une comcom", "Loches Sud Touraine").state
    members = load_places().members("200071587")
    assert group.answers["population"] == sum(one.population for one in members)


def test_one_sentence_may_answer_several_questions() -> None:
    text = "on est une commune de 650 habitants, Saint-Flovier, et on veut former nos agents"
    step = play(text)
    assert set(step.answered) == {"porteur", "lieu", "population", "projet"}
    assert step.state.answers == {
        "porteur": "commune",
        "lieu": "37218",
        "population": 650,
        "projet": "formation",
    }
    assert current(step.state) == "decision"


def test_an_earlier_answer_may_be_corrected_and_the_conversation_goes_on() -> None:
    before = play(*STRAIGHT[:4]).state
    step = play("en fait nous sommes 1 200 habitants", state=before)
    assert step.answered == ("population",)
    assert step.state.answers == {**before.answers, "population": 1200}
    assert current(step.state) == current(before) == "resultats"


def test_a_correction_forgets_what_no_longer_matters() -> None:
    before = play("une association", "oui seulement").state
    assert before.answers == {"porteur": "personne_morale", "financement": "oui"}
    after = play("finalement c'est la commune", state=before).state
    assert after.answers == {"porteur": "commune"}
    assert current(after) == "lieu"


def test_not_to_know_is_an_answer() -> None:
    state = play("une commune", "je ne sais pas").state
    assert current(state) == "population"
    state = play("je ne sais pas", "jsp", "?", "aucune idée", state=state).state
    assert current(state) is None
    assert evaluate(QUESTIONNAIRE, state.answers).status is Status.TO_CONFIRM


def test_going_back_asks_again_what_was_answered_last() -> None:
    state = play(*STRAIGHT[:3]).state
    state = FUND.back(state)
    assert current(state) == "projet"
    state = FUND.back(state)
    assert (current(state), dict(state.answers)) == ("lieu", {"porteur": "commune"})
    assert FUND.back(FUND.back(FUND.back(state))) == State()


def test_misses_are_counted_and_forgotten_once_understood() -> None:
    step = play("bof", "euh", "hum")
    assert step.state.misses == 3
    assert step.heard is not None and step.heard.problem is Problem.NOTHING
    assert play("la mairie", state=step.state).state == State({"porteur": "commune"}, ("porteur",))


def test_several_places_are_asked_about() -> None:
    step = play("une commune", "azay")
    assert step.heard is not None and len(step.heard.found.communes) == 3
    assert play("Azay-sur-Cher", state=step.state).state.answers["lieu"] == "37015"


@pytest.mark.parametrize("text", ["500 euros", "le 12 mars", "dans 3 ans"])
def test_a_number_of_something_else_is_no_population(text: str) -> None:
    before = play("un syndicat").state
    assert current(before) == "population"
    assert "population" not in play(text, state=before).state.answers


def test_nothing_is_asked_of_a_project_that_needs_no_more() -> None:
    state = play("une commune", "Chinon", "acheter des ordinateurs", "non", "juin 2022").state
    assert current(state) is None
    assert evaluate(QUESTIONNAIRE, state.answers).status is Status.NOT_MET
    assert state.answers["resultats"] == dt.date(2022, 6, 30)


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.sampled_from(
            [*STRAIGHT, "en fait une association", "jsp", "850h", "azay", "bof", "RETOUR", "comcom"]
        ),
        max_size=12,
    )
)
def test_whatever_is_said_the_state_holds_together(messages: list[str]) -> None:
    state = State()
    for message in messages:
        state = FUND.back(state) if message == "RETOUR" else FUND.hear(state, message).state
        assert state.answers.keys() <= set(state.given)
        assert len(set(state.given)) == len(state.given)
        assert current(state) not in state.given
        number, total = FUND.progress(state)
        assert 1 <= number <= total <= len(FUND.questions)
