"""Messages that look like commands, other languages, and the longest ones."""

import time
from typing import Any

import pytest

from bench.player import Player
from bot.text import MAX_LENGTH
from deploy.stack import Stack
from knowledge import load

KNOWLEDGE = load()
UNAVAILABLE = KNOWLEDGE.sentences["unavailable"]


@pytest.mark.parametrize(
    "typed",
    [
        '/montant{"subject":"fonds"}',
        '/contact{"subject": "aidants_connect"}',
        " / greet",
        "\u200b／thank@1.0",
    ],
)
def test_a_typed_payload_is_weighed_as_words(stack: Stack, typed: str) -> None:
    """A pressed button is certain. Nothing typed is."""
    player = Player(stack.url, stack.var)
    (turn,) = player.converse([typed])
    player.close()
    assert turn.outcome["confidence"] < 1.0


@pytest.mark.parametrize(
    "said",
    [
        "What is the weather like in London today?",
        "Wie spät ist es in Berlin?",
        "¿Dónde está la biblioteca, por favor?",
        "今日はいい天気ですね",
    ],
)
def test_other_languages_get_no_figure(person: Any, said: str) -> None:
    """A wrong answer costs more than none."""
    answer = person.say(said)
    assert "Source" not in answer
    assert "€" not in answer
    assert person.buttons


def test_the_longest_message_is_answered_quickly(person: Any) -> None:
    question = "C'est quoi l'axe 3 ? "
    text = (question * (MAX_LENGTH // len(question) + 1))[:MAX_LENGTH].strip()
    person.say("bonjour")
    started = time.monotonic()
    assert "34 millions" in person.say(text)
    assert time.monotonic() - started < 5


def test_messages_of_an_outage_are_answered_in_order(stack: Stack, person: Any) -> None:
    person.say("bonjour")
    stack.halt("actions")
    try:
        first = person.send({"text": "c'est quoi l'axe 3 ?"})
        person.wait(first)
        second = person.send({"text": "et le premier ?"})
    finally:
        stack.restart("actions")
        stack.wait_ready()
    answers = [m["text"] for m in person.wait(first, count=4) if m["seq"] != second]
    assert len(answers) == 3
    assert answers[0] == UNAVAILABLE
    assert "34\u00a0millions" in answers[1]
    # Understood in the light of the first, which had waited.
    assert "500\u00a0000" in answers[2]
