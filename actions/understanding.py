"""What Rasa understood of a message: its aspects and subjects, each with a probability."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Understanding:
    """Distributions over aspects and subjects; both sum to one at most.

    `subjects` may hold `None`: the message names no subject and means the one
    the conversation is about. `named` are the subjects named outright.
    """

    aspects: Mapping[str, float]
    subjects: Mapping[str | None, float]
    named: frozenset[str] = frozenset()


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
    aspects = {item["name"]: float(item["confidence"]) for item in ranking if item.get("name")}
    named = frozenset(
        entity["value"]
        for entity in parse.get("entities") or []
        if entity.get("entity") == "subject"
    )
    if "subject_ranking" in parse:
        subjects: dict[str | None, float] = {
            item["name"]: float(item["confidence"]) for item in parse["subject_ranking"]
        }
        return Understanding(aspects, subjects, named)
    if not named:
        return Understanding(aspects, {None: 1.0})
    return Understanding(aspects, {name: 1.0 / len(named) for name in named}, named)
