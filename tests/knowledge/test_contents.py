"""What the files say: every fact, exact figures, and sentences fit to be read."""

import re
from datetime import date
from pathlib import Path

import pytest
import yaml

from actions.decision import FOLLOW_UPS
from deploy.rasa import examples
from knowledge import load
from knowledge.schema import MAX_TEXT
from knowledge.typography import NBSP
from settings import ROOT

KNOWLEDGE = load()
TEXTS = {key: answer.text for key, answer in KNOWLEDGE.answers.items()} | {
    name: reply.text for name, reply in KNOWLEDGE.replies.items()
}
SENTENCES = TEXTS | dict(KNOWLEDGE.sentences) | {n.id: n.text for n in KNOWLEDGE.notices}
CARRIERS = {
    **{key: answer.facts for key, answer in KNOWLEDGE.answers.items()},
    **{name: reply.facts for name, reply in KNOWLEDGE.replies.items()},
}

FIGURES = {
    "F01": ["88 millions d'euros", "2022"],
    "F06": ["500 000"],
    "F09": ["34 millions d'euros"],
    "F12": ["297 000 €", "à confirmer"],
    "F13": ["100 %"],
    "F18": ["2 ans"],
    "F32": ["2022"],
    "F36": ["pref-badl@indre-et-loire.gouv.fr"],
    "F38": ["contrat", "transition écologique"],
    "F39": ["4 000"],
    "F41": ["35", "révision"],
    "F47": ["ANCT"],
    "F48": ["100 %"],
    "F49": ["50 000 €"],
    "F50": ["24 mois"],
    "F51": ["SMIC"],
    "F54": ["4 structures privées", "9 communes"],
    "F58": ["ANCT", "DINUM"],
    "F61": ["FranceConnect"],
    "F62": ["FranceConnect"],
    "F63": ["https://aidantsconnect.beta.gouv.fr/habilitation"],
    "F64": ["16/02/2021"],
}
"""Of each fact, what must be in every text that carries it."""


def plain(text: str) -> str:
    return text.replace(NBSP, " ").replace("’", "'")


@pytest.mark.parametrize("fact", [f"F{number:02}" for number in range(1, 65)])
def test_every_fact_is_carried_and_exact(fact: str) -> None:
    carriers = [key for key, facts in CARRIERS.items() if fact in facts]
    assert carriers
    for key in carriers:
        for figure in FIGURES.get(fact, []):
            assert figure in plain(TEXTS[key]), f"{key} says {fact} without « {figure} »"


def test_the_local_amount_is_always_to_be_confirmed() -> None:
    for key, text in TEXTS.items():
        if "297 000" in plain(text):
            assert "à confirmer" in text, key


@pytest.mark.parametrize("key", sorted(SENTENCES))
def test_a_sentence_is_fit_to_be_read(key: str) -> None:
    text = SENTENCES[key]
    assert len(text) <= MAX_TEXT
    assert not re.search(r"[^\S\n]{2}", text), "two spaces"
    assert not re.search(r"\w'\w", text), "typewriter apostrophe"
    assert not re.search(r"[^\s?!][?!;»%€]", re.sub(r"https?://\S+", "", text)), "space missing"
    assert not re.search(r" [:;?!»%€]|« ", text), "breaking space"
    assert not re.search(r"\w\(e\)|\w·\w", text), "sign that screen readers stumble on"


def test_each_answer_leads_on() -> None:
    for key, answer in KNOWLEDGE.answers.items():
        assert 1 <= len(answer.next) <= 3, key
        assert key not in answer.next


def intents(file: str) -> list[str]:
    names: list[str] = yaml.safe_load((ROOT / "domain" / file).read_text(encoding="utf-8"))[
        "intents"
    ]
    return names


def test_every_intent_has_something_to_say() -> None:
    for aspect in intents("answers.yml"):
        assert aspect in {*KNOWLEDGE.aspects, *KNOWLEDGE.replies, *FOLLOW_UPS}, aspect
    for act in intents("conversation.yml"):
        assert act in KNOWLEDGE.replies, act


@pytest.mark.parametrize("file", examples(), ids=str)
def test_subjects_of_the_examples_are_known(file: Path) -> None:
    for block in yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))["nlu"]:
        subject = block.get("synonym", "").lstrip("~") or (block.get("metadata") or {}).get(
            "subject"
        )
        assert subject is None or subject in KNOWLEDGE.subjects


def test_the_families_of_the_model_are_those_of_the_subjects() -> None:
    (classifier,) = [
        component
        for component in yaml.safe_load((ROOT / "config.yml").read_text("utf-8"))["pipeline"]
        if "families" in component
    ]
    for main in KNOWLEDGE.main_subjects:
        members = {name for name in KNOWLEDGE.subjects if KNOWLEDGE.family(name) == main}
        assert {main, *classifier["families"][main]} == members


def test_answers_tell_their_source_and_their_age() -> None:
    answer = KNOWLEDGE.answers["delai/fonds"]
    before, after = date(2022, 6, 27), date(2022, 6, 28)
    assert "16/02/2021" in KNOWLEDGE.source_line(answer, before)
    assert "campagne" not in KNOWLEDGE.source_line(answer, before)
    assert "campagne 2021-2022" in KNOWLEDGE.source_line(answer, after)
    assert KNOWLEDGE.notice(answer, before) is None
    assert "2021-2022" in (KNOWLEDGE.notice(answer, after) or "")


def test_an_empty_cell_falls_back_to_its_parent_or_admits() -> None:
    own = KNOWLEDGE.find("definition", "axe_1")
    assert own is not None and own.subject == "axe_1"
    parents = KNOWLEDGE.find("contact", "axe_2")
    assert parents is not None
    unknown = KNOWLEDGE.find("mandat", "axe_2")
    assert unknown is not None and unknown.key == "undocumented/fonds"
    assert KNOWLEDGE.find("definition", "inconnu") is None


def test_a_subject_of_one_rule_answers_it_where_nothing_else_does() -> None:
    for subject in ("equipements", "licences"):
        rule = KNOWLEDGE.find("remuneration", subject)
        assert rule is not None and rule.key == f"definition/{subject}"
        parents = KNOWLEDGE.find("contact", subject)
        assert parents is not None and parents.key == "contact/fonds"
        admitted = KNOWLEDGE.find("undocumented", subject)
        assert admitted is not None and not admitted.documented
