"""The lists made from the official package's."""

from pathlib import Path
from typing import Any

from deploy.communes import write

COMMUNE: dict[str, Any] = {"type": "commune-actuelle", "population": 10}
DATA: dict[str, list[dict[str, Any]]] = {
    "communes": [
        {**COMMUNE, "code": "37002", "nom": "Bé", "siren": "200000002", "departement": "37"},
        {**COMMUNE, "code": "37001", "nom": "A", "siren": "200000001", "departement": "37"},
        {"type": "commune-deleguee", "code": "37003", "nom": "C", "departement": "37"},
        {**COMMUNE, "code": "41001", "nom": "A", "siren": "200000003", "departement": "41"},
        {**COMMUNE, "code": "86001", "nom": "A", "siren": "200000004", "departement": "86"},
        {**COMMUNE, "code": "98700", "nom": "Sans", "siren": "200000005"},
    ],
    "epci": [
        {"code": "1", "nom": "CC de B, C", "membres": [{"code": "37001"}, {"code": "41001"}]},
        {"code": "2", "nom": "Loin", "membres": [{"code": "86001"}]},
    ],
    "departements": [{"code": "41", "nom": "Loir-et-Cher", "typeLiaison": 2}],
}


def test_the_lists_are_of_one_departement(tmp_path: Path) -> None:
    write(DATA, "37", tmp_path)
    assert {file.name: file.read_text(encoding="utf-8") for file in tmp_path.iterdir()} == {
        "communes.csv": "insee,name,siren,epci,population\n"
        "37001,A,200000001,1,10\n37002,Bé,200000002,,10\n",
        "epcis.csv": 'siren,name\n1,"Communauté de communes de B, C"\n',
        "departements.csv": "code,name,of\n41,Loir-et-Cher,du \n",
        "elsewhere.csv": "name,departements\nA,41 86\n",
    }
