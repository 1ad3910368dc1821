"""The verdict on the fund's questionnaire, over every combination of answers."""

import datetime as dt
from collections.abc import Iterator
from itertools import product

import pytest

from candidature.evaluation import Answers, Status, Value, asked, evaluate, holds
from knowledge.questionnaire import Condition, Criterion, Question, Range, load_questionnaires

QUESTIONNAIRES = load_questionnaires()
FUND = QUESTIONNAIRES["fonds"]
CRITERIA = [
    pytest.param(name, criterion, id=f"{name}-{criterion.id}")
    for name, questionnaire in QUESTIONNAIRES.items()
    for criterion in questionnaire.criteria
]
IN_TIME, LATE = dt.date(2022, 12, 31), dt.date(2023, 1, 1)
SMALL, LARGE = 500_000, 500_001
COMPLETE: Answers = {
    "porteur": "commune",
    "lieu": "37218",
    "population": 650,
    "projet": "formation",
    "decision": "deliberation",
    "resultats": IN_TIME,
    "materiel": "non",
    "licences": "non",
}


def values(question: Question) -> list[Value]:
    """Return answers that stand for all that may be answered."""
    by_kind: dict[str, list[Value]] = {
        "number": [0, SMALL, LARGE],
        "date": [IN_TIME, LATE],
        "place": ["37218"],
    }
    return by_kind.get(question.kind) or [*question.choices]


def named(*conditions: Condition) -> list[str]:
    return sorted({name for condition in conditions for line in condition for name in line})


def combinations(questionnaire: str, names: list[str]) -> Iterator[dict[str, Value]]:
    """Return every combination of answers to these questions, each known or not."""
    questions = [QUESTIONNAIRES[questionnaire].question(name) for name in names]
    choices = [[None, *values(question)] for question in questions]
    for combination in product(*choices):
        yield {n: v for n, v in zip(names, combination, strict=True) if v is not None}


def status(criterion: Criterion, answers: Answers, questionnaire: str = "fonds") -> Status:
    verdict = evaluate(QUESTIONNAIRES[questionnaire], answers)
    return {one.id: found for one, found in verdict.criteria}[criterion.id]


@pytest.mark.parametrize(("name", "criterion"), CRITERIA)
def test_a_criterion_is_never_both_met_and_not_met(name: str, criterion: Criterion) -> None:
    for answers in combinations(name, named(criterion.met, criterion.not_met)):
        assert not (holds(criterion.met, answers) and holds(criterion.not_met, answers)), answers


@pytest.mark.parametrize(("name", "criterion"), CRITERIA)
def test_more_certainty_never_turns_a_settled_criterion(name: str, criterion: Criterion) -> None:
    names = named(criterion.met, criterion.not_met)
    for answers in combinations(name, names):
        before = status(criterion, answers, name)
        if before is Status.TO_CONFIRM:
            continue
        for other in set(names) - answers.keys():
            for value in values(QUESTIONNAIRES[name].question(other)):
                assert status(criterion, {**answers, other: value}, name) is before


@pytest.mark.parametrize(("name", "criterion"), CRITERIA)
def test_every_criterion_may_be_met_or_not_and_is_open_at_first(
    name: str, criterion: Criterion
) -> None:
    names = named(criterion.met, criterion.not_met)
    found = {status(criterion, answers, name) for answers in combinations(name, names)}
    assert found == (set(Status) if criterion.not_met else {Status.MET, Status.TO_CONFIRM})
    assert status(criterion, {}, name) is Status.TO_CONFIRM


# What the page says, written apart from the file: (answers, criterion, status).
@pytest.mark.parametrize(
    ("answers", "criterion", "expected"),
    [
        ({"porteur": "commune"}, "qui", Status.MET),
        ({"porteur": "epci"}, "qui", Status.MET),
        ({"porteur": "groupement"}, "qui", Status.MET),
        ({"porteur": "autre"}, "qui", Status.NOT_MET),
        ({"porteur": "personne_morale"}, "qui", Status.TO_CONFIRM),
        ({"porteur": "personne_morale", "financement": "oui"}, "qui", Status.MET),
        ({"porteur": "personne_morale", "financement": "non"}, "qui", Status.NOT_MET),
        ({"decision": "prevue"}, "decision", Status.TO_CONFIRM),
        ({"decision": "executif"}, "decision", Status.MET),
        ({"decision": "non"}, "decision", Status.NOT_MET),
        ({"projet": "materiel"}, "nature", Status.NOT_MET),
        ({"projet": "autre"}, "nature", Status.TO_CONFIRM),
        ({"projet": "usagers"}, "nature", Status.MET),
        ({"resultats": IN_TIME}, "resultats", Status.MET),
        ({"resultats": LATE}, "resultats", Status.NOT_MET),
        ({"materiel": "partie"}, "materiel", Status.TO_CONFIRM),
        ({"materiel": "surtout"}, "materiel", Status.NOT_MET),
        ({"licences": "marginale"}, "licences", Status.MET),
        ({"licences": "importante"}, "licences", Status.NOT_MET),
    ],
)
def test_the_criteria_are_those_of_the_page(
    answers: Answers, criterion: str, expected: Status
) -> None:
    (one,) = (one for one in FUND.criteria if one.id == criterion)
    assert status(one, answers) is expected


def test_a_village_that_trains_its_agents_meets_everything() -> None:
    verdict = evaluate(FUND, COMPLETE)
    assert verdict.status is Status.MET
    assert [one.id for one in verdict.conclusions] == ["axe_3", "thematique_3b"]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("decision", "prevue", Status.TO_CONFIRM),
        ("resultats", LATE, Status.NOT_MET),
        ("porteur", "autre", Status.NOT_MET),
    ],
)
def test_one_criterion_decides_the_whole(name: str, value: Value, expected: Status) -> None:
    assert evaluate(FUND, {**COMPLETE, name: value}).status is expected


def test_nothing_known_is_to_confirm_and_concludes_nothing() -> None:
    verdict = evaluate(FUND, {})
    assert verdict.status is Status.TO_CONFIRM
    assert verdict.conclusions == ()


@pytest.mark.parametrize(("population", "axe"), [(0, "axe_3"), (SMALL, "axe_3"), (LARGE, "axe_1")])
def test_the_threshold_of_axe_1_is_more_than_500_000(population: int, axe: str) -> None:
    verdict = evaluate(FUND, {**COMPLETE, "population": population})
    assert [one.id for one in verdict.conclusions if one.kind == "axe"] == [axe]


@pytest.mark.parametrize(
    ("project", "dispositif"),
    [("habitants", "conseiller_numerique"), ("demarches", "aidants_connect")],
)
def test_another_dispositif_is_named_where_it_fits(project: str, dispositif: str) -> None:
    verdict = evaluate(FUND, {**COMPLETE, "projet": project})
    assert [one.id for one in verdict.conclusions] == [dispositif]
    assert verdict.status is Status.NOT_MET


@pytest.mark.parametrize(
    ("name", "answers", "expected", "follows"),
    [
        (
            "conseiller_numerique",
            {"structure": "association", "volonte": "oui", "salaire": "oui", "depot": "oui"},
            Status.MET,
            [],
        ),
        (
            "conseiller_numerique",
            {"structure": "entreprise", "volonte": "oui", "salaire": "oui", "depot": "non"},
            Status.TO_CONFIRM,
            ["candidature"],
        ),
        ("conseiller_numerique", {"salaire": "non"}, Status.NOT_MET, []),
        (
            "aidants_connect",
            {"aidant": "agent_accueil", "structure": "oui"},
            Status.MET,
            ["habilitation"],
        ),
        ("aidants_connect", {"aidant": "autre"}, Status.NOT_MET, ["conseiller_numerique"]),
        ("aidants_connect", {"aidant": "autre_professionnel"}, Status.TO_CONFIRM, []),
    ],
)
def test_the_other_questionnaires(
    name: str, answers: Answers, expected: Status, follows: list[str]
) -> None:
    verdict = evaluate(QUESTIONNAIRES[name], answers)
    assert verdict.status is expected
    assert [one.id for one in verdict.conclusions] == follows


def test_only_what_matters_is_asked() -> None:
    ids = [one.id for one in asked(FUND.questions, COMPLETE)]
    assert "financement" not in ids and len(ids) == 8
    association = {**COMPLETE, "porteur": "personne_morale"}
    ids = [one.id for one in asked(FUND.questions, association)]
    assert "financement" in ids and "lieu" not in ids
    assert "licences" not in [one.id for one in asked(FUND.questions, {"projet": "materiel"})]
    # While nothing is known, everything may be asked.
    assert len(asked(FUND.questions, {})) == len(FUND.questions)


def test_a_value_of_another_nature_settles_nothing() -> None:
    condition: Condition = ({"population": Range(at_most=5)},)
    assert holds(condition, {"population": "beaucoup"}) is None
