"""What people write to conduct the exchange, and what is no command."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from candidature.commands import Commands, named_change, stops
from knowledge.dialogue import load_wording

WORDING = load_wording()
COMMANDS = Commands(WORDING.commands, WORDING.polite)
PHRASES = [
    pytest.param(name, phrase, id=f"{name}-{phrase}")
    for name, phrases in WORDING.commands.items()
    for phrase in phrases
]


@pytest.mark.parametrize(("name", "phrase"), PHRASES)
def test_every_phrase_is_its_command_however_it_is_written(name: str, phrase: str) -> None:
    for text in (phrase, phrase.upper(), f"  {phrase} ! ", f"{phrase}, svp", f"Bonjour, {phrase}"):
        assert COMMANDS.find(text) == name, text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("je voudrais reprendre mon dossier", "resume"),
        ("RETOUR !!", "back"),
        ("Pourquoi ???", "why"),
        ("où j’en suis", "where"),
        ("ou j'en suis", "where"),
        ("récapitulatf", "where"),
        ("annulé", "cancel"),
        ("tout annuler s'il vous plaît", "cancel"),
        ("preparer ma candidature", "form"),
        ("eligibilite", "begin_fonds"),
        ("j'accepte", "yes"),
        ("ok merci", "yes"),
        ("non merci", "no"),
    ],
)
def test_what_people_write(text: str, name: str) -> None:
    assert COMMANDS.find(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "🙂",
        "!!!",
        "je veux",
        "est-ce que",
        "bonjour",
        "merci",
        "s'il vous plaît",
        "retour à la ligne",
        "le maire a décidé de tout annuler",
        "pourquoi le fonds est-il fermé",
        "oui on a délibéré le 12 mars",
        "non, il y a aussi du mécénat",
        "arrêté du maire",
        "former nos agents",
        "retour " * 20,
        "retour" + " " * 300,
        "x" * 10_000,
        "reprendre ABCD-EFGH",
    ],
)
def test_what_is_no_command(text: str) -> None:
    assert COMMANDS.find(text) is None


def test_only_those_that_are_meant() -> None:
    assert COMMANDS.find("oui", ("yes", "no")) == "yes"
    assert COMMANDS.find("retour", ("yes", "no")) is None
    assert COMMANDS.find("oui", ()) is None


def test_a_word_of_politeness_may_be_a_command_by_itself() -> None:
    commands = Commands({"thank": ["merci"]}, ["merci"])
    assert commands.find("merci") == "thank"
    assert commands.find("merci merci") is None


def test_slips_are_forgiven_in_long_words_alone() -> None:
    commands = Commands({"resume": ["reprendre mon dossier"], "stop": ["stop"]}, [])
    assert commands.find("reprendr mon dosier") == "resume"
    assert commands.find("reprendre ton dossier") is None
    assert commands.find("stpo") is None
    assert commands.find("mon dossier reprendre") is None


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=250))
def test_any_text_is_one_command_or_none(text: str) -> None:
    assert COMMANDS.find(text) in {*WORDING.commands, None}


@pytest.mark.parametrize(
    ("text", "stopped"),
    [
        ("stop, je reviendrai demain", True),
        ("Pause", True),
        ("je fais une pause", True),
        ("je m'arrête là pour aujourd'hui", True),
        ("laissez tomber", True),
        ("j'ai pas le temps là je reviens demain", True),
        ("Je n'ai pas le temps.", True),
        ("je n'ai pas le temps de former les agents", False),
        ("Pause numérique pour les agents", False),
        ("Stop à la fracture numérique", False),
        ("nous voulons arrêter le papier", False),
    ],
)
def test_a_pause_however_it_is_said(text: str, stopped: bool) -> None:
    assert stops(text) is stopped


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("changer le titre", ("titre", "")),
        ("je voudrais modifier le mail", ("email", "")),
        ("corriger la date de fin", ("fin", "")),
        ("changer le titre en « Des agents à l'aise »", ("titre", "Des agents à l'aise")),
        ("changer le nom", None),  # of whom?
        ("changer de mairie", None),
        ("changer", None),
    ],
)
def test_what_is_to_be_changed_is_named(text: str, named: tuple[str, str] | None) -> None:
    names = {
        "titre": ("Titre du projet",),
        "email": ("Adresse électronique", "mail", "adresse mail"),
        "fin": ("Fin du projet",),
        "nom": ("Nom du contact",),
        "autre_nom": ("Nom du représentant légal",),
    }
    assert named_change(text, names) == named
