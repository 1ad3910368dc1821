"""What Rasa understood of a message: its aspects and subjects, each with a probability."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Understanding:
    """Distributions over aspects and subjects; both sum to one at most.

    `subjects` may hold `None`: the message names no subject and means the one
    the conversation is about.
    """

    aspects: Mapping[str, float]
    subjects: Mapping[str | None, float]


def read(latest_message: Mapping[str, Any]) -> Understanding:
    """Read Rasa's parse of the latest message.

    Our subject classifier gives a ranking; any other entity extractor gives
    entities (as a pressed button does), and each of them counts the same.
    """
    intent = latest_message.get("intent") or {}
    ranking = latest_message.get("intent_ranking") or [intent]
    aspects = {item["name"]: float(item["confidence"]) for item in ranking if item.get("name")}
    if "subject_ranking" in latest_message:
        subjects: dict[str | None, float] = {
            item["name"]: float(item["confidence"]) for item in latest_message["subject_ranking"]
        }
        return Understanding(aspects, subjects)
    named = [
        entity["value"]
        for entity in latest_message.get("entities") or []
        if entity.get("entity") == "subject"
    ]
    if not named:
        return Understanding(aspects, {None: 1.0})
    return Understanding(aspects, {name: 1.0 / len(set(named)) for name in named})
