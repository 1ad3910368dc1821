"""What Rasa understood of a message: its aspects and subjects, each with a probability."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Understanding:
    """Distributions over aspects and subjects; both sum to one at most.

    `subjects` may hold `None`: the message names no subject and means the one
    the conversation is about. `named` are the subjects named outright, `relatives`
    those that « le deuxième » or « la B » means among the like of it. `by_family`
    tells how likely each aspect is for each family of subjects; "" is for none.
    `pieces` are the things that it may ask in one breath.
    """

    aspects: Mapping[str, float]
    subjects: Mapping[str | None, float]
    named: frozenset[str] = frozenset()
    relatives: frozenset[str] = frozenset()
    by_family: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    pieces: tuple["Understanding", ...] = ()

    def aspects_of(self, family: str | None) -> Mapping[str, float]:
        """Return the aspects as if the message were about a family of subjects, or about none."""
        return self.by_family.get(family or "", self.aspects)


@dataclass(frozen=True)
class Heard:
    """A message as a whole and, if it has several, its parts: those that ask or name a subject."""

    whole: Understanding
    parts: tuple[Understanding, ...] = ()


def read(latest_message: Mapping[str, Any]) -> Heard:
    """Read Rasa's parse of the latest message.

    Our classifier ranks the subjects, for the message and for each of its parts;
    any other entity extractor gives entities (as a pressed button does), and
    each of them counts the same.
    """
    parts = (p for p in latest_message.get("parts") or () if p["asks"] or p.get("entities"))
    return Heard(_understanding(latest_message), tuple(map(_understanding, parts)))


def _understanding(parse: Mapping[str, Any]) -> Understanding:
    intent = parse.get("intent") or {}
    ranking = parse.get("intent_ranking") or [intent]
    aspects = _ranked(ranking)
    named, relatives = _entities(parse, "subject"), _entities(parse, "relative")
    if "subject_ranking" in parse:
        subjects: dict[str | None, float] = {
            item["name"]: float(item["confidence"]) for item in parse["subject_ranking"]
        }
        families = (parse.get("intent_ranking_by_family") or {}).items()
        by_family = {family: _ranked(ranking) for family, ranking in families}
        pieces = tuple(map(_understanding, parse.get("pieces") or ()))
        return Understanding(aspects, subjects, named, relatives, by_family, pieces)
    if not named:
        return Understanding(aspects, {None: 1.0})
    return Understanding(aspects, {name: 1.0 / len(named) for name in named}, named)


def _ranked(ranking: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    return {item["name"]: float(item["confidence"]) for item in ranking if item.get("name")}


def _entities(parse: Mapping[str, Any], kind: str) -> frozenset[str]:
    return frozenset(
        entity["value"] for entity in parse.get("entities") or [] if entity.get("entity") == kind
    )
