"""The one action behind every question: look up what was asked, and say it."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions import understanding
from actions.decision import Decision, Thread, decide
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
        understood = understanding.read(tracker.latest_message)
        thread = Thread(tracker.get_slot("aspect"), tracker.get_slot("subject"))
        decision = decide(understood, thread, knowledge)
        missed = decision.kind in ("not_understood", "did_you_mean")
        misses = int(tracker.get_slot("misses") or 0) + 1 if missed else 0
        text, buttons = render(decision, knowledge, _today(), misses)
        dispatcher.utter_message(text=text, buttons=list(buttons))
        dispatcher.utter_message(json_message={"outcome": _outcome(decision)})
        return [SlotSet("misses", misses), *_thread(decision)]


def _today() -> date:
    return datetime.now(ZoneInfo("Europe/Paris")).date()


def _outcome(decision: Decision) -> dict[str, Any]:
    """What the relay keeps beside the answer: enough to learn from, nothing typed by the person."""
    return {
        "kind": decision.kind,
        "confidence": round(decision.confidence, 3),
        "references": [candidate.reference for candidate in decision.candidates],
    }


def _thread(decision: Decision) -> list[EventType]:
    if decision.kind not in ("answer", "no_answer", "which_subject"):
        return []
    candidate = decision.candidates[0]
    events = [SlotSet("aspect", candidate.aspect)]
    if candidate.subject:
        events.append(SlotSet("subject", candidate.subject))
    return events
