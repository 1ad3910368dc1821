"""The form and the words of the conversation are right, and what is wrong in them is said."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from candidature.commands import Commands
from candidature.reading import Problem
from knowledge import KnowledgeError
from knowledge.dialogue import load_wording
from knowledge.document import FOLDER as CONTENTS
from knowledge.form import load_form
from knowledge.questionnaire import Question, load_questionnaires
from knowledge.schema import MAX_LABEL

FORM = load_form()
WORDING = load_wording()
FOLDER = CONTENTS / "candidature"
QUESTIONS = [
    pytest.param(question, id=f"{name}-{question.id}")
    for name, questions in {
        **{name: one.questions for name, one in load_questionnaires().items()},
        "form": FORM.questions,
    }.items()
    for question in questions
]
OCCUR = {
    "choice": ("nothing", "several"),
    "place": ("nothing", "several", "many", "other_sort"),
    "number": ("nothing", "several", "negative", "absurd"),
    "date": ("nothing", "several", "no_year", "absurd", "too_early"),
    "text": ("nothing", "too_long"),
    "function": ("nothing", "too_long"),
    "first_name": ("absurd", "too_long"),
    "last_name": ("absurd", "too_long"),
    "siret": ("nothing", "several", "length", "key", "other_body"),
    "email": ("nothing", "several", "absurd"),
    "phone": ("nothing", "several", "absurd"),
    "amount": ("nothing", "several", "negative", "absurd", "zero", "too_much"),
    "group": ("nothing", "too_early", "several", "no_year", "absurd"),
}
"""The problems that an answer of each kind may have, as the readers tell them."""
NOT_TOLD = {("group", "several"), ("group", "no_year"), ("group", "absurd")}
"""What is told by a sentence that does not fit; see the faults below."""


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


# Sentences


def test_every_kind_of_question_is_known_here() -> None:
    assert {one.kind for one in FORM.questions} <= OCCUR.keys()
    kinds = Question.model_fields["kind"].annotation
    assert set(getattr(kinds, "__args__", ())) == OCCUR.keys() - {"group"}
    assert WORDING.problems.keys() == {*OCCUR, "any"}
    told = {problem for own in WORDING.problems.values() for problem in own} - {"many"}
    assert told <= {str(one) for one in Problem}


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        (kind, problem)
        for kind, problems in OCCUR.items()
        for problem in problems
        if (kind, problem) not in NOT_TOLD
    ],
)
def test_every_problem_has_a_sentence(kind: str, problem: str) -> None:
    own, common = WORDING.problems[kind], WORDING.problems["any"]
    assert problem in own or problem in common
    told = WORDING.problem(kind, problem)
    assert placeholders(told) <= {"length", "most", "siren", "place", "meant", "other"}
    filled = dict.fromkeys(("place", "meant", "other"), "Loches")
    assert told.format(length="1 234", most="120", siren="213702186", **filled)
    assert len(told) <= 160


@pytest.mark.parametrize("problem", sorted(problem for _, problem in NOT_TOLD))
def test_two_dates_without_a_year_are_not_asked_for_one_answer(problem: str) -> None:
    assert problem in WORDING.problems["group"]


def test_the_placeholders_of_sentences_are_filled_by_their_names() -> None:
    for name, text in WORDING.sentences.items():
        assert all(one.isidentifier() for one in placeholders(text)), name
    for name, text in WORDING.refusals.items():
        assert not placeholders(text), name


def test_buttons_are_short() -> None:
    buttons = [name for name in WORDING.sentences if name.endswith(("_button", "_yes", "_no"))]
    buttons += ["unknown", "skip", "later", "keep", "person", "resume", "pieces", "another"]
    for name in buttons:
        assert len(WORDING.sentences[name]) <= MAX_LABEL, name


# Questions


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_says_why_and_has_short_labels(question: Question) -> None:
    assert question.why.strip() and len(question.why) <= 160
    assert question.text.endswith("?") or question.text.endswith(".")
    assert len(question.label) <= MAX_LABEL
    assert all(len(label) <= MAX_LABEL for label in question.choices.values())
    assert len(set(question.choices.values())) == len(question.choices)


def test_no_two_labels_are_the_same() -> None:
    fund = load_questionnaires()[FORM.questionnaire]
    labels = [one.label for one in (*fund.questions, *FORM.questions)]
    assert len(set(labels)) == len(labels)
    for section in FORM.sections:
        assert len(section.title) <= MAX_LABEL


def test_groups_are_of_consecutive_questions_of_one_part() -> None:
    names = [one.id for one in FORM.questions]
    taken: set[str] = set()
    for group in FORM.groups:
        start = names.index(group.of[0])
        assert tuple(names[start : start + len(group.of)]) == group.of
        assert not taken.intersection(group.of)
        taken.update(group.of)
        sections = [
            section.id
            for section in FORM.sections
            if set(group.of) & {one.id for one in section.questions}
        ]
        assert len(sections) == 1
        assert not any(one.when for one in FORM.questions if one.id in group.of)


def test_what_is_the_same_was_asked_before_and_is_of_one_kind() -> None:
    questions = {one.id: one for one in FORM.questions}
    names = list(questions)
    for group in FORM.groups:
        for name, source in (group.same.answers if group.same else {}).items():
            assert name in group.of
            assert names.index(source) < names.index(group.of[0])
            assert questions[name].kind == questions[source].kind
            assert questions[name].most >= questions[source].most


def test_bounds_are_of_what_was_asked_before() -> None:
    fund = load_questionnaires()[FORM.questionnaire]
    questions = {one.id: one for one in (*fund.questions, *FORM.questions)}
    names = list(questions)
    for one in FORM.questions:
        for bound, kind in ((one.at_most, "amount"), (one.less, "amount"), (one.from_on, "date")):
            if bound:
                assert questions[bound].kind == kind == one.kind
                assert names.index(bound) < names.index(one.id)


def test_what_filing_reads_is_needed() -> None:
    needed = {one.id for one in FORM.questions if one.needed}
    assert {"titre", "contact_email", "siret", "montant"} <= needed


def test_the_campaign() -> None:
    assert FORM.campaign.from_ < FORM.campaign.to
    assert FORM.campaign.to == dt.date(2022, 12, 31)


# Commands


def phrases() -> Iterator[tuple[str, str]]:
    for name, said in WORDING.commands.items():
        for phrase in said:
            yield name, phrase


def clashes() -> set[str]:
    """Return the phrases of one command that are heard as another."""
    commands = Commands(WORDING.commands, WORDING.polite)
    found = {phrase for name, phrase in phrases() if commands.find(phrase) != name}
    for name, phrase in phrases():
        others = {other: said for other, said in WORDING.commands.items() if other != name}
        if Commands(others, WORDING.polite).find(phrase):
            found.add(phrase)
    return found


def test_no_phrase_is_under_two_commands() -> None:
    assert clashes() <= {"continuer"}


def test_to_go_on_is_one_command() -> None:
    assert clashes() == set()


def test_every_questionnaire_has_its_command() -> None:
    begin = {name for name in WORDING.commands if name.startswith("begin_")}
    assert begin == {f"begin_{name}" for name in load_questionnaires()}


# What is wrong is said


BROKEN_FORM = [
    ("title: Projet de candidature", "titre: Projet de candidature", "title : ce champ manque"),
    ("questionnaire: fonds", "questionnaire: nope", "« nope » n'existe pas"),
    ("reference: IDL", "reference: idl", "reference"),
    ("id: siret\n", "id: nom\n", "la question « nom » est posée deux fois"),
    ("id: titre\n", "id: population\n", "la question « population » est posée deux fois"),
    ("at_most: cout\n", "at_most: prix\n", "renvoie à « prix », qui n'existe pas"),
    ("less: cout_materiel", "less: nope", "renvoie à « nope »"),
    ("from_on: debut", "from_on: nope", "renvoie à « nope »"),
    ("from_on: debut", "from_on: montant", "renvoie à « montant », qui n'existe pas"),
    ("also: [materiel, licences]", "also: [nope]", "la partie « financement » renvoie à « nope »"),
    ("of: [debut, fin]", "of: [debut, nope]", "le groupe 3 renvoie à « nope »"),
    ("of: [debut, fin]", "of: [debut]", "trop peu d'éléments"),
    ("contact_nom: representant_nom", "contact_nom: nope", "le groupe 2 renvoie à « nope »"),
    ("question: materiel", "question: nope", "renvoie à « nope »"),
    ("question: projet", "question: porteur", "se déduit de"),
    ("expert: thematique_3a", "expert: nope", "se déduit en « nope »"),
    ("decision: [deliberation, executif]", "decision: [nope]", "« nope » de « decision »"),
    ("decision: [deliberation, executif]", "nope: [x]", "« nope », qui n'est pas demandé avant"),
    ("label: SIRET", "label: " + "S" * 41, "41 caractères, 40 au plus"),
    ("label: SIRET", 'label: " "', "le texte est vide"),
    ("kind: siret", "kind: nope", "kind"),
    ("needed: true", "neede: true", "neede : ce champ est inconnu"),
    ("from: 2021-01-01", "from: hier", "campaign.from : une date est attendue"),
    ("from: 2021-01-01", "from: 2021-02-31", "cette valeur est illisible"),
    ("\nconsent:", "\nconsentement:", "consent : ce champ manque"),
    ("functions:", "functions: [x", "YAML illisible"),
    ("reference: IDL", "reference: IDL\nreference: IDL", "ce champ est donné deux fois"),
]


@pytest.mark.parametrize(("old", "new", "said"), BROKEN_FORM, ids=range(len(BROKEN_FORM)))
def test_what_is_wrong_in_the_form_is_said_by_file_and_line(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    right = (FOLDER / "form.yml").read_text(encoding="utf-8")
    content = right.replace(old, new, 1)
    assert content != right
    (tmp_path / "form.yml").write_text(content, encoding="utf-8")
    with pytest.raises(KnowledgeError) as caught:
        load_form(tmp_path)
    assert "form.yml, ligne" in str(caught.value)
    assert said in str(caught.value)


BROKEN_DIALOGUE = [
    ("\nproblems:", "\nproblemes:", "problems : ce champ manque"),
    ("\npolite: [je,", "\npolite: [[je],", "un texte est attendu"),
    ("  again: ", "  Again: ", "ce nom n'a pas la forme attendue"),
    ('  why: "{why}"', '  why: "{why"', "accolade orpheline"),
    ("{length} caractères", "length} caractères", "accolade orpheline"),
    ('  again: "Revenons à votre dossier."', '  again: ""', "le texte est vide"),
    ("  again: ", "  why: x\n  why: ", "ce champ est donné deux fois"),
    ("sentences:", "autres: 1\nsentences:", "autres : ce champ est inconnu"),
    ("commands:\n", "commands:\n  x: y\n", "commands.x : une liste est attendue"),
]


@pytest.mark.parametrize(("old", "new", "said"), BROKEN_DIALOGUE, ids=range(len(BROKEN_DIALOGUE)))
def test_what_is_wrong_in_the_words_is_said_by_file_and_line(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    right = (FOLDER / "dialogue.yml").read_text(encoding="utf-8")
    content = right.replace(old, new, 1)
    assert content != right
    (tmp_path / "dialogue.yml").write_text(content, encoding="utf-8")
    with pytest.raises(KnowledgeError) as caught:
        load_wording(tmp_path)
    assert "dialogue.yml, ligne" in str(caught.value)
    assert said in str(caught.value)


def test_the_line_is_that_of_the_fault(tmp_path: Path) -> None:
    right = (FOLDER / "form.yml").read_text(encoding="utf-8")
    line = right[: right.index("label: SIRET")].count("\n") + 1
    content = right.replace("label: SIRET", "label: " + "S" * 41, 1)
    (tmp_path / "form.yml").write_text(content, encoding="utf-8")
    with pytest.raises(KnowledgeError, match=rf"form\.yml, ligne {line}, sections"):
        load_form(tmp_path)


def test_the_files_themselves_are_right_wherever_they_are(tmp_path: Path) -> None:
    for name in ("form.yml", "dialogue.yml"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    assert load_form(tmp_path) == FORM
    assert load_wording(tmp_path) == WORDING
