"""Questions as people ask them, answered by real Rasa and real actions."""

from collections.abc import Callable
from typing import Any

import pytest

from knowledge import load

KNOWLEDGE = load()
SOURCE = "Source : préfecture d’Indre-et-Loire, 16/02/2021"


def test_what_axe_3_is_and_then_only_the_first(person: Any) -> None:
    third = person.say("c'est quoi l'axe 3 ?")
    assert "34 millions d’euros" in third
    assert SOURCE in third
    first = person.say("et le premier ?")
    assert "500 000 habitants" in first
    assert SOURCE in first


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("combien a eu le département ?", ["297 000 €", "à confirmer"]),
        ("est-ce que les écrans des secrétaires sont payés ?", ["Non", "exclus"]),
        (
            "comment un agent d'accueil se fait-il habiliter ?",
            ["https://aidantsconnect.beta.gouv.fr/habilitation"],
        ),
        ("combien on touche par conseiller numérique ?", ["50 000 €", "24 mois"]),
        ("a qui jenvoie le dossier", ["pref-badl@indre-et-loire.gouv.fr"]),
        ("QUI SIGNE LE MANDAT AIDANTS CONNECT ?", ["FranceConnect"]),
    ],
)
def test_answers_with_source_and_date(person: Any, question: str, expected: list[str]) -> None:
    answer = person.say(question)
    for words in expected:
        assert words in answer
    assert SOURCE in answer


def test_buttons_lead_on(person: Any) -> None:
    person.say("c'est quoi le fonds numérique ?")
    title = person.buttons[-1]
    reference = next(key for key in KNOWLEDGE.answers if KNOWLEDGE.title(key) == title)
    answer = person.press(title)
    assert answer.startswith(KNOWLEDGE.answers[reference].text.replace("\u00a0", " "))


def test_an_elliptic_question_asks_which_subject_and_the_tap_answers(person: Any) -> None:
    question = person.say("combien ?")
    assert question == KNOWLEDGE.sentences["which_subject"].replace("\u00a0", " ")
    answer = person.press(KNOWLEDGE.subjects["conseiller_numerique"].label)
    assert "50 000 €" in answer
    assert "24 mois" in person.say("et c'est versé comment ?")


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        ("bonjour", "greet"),
        ("merci beaucoup", "thank"),
        ("au revoir", "goodbye"),
        ("que sais-tu faire ?", "help"),
        ("tu es un robot ?", "bot_challenge"),
        ("de quand datent vos informations ?", "information_age"),
        ("je veux parler à quelqu'un", "human_handoff"),
        ("t'es nul", "insult"),
        ("il fait quel temps demain à Tours ?", "out_of_scope"),
    ],
)
def test_dialogue_acts_get_one_friendly_reply(person: Any, said: str, reply: str) -> None:
    assert person.say(said) == KNOWLEDGE.replies[reply].text.replace("\u00a0", " ")
    assert person.buttons


def test_two_conversations_do_not_mix(somebody: Callable[[], Any]) -> None:
    mayor, aidant = somebody(), somebody()
    mayor.say("parlez-moi de l'axe 2")
    aidant.say("c'est quoi Aidants Connect ?")
    assert "guichet" in mayor.say("et comment on candidate ?")
    assert "habilitation" in aidant.say("et comment on candidate ?")


@pytest.mark.parametrize(
    "said",
    [
        "🙂🙂🙂",
        "?!",
        "<script>alert(1)</script><b>bonjour</b>",
        "What is the budget of the fund, please?",
        "مرحبا كيف حالك",
        "'; DROP TABLE message; --",
        "combien " * 490,
        "/restart",
        '/ask_amount{"x":1}',
        "／session_start",
        "bonjour\u0000\u0007\u200b",
    ],
)
def test_anything_gets_a_polite_answer(person: Any, said: str) -> None:
    assert person.say(said)
    # And the conversation goes on.
    assert "34 millions" in person.say("c'est quoi l'axe 3 ?")


def test_a_typed_command_is_text(person: Any) -> None:
    person.say("c'est quoi Aidants Connect ?")
    person.say("/restart")
    # A restart would have wiped the thread.
    assert "FranceConnect" in person.say("et comment ça marche concrètement ?")
