"""`make communes`: the official lists of `knowledge/communes/`, made anew.

From the npm package `@etalab/decoupage-administratif` (code MIT, data Licence
Ouverte): the communes of the département with their population, their EPCI,
and the names of all other communes, to tell whose préfecture they belong to.
Another département is another `DEPARTEMENT` here; a newer list, another `VERSION`.
"""

import csv
import json
import subprocess
import sys
import tarfile
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from deploy.progress import say
from settings import ROOT

PACKAGE = "@etalab/decoupage-administratif"
VERSION = "6.0.0"
"""Its communes are those of 2026; their population is the population municipale 2023 (INSEE,
populations de référence in force on 01/01/2026). The package's EPCI file has older figures,
which are not used."""
DEPARTEMENT = "37"
FOLDER = ROOT / "knowledge" / "communes"

# INSEE's « type de nom en clair » (TNCC): how « de » stands before a name.
_OF = {0: "de ", 1: "d'", 2: "du ", 3: "de la ", 4: "des ", 5: "de l'", 6: "des "}
_KINDS = {"CC": "Communauté de communes", "CA": "Communauté d'agglomération"}


def main() -> int:
    """Fetch the package and write the lists; return the exit code."""
    with tempfile.TemporaryDirectory(prefix="passerelle-communes-") as name:
        try:
            data = _fetch(Path(name))
        except (OSError, subprocess.CalledProcessError) as error:
            say(f"La liste officielle ne se laisse pas chercher : {error}", sys.stderr)
            return 1
    write(data, DEPARTEMENT, FOLDER)
    return 0


def write(data: dict[str, list[dict[str, Any]]], departement: str, folder: Path) -> None:
    """Write the lists of a `departement` into `folder` from the package's, by their file name."""
    present = [one for one in data["communes"] if one["type"] == "commune-actuelle"]
    ours = {one["code"]: one for one in present if one.get("departement") == departement}
    epci_of, epcis = {}, []
    for epci in data["epci"]:
        members = [member["code"] for member in epci["membres"] if member["code"] in ours]
        epci_of.update(dict.fromkeys(members, epci["code"]))
        if members:
            epcis.append((epci["code"], _full_name(epci["nom"])))
    _write(
        folder / "communes.csv",
        ("insee", "name", "siren", "epci", "population"),
        (
            (code, one["nom"], one["siren"], epci_of.get(code, ""), one["population"])
            for code, one in sorted(ours.items())
        ),
    )
    _write(folder / "epcis.csv", ("siren", "name"), sorted(epcis))
    _write(
        folder / "departements.csv",
        ("code", "name", "of"),
        ((one["code"], one["nom"], _OF[one["typeLiaison"]]) for one in data["departements"]),
    )
    elsewhere = defaultdict(set)
    for one in present:
        if one.get("departement") not in (None, departement):
            elsewhere[one["nom"]].add(one["departement"])
    _write(
        folder / "elsewhere.csv",
        ("name", "departements"),
        ((name, " ".join(sorted(codes))) for name, codes in sorted(elsewhere.items())),
    )


def _fetch(folder: Path) -> dict[str, list[dict[str, Any]]]:
    command = ["npm", "pack", "--silent", f"{PACKAGE}@{VERSION}"]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    with tarfile.open(folder / done.stdout.split()[-1]) as archive:
        archive.extractall(folder, filter="data")
    lists = (folder / "package" / "data").glob("*.json")
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in lists}


def _full_name(name: str) -> str:
    kind, _, rest = name.partition(" ")
    return f"{_KINDS[kind]} {rest}" if kind in _KINDS else name


def _write(file: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as output:
        writer = csv.writer(output, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    sys.exit(main())
