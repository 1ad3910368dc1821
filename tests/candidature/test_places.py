"""Places, however people write them, in the official lists."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from candidature.places import Finder, Found
from knowledge.places import Commune, Epci, load_places

PLACES = load_places()
FINDER = Finder(PLACES)


def names(found: Found) -> list[str]:
    return [*(one.name for one in found.communes), *(one.name for one in found.epcis)]


@pytest.mark.parametrize("commune", PLACES.communes.values(), ids=lambda one: one.insee)
def test_every_commune_is_found_by_its_name(commune: Commune) -> None:
    plain = commune.name.replace("-", " ").lower()
    for text in (commune.name, commune.name.upper(), plain, f"mairie de {commune.name}"):
        assert FINDER.find(text).sure == commune, text


@pytest.mark.parametrize("epci", PLACES.epcis.values(), ids=lambda one: one.siren)
def test_every_epci_is_found_by_its_name(epci: Epci) -> None:
    own = epci.name.removeprefix("Communauté de communes ")
    for text in (epci.name, epci.name.lower(), f"la comcom {own}", f"CC {own}"):
        assert FINDER.find(text).sure == epci, text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("st flovier", "Saint-Flovier"),
        ("Saint Flovié", "Saint-Flovier"),
        ("chatorenaud", "Château-Renault"),
        ("monbazon", "Montbazon"),
        ("amboize", "Amboise"),
        ("azé le rideau", "Azay-le-Rideau"),
        ("l'ile bouchar", "L'Île-Bouchard"),
        ("ste maure", "Sainte-Maure-de-Touraine"),
        ("Joué", "Joué-lès-Tours"),
        ("chenonsseaux", "Chenonceaux"),
        ("langeai", "Langeais"),
        ("nous sommes à Nouans les fontaines", "Nouans-les-Fontaines"),
        ("je suis maire de Monts", "Monts"),
        ("castelrenaudais", "Communauté de communes du Castelrenaudais"),
        ("Chinon, Vienne et Loire", "Communauté de communes Chinon, Vienne et Loire"),
        ("la métropole de Tours", "Tours Métropole Val de Loire"),
    ],
)
def test_misspelt_or_shortened_names_are_found(text: str, name: str) -> None:
    assert names(FINDER.find(text)) == [name]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("azay", {"Azay-le-Rideau", "Azay-sur-Cher", "Azay-sur-Indre"}),
        ("loche", {"Loches", "Loché-sur-Indrois"}),
        ("Beaumont", {"Beaumont-Louestault", "Beaumont-Village", "Beaumont-en-Véron"}),
    ],
)
def test_where_several_are_meant_one_has_to_ask(text: str, meant: set[str]) -> None:
    found = FINDER.find(text)
    assert set(names(found)) == meant
    assert found.sure is None


def test_a_name_is_found_amid_a_sentence() -> None:
    text = "on est une commune de 650 habitants, Saint-Flovier, et on veut former nos agents"
    assert names(FINDER.find(text)) == ["Saint-Flovier"]


@pytest.mark.parametrize(
    "text", ["on fait des tours de table", "les hommes et les monts du village", "rien", "", "🙂"]
)
def test_a_word_is_not_a_name(text: str) -> None:
    assert FINDER.find(text) == Found()


@pytest.mark.parametrize(
    ("text", "codes"),
    [("Poitiers", ["86"]), ("mairie de Blois", ["41"]), ("la rochelle", ["17", "70"])],
)
def test_a_commune_of_another_departement_is_told_so(text: str, codes: list[str]) -> None:
    found = FINDER.find(text)
    assert names(found) == []
    assert [departement.code for departement in found.elsewhere] == codes


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_may_be_looked_at(text: str) -> None:
    found = FINDER.find(text)
    assert len(names(found)) == len(set(names(found)))


def test_ten_thousand_characters_are_looked_at_in_no_time() -> None:
    assert FINDER.find("commune de Tours, " * 600).sure is not None
