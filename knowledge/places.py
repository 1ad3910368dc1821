"""The communes and EPCI of the département, and where all other communes are.

The lists in `knowledge/communes/` are official and made by `make communes`
(`deploy/communes.py` tells the source and the year of the population).
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, Field, ValidationError

from knowledge.document import FOLDER, KnowledgeError
from knowledge.schema import Strict

POPULATION_YEAR = 2023
"""The year of the communes' population (INSEE, population municipale)."""

Siren = Annotated[str, Field(pattern=r"^\d{9}$")]
Row = TypeVar("Row", bound=BaseModel)


class Commune(Strict):
    """A commune of the département."""

    insee: str = Field(pattern=r"^\d[\dAB]\d{3}$")
    name: str = Field(min_length=1)
    siren: Siren
    epci: Siren = Field(description="the EPCI's SIREN")
    population: int = Field(ge=0, description="population municipale of `POPULATION_YEAR`")


class Epci(Strict):
    """An établissement public de coopération intercommunale with members in the département."""

    siren: Siren
    name: str = Field(min_length=1)


class Departement(Strict):
    """A département; `of` is what stands between « préfecture » and its name."""

    code: str = Field(min_length=2, max_length=3)
    name: str = Field(min_length=1)
    of: str


class _Elsewhere(Strict):
    name: str = Field(min_length=1)
    departements: str = Field(min_length=2, description="codes, with a space between them")


@dataclass(frozen=True)
class Places:
    """Every place that may apply, and the names of those that apply elsewhere."""

    communes: Mapping[str, Commune]
    """By INSEE code."""
    epcis: Mapping[str, Epci]
    """By SIREN."""
    departements: Mapping[str, Departement]
    """By code."""
    elsewhere: Mapping[str, tuple[str, ...]]
    """The départements, other than ours, that have a commune of this name."""

    def members(self, epci: str) -> tuple[Commune, ...]:
        """Return the communes of an EPCI, by its SIREN: those of the département."""
        return tuple(one for one in self.communes.values() if one.epci == epci)


@cache
def load_places(folder: Path = FOLDER / "communes") -> Places:
    """Read and check the lists of `folder`.

    Raises:
        KnowledgeError: a list cannot be read, or a line of it is wrong.
    """
    epcis = {one.siren: one for _, one in _read(folder / "epcis.csv", Epci)}
    departements = {one.code: one for _, one in _read(folder / "departements.csv", Departement)}
    communes = {}
    for line, commune in _read(folder / "communes.csv", Commune):
        if commune.epci not in epcis:
            problem = f"« {commune.epci} » n'est pas dans epcis.csv"
            raise KnowledgeError(folder / "communes.csv", line, "epci", problem)
        communes[commune.insee] = commune
    elsewhere = {}
    for line, other in _read(folder / "elsewhere.csv", _Elsewhere):
        codes = tuple(other.departements.split())
        if not departements.keys() >= set(codes):
            problem = f"« {other.departements} » n'est pas dans departements.csv"
            raise KnowledgeError(folder / "elsewhere.csv", line, "departements", problem)
        elsewhere[other.name] = codes
    return Places(communes, epcis, departements, elsewhere)


def _read(file: Path, model: type[Row]) -> list[tuple[int, Row]]:
    rows = []
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines, restkey="…", restval=None)
            for row in reader:
                try:
                    rows.append((reader.line_num, model.model_validate(row)))
                except ValidationError as error:
                    field = ".".join(map(str, error.errors()[0]["loc"]))
                    problem = f"valeur refusée : {row.get(field)}"
                    raise KnowledgeError(file, reader.line_num, field, problem) from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise KnowledgeError(file, 1, "", "ce fichier manque ou est illisible") from error
    return rows
