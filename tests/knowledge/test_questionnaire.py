"""The questionnaires refer to what exists, and what is wrong in one is said."""

from pathlib import Path

import pytest

from knowledge import KnowledgeError, load
from knowledge.questionnaire import load_questionnaires

KNOWLEDGE = load()
QUESTIONNAIRE = """
title: Essai
button: Essayer
subject: fonds
questions:
  - {id: qui, label: Qui, text: "Qui ?", why: Pour., kind: choice, choices: {oui: Oui, non: Non}}
  - {id: combien, label: Combien, text: "Combien ?", why: Pour., kind: number}
  - {id: quand, label: Quand, text: "Quand ?", why: Pour., kind: date, when: [{qui: ["oui"]}]}
criteria:
  - id: un
    title: Un
    facts: [F29]
    page: La page.
    met: [{qui: ["oui"]}]
    not_met: [{qui: ["non"]}]
    advice: Faites.
"""


@pytest.mark.parametrize("name", load_questionnaires())
def test_the_questionnaires_refer_to_what_exists(name: str) -> None:
    questionnaire = load_questionnaires()[name]
    assert questionnaire.subject in KNOWLEDGE.subjects
    for conclusion in questionnaire.conclusions:
        assert conclusion.reference in KNOWLEDGE.answers, conclusion.id


@pytest.mark.parametrize("name", load_questionnaires())
def test_the_questions_are_short(name: str) -> None:
    for question in load_questionnaires()[name].questions:
        assert len(question.text) <= 130, question.id
        assert len(question.why) <= 160, question.id


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("title: Essai", "titre: Essai", "title : ce champ manque"),
        ("id: combien", "id: qui", "la question « qui » est posée deux fois"),
        ('when: [{qui: ["oui"]}]', 'when: [{quoi: ["oui"]}]', "« quoi », qui n'est pas demandé"),
        ('when: [{qui: ["oui"]}]', "when: [{quand: {from: 2022-01-01}}]", "pas demandé avant"),
        ('not_met: [{qui: ["non"]}]', "not_met: [{qui: [jamais]}]", "« jamais » de « qui »"),
        ('not_met: [{qui: ["non"]}]', "not_met: [{combien: [x]}]", "« x » de « combien »"),
        ('met: [{qui: ["oui"]}]', "met: [{qui: {at_most: 3}}]", "d'une autre nature"),
        ('met: [{qui: ["oui"]}]', "met: [{combien: {from: 2022-01-01}}]", "d'une autre nature"),
        ('met: [{qui: ["oui"]}]', "met: [{combien: {}}]", "il faut « at_most »"),
        ("choices: {oui: Oui, non: Non}", "choices: {oui: Oui}", "en compte deux au moins"),
        (
            "choices: {oui: Oui, non: Non}",
            "choices: {oui: Oui, non: Non}, said: {x: [y]}",
            "cite « x »",
        ),
        ("kind: number", "kind: number, listed: {question: qui, values: {}}", "listed.values"),
        (
            "kind: number",
            'kind: number, listed: {question: qui, values: {"oui": epcis}}',
            "« listed » va avec « kind: place »",
        ),
        (
            "kind: number",
            "kind: place, listed: {question: qui, values: {jamais: epcis}}",
            "« listed » de « combien » renvoie à « jamais » de « qui »",
        ),
        (
            "kind: number",
            'kind: place, listed: {question: quand, values: {"oui": epcis}}',
            "renvoie à « quand », qui n'est pas demandé avant",
        ),
        ("    advice: Faites.\n", "", "advice : ce champ manque"),
    ],
)
def test_what_is_wrong_is_said_by_file_and_line(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    content = QUESTIONNAIRE.replace(old, new)
    assert content != QUESTIONNAIRE
    (tmp_path / "essai.yml").write_text(content, encoding="utf-8")
    with pytest.raises(KnowledgeError) as caught:
        load_questionnaires(tmp_path)
    assert "essai.yml, ligne" in str(caught.value)
    assert said in str(caught.value)


def test_the_example_itself_is_right(tmp_path: Path) -> None:
    (tmp_path / "essai.yml").write_text(QUESTIONNAIRE, encoding="utf-8")
    assert [one.id for one in load_questionnaires(tmp_path)["essai"].questions] == [
        "qui",
        "combien",
        "quand",
    ]


def test_a_folder_without_questionnaire_is_said(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="aucun questionnaire"):
        load_questionnaires(tmp_path)
