"""The official lists, and what is said of a wrong one."""

import shutil
from pathlib import Path

import pytest

from knowledge.document import FOLDER, KnowledgeError
from knowledge.places import load_places

COMMUNES = FOLDER / "communes"


def test_the_lists_hold_the_whole_departement() -> None:
    places = load_places()
    assert len(places.communes) == 272
    assert len(places.epcis) == 11
    assert sum(len(places.members(siren)) for siren in places.epcis) == 272
    tours = places.communes["37261"]
    assert (tours.name, tours.siren) == ("Tours", "213702616")
    assert tours.population > 130_000
    assert places.elsewhere["Poitiers"] == ("86",)
    assert (places.departements["86"].of, places.departements["86"].name) == ("de la ", "Vienne")


@pytest.mark.parametrize(
    ("file", "line", "said"),
    [
        ("communes.csv", "37001,Abilly,213700016,200071587,-3", "population : valeur refusée : -3"),
        ("communes.csv", "37001,Abilly,2137,200071587,3", "siren : valeur refusée : 2137"),
        ("communes.csv", "37001,Abilly,213700016,999999999,3", "n'est pas dans epcis.csv"),
        ("communes.csv", "37001,Abilly", "siren : valeur refusée : None"),
        ("communes.csv", "37001,Abilly,213700016,200071587,3,x", "valeur refusée : ['x']"),
        ("elsewhere.csv", "Poitiers,86 00", "n'est pas dans departements.csv"),
        ("epcis.csv", "12,Nulle part", "siren : valeur refusée : 12"),
    ],
)
def test_a_wrong_line_is_said_by_file_line_and_field(
    tmp_path: Path, file: str, line: str, said: str
) -> None:
    folder = tmp_path / "communes"
    shutil.copytree(COMMUNES, folder)
    lines = (folder / file).read_text(encoding="utf-8").splitlines()
    (folder / file).write_text("\n".join([lines[0], line]), encoding="utf-8")
    with pytest.raises(KnowledgeError, match=rf"communes/{file}, ligne 2") as caught:
        load_places(folder)
    assert said in str(caught.value)


def test_a_missing_list_is_said(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match=r"epcis\.csv.*manque"):
        load_places(tmp_path)
