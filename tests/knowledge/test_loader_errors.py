"""A fault in a knowledge file is told in one sentence: which file, which line, which field."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge import KnowledgeError, load
from knowledge.document import FOLDER
from knowledge.schema import MAX_TEXT

Edit = Callable[[str], str]
TEXT = r"text: \|\n(?:(?: {10}.*)?\n)+"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the real files."""
    copy = tmp_path / "knowledge"
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return copy


def put(pattern: str, by: str, after: str = "") -> Edit:
    """What replaces the first match of `pattern` (after the first match of `after`)."""

    def edit(content: str) -> str:
        found = re.search(after, content)
        assert found, f"nothing matches {after}"
        start = found.end()
        rest, done = re.subn(pattern, lambda _: by, content[start:], count=1)
        assert done, f"nothing matches {pattern}"
        return content[:start] + rest

    return edit


def line_of(pattern: str, content: str, after: str = "") -> int:
    """The number of the first line where `pattern` is found (after `after`)."""
    place = re.search(after, content)
    assert place
    found = re.compile(pattern).search(content, place.end())
    assert found, f"nothing matches {pattern}"
    return content[: found.start()].count("\n") + 1


def complaint(folder: Path) -> str:
    with pytest.raises(KnowledgeError) as error:
        load(folder)
    return str(error.value)


def test_the_copy_has_no_fault(folder: Path) -> None:
    assert load(folder).answers == load().answers


FAULTS: dict[str, tuple[str, Edit, str, str, str]] = {
    # fault: (file, edit, what stands on the line, field, problem)
    "unknown field": (
        "fonds.yml",
        put("    name:", "    couleur: bleue\n    name:"),
        "couleur",
        "subjects.fonds.couleur",
        "ce champ est inconnu",
    ),
    "missing title": (
        "fonds.yml",
        put("        title: .*\n", ""),
        "definition:",
        "subjects.fonds.answers.definition",
        "il faut « title » et « text », ou bien « same_as »",
    ),
    "missing field": (
        "fonds.yml",
        put("    label: .*\n", ""),
        "  fonds:",
        "subjects.fonds.label",
        "ce champ manque",
    ),
    "empty text": (
        "fonds.yml",
        put(TEXT, 'text: " "\n'),
        'text: " "',
        "subjects.fonds.answers.definition.text",
        "le texte est vide",
    ),
    "too long": (
        "fonds.yml",
        put(TEXT, f"text: {'a' * (MAX_TEXT + 1)}\n"),
        "text: aaa",
        "subjects.fonds.answers.definition.text",
        "601 caractères, 600 au plus",
    ),
    "title too long for a button": (
        "conseiller_numerique.yml",
        put("title: .*", f"title: {'a' * 41}"),
        "title: aaa",
        "subjects.conseiller_numerique.answers.definition.title",
        "41 caractères, 40 au plus",
    ),
    "next that leads nowhere": (
        "aidants_connect.yml",
        put(r"next: \[.*\]", "next: [help, definition/lune]"),
        "next: .help",
        "subjects.aidants_connect.answers.definition.next.1",
        "« definition/lune » n'existe pas",
    ),
    "next of a reply that leads nowhere": (
        "conversation.yml",
        put(r"next: \[.*\]", "next: [lune]"),
        "next: .lune",
        "replies.greet.next.0",
        "« lune » n'existe pas",
    ),
    "next that is no reference": (
        "conversation.yml",
        put(r"next: \[.*\]", "next: [Bonjour !]"),
        "next: .Bonjour",
        "replies.greet.next.0",
        "un renvoi s'écrit « aspect/sujet » ou porte le nom d'une réponse",
    ),
    "too many next": (
        "conversation.yml",
        put(r"next: \[.*\]", "next: [help, help, help, help, help]"),
        "next: .help",
        "replies.greet.next",
        "trop d'éléments",
    ),
    "same_as that is no answer": (
        "fonds.yml",
        put("same_as: .*", "same_as: definition/lune"),
        "same_as: definition/lune",
        "subjects.fonds.answers.parcours.same_as",
        "« definition/lune » n'est pas une réponse",
    ),
    "same_as and a text": (
        "fonds.yml",
        put("( +)same_as: .*", "        same_as: candidature/fonds\n        text: Autre"),
        "parcours:",
        "subjects.fonds.answers.parcours",
        "« same_as » ne va pas avec « text », « facts » ni « next »",
    ),
    "fact without its form": (
        "fonds.yml",
        put(r"facts: \[.*\]", "facts: [F1]"),
        "facts: .F1",
        "subjects.fonds.answers.definition.facts.0",
        "ce nom n'a pas la forme attendue",
    ),
    "unknown parent": (
        "fonds.yml",
        put("parent: .*", "parent: lune"),
        "parent: lune",
        "subjects.france_relance.parent",
        "« lune » n'existe pas",
    ),
    "parent loop": (
        "fonds.yml",
        put("parent: fonds", "parent: thematique_3a", after="  axe_3:"),
        "parent: thematique_3a",
        "subjects.axe_3.parent",
        "ce parent tourne en rond",
    ),
    "unknown source of a file": (
        "fonds.yml",
        put("source: .*", "source: lune"),
        "source: lune",
        "source",
        "la source « lune » n'existe pas",
    ),
    "unknown source of an answer": (
        "fonds.yml",
        put("        title: ", "        source: lune\n        title: "),
        "source: lune",
        "subjects.fonds.answers.definition.source",
        "la source « lune » n'existe pas",
    ),
    "duplicate key": (
        "fonds.yml",
        put("rank: .*", "rank: 1\nrank : 2"),
        "rank : 2",
        "rank",
        "ce champ est donné deux fois",
    ),
    "subject of two files": (
        "conseiller_numerique.yml",
        put("  conseiller_numerique:", "  fonds:"),
        "  fonds:",
        "subjects.fonds",
        "ce sujet existe déjà",
    ),
    "bad date": (
        "sources.yml",
        put("date: .*", "date: 16/02/2021"),
        "date: 16",
        "sources.prefecture_2021.date",
        "une date est attendue (AAAA-MM-JJ)",
    ),
    "date that never was": (
        "sources.yml",
        put("date: .*", "date: 2021-02-30"),
        "date: 2021",
        "sources.prefecture_2021.date",
        "cette valeur est illisible",
    ),
    "subject of a notice": (
        "notices.yml",
        put("- axe_1", "- lune"),
        "- lune",
        "notices.0.subjects.2",
        "le sujet « lune » n'existe pas",
    ),
    "a word where fields are expected": (
        "sources.yml",
        put("sources:\n(.|\n)*", "sources: lune\n"),
        "sources: lune",
        "sources",
        "des champs « nom: valeur » sont attendus",
    ),
    "lone brace": (
        "conversation.yml",
        put("source_line: .*", 'source_line: "Source : {publisher"'),
        "source_line:",
        "sentences.source_line",
        "accolade orpheline",
    ),
    "a list as a field's name": (
        "sources.yml",
        put("sources:", "[a, b]: c\nsources:"),
        r"\[a, b\]",
        "",
        "un nom de champ est attendu",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults(folder: Path, fault: str) -> None:
    file, edit, on_line, field, problem = FAULTS[fault]
    content = edit((folder / file).read_text(encoding="utf-8"))
    (folder / file).write_text(content, encoding="utf-8")
    place = f"knowledge/{file}, ligne {line_of(on_line, content)}"
    assert complaint(folder) == f"{place}{f', {field}' if field else ''} : {problem}."


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"sources: [\n", 2),
        (b"sources:\n  a: b: c\n", 2),
        (b"sources:\n\ta: b\n", 2),
        (b"sources: *lune\n", 1),
        (b"sources:\n  a: \x07\n", 2),
        ("sources:\n  a: Préfecture\n".encode("latin-1"), 2),
        ("sources:\n  a: Préfecture\n".encode("utf-16"), 1),
    ],
)
def test_unreadable_files(folder: Path, content: bytes, line: int) -> None:
    (folder / "sources.yml").write_bytes(content)
    told = complaint(folder)
    assert told.startswith(f"knowledge/sources.yml, ligne {line} : ")
    assert "\n" not in told
    assert told.endswith(".")


@pytest.mark.parametrize("content", ["", "# rien\n", "[]\n", "lune\n"])
def test_empty_files(folder: Path, content: str) -> None:
    (folder / "fonds.yml").write_text(content)
    assert complaint(folder) == (
        "knowledge/fonds.yml, ligne 1 : des champs « nom: valeur » sont attendus."
    )


@pytest.mark.parametrize("file", ["sources.yml", "notices.yml", "conversation.yml"])
def test_missing_files(folder: Path, file: str) -> None:
    (folder / file).unlink()
    assert complaint(folder) == f"knowledge/{file}, ligne 1 : ce fichier manque."
