"""Values as people read them, and what is said of a verdict."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candidature.answering import Heard, hear
from candidature.draft import Draft
from candidature.evaluation import Status, Value, Verdict, evaluate
from candidature.interview import Interview, State, Step
from candidature.places import Finder
from candidature.reading import Problem
from candidature.wording import (
    MOST_OFFERED,
    SHOWN,
    Words,
    day_told,
    euros_told,
    number_told,
    paragraphs,
    place_told,
    value_told,
)
from knowledge import load
from knowledge.dialogue import load_wording
from knowledge.form import load_form
from knowledge.places import load_places
from knowledge.questionnaire import Question, load_questionnaires
from knowledge.typography import NBSP

PLACES = load_places()
FINDER = Finder(PLACES)
FORM = load_form()
WORDS = Words(load_wording(), load(), FORM, PLACES, "prefecture@example.fr")
FUND = load_questionnaires()["fonds"]
INTERVIEW = Interview.with_form(FUND, FORM, FINDER)
DURING, AFTER = dt.date(2022, 6, 27), dt.date(2022, 6, 28)
"""The last day of the campaign, and the next."""
MET: dict[str, Value] = {
    "porteur": "commune",
    "lieu": "37218",
    "population": 576,
    "projet": "formation",
    "decision": "deliberation",
    "resultats": dt.date(2022, 12, 31),
    "materiel": "non",
    "licences": "non",
}


def plain(text: str) -> str:
    """Return a text as one types it, without French typography."""
    return text.replace(NBSP, " ").replace("\u202f", " ").replace("’", "'")


def verdict(**changed: Value) -> Verdict:
    return evaluate(FUND, {**MET, **changed})


@pytest.mark.parametrize(
    ("day", "told"),
    [
        (dt.date(2022, 3, 1), "1er mars 2022"),
        (dt.date(2022, 8, 2), "2 août 2022"),
        (dt.date(2021, 12, 31), "31 décembre 2021"),
        (dt.date(2022, 2, 11), "11 février 2022"),
    ],
)
def test_a_day(day: dt.date, told: str) -> None:
    assert day_told(day) == told.replace(" ", NBSP, 1)


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        ("0", "0 €"),
        ("0.50", "0,50 €"),
        ("999", "999 €"),
        ("12500", "12 500 €"),
        ("12500.00", "12 500 €"),
        ("12500.5", "12 500,50 €"),
        ("1234567.89", "1 234 567,89 €"),
        ("100000000", "100 000 000 €"),
    ],
)
def test_a_sum(amount: str, told: str) -> None:
    assert euros_told(Decimal(amount)) == told.replace(" ", NBSP)


@given(st.integers(0, 10**10))
def test_a_number_keeps_its_digits(number: int) -> None:
    assert number_told(number).replace(NBSP, "") == str(number)
    assert all(len(part) <= 3 for part in number_told(number).split(NBSP))


@pytest.mark.parametrize(
    ("question", "value", "told"),
    [
        ("siret", "21370218600015", "213 702 186 00015"),
        ("lieu", "37218", "Saint-Flovier (INSEE 37218)"),
        ("lieu", "Troyes", "Troyes"),
        ("lieu", "200071587", "Communauté de communes Loches Sud Touraine (SIREN 200071587)"),
        ("population", 1576, "1 576 habitants"),
        ("porteur", "commune", "Une commune"),
        ("porteur", "disparu", "disparu"),
        ("thematique", "thematique_3b", "3B : formation des agents"),
        ("debut", dt.date(2022, 3, 1), "1er mars 2022"),
        ("cout", Decimal("12500"), "12 500 €"),
        ("contact_email", "mairie@exemple.fr", "mairie@exemple.fr"),
        ("description", "Deux\nlignes", "Deux\nlignes"),
    ],
)
def test_an_answer(question: str, value: Value, told: str) -> None:
    assert plain(value_told(INTERVIEW.named(question), value, PLACES)) == told
    assert plain(WORDS.told(INTERVIEW.named(question), value)) == told


def test_every_place_is_told_by_its_name_and_number() -> None:
    names = {code: one.name for code, one in PLACES.communes.items()}
    names |= {siren: one.name for siren, one in PLACES.epcis.items()}
    for code, name in names.items():
        told = place_told(code, PLACES)
        assert name in told and code in told


def test_paragraphs() -> None:
    assert paragraphs("a", None, "", "b") == "a\n\nb"
    assert paragraphs(None) == paragraphs() == ""


# The verdict


@pytest.mark.parametrize(
    ("changed", "status", "first", "criterion"),
    [
        ({}, Status.MET, "les critères sont remplis", "Le niveau de décision : rempli"),
        (
            {"decision": "non"},
            Status.NOT_MET,
            "au moins un critère n'est pas rempli",
            "Le niveau de décision : non rempli",
        ),
        (
            {"decision": "prevue"},
            Status.TO_CONFIRM,
            "il reste des points à confirmer",
            "Le niveau de décision : à confirmer",
        ),
    ],
)
def test_a_verdict(changed: dict[str, Value], status: Status, first: str, criterion: str) -> None:
    found = verdict(**changed)
    assert found.status is status
    told = plain(WORDS.verdict(FUND, found, DURING))
    assert first in told.partition("\n")[0]
    assert f"• {criterion}. « " in told
    advice = next(one.advice for one in FUND.criteria if one.id == "decision")
    assert (plain(advice) in told) is (status is Status.NOT_MET)
    assert ("Pour avancer" in told) is (status is Status.NOT_MET)
    to_check = "À vérifier avant de déposer : Le niveau de décision."
    assert (to_check in told) is (status is Status.TO_CONFIRM)
    assert "Ce résultat est indicatif" in told
    for one in FUND.criteria:
        assert plain(one.title) in told
    assert "Le projet entre dans l'axe 3" in told


@pytest.mark.parametrize("status", list(Status))
def test_a_status(status: Status) -> None:
    told = {"met": "rempli", "not_met": "non rempli", "to_confirm": "à confirmer"}
    assert WORDS.status(status) == told[status]


def test_what_follows_from_a_verdict() -> None:
    assert [plain(one) for one in WORDS.conclusions(verdict())] == [
        "Le projet entre dans l'axe 3 du fonds.",
        "Il correspond à la thématique 3B (formation des agents).",
    ]
    (other,) = WORDS.conclusions(verdict(projet="habitants"))
    assert other.startswith("Ce qui peut convenir à votre besoin")
    (axe,) = WORDS.conclusions(verdict(population=600_000, projet="etude"))
    assert "axe 1" in plain(axe)
    assert list(WORDS.conclusions(evaluate(FUND, {}))) == []


def test_notices_before_and_after_the_end_of_the_campaign() -> None:
    before, after = WORDS.notices(FUND, DURING), WORDS.notices(FUND, AFTER)
    assert len(before) == 1 and "indicatif" in before[0]
    assert len(after) == 2 and after[0] == before[0]
    assert "close le 27/06/2022" in plain(after[1])
    assert "close le" not in WORDS.verdict(FUND, verdict(), DURING)
    told = plain(WORDS.verdict(FUND, verdict(), AFTER))
    assert plain(after[1]) in told
    assert "à faire confirmer" in told.rpartition("Source")[2]


@pytest.mark.parametrize("name", load_questionnaires())
@pytest.mark.parametrize("today", [DURING, AFTER])
def test_every_questionnaire_has_its_verdict(name: str, today: dt.date) -> None:
    questionnaire = load_questionnaires()[name]
    told = WORDS.verdict(questionnaire, evaluate(questionnaire, {}), today)
    assert "à confirmer" in told and "Source" in told
    assert "{" not in told and "}" not in told


# Questions, and what is not taken


def draft(*given: str, form: bool = True) -> Draft:
    """Return a draft in which these are not known, whatever comes before."""
    return Draft("fonds", State({}, given), form=form)


@pytest.mark.parametrize("question", INTERVIEW.questions, ids=lambda one: one.id)
def test_every_question_is_asked_and_may_be_left(question: Question) -> None:
    names = [one.id for one in INTERVIEW.questions]
    before = names[: names.index(question.id)]
    for form, interview in ((True, INTERVIEW), (False, Interview.of(FUND, FINDER))):
        if not interview.knows(question.id):
            continue
        one = draft(*before, form=form)
        if interview.question(one.state) != question:
            continue  # depends on what is not known
        said = WORDS.question(interview, one)
        assert said is not None
        assert said.buttons[-1].step == f"skip:{question.id}"
        left = "Plus tard" if question.needed else "Passer"
        assert said.buttons[-1].title == (left if form else "Je ne sais pas")
        pressed = [button.title for button in said.buttons if button.step.startswith("answer:")]
        assert pressed == list(question.choices.values())
        for button in said.buttons:
            assert len(button.title) <= 60 and len(button.step) <= 400


def test_nothing_is_asked_at_the_end() -> None:
    names = [one.id for one in INTERVIEW.questions]
    assert WORDS.question(INTERVIEW, draft(*names)) is None


@pytest.mark.parametrize("problem", list(Problem))
@pytest.mark.parametrize("question", INTERVIEW.questions, ids=lambda one: one.id)
def test_any_trouble_is_told(question: Question, problem: Problem) -> None:
    names = [one.id for one in INTERVIEW.questions]
    one = draft(*names[: names.index(question.id)])
    if INTERVIEW.question(one.state) != question:
        return
    said = WORDS.trouble(INTERVIEW, one, Heard(problem=problem), "x" * 4_000)
    assert said.text and "{" not in said.text


def test_a_text_too_long_is_told_by_how_much() -> None:
    names = [one.id for one in INTERVIEW.questions]
    one = draft(*names[: names.index("titre")])
    text = "x" * 1_234
    heard = hear(INTERVIEW.named("titre"), text, FINDER, {})
    said = plain(WORDS.trouble(INTERVIEW, one, heard, text).text)
    assert said.startswith("Votre texte compte 1 234 caractères ; 120 au plus.")


def test_the_siret_of_another_body_is_told_the_right_siren() -> None:
    answers: dict[str, Value] = {**MET, "lieu": "37218"}
    names = [one.id for one in INTERVIEW.questions]
    given = tuple(names[: names.index("siret")])
    heard = hear(INTERVIEW.named("siret"), "21370072700018", FINDER, answers)
    assert heard.problem is Problem.OTHER_BODY
    said = WORDS.trouble(INTERVIEW, Draft("fonds", State(answers, given), form=True), heard, "x")
    assert PLACES.communes["37218"].siren in said.text


@pytest.mark.parametrize("text", ["azay", "saint", "Troyes", "saint-martin", "sainte"])
def test_places_to_choose_from_are_few(text: str) -> None:
    one = Draft("fonds", State({"porteur": "commune"}, ("porteur",)))
    fund = Interview.of(FUND, FINDER)
    heard = hear(FUND.question("lieu"), text, FINDER, {})
    said = WORDS.trouble(fund, one, heard, text)
    assert len(said.buttons) <= MOST_OFFERED
    for button in said.buttons:
        assert len(button.title) <= 60 and len(button.step) <= 400


def test_a_long_answer_is_short_in_a_summary() -> None:
    one = Draft("fonds", State({"titre": "x " * 300}, ("titre",)), form=True)
    (line,) = WORDS.recap(INTERVIEW.asked(one.state), one).split("\n")
    assert line.endswith("…") and len(line) < SHOWN + 40


def test_days_out_of_the_campaign_are_told() -> None:
    for day, out in ((dt.date(2022, 12, 31), False), (dt.date(2023, 1, 1), True)):
        state = State({**MET, "debut": day}, (*MET, "debut"))
        step = Step(state, ("debut",))
        one = Draft("fonds", state, form=True)
        said = WORDS.noted(INTERVIEW, one, step, corrected=False, typed="le jour dit")
        assert ("sortent de la campagne (2021-2022)" in plain(said)) is out
