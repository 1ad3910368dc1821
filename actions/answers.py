"""The one action behind every question: look up what was asked, and say it."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions import understanding
from actions.decision import Decision, Thread
from actions.questions import decide_all
from actions.rendering import render
from knowledge import load


class ActionAnswer(Action):  # type: ignore[misc]  # rasa-sdk tells no types
    """Answers from the knowledge base, asks back, or says that it does not know."""

    def name(self) -> str:
        return "action_answer"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        knowledge = load()
        heard = understanding.read(tracker.latest_message)
        thread = Thread(tracker.get_slot("aspect"), tracker.get_slot("subject"))
        decisions, after = decide_all(heard, thread, knowledge)
        missed = decisions[0].kind in ("not_understood", "did_you_mean")
        misses = int(tracker.get_slot("misses") or 0) + 1 if missed else 0
        text, buttons = render(decisions, knowledge, _today(), misses)
        dispatcher.utter_message(text=text, buttons=list(buttons))
        dispatcher.utter_message(json_message={"outcome": outcome(decisions)})
        slots = {"misses": misses, "aspect": after.aspect, "subject": after.subject}
        return [
            SlotSet(name, value)
            for name, value in slots.items()
            if name == "misses" or value != tracker.get_slot(name)
        ]


def _today() -> date:
    return datetime.now(ZoneInfo("Europe/Paris")).date()


def outcome(decisions: Sequence[Decision]) -> dict[str, Any]:
    """Return what the relay keeps beside the answer: enough to learn from, nothing that was typed.

    `references` are the answers given, or the candidates offered; `confidence`
    is that of the least sure; `asked` the follow-ups that were understood.
    """
    return {
        "kind": decisions[0].kind,
        "confidence": round(min(decision.confidence for decision in decisions), 3),
        "references": [c.reference for decision in decisions for c in decision.candidates],
        "asked": sorted({c.asked for d in decisions for c in d.candidates if c.asked}),
    }
