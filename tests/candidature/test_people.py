"""Who somebody is, as people write it."""

import time
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from candidature.people import name, person
from candidature.reading import Problem
from knowledge.form import load_form

FUNCTIONS = load_form().functions
SOON = 0.1
"""Seconds that reading a message may take."""


def read(text: str) -> Mapping[str, str]:
    return person(text, FUNCTIONS)


@pytest.mark.parametrize(
    ("text", "function", "first_name", "last_name"),
    [
        ("Maire, Mme Camille DURAND", "Maire", "Camille", "DURAND"),
        ("Camille Durand, maire", "maire", "Camille", "Durand"),
        ("camille durand, maire", "maire", "camille", "durand"),
        ("DURAND Camille, maire", "maire", "Camille", "DURAND"),
        ("JEAN PETIT, agent", "agent", "JEAN", "PETIT"),
        ("Maire : Camille Durand", "Maire", "Camille", "Durand"),
        ("Jean Petit - DGS", "DGS", "Jean", "Petit"),
        ("Jean Petit (DGS)", "DGS", "Jean", "Petit"),
        ("Maire\nCamille Durand", "Maire", "Camille", "Durand"),
        ("Maire ; Camille Durand", "Maire", "Camille", "Durand"),
        ("Maire. Camille Durand.", "Maire", "Camille", "Durand"),
        ("Camille DURAND maire", "maire", "Camille", "DURAND"),
        ("Madame la maire Claire Martin", "maire", "Claire", "Martin"),
        ("le maire, M. Jean-Pierre de La Tour", "maire", "Jean-Pierre", "de La Tour"),
        ("secretaire de mairie dominique petit", "secretaire de mairie", "dominique", "petit"),
        ("Vice-présidente, Élodie ÉVRARD", "Vice-présidente", "Élodie", "ÉVRARD"),
        ("Présidente, Anne-Lise O'Brien", "Présidente", "Anne-Lise", "O'Brien"),
        ("DGS, Jean D’ARTAGNAN", "DGS", "Jean", "D’ARTAGNAN"),
    ],
)
def test_a_person_on_one_line(text: str, function: str, first_name: str, last_name: str) -> None:
    assert read(text) == {
        "function": function,
        "first_name": first_name,
        "last_name": last_name,
    }


@pytest.mark.parametrize(
    ("text", "function"),
    [
        ("Camille Durand, adjointe aux finances", "adjointe aux finances"),
        ("je suis Camille Durand, maire de Saint-Flovier", "maire de Saint-Flovier"),
        ("Camille Durand, première adjointe chargée du numérique", None),
        ("Camille Durand, adjointe au maire", "adjointe au maire"),
    ],
)
def test_what_a_function_is_of_belongs_to_it(text: str, function: str | None) -> None:
    found = read(text)
    assert (found["first_name"], found["last_name"]) == ("Camille", "Durand")
    assert found["function"] == function or (
        function is None and found["function"].startswith("première adjointe")
    )


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_is_known_alone_and_with_a_name(function: str) -> None:
    assert read(function) == {"function": function}
    assert read(f"{function}, Camille Durand")["function"] == function
    assert read(f"Camille DURAND, {function.upper()}")["function"] == function.upper()


@pytest.mark.parametrize(
    "civility", ["M.", "M", "Mme", "Mme.", "Mlle", "Monsieur", "MADAME", "Dr", "c'est", "moi"]
)
def test_civilities_are_no_names(civility: str) -> None:
    assert read(f"{civility} Camille Durand") == {"first_name": "Camille", "last_name": "Durand"}
    assert name(f"{civility} Durand", 60).value == "Durand"


@pytest.mark.parametrize("text", ["", " ", "\n", ",", "🙂", "Camille", "12", "@", "."])
def test_nobody_is_told(text: str) -> None:
    assert read(text) == {}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Camille", "Camille"),
        ("camille", "camille"),
        (" DURAND. ", "DURAND"),
        ("Jean-Pierre", "Jean-Pierre"),
        ("Jean Pierre", "Jean Pierre"),
        ("O'Brien", "O'Brien"),
        ("d’Artagnan", "d’Artagnan"),
        ("de La Tour", "de La Tour"),
        ("Éloïse", "Éloïse"),
        ("Nguyễn", "Nguyễn"),
        ("je m'appelle Camille", "Camille"),
    ],
)
def test_a_name(text: str, value: str) -> None:
    assert name(text, 60).value == value


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", Problem.ABSURD),
        ("123", Problem.ABSURD),
        ("R2D2", Problem.ABSURD),
        ("🙂", Problem.ABSURD),
        ("<b>Camille</b>", Problem.ABSURD),
        ("Robert'); DROP TABLE", Problem.ABSURD),
        ("mairie@exemple.fr", Problem.ABSURD),
        ("Un site pour prendre rendez-vous en mairie", Problem.ABSURD),
        ("x" * 61, Problem.TOO_LONG),
        ("x" * 10_000, Problem.TOO_LONG),
    ],
)
def test_what_is_no_name(text: str, problem: Problem) -> None:
    assert name(text, 60).problem is problem


@pytest.mark.parametrize("text", ["Le Goff", "La Fontaine", "M. Le Gall"])
def test_an_article_may_begin_a_last_name(text: str) -> None:
    assert name(text, 60).value == text.removeprefix("M. ")


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script> Camille Durand",
        "'; DROP TABLE drafts; --",
        "{0} {x} %s",
        "\x00\x07 Camille\u202e Durand",
        '# = $ #read("/etc/passwd")',
    ],
)
def test_hostile_text_is_read_as_text(text: str) -> None:
    found = read(text)
    assert all(isinstance(one, str) and one in " ".join(text.split()) for one in found.values())
    assert not any(sign in one for one in found.values() for sign in "<>{}#$\x00")


@pytest.mark.parametrize(
    "text",
    [
        "Camille Durand " * 700,
        "maire " * 1_700,
        "le " * 3_400,
        "a" * 10_000,
        "Maire, " * 1_400,
        "é." * 5_000,
        "-" * 10_000,
    ],
    ids=range(7),
)
def test_long_text_is_read_at_once(text: str) -> None:
    start = time.perf_counter()
    read(text)
    name(text, 60)
    assert time.perf_counter() - start < 5 * SOON


def test_dots_in_a_name_take_no_time() -> None:
    text = f"Maire, a{'..a' * 23}1 b"
    start = time.perf_counter()
    read(text)
    assert time.perf_counter() - start < SOON


def test_spaces_take_no_time() -> None:
    start = time.perf_counter()
    read(f"Maire{' ' * 12_000}x")
    assert time.perf_counter() - start < 2 * SOON


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=40))
def test_whatever_is_written_is_read(text: str) -> None:
    found = read(text)
    assert list(found) == [
        kind for kind in ("function", "first_name", "last_name") if kind in found
    ]
    assert ("first_name" in found) == ("last_name" in found)
    assert all(one.strip() for one in found.values())
    value = name(text, 60).value
    assert value is None or 0 < len(value) <= 60


@pytest.mark.parametrize(
    ("text", "last_name"),
    [
        ("Vous pouvez joindre ma secrétaire, Mme Sophie VAN DEN BERGHE", "VAN DEN BERGHE"),
        ("contactez Mme Dupuis à la mairie", "Dupuis"),
        ("Mme Durand", "Durand"),
    ],
)
def test_a_name_comes_after_its_civility(text: str, last_name: str) -> None:
    assert person(text, FUNCTIONS)["last_name"] == last_name


@pytest.mark.parametrize(
    "text",
    [
        "c'est quoi la réversibilité ?",
        "modifier le représentant",
        "je n'ai pas d'adresse mail",
        "je ne veux pas donner mon nom",
        "secretaire@exemple.fr",
    ],
)
def test_something_said_is_no_name(text: str) -> None:
    assert person(text, FUNCTIONS) == {}
    assert name(text, 60).problem is Problem.ABSURD
