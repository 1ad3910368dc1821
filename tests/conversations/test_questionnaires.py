"""The three questionnaires as people go through them, with every detour that they may take."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from deploy.stack import Stack
from tests.conversations.candidate import TO_VERDICT, answers, row, tell

PORTEUR, PLACE = "Qui porte le projet", "Quel est le nom de la commune"
PROJECT, DECISION = "Que voulez-vous faire surtout", "La décision de mener"


def at_place(person: Any) -> None:
    assert PLACE in tell(person, ("faire le test", "une commune"))


def at_project(person: Any) -> None:
    at_place(person)
    assert PROJECT in person.say("Saint-Flovier")


# Detours


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("c'est quoi l'axe 3 ?", "34 millions"),
        ("combien on touche par conseiller numérique ?", "50 000 €"),
        ("merci beaucoup", "Avec plaisir"),
        ("je veux parler à quelqu'un", "pref-badl@indre-et-loire.gouv.fr"),
    ],
)
def test_a_question_in_the_middle_is_answered_and_ours_comes_back(
    person: Any, asked: str, answer: str
) -> None:
    at_place(person)
    said = person.say(asked)
    assert said.index(answer) < said.index(PLACE)
    assert "576" in person.say("Saint-Flovier")


def test_why(person: Any) -> None:
    at_place(person)
    said = person.say("pourquoi ?")
    assert "retrouver son code et sa population" in said
    assert PLACE in said


def test_back_to_the_very_beginning(person: Any) -> None:
    at_project(person)
    # What the place told is no question of its own.
    assert PLACE in person.say("retour")
    assert PORTEUR in person.say("retour")
    said = person.say("retour")
    assert "il n’y a rien avant" in said
    assert PORTEUR in said
    assert PLACE in person.say("une commune")


@pytest.mark.parametrize(
    ("begins", "told"),
    [
        ("faire le test", "88 millions"),
        ("faire le point pour un conseiller numérique", "50 000 €"),
    ],
)
def test_a_question_that_names_no_subject_is_about_the_questionnaire(
    person: Any, begins: str, told: str
) -> None:
    person.say(begins)
    said = person.say("combien ?")
    assert told in said and "Question 1/" in said


def test_where_i_am(person: Any) -> None:
    at_project(person)
    said = person.say("où j'en suis")
    for line in ("Porteur : Une commune", "Saint-Flovier (INSEE 37218)", "Population : 576"):
        assert line in said
    assert PROJECT in said


@pytest.mark.parametrize(
    "said",
    [
        "en fait nous sommes 1 200 habitants",
        "en fait, on est 1200 hab.",
        "en fait nous sommes 1 200",
        "en fait nous sommes 850",
    ],
)
def test_in_fact_there_are_more_of_us(stack: Stack, person: Any, said: str) -> None:
    at_project(person)
    assert PROJECT in person.say(said)
    assert answers(stack)["population"] == int("".join(re.findall(r"\d", said)))


def test_stop_ask_resume(person: Any) -> None:
    at_project(person)
    said = person.say("arrêter")
    assert re.search(r"reprendre [A-Z0-9]{4}(-[A-Z0-9]{4}){2}", said)
    answer = person.say("qui signe le mandat Aidants Connect ?")
    assert "FranceConnect" in answer
    assert PROJECT not in answer
    assert PROJECT in person.say("reprendre")
    assert DECISION in person.say("former nos agents")


def test_nothing_is_promised_of_what_holds_no_answer(person: Any) -> None:
    person.say("faire le test")
    stopped = person.say("arrêter")
    resumed = person.say("reprendre")
    assert ("gardé" in stopped and "rien à garder" not in stopped) == (PORTEUR in resumed)


def test_by_code_from_another_conversation(somebody: Callable[[], Any]) -> None:
    at_desk, at_home, stranger = somebody(), somebody(), somebody()
    at_project(at_desk)
    code = at_desk.say("arrêter").rsplit("reprendre ", 1)[1]
    assert PROJECT in at_home.say(f"reprendre {code.lower()}")
    assert DECISION in at_home.say("former nos agents")
    assert "aucun dossier" in stranger.say("reprendre ABCD-EFGH-JKMN")
    # It is where it was last taken up, and there alone.
    assert "pas de dossier en cours" in at_desk.say("reprendre")


@pytest.mark.parametrize(
    "said",
    [
        "je reprends : {code}",
        "Reprendre mon dossier {code}.",
        "je voudrais reprendre mon dossier {code}",
        "bonjour, reprendre {code}",
        "reprendre {code} s'il vous plaît",
        "reprendre mon dossier avec le code {code}",
        "{code}",
    ],
)
def test_a_code_among_other_words(somebody: Callable[[], Any], said: str) -> None:
    at_desk = somebody()
    at_project(at_desk)
    code = at_desk.say("arrêter").rsplit("reprendre ", 1)[1]
    assert PROJECT in somebody().say(said.format(code=code))


def test_cancelling_is_asked_and_then_done(stack: Stack, person: Any) -> None:
    at_project(person)
    assert "définitif" in person.say("annuler")
    assert PROJECT in person.press("Non, le garder")
    person.say("annuler")
    assert PROJECT in person.say("non")
    assert answers(stack)["lieu"] == "37218"
    person.say("annuler")
    assert "effacé" in person.say("oui")
    left = row(stack)
    assert left["status"] == "withdrawn"
    assert not left["state"].get("answers")
    assert left["resume_hash"] is None
    assert "pas de dossier en cours" in person.say("reprendre")
    assert "rien à effacer" in person.say("annuler")


def test_three_invalid_answers_are_explained_and_lead_out(person: Any) -> None:
    at_place(person)
    for text in ("Zorglub", "Pif-le-Paf"):
        said = person.say(text)
        assert "Vérifiez l’orthographe" in said
        assert "ce n’est pas grave" not in said
    said = person.say("xxyyzz")
    assert "ce n’est pas grave" in said
    assert "retrouver son code et sa population" in said
    assert PLACE in said
    assert {"Je ne sais pas", "Écrire à une personne"} <= set(person.buttons)
    assert "pref-badl@indre-et-loire.gouv.fr" in person.press("Écrire à une personne")
    assert "à confirmer" in person.press("Je ne sais pas")


def test_what_is_not_known_is_to_be_confirmed(person: Any) -> None:
    tell(person, TO_VERDICT[:2])
    unknown = ("je ne sais pas", "aucune idée", "je sais pas trop")
    for text in unknown:
        assert "à confirmer" in person.say(text)
    verdict = person.press("Je ne sais pas")
    assert "il reste des points à confirmer" in verdict
    assert verdict.count(" : à confirmer. ") == 4
    assert "Le porteur : rempli" in verdict


@pytest.mark.parametrize("before", [(), ("une commune",)])
def test_several_answers_in_one_sentence(
    stack: Stack, person: Any, before: tuple[str, ...]
) -> None:
    tell(person, ("faire le test", *before))
    said = person.say(
        "on est une commune de 650 habitants, Saint-Flovier, et on veut former nos agents"
    )
    assert DECISION in said
    told = {"porteur": "commune", "lieu": "37218", "population": 650, "projet": "formation"}
    assert answers(stack) == told


def test_change_an_answer_of_the_verdict(person: Any) -> None:
    assert "axe 3" in tell(person, TO_VERDICT)
    person.say("modifier")
    assert "Réponse actuelle : Former nos agents" in person.press("Nature du projet")
    said = person.press("Acheter du matériel pour les agents")
    assert "Pas de matériel pour les agents : non rempli" in said
    assert "axe 3" not in said


# The other two


def test_an_association_may_have_a_conseiller_numerique(person: Any) -> None:
    assert "Qui recruterait" in person.say("questionnaire conseiller numérique")
    tell(person, ("une association", "oui", "oui"))
    verdict = person.say("pas encore")
    assert "La structure : rempli" in verdict
    assert "La candidature en ligne : à confirmer" in verdict
    assert "plateforme nationale" in person.press("Obtenir un conseiller numérique")
    person.say("modifier")
    person.press("Structure")
    assert "La structure : non rempli" in person.press("Un particulier")


def test_a_secretary_may_be_an_aidant(person: Any) -> None:
    assert "Qui aide les usagers" in person.say("faire le point aidants connect")
    person.say("une secrétaire de mairie")
    assert "les critères sont remplis" in person.say("oui")
    assert "habilitation" in person.press("L’habilitation Aidants Connect")
    # A candidature is to the fund, and begins with its questionnaire.
    assert PORTEUR in person.say("préparer ma candidature")


def test_a_volunteer_is_told_who_may(person: Any) -> None:
    tell(person, ("faire le point aidants connect", "un bénévole"))
    verdict = person.say("à titre personnel")
    assert verdict.count(" : non rempli. ") == 2
    assert "Confiez cette aide à un professionnel" in verdict
