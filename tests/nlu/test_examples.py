"""The examples: enough, each under one label, and none of them a question of the bench."""

from collections import Counter, defaultdict

import yaml

from bench import questions
from deploy.rasa import examples
from nlu.components.text import fold
from settings import ROOT

LEAST = 40
"""Examples that each intent has at least."""


def labelled() -> list[tuple[str, str, str | None]]:
    return [
        (line[2:].strip(), block["intent"], (block.get("metadata") or {}).get("subject"))
        for file in examples()
        for block in yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))["nlu"]
        if "intent" in block
        for line in block["examples"].splitlines()
        if line.strip()
    ]


def test_each_intent_has_enough_examples() -> None:
    counts = Counter(intent for _, intent, _ in labelled())
    intents = [
        intent
        for file in (ROOT / "domain").glob("*.yml")
        for intent in yaml.safe_load(file.read_text(encoding="utf-8"))["intents"]
    ]
    assert not {intent: counts[intent] for intent in intents if counts[intent] < LEAST}


def test_an_example_has_one_label() -> None:
    labels = defaultdict(set)
    for text, intent, subject in labelled():
        labels[fold(text).text].add((intent, subject))
    assert not {text: found for text, found in labels.items() if len(found) > 1}


def test_no_question_of_the_bench_is_learnt() -> None:
    learnt = {fold(text).text for text, _, _ in labelled()}
    # Alone, the shortest ones ("merci", "et le premier ?") are anybody's.
    asked = {
        fold(question.text).text
        for some in {**questions.load_development(), **questions.load_reserve()}.values()
        for conversation in some.conversations()
        for question in conversation
        if len(fold(question.text).text.split()) > 5
    }
    assert not asked & learnt


def test_no_example_is_a_command() -> None:
    assert not [text for text, _, _ in labelled() if text.startswith("/")]
