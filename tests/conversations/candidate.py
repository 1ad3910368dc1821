"""Somebody with a project: what they answer, and what becomes of it in the rows."""

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deploy.stack import Stack

SIRET = "21370218600015"
"""Of Saint-Flovier: the commune's SIREN, and a number that its key fits."""
EMAIL = "mairie@exemple.fr"

TO_VERDICT = (
    "faire le test",
    "on est une commune de 850 habitants, Saint-Flovier, et on veut former nos agents",
    "oui, par délibération",
    "fin juin 2022",
    "non",
    "non",
)
"""From nothing to the verdict on a fund's project, in six messages."""
TO_TITLE = (
    *TO_VERDICT,
    "préparer ma candidature",
    SIRET,
    "Maire, Camille Durand",
    f"Secrétaire de mairie, Dominique Petit, {EMAIL}, 02 47 00 00 00",
)
"""From nothing to the first question of free text."""
TO_DESCRIPTION = (*TO_TITLE, "Former nos agents aux outils numériques")
TO_SUMMARY = (
    *TO_DESCRIPTION,
    "Nous voulons former nos six agents à leurs outils, avec un formateur du département.",
    "Les habitants attendront moins, au guichet comme au téléphone.",
    "12/03/2022",
    "de janvier à septembre 2022",
    "non",
    "passer",
    "12 500 €",
    "10 000 €",
    "non",
)
"""From nothing to a summary that lacks nothing."""

CONFIRM = "J’accepte et je dépose"


def tell(person: Any, messages: Sequence[str]) -> str:
    """Say one message after another; return the last answer."""
    for text in messages:
        answer: str = person.say(text)
    return answer


def row(stack: Stack, **where: object) -> dict[str, Any]:
    """Return a row of the table of drafts: the last one begun, of those that are so."""
    (found,) = rows(stack, "draft", **where)[-1:]
    return {**found, "state": json.loads(found["state"])}


def rows(stack: Stack, table: str, **where: object) -> list[dict[str, Any]]:
    """Return the rows of a table that have these values, in the order of their numbers."""
    condition = "".join(f" AND {column} = ?" for column in where)
    query = f"SELECT * FROM {table} WHERE true{condition} ORDER BY id"
    with sqlite3.connect(database(stack, "passerelle")) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(one) for one in connection.execute(query, tuple(where.values()))]


def answers(stack: Stack) -> dict[str, Any]:
    """Return the answers of the draft that was begun last."""
    found: dict[str, Any] = row(stack)["state"].get("answers", {})
    return found


def database(stack: Stack, name: str) -> Path:
    """Return the file of a database of the stack."""
    return stack.var / f"{name}.db"
