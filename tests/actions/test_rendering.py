"""From a decision to what is read."""

import json
import re
from datetime import date

from actions.decision import MORE, WHY, Candidate, Decision
from actions.rendering import Button, render
from knowledge import load
from knowledge.questionnaire import load_questionnaires

KNOWLEDGE = load()
TODAY = date(2026, 11, 23)


def rendered(decision: Decision, misses: int = 0) -> tuple[str, list[Button]]:
    return render([decision], KNOWLEDGE, TODAY, misses)


def answer(reference: str) -> Decision:
    aspect, _, subject = reference.partition("/")
    return Decision("answer", 0.9, (Candidate("answer", reference, aspect, subject),))


def test_every_answer_ends_with_its_source_and_offers_next_steps() -> None:
    for key in KNOWLEDGE.answers:
        text, buttons = rendered(answer(key))
        assert text.splitlines()[-1].startswith("Source"), key
        assert re.search(r"\d\d/\d\d/20\d\d", text.splitlines()[-1])
        assert 1 <= len(buttons) <= 3


def test_every_button_leads_somewhere() -> None:
    for key in KNOWLEDGE.answers:
        for button in rendered(answer(key))[1]:
            aspect, _, entities = button["payload"].removeprefix("/").partition("{")
            assert button["payload"].startswith("/")
            named = json.loads("{" + entities) if entities else {}
            if "subject" in named:
                assert KNOWLEDGE.find(aspect, named["subject"])
            elif "step" in named:
                number, verb, questionnaire = named["step"].split(":")
                assert (number, verb) == ("0", "begin")
                assert questionnaire in load_questionnaires()
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
        f'/nombre{{"subject": "{subject}"}}' for subject in ("fonds", "conseiller_numerique")
    ]


def test_what_is_not_documented_is_admitted_and_offers_a_person() -> None:
    for key, own in KNOWLEDGE.answers.items():
        if not own.documented:
            text, buttons = rendered(answer(key))
            assert text.startswith("Ma documentation ne le dit pas"), key
            assert "/human_handoff" in [button["payload"] for button in buttons]


def test_another_source_is_told_apart_from_the_page() -> None:
    text, _ = rendered(answer("undocumented/suite_conseiller"))
    assert "Une autre source" in text
    last = text.splitlines()[-1]
    assert "ministère" in last and "23/02/2023" in last and "préfecture" not in last
    read = rendered(answer("undocumented/aidants_exclus"))[0].splitlines()[-1]
    assert "(consultation du 25/11/2026)" in read


def test_several_answers_come_in_order_each_under_its_title() -> None:
    keys = ["definition/axe_3", "undocumented/fonds"]
    text, buttons = render([answer(key) for key in keys], KNOWLEDGE, TODAY)
    places = [text.index(KNOWLEDGE.title(key)) for key in keys]
    assert places == sorted(places)
    assert all(KNOWLEDGE.answers[key].text in text for key in keys)
    assert text.count("Source") == 1
    assert "à faire confirmer" in text.splitlines()[-1]
    assert 1 <= len(buttons) <= 3


def test_why_and_more_are_introduced() -> None:
    for asked, lead in ((WHY, "lead_why"), (MORE, "lead_more")):
        candidate = Candidate("answer", "objectifs/fonds", "objectifs", "fonds", asked)
        text, _ = rendered(Decision("answer", 0.9, (candidate,)))
        assert text.startswith(KNOWLEDGE.sentences[lead])


def test_something_else_offers_what_comes_after() -> None:
    candidate = Candidate("suggest", "montant/fonds", "montant", "fonds")
    text, buttons = rendered(Decision("suggest", 0.9, (candidate,)))
    assert KNOWLEDGE.subjects["fonds"].name in text
    assert [b["title"] for b in buttons] == [
        KNOWLEDGE.title(reference) for reference in KNOWLEDGE.answers["montant/fonds"].next
    ]


def test_the_second_miss_in_a_row_changes_its_tone() -> None:
    lost = Decision("not_understood", 0.1)
    first, second = rendered(lost, 1)[0], rendered(lost, 2)[0]
    assert first == KNOWLEDGE.sentences["not_understood"]
    assert second == KNOWLEDGE.sentences["not_understood_again"] != first
