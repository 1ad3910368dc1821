"""From decisions to what is read: a text and its buttons."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TypedDict

from actions.decision import MORE, WHY, Candidate, Decision
from knowledge import Answer, Knowledge
from knowledge.schema import Source
from storage.payloads import payload, step_payload

AGAIN = 2
"""Misses in a row from which the tone changes and a person is offered."""
MAX_NEXT = 3
"""Next steps offered under an answer."""
_LEADS = {WHY: "lead_why", MORE: "lead_more"}


class Button(TypedDict):
    """A Rasa button: what is read, and what Rasa receives when it is pressed."""

    title: str
    payload: str


def render(
    decisions: Sequence[Decision], knowledge: Knowledge, today: date, misses: int = 0
) -> tuple[str, list[Button]]:
    """Return the text and the buttons for what was decided about one message.

    `misses` counts the messages in a row that were not understood, this one
    included.
    """
    if len(decisions) > 1:
        return _answers([decision.candidates[0] for decision in decisions], knowledge, today)
    decision = decisions[0]
    sentences = knowledge.sentences
    first = decision.candidates[0] if decision.candidates else None
    if decision.kind == "answer" and first:
        answer = knowledge.answers[first.reference]
        lead = sentences[_LEADS[first.asked]] if first.asked in _LEADS else None
        text = _paragraphs([lead, answer.text, *_closing([answer], knowledge, today)])
        return text, _next(answer.next, knowledge)
    if decision.kind == "reply" and first:
        reply = knowledge.replies[first.reference]
        return reply.text, _next(reply.next, knowledge)
    if decision.kind == "suggest" and first and first.subject:
        answer = knowledge.answers[first.reference]
        name = knowledge.subjects[first.subject].name
        return sentences["suggest"].format(subject=name), _next(answer.next, knowledge)
    if decision.kind == "which_subject" and first and first.aspect:
        buttons = [
            Button(title=knowledge.subjects[s].label, payload=payload(first.aspect, s))
            for s in knowledge.told_of(first.aspect) or knowledge.main_subjects
        ]
        return sentences["which_subject"], buttons
    if decision.kind == "did_you_mean":
        references = [candidate.reference for candidate in decision.candidates]
        none = Button(title=sentences["none_of_these"], payload=payload("human_handoff"))
        return sentences["did_you_mean"], [*_next(references, knowledge), none]
    again = misses >= AGAIN
    text = sentences["not_understood_again" if again else "not_understood"]
    return text, _next(knowledge.replies["human_handoff" if again else "help"].next, knowledge)


def _answers(
    candidates: Sequence[Candidate], knowledge: Knowledge, today: date
) -> tuple[str, list[Button]]:
    """Return several answers in one text, each under its title."""
    answers = [knowledge.answers[candidate.reference] for candidate in candidates]
    told = [f"{number}. {answer.title}\n{answer.text}" for number, answer in enumerate(answers, 1)]
    text = _paragraphs([*told, *_closing(answers, knowledge, today)])
    said = {answer.key for answer in answers}
    following = dict.fromkeys(
        reference
        for answer in answers
        for reference in answer.next
        if knowledge.aliases.get(reference, reference) not in said
    )
    return text, _next(list(following)[:MAX_NEXT] or answers[-1].next, knowledge)


def _closing(answers: Iterable[Answer], knowledge: Knowledge, today: date) -> Iterable[str | None]:
    """Return what is said once under answers: how old their rules are, and their sources."""
    answers = list(answers)
    notices = [knowledge.notice(answer, today) for answer in answers]
    yield from dict.fromkeys(notices)
    # A source is told once, with all that is to be said of its age.
    sources: dict[Source, str] = {}
    for answer in answers:
        line = knowledge.source_line(answer, today)
        sources[answer.source] = max(line, sources.get(answer.source, ""), key=len)
    yield "\n".join(sources.values())


def _paragraphs(parts: Iterable[str | None]) -> str:
    return "\n\n".join(part for part in parts if part)


def _next(references: Iterable[str], knowledge: Knowledge) -> list[Button]:
    buttons = []
    for reference in references:
        aspect, _, name = reference.partition("/")
        begins = reference in knowledge.beginnings
        leads = step_payload(f"0:begin:{name}") if begins else payload(aspect, name or None)
        buttons.append(Button(title=knowledge.title(reference), payload=leads))
    return buttons
