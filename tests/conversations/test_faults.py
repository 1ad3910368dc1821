"""What a person reads when a process is away, and that nothing is lost."""

from typing import Any

import pytest

from deploy.stack import Stack
from knowledge import load

UNAVAILABLE = load().sentences["unavailable"]


@pytest.mark.parametrize("process", ["rasa", "actions"])
def test_one_sentence_then_the_answer(stack: Stack, person: Any, process: str) -> None:
    person.say("bonjour")
    stack.halt(process)
    try:
        seq = person.send({"text": "c'est quoi l'axe 3 ?"})
        (said,) = person.wait(seq)
        assert said["text"] == UNAVAILABLE
    finally:
        stack.restart(process)
        stack.wait_ready()
    said, answer = person.wait(seq, count=2)
    assert said["text"] == UNAVAILABLE
    assert "34\u00a0millions" in answer["text"]


def test_a_crashed_process_comes_back(stack: Stack, person: Any) -> None:
    before = stack.pid("actions")
    stack.kill("actions")
    seq = person.send({"text": "c'est quoi l'axe 3 ?"})
    stack.wait_ready()
    answers = person.wait(seq)
    if answers[-1]["text"] == UNAVAILABLE:
        answers = person.wait(seq, count=2)
    assert "34\u00a0millions" in answers[-1]["text"]
    assert stack.pid("actions") not in {None, before}
