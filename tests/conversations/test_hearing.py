"""A population and a place in the words of many people, heard by the real assistant."""

from typing import Any

import pytest

from deploy.stack import Stack
from tests.conversations.candidate import answers, tell

PLACE, POPULATION = "Quel est le nom de la commune", "Combien d’habitants"
PROJECT = "Que voulez-vous faire surtout"


def at_population(person: Any) -> None:
    assert POPULATION in tell(person, ("faire le test", "un syndicat"))


def at_place(person: Any) -> None:
    assert PLACE in tell(person, ("faire le test", "une commune"))


# Populations

POPULATIONS = {
    "environ mille deux cents": 1200,
    "1 200 hab.": 1200,
    "850h": 850,
    "1200": 1200,
    "1.200": 1200,
    "1'200": 1200,
    "on est 650": 650,
    "12 000 habitants": 12_000,
    "12k": 12_000,
    "12 mille": 12_000,
    "douze mille": 12_000,
    "huit cent cinquante": 850,
    "six-cent-cinquante": 650,
    "quatre-vingts": 80,
    "près de 3 500 âmes": 3500,
    "~ 900": 900,
    "900 et des poussières": 900,
    "2000 habitants": 2000,
    "2 000": 2000,
    "au dernier recensement : 612": 612,
    "1 200 (mille deux cents)": 1200,
    "1200habitants": 1200,
    "0,5 million": 500_000,
    "nous sommes 1 200": 1200,
    "mille": 1000,
    "2000": 2000,
    "environ 2000 personnes": 2000,
    "on est 1950": 1950,
    "deux mille": 2000,
    "30 000 à Tours et autour": 30_000,
    "environ 1 500 habitants (Loches)": 1500,
    "1,2 millier": 1200,
    "un millier": 1000,
    "une centaine d'habitants": 100,
    "612 au recensement de 2020": 612,
    "650 habitants en 2023": 650,
    "2 500 habitants et 900 foyers": 2500,
}


def test_many_ways_to_tell_a_population(stack: Stack, person: Any) -> None:
    at_population(person)
    heard = {}
    for text in POPULATIONS:
        person.say(text)
        heard[text] = answers(stack).get("population")
        assert POPULATION in person.say("retour")
    assert heard == POPULATIONS


# Places

MISSPELT = {
    "st flovier": "Saint-Flovier",
    "azay le rido": "Azay-le-Rideau",
    "chato renaud": "Château-Renault",
    "joué les tour": "Joué-lès-Tours",
    "st pierre des cor": "Saint-Pierre-des-Corps",
    "ste maure": "Sainte-Maure-de-Touraine",
    "chinnon": "Chinon",
    "langeai": "Langeais",
    "prelly sur claise": "Preuilly-sur-Claise",
    "ligeuil": "Ligueil",
    "beaulieu les loche": "Beaulieu-lès-Loches",
    "commune de Luyne": "Luynes",
    "BLERE": "Bléré",
    "azay": "Azay-sur-Cher",
    "la ville aux dame": "La Ville-aux-Dames",
    "monlouis": "Montlouis-sur-Loire",
    "tauxini": "Tauxigny-Saint-Bauld",
    "esvres sur indre": "Esvres",
}


def test_misspelt_communes_are_found_or_offered(person: Any) -> None:
    at_place(person)
    missed = []
    for text, name in MISSPELT.items():
        said = person.say(text)
        if PROJECT in said:
            if f"{name} (INSEE " not in said:
                missed.append(text)
            person.say("retour")
        elif name not in person.buttons:
            missed.append(text)
    assert missed == []


def test_a_commune_of_elsewhere_is_told_so_and_may_go_on(stack: Stack, person: Any) -> None:
    at_place(person)
    said = person.say("Troyes")
    assert "Aube, 10" in said
    assert "préfecture de l’Aube" in said
    assert POPULATION in person.press("Continuer avec Troyes")
    assert PROJECT in person.say("62 000 habitants")
    told = {"porteur": "commune", "lieu": "Troyes", "population": 62_000}
    assert answers(stack) == told


@pytest.mark.parametrize(
    "text",
    ["Loches Sud Touraine", "la comcom de Loches", "communauté de commune loche sud tourene"],
)
def test_an_epci_by_name(stack: Stack, person: Any, text: str) -> None:
    tell(person, ("faire le test", "une intercommunalité"))
    assert "Communauté de communes Loches Sud Touraine" in person.say(text)
    assert answers(stack)["lieu"] == "200071587"
    assert answers(stack)["population"] > 50_000
