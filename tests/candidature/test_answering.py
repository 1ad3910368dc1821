"""Answers to the fund's questions, as people give them."""

import datetime as dt

import pytest

from candidature.answering import Heard, hear
from candidature.evaluation import Value
from candidature.places import Finder
from candidature.reading import Problem
from knowledge.places import load_places
from knowledge.questionnaire import Question, load_questionnaires

FINDER = Finder(load_places())
FUND = load_questionnaires()["fonds"]


def heard(question: str, text: str) -> Heard:
    return hear(FUND.question(question), text, FINDER, {})


@pytest.mark.parametrize(
    ("question", "text", "value"),
    [
        ("porteur", "la mairie", "commune"),
        ("porteur", "comcom", "epci"),
        ("porteur", "on est un syndicat d'eau", "groupement"),
        ("porteur", "une association", "personne_morale"),
        ("porteur", "mon entreprise", "autre"),
        ("financement", "oui, uniquement", "oui"),
        ("financement", "non il y a aussi du mécénat", "non"),
        ("lieu", "st flovier", "37218"),
        ("lieu", "la comcom Loches Sud Touraine", "200071587"),
        ("population", "850h", 850),
        ("projet", "former nos agents", "formation"),
        ("projet", "rdv en ligne", "usagers"),
        ("projet", "un consultant", "expert"),
        ("projet", "acheter des pc", "materiel"),
        ("projet", "une étude de faisabilité", "etude"),
        ("projet", "un labo", "innovation"),
        ("projet", "aider les habitants", "habitants"),
        ("decision", "oui on a délibéré le 12 mars", "deliberation"),
        ("decision", "le maire a décidé seul", "executif"),
        ("decision", "ce sera au prochain conseil", "prevue"),
        ("resultats", "fin 2022", dt.date(2022, 12, 31)),
        ("materiel", "oui un peu", "partie"),
        ("licences", "un tout petit peu", "marginale"),
        ("decision", "pas encore", "prevue"),
        ("resultats", "trimestre 2 2022", dt.date(2022, 6, 30)),
        ("resultats", "au T3 2022", dt.date(2022, 9, 30)),
    ],
)
def test_what_people_say(question: str, text: str, value: Value) -> None:
    assert heard(question, text) == Heard(value=value)


QUESTIONS = [
    pytest.param(question, id=f"{name}-{question.id}")
    for name, questionnaire in load_questionnaires().items()
    for question in questionnaire.questions
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_button_s_words_are_an_answer(question: Question) -> None:
    for value, label in question.choices.items():
        assert hear(question, label, FINDER, {}) == Heard(value=value), label


@pytest.mark.parametrize("question", QUESTIONS)
def test_one_may_not_know_anything(question: Question) -> None:
    for said in ("je ne sais pas", "je ne sais pas encore", "je c pas"):
        assert hear(question, said, FINDER, {}) == Heard(unknown=True), said


@pytest.mark.parametrize(
    ("question", "text", "problem"),
    [
        ("porteur", "bof", Problem.NOTHING),
        ("porteur", "le CCAS de la ville", Problem.SEVERAL),
        ("population", "-3", Problem.NEGATIVE),
        ("resultats", "en juin", Problem.NO_YEAR),
        ("lieu", "zzz", Problem.NOTHING),
    ],
)
def test_what_is_no_answer(question: str, text: str, problem: Problem) -> None:
    assert heard(question, text) == Heard(problem=problem)


def test_places_among_which_one_has_to_ask() -> None:
    azay = heard("lieu", "azay")
    assert azay.problem is Problem.SEVERAL
    assert len(azay.found.communes) == 3
    poitiers = heard("lieu", "Poitiers")
    assert poitiers.problem is Problem.NOTHING
    assert [one.name for one in poitiers.found.elsewhere] == ["Vienne"]


@pytest.mark.parametrize(
    ("porteur", "text", "offered"),
    [
        ("epci", "Saint-Flovier", ["Communauté de communes Loches Sud Touraine"]),
        ("epci", "Tours", ["Tours Métropole Val de Loire"]),
        ("commune", "la comcom Loches Sud Touraine", []),
    ],
)
def test_a_place_of_the_other_sort_than_its_carrier(
    porteur: str, text: str, offered: list[str]
) -> None:
    told = hear(FUND.question("lieu"), text, FINDER, {"porteur": porteur})
    assert told.problem is Problem.OTHER_SORT and told.value is None
    assert [one.name for one in told.found.epcis] == offered


def test_a_name_that_an_epci_begins_with_is_no_commune() -> None:
    assert heard("lieu", "Tours Métropole").value == "243700754"
    assert heard("lieu", "Tours Métropole Val de Loire").value == "243700754"


def test_of_places_of_two_sorts_the_carrier_s_is_meant() -> None:
    said = "Saint-Flovier, de la communauté de communes Loches Sud Touraine"
    assert hear(FUND.question("lieu"), said, FINDER, {}).problem is Problem.SEVERAL
    for porteur, value in (("commune", "37218"), ("epci", "200071587")):
        told = hear(FUND.question("lieu"), said, FINDER, {"porteur": porteur})
        assert told.value == value
