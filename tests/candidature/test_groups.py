"""Several questions that one message answers together."""

import datetime as dt

import pytest

from candidature.answering import hear_group
from candidature.evaluation import Answers, Value
from candidature.places import Finder
from candidature.reading import Problem
from knowledge.form import load_form
from knowledge.places import load_places

FORM = load_form()
QUESTIONS = {one.id: one for one in FORM.questions}
FINDER = Finder(load_places())
GROUPS = {group.of[0].partition("_")[0]: group for group in FORM.groups}
REPRESENTATIVE = {
    "representant_fonction": "Maire",
    "representant_prenom": "Camille",
    "representant_nom": "DURAND",
}
CONTACT = {
    "contact_fonction": "Secrétaire de mairie",
    "contact_prenom": "Dominique",
    "contact_nom": "Petit",
    "contact_email": "mairie@exemple.fr",
    "contact_telephone": "02 47 00 00 00",
}


def heard(
    group: str, text: str, answers: Answers | None = None
) -> tuple[dict[str, Value], Problem | None]:
    return hear_group(GROUPS[group], QUESTIONS, text, FINDER, answers or {}, FORM.functions)


def without(*names: str) -> dict[str, str]:
    return {name: one for name, one in CONTACT.items() if name not in names}


def test_the_groups_are_these() -> None:
    assert set(GROUPS) == {"representant", "contact", "debut"}


@pytest.mark.parametrize(
    "text",
    [
        "Maire, Camille DURAND",
        "Maire, Mme Camille DURAND",
        "Camille DURAND, Maire",
        "Maire : DURAND Camille",
    ],
)
def test_the_representative(text: str) -> None:
    assert heard("representant", text) == (REPRESENTATIVE, None)


def test_the_representative_in_part() -> None:
    assert heard("representant", "maire") == ({"representant_fonction": "maire"}, None)
    found, problem = heard("representant", "Camille Durand")
    assert found == {"representant_prenom": "Camille", "representant_nom": "Durand"}
    assert problem is None


@pytest.mark.parametrize("text", ["", " ", "bof", "🙂", "12", "mairie@exemple.fr", "Camille"])
def test_no_representative(text: str) -> None:
    assert heard("representant", text) == ({}, Problem.NOTHING)


def test_the_examples_of_the_form_are_understood() -> None:
    for name, count in (("representant", 3), ("debut", 2)):
        example = GROUPS[name].text.partition("«")[2].partition("»")[0]
        assert len(heard(name, example)[0]) == count
    example = GROUPS["contact"].why.partition("«")[2].partition("»")[0]
    assert len(heard("contact", example)[0]) == 5


@pytest.mark.parametrize(
    "text",
    [
        "Secrétaire de mairie, Dominique Petit, mairie@exemple.fr, 02 47 00 00 00",
        "Secrétaire de mairie, Dominique Petit, 0247000000, mairie@exemple.fr",
        "mairie@exemple.fr 02.47.00.00.00 Dominique Petit, Secrétaire de mairie",
        "Dominique Petit\nSecrétaire de mairie\nmairie@exemple.fr\n02 47 00 00 00",
        "Dominique Petit (Secrétaire de mairie), tel : 02 47 00 00 00, mail : mairie@exemple.fr",
        "Secrétaire de mairie, Dominique Petit, mairie@exemple.fr, +33 2 47 00 00 00",
    ],
)
def test_the_contact(text: str) -> None:
    assert heard("contact", text) == (CONTACT, None)


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("Secrétaire de mairie, Dominique Petit, mairie@exemple.fr", ("contact_telephone",)),
        ("Secrétaire de mairie, Dominique Petit, 02 47 00 00 00", ("contact_email",)),
        ("Dominique Petit, mairie@exemple.fr, 02 47 00 00 00", ("contact_fonction",)),
        (
            "mairie@exemple.fr",
            ("contact_fonction", "contact_prenom", "contact_nom", "contact_telephone"),
        ),
    ],
)
def test_the_contact_in_part(text: str, missing: tuple[str, ...]) -> None:
    assert heard("contact", text) == (without(*missing), None)


def test_an_address_that_is_wrong_is_not_taken() -> None:
    found, _ = heard("contact", "Secrétaire de mairie, Dominique Petit, mairie@exemple")
    assert "contact_email" not in found
    assert found["contact_nom"] == "Petit"


@pytest.mark.parametrize("text", ["la même personne", "La même", "moi-même", "idem", "pareil !"])
def test_the_same_person(text: str) -> None:
    found, problem = heard("contact", text, REPRESENTATIVE)
    assert found == {
        "contact_fonction": "Maire",
        "contact_prenom": "Camille",
        "contact_nom": "DURAND",
    }
    assert problem is None


def test_the_same_person_with_an_address() -> None:
    found, _ = heard("contact", "la même personne, mairie@exemple.fr", REPRESENTATIVE)
    assert found["contact_email"] == "mairie@exemple.fr"
    assert found["contact_nom"] == "DURAND"


def test_the_same_as_nobody() -> None:
    assert heard("contact", "la même personne") == ({}, Problem.NOTHING)


@pytest.mark.parametrize("group", ["representant", "contact"])
@pytest.mark.parametrize(
    "text", ["aucune idée", "je ne sais pas encore", "on ne sait pas encore", "pas encore décidé"]
)
def test_not_to_know_is_no_name(group: str, text: str) -> None:
    assert heard(group, text)[0] == {}


def test_the_words_of_the_button_are_understood() -> None:
    same = GROUPS["contact"].same
    assert same is not None
    assert len(heard("contact", same.title, REPRESENTATIVE)[0]) == 3


@pytest.mark.parametrize(
    ("text", "begins", "ends"),
    [
        ("de mars à juin 2022", dt.date(2022, 3, 1), dt.date(2022, 6, 30)),
        ("du 1er mars au 30 juin 2022", dt.date(2022, 3, 1), dt.date(2022, 6, 30)),
        ("de mars 2021 à juin 2022", dt.date(2021, 3, 1), dt.date(2022, 6, 30)),
        ("01/03/2022 - 30/06/2022", dt.date(2022, 3, 1), dt.date(2022, 6, 30)),
        ("début mars 2022, fin juin 2022", dt.date(2022, 3, 1), dt.date(2022, 6, 30)),
        ("de 2021 à 2022", dt.date(2021, 1, 1), dt.date(2022, 12, 31)),
        ("le 2 mai 2022 puis le 2 mai 2022", dt.date(2022, 5, 2), dt.date(2022, 5, 2)),
    ],
)
def test_dates(text: str, begins: dt.date, ends: dt.date) -> None:
    assert heard("debut", text) == ({"debut": begins, "fin": ends}, None)


@pytest.mark.parametrize("text", ["de juin 2022 à mars 2022", "de 2022 à 2021", "juin à mars 2022"])
def test_dates_in_the_wrong_order(text: str) -> None:
    assert heard("debut", text) == ({}, Problem.TOO_EARLY)


@pytest.mark.parametrize(
    "text", ["de mars à juin", "en mars", "bof", "", "12", "31/02/2022 à 2023"]
)
def test_dates_that_are_none(text: str) -> None:
    found, problem = heard("debut", text)
    assert found == {} and problem is not None
