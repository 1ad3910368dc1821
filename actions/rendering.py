"""From a decision to what is read: a text and its buttons."""

import json
from collections.abc import Iterable
from datetime import date
from typing import TypedDict

from actions.decision import Decision
from knowledge import Answer, Knowledge

AGAIN = 2
"""Misses in a row from which the tone changes and a person is offered."""


class Button(TypedDict):
    """A Rasa button: what is read, and what Rasa receives when it is pressed."""

    title: str
    payload: str


def payload(aspect: str, subject: str | None = None) -> str:
    """Return what Rasa receives for an aspect of a subject."""
    return f"/{aspect}" + (json.dumps({"subject": subject}) if subject else "")


def render(
    decision: Decision, knowledge: Knowledge, today: date, misses: int = 0
) -> tuple[str, list[Button]]:
    """Return the text and the buttons for a decision.

    `misses` counts the messages in a row that were not understood, this one
    included.
    """
    sentences = knowledge.sentences
    first = decision.candidates[0] if decision.candidates else None
    if decision.kind == "answer" and first:
        answer = knowledge.answers[first.reference]
        return _answer(answer, knowledge, today), _next(answer.next, knowledge)
    if decision.kind == "reply" and first:
        reply = knowledge.replies[first.reference]
        return reply.text, _next(reply.next, knowledge)
    if decision.kind == "no_answer" and first and first.subject:
        name = knowledge.subjects[first.subject].name
        text = sentences["no_answer_for_subject"].format(subject=name)
        return text, _next((f"definition/{first.subject}", "human_handoff"), knowledge)
    if decision.kind == "which_subject" and first and first.aspect:
        subjects = [s for s in knowledge.main_subjects if knowledge.find(first.aspect, s)]
        buttons = [
            Button(title=knowledge.subjects[s].label, payload=payload(first.aspect, s))
            for s in subjects or knowledge.main_subjects
        ]
        return sentences["which_subject"], buttons
    if decision.kind == "did_you_mean":
        references = [candidate.reference for candidate in decision.candidates]
        none = Button(title=sentences["none_of_these"], payload=payload("human_handoff"))
        return sentences["did_you_mean"], [*_next(references, knowledge), none]
    again = misses >= AGAIN
    text = sentences["not_understood_again" if again else "not_understood"]
    return text, _next(knowledge.replies["human_handoff" if again else "help"].next, knowledge)


def _answer(answer: Answer, knowledge: Knowledge, today: date) -> str:
    parts = [answer.text, knowledge.notice(answer, today), knowledge.source_line(answer, today)]
    return "\n\n".join(part for part in parts if part)


def _next(references: Iterable[str], knowledge: Knowledge) -> list[Button]:
    buttons = []
    for reference in references:
        aspect, _, subject = reference.partition("/")
        buttons.append(
            Button(title=knowledge.title(reference), payload=payload(aspect, subject or None))
        )
    return buttons
