"""What is wrong in a knowledge file is said by file, line and field."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from knowledge import KnowledgeError, load
from knowledge.loader import FOLDER


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "knowledge"
    copy.mkdir()
    for file in FOLDER.glob("*.yml"):
        shutil.copy(file, copy)
    return copy


FAULTS = [
    ("fonds.yml", "        title: Le fonds", "        titel: Le fonds", "titel"),
    ("fonds.yml", "parent: fonds", "parent: inconnu", "parent"),
    ("fonds.yml", "source: prefecture_2021", "source: ailleurs", "source"),
    ("fonds.yml", "  fonds:\n", "  fonds:\n    parent: axe_1\n", "parent"),
    ("fonds.yml", "facts: [F03", "facts: [X03", "facts"),
    ("fonds.yml", "        next: [", "        next: [definition/inconnu, ", "next"),
    ("fonds.yml", "same_as: ", "same_as: inconnu/", "same_as"),
    ("fonds.yml", "rank: 1", "rank: 1\nrank: 2", "deux fois"),
    ("sources.yml", "date: 2021-02-16", "date: hier", "date"),
    ("notices.yml", "      - fonds\n", "      - inconnu\n", "subjects"),
    ("conversation.yml", "sentences:", "sentences:\n  vide: ' '", "vide"),
    ("conversation.yml", "sentences:", "sentences:\n  orpheline: 'a {b'", "orpheline"),
    ("conversation.yml", "    next: [", "    next: [inconnu, ", "next"),
    ("fonds.yml", "dispositif: fonds", "dispositif: [", "YAML"),
]


@pytest.mark.parametrize(("name", "old", "new", "field"), FAULTS)
def test_one_sentence_names_file_line_and_field(
    folder: Path, name: str, old: str, new: str, field: str
) -> None:
    file = folder / name
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(KnowledgeError) as error:
        load(folder)
    sentence = str(error.value)
    assert re.match(rf"knowledge/{name}, ligne \d+\b.* : .+\.$", sentence), sentence
    assert field in sentence
    assert "\n" not in sentence


def test_the_line_is_the_fault_s_own(folder: Path) -> None:
    file = folder / "fonds.yml"
    lines = file.read_text(encoding="utf-8").splitlines()
    number = next(n for n, line in enumerate(lines, start=1) if "title:" in line)
    lines[number - 1] = lines[number - 1].replace("title:", "tilte:")
    file.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(KnowledgeError, match=f"ligne {number}, .*tilte : ce champ est inconnu"):
        load(folder)


def test_a_text_that_is_too_long_is_refused(folder: Path) -> None:
    file = folder / "conversation.yml"
    replies = yaml.safe_load(file.read_text(encoding="utf-8"))
    replies["replies"]["greet"]["text"] = "long " * 130
    file.write_text(yaml.dump(replies, allow_unicode=True), encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"greet\.text : 649 caractères, 600 au plus"):
        load(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "sources.yml").unlink()
    with pytest.raises(KnowledgeError, match=r"sources\.yml, ligne 1 : ce fichier manque"):
        load(folder)


def test_a_file_that_is_not_utf8_is_named(folder: Path) -> None:
    (folder / "fonds.yml").write_bytes("é".encode("latin-1"))
    with pytest.raises(KnowledgeError, match=r"fonds\.yml.*UTF-8"):
        load(folder)
