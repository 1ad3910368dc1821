"""The questions: of the expected form, about what exists, and each asked once."""

from collections import Counter
from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from actions.decision import FOLLOW_UPS
from bench import questions
from bench.questions import Question
from knowledge import UNDOCUMENTED, load
from nlu.components.text import fold

KNOWLEDGE = load()
SETS = {**questions.load_development(), **questions.load_reserve()}
LEAST = 600
"""Messages that are measured."""
SHORT = 5
"""Words of a message that anybody may have typed."""


def asked(name: str) -> Iterator[tuple[Question, bool]]:
    """Return the messages of a set, and whether they follow another."""
    for conversation in SETS[name].conversations():
        for index, question in enumerate(conversation):
            yield question, index > 0


def test_every_file_is_read() -> None:
    names = {"strangers", "next_to_it", "off_subject", "dialogues", "doubles"}
    assert SETS.keys() == {
        "questions",
        "reserve/validation",
        "reserve/messages",
        *names,
        *(f"reserve/{name}" for name in names),
    }
    assert sum(1 for name in SETS for _ in asked(name)) >= LEAST


# A reserve's questions are not to be read: what fails is told by its number.
@pytest.mark.parametrize("name", SETS)
def test_the_questions_name_what_exists(name: str) -> None:
    aspects = {*KNOWLEDGE.aspects, *FOLLOW_UPS, *KNOWLEDGE.replies}
    facts = {
        fact
        for some in (KNOWLEDGE.answers, KNOWLEDGE.replies)
        for x in some.values()
        for fact in x.facts
    }
    for number, (question, _) in enumerate(asked(name), 1):
        where = f"{name}, message {number}"
        assert set(question.aspect) <= aspects, where
        assert set(question.subject) <= set(KNOWLEDGE.subjects), where
        assert set(question.reply) <= set(KNOWLEDGE.replies), where
        assert set(question.answers) <= set(KNOWLEDGE.answers), where
        needed = question.facts.union(*question.parts) - {UNDOCUMENTED}
        assert needed <= facts, where


def test_no_question_is_asked_twice() -> None:
    """Short ones are anybody's words (« bonjour »), and so is what follows another message."""
    places: dict[str, list[str]] = {}
    for name in SETS:
        for number, (question, follows) in enumerate(asked(name), 1):
            text = fold(question.text).text
            if not follows and len(text.split()) > SHORT:
                places.setdefault(text, []).append(f"{name}, {number}")
    assert not [found for found in places.values() if len(found) > 1]


@pytest.mark.parametrize(
    "expected",
    [
        {},
        {"facts": ["F12"]},
        {"facts": ["F12"], "aspect": "local", "reply": "thank"},
        {"follow": "why", "facts": ["F12"]},
        {"follow": "who"},
        {"parts": [["F12"]]},
        {"parts": [["F12"], []]},
        {"reply": "thank", "answers": "delai/fonds"},
    ],
)
def test_a_question_expects_one_thing(expected: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Question.model_validate({"text": "?", **expected})


def test_what_a_question_measures() -> None:
    kinds = Counter(question.kind(follows) for name in SETS for question, follows in asked(name))
    assert kinds.keys() == {"scope", "next_to_it", "off_subject", "courtesy", "follow_up", "double"}
