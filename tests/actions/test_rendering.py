"""From a decision to what is read."""

import json
from datetime import date

from actions.decision import Candidate, Decision
from actions.rendering import Button, render
from knowledge import load

KNOWLEDGE = load()
TODAY = date(2026, 11, 23)


def rendered(decision: Decision, misses: int = 0) -> tuple[str, list[Button]]:
    return render(decision, KNOWLEDGE, TODAY, misses)


def answer(reference: str) -> Decision:
    aspect, _, subject = reference.partition("/")
    return Decision("answer", 0.9, (Candidate("answer", reference, aspect, subject),))


def test_every_answer_ends_with_its_source_and_offers_next_steps() -> None:
    for key in KNOWLEDGE.answers:
        text, buttons = rendered(answer(key))
        assert text.splitlines()[-1].startswith("Source"), key
        assert "16/02/2021" in text.splitlines()[-1]
        assert 1 <= len(buttons) <= 3


def test_every_button_leads_somewhere() -> None:
    for key in KNOWLEDGE.answers:
        for button in rendered(answer(key))[1]:
            aspect, _, entities = button["payload"].removeprefix("/").partition("{")
            assert button["payload"].startswith("/")
            if entities:
                subject = json.loads("{" + entities)["subject"]
                assert KNOWLEDGE.find(aspect, subject)
            else:
                assert aspect in KNOWLEDGE.replies


def test_doubt_offers_its_candidates_in_plain_words_and_a_way_out() -> None:
    keys = ["montant/fonds", "versement/fonds"]
    text, buttons = rendered(
        Decision("did_you_mean", 0.4, tuple(Candidate("answer", key) for key in keys))
    )
    assert text == KNOWLEDGE.sentences["did_you_mean"]
    titles = [button["title"] for button in buttons]
    assert titles == [*(KNOWLEDGE.title(k) for k in keys), KNOWLEDGE.sentences["none_of_these"]]


def test_which_subject_offers_those_that_have_an_answer() -> None:
    candidate = Candidate("which_subject", "nombre", "nombre")
    _, buttons = rendered(Decision("which_subject", 1.0, (candidate,)))
    assert [b["payload"] for b in buttons] == [
        f'/nombre{{"subject": "{subject}"}}'
        for subject in KNOWLEDGE.main_subjects
        if KNOWLEDGE.find("nombre", subject)
    ]


def test_no_answer_names_the_subject_and_offers_a_person() -> None:
    candidate = Candidate("no_answer", "mandat/fonds", "mandat", "fonds")
    text, buttons = rendered(Decision("no_answer", 0.9, (candidate,)))
    assert KNOWLEDGE.subjects["fonds"].name in text
    assert "/human_handoff" in [button["payload"] for button in buttons]


def test_the_second_miss_in_a_row_changes_its_tone() -> None:
    lost = Decision("not_understood", 0.1)
    first, second = rendered(lost, 1)[0], rendered(lost, 2)[0]
    assert first == KNOWLEDGE.sentences["not_understood"]
    assert second == KNOWLEDGE.sentences["not_understood_again"] != first
