"""The one action behind every message: what goes on with a draft, or a question's answer."""

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions import understanding
from actions.decision import Decision, Thread
from actions.desk import Desk, Message, Reply
from actions.questions import decide_all
from actions.rendering import Button, render
from candidature.dialogue import Meaning
from candidature.wording import Said, paragraphs
from knowledge import load
from storage.models import Asks
from storage.payloads import payload, step_payload
from storage.times import PARIS

STEP = "step"
"""The entity that a button of a draft carries."""
LONGEST_QUESTION = 200
"""Characters of what is put as a question; longer, it is told."""
_BEGINS_LIKE_ONE = re.compile(
    r"(?:et\s+|mais\s+|au fait,?\s+)?(?:est[- ]ce|qu['’ ]?est[- ]ce|c['’]est quoi|qui\b|que\b|quel"
    r"|quoi\b|comment\b|combien\b|pourquoi\b|où\b|peut[- ]on|faut[- ]il|a[- ]t[- ]on"
    r"|doit[- ]on|y a[- ]t[- ]il|peux[- ]tu|pouvez[- ]vous)",
    re.IGNORECASE,
)


class ActionAnswer(Action):  # type: ignore[misc]  # rasa-sdk tells no types
    """Answers from the knowledge base, asks back, admits not to know; or goes on with a draft."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def name(self) -> str:
        return "action_answer"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        knowledge = load()
        latest = tracker.latest_message
        heard = understanding.read(latest)
        thread = Thread(tracker.get_slot("aspect"), tracker.get_slot("subject"))
        decisions, after = decide_all(heard, thread, knowledge)
        message = _message(tracker.sender_id, latest)
        taken = await self._desk.take(message, _meaning(message.text, decisions))
        if taken.reply is not None:
            _utter(dispatcher, taken.reply)
            return []
        if taken.about and decisions[0].kind == "which_subject":
            # Where a questionnaire is under way, what names no subject is about it.
            thread = Thread(thread.aspect, taken.about)
            decisions, after = decide_all(heard, thread, knowledge)
        missed = decisions[0].kind in ("not_understood", "did_you_mean")
        misses = int(tracker.get_slot("misses") or 0) + 1 if missed else 0
        text, buttons = render(decisions, knowledge, _today(), misses)
        if taken.waiting:
            waiting = taken.waiting.said
            text, buttons = self._with_waiting(text, buttons, waiting, missed=missed)
        dispatcher.utter_message(text=text, buttons=list(buttons))
        if taken.waiting and taken.waiting.asks_phone:
            dispatcher.utter_message(json_message={"asks": Asks.phone})
        dispatcher.utter_message(json_message={"outcome": outcome(decisions)})
        slots = {"misses": misses, "aspect": after.aspect, "subject": after.subject}
        return [
            SlotSet(name, value)
            for name, value in slots.items()
            if name == "misses" or value != tracker.get_slot(name)
        ]

    def _with_waiting(
        self, text: str, buttons: list[Button], waiting: Said, *, missed: bool
    ) -> tuple[str, list[Button]]:
        """Return an answer with the question that it interrupted, which is asked again.

        What was not understood has to be settled first: its own buttons stay.
        """
        own = _buttons(waiting)
        if not waiting.text:  # nothing is asked: the answer's own buttons, and the draft's
            return text, [*buttons, *own]
        if missed and buttons:
            return text, [*buttons, own[-1]] if own else buttons
        return paragraphs(text, self._desk.again(), waiting.text), own


def _message(conversation: str, latest: dict[str, Any]) -> Message:
    steps = [one["value"] for one in latest.get("entities") or () if one.get("entity") == STEP]
    metadata = latest.get("metadata") or {}
    seq, corrects = metadata.get("seq"), metadata.get("corrects")
    return Message(
        conversation,
        seq if isinstance(seq, int) else None,
        latest.get("text") or "",
        steps[0] if steps else None,
        corrects if isinstance(corrects, int) else None,
    )


def _meaning(text: str, decisions: Sequence[Decision]) -> Meaning:
    decision = decisions[0]
    asks = _asks(text.strip())
    if decision.kind not in ("answer", "reply"):
        return Meaning(asks=asks)
    act = decision.candidates[0].reference if decision.kind == "reply" else None
    return Meaning(asks=asks, act=act, confidence=decision.confidence)


def _asks(text: str) -> bool:
    """Tell whether a message is put as a question, rather than tells something."""
    if len(text) > LONGEST_QUESTION:
        return False
    return text.endswith("?") if "?" in text else bool(_BEGINS_LIKE_ONE.match(text))


def _utter(dispatcher: CollectingDispatcher, reply: Reply) -> None:
    dispatcher.utter_message(text=reply.said.text, buttons=_buttons(reply.said))
    if reply.document:
        dispatcher.utter_message(json_message={"document": reply.document})
    if reply.asks_phone:
        dispatcher.utter_message(json_message={"asks": Asks.phone})


def _buttons(said: Said) -> list[Button]:
    """Return Rasa's buttons: a step of the draft, or what one may ask (`ask:`)."""
    buttons = []
    for one in said.buttons:
        verb, _, reference = one.step.partition(":")
        if verb == "ask":
            aspect, _, subject = reference.partition("/")
            buttons.append(Button(title=one.title, payload=payload(aspect, subject or None)))
        else:
            buttons.append(Button(title=one.title, payload=step_payload(one.step)))
    return buttons


def _today() -> date:
    return datetime.now(PARIS).date()


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
