"""What Passerelle should learn: the list that `make questions` prints."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import questions
from bot.personal_data import masked
from bot.questions import listing
from bot.text import clean
from storage.database import Database
from storage.models import Rating
from storage.questions import Question
from storage.times import utc_now
from tests.storage.exchanges import exchanged, opened

LOST: tuple[str, ...] = ()
AXES = ("montant/axe_1", "montant/axe_2")


def question(
    text: str, kind: str, references: tuple[str, ...], rating: Rating | None = None
) -> Question:
    return Question(text, {"kind": kind, "references": [*references]}, rating)


def headings(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("# ") and line.endswith(")")]


def blocks(lines: list[str]) -> list[tuple[str, str | None, list[str]]]:
    """Read the list as a file of examples: each block's intent, subject and sentences."""
    return [
        (
            block["intent"],
            block.get("metadata", {}).get("subject"),
            [line.removeprefix("- ") for line in block["examples"].splitlines()],
        )
        for block in yaml.safe_load("\n".join(lines)) or []
    ]


def test_groups_come_the_most_urgent_first() -> None:
    lines = list(
        listing(
            [
                question("Qui est le préfet ?", "answer", ("undocumented/fonds",)),
                question("Blip", "not_understood", LOST),
                question("Combien pour l'axe ?", "did_you_mean", AXES),
                question("Et quand ?", "answer", ("delai/fonds",), Rating.down),
            ]
        )
    )
    assert headings(lines) == [
        "# Réponses jugées inutiles (👎) (1)",
        "# Hésitations : plusieurs réponses ont été proposées (1)",
        "# Non comprises (1)",
        "# Hors de la documentation : la question est-elle bien là, et revient-elle ? (1)",
    ]
    assert blocks(lines) == [
        ("delai", "fonds", ["Et quand ?"]),
        ("montant", "axe_1", ["Combien pour l'axe ?"]),
        ("?", "?", ["Blip"]),
        ("undocumented", "fonds", ["Qui est le préfet ?"]),
    ]
    assert f"# Proposées : {', '.join(AXES)}" in lines
    assert lines[-1] == "# Hors sujet, non montrées : 0"


@pytest.mark.parametrize(
    "learnt",
    [
        question("Combien ?", "answer", ("montant/fonds",)),
        question("Bonjour", "reply", ("greet",)),
        question("Pourquoi ?", "suggest", ("montant/fonds",)),
        question("Combien ?", "which_subject", ("montant",)),
        question("Un préfet ?", "answer", ("undocumented/fonds",), Rating.up),
        question("Blip", "not_understood", LOST, Rating.up),
        question("Combien ?", "did_you_mean", AXES, Rating.up),
    ],
    ids=lambda one: f"{one.outcome['kind']} {one.rating}",
)
def test_what_was_well_answered_is_left_out(learnt: Question) -> None:
    assert list(listing([learnt])) == ["", "# Hors sujet, non montrées : 0"]


def test_what_is_off_the_subject_is_counted_and_never_shown() -> None:
    lines = list(
        listing(
            question("Ma santé", "reply", ("out_of_scope",), rating)
            for rating in (None, Rating.up, Rating.down)
        )
    )
    assert lines == ["", "# Hors sujet, non montrées : 3"]


def test_one_of_several_answers_that_admits_is_enough() -> None:
    references = ("montant/fonds", "undocumented/axe_1")
    assert blocks(list(listing([question("Combien et qui ?", "answer", references)]))) == [
        ("montant", "fonds", ["Combien et qui ?"])
    ]


def test_blocks_and_sentences_come_by_how_often_they_were_asked() -> None:
    rare, often = ("delai/fonds",), ("montant/fonds",)
    asked = [("Un", rare), ("Deux", often), ("Trois", often), ("Trois ", often), ("Trois", often)]
    lines = list(listing(question(text, "answer", to, Rating.down) for text, to in asked))
    assert headings(lines) == ["# Réponses jugées inutiles (👎) (5)"]
    assert blocks(lines) == [
        ("montant", "fonds", ["Trois", "Deux"]),
        ("delai", "fonds", ["Un"]),
    ]
    assert [line for line in lines if " fois : " in line] == ["# 3 fois : Trois"]


def test_a_reference_without_a_subject_has_no_metadata() -> None:
    lines = list(listing([question("Bonjour", "reply", ("greet",), Rating.down)]))
    assert blocks(lines) == [("greet", None, ["Bonjour"])]
    assert not [line for line in lines if "metadata" in line]


def test_personal_data_are_masked_before_they_are_counted() -> None:
    lines = list(
        listing(
            question(f"Je suis {name},\nrappelez-moi au {number}", "not_understood", LOST)
            for name, number in (("Anne", "06 12 34 56 78"), ("Jean Durand", "0787654321"))
        )
    )
    told = "Je suis [nom] , rappelez-moi au [numéro]"
    assert blocks(lines) == [("?", "?", [told])]
    assert f"# 2 fois : {told}" in lines


# What `bot.text.clean` lets through; YAML holds no noncharacter.
TYPED = st.text(st.characters(exclude_categories=["Cn"])).map(clean).filter(bool)
CASES = st.sampled_from(
    [
        ("did_you_mean", AXES, None),
        ("not_understood", LOST, None),
        ("answer", ("undocumented/fonds",), None),
        ("reply", ("greet",), Rating.down),
    ]
)


@settings(deadline=None)
@given(st.lists(st.tuples(TYPED, CASES), max_size=8))
def test_whatever_was_typed_the_list_is_a_file_of_examples(
    typed: list[tuple[str, tuple[str, tuple[str, ...], Rating | None]]],
) -> None:
    lines = list(listing(question(text, *case) for text, case in typed))
    shown = [sentence for _, _, sentences in blocks(lines) for sentence in sentences]
    distinct = {(masked(text), case) for text, case in typed}
    assert sorted(shown) == sorted(text for text, _ in distinct)


def test_the_program_prints_the_last_days(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = {"kind": "not_understood", "confidence": 0.1, "references": []}

    async def remember() -> None:
        database = Database(sqlite_url)
        for days, text in ((0, "Blip"), (3, "Blop"), (40, "Vieux")):
            conversation = await opened(database)
            now = utc_now() - timedelta(days=days)
            await exchanged(database, conversation, text, outcome=lost, now=now)
        await database.close()

    asyncio.run(remember())
    monkeypatch.setenv("PASSERELLE_DATABASE_URL", sqlite_url)
    for options, texts in (([], ["Blip", "Blop"]), (["--since", "2"], ["Blip"])):
        monkeypatch.setattr(sys, "argv", ["questions", *options])
        assert questions.main() == 0
        (block,) = blocks(capsys.readouterr().out.splitlines())
        assert sorted(block[2]) == texts


def test_without_a_database_there_is_nothing_to_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PASSERELLE_VAR", str(tmp_path))
    monkeypatch.delenv("PASSERELLE_DATABASE_URL", raising=False)
    monkeypatch.setattr(sys, "argv", ["questions"])
    assert questions.main() == 1
    out, errors = capsys.readouterr()
    assert out == "" and "Aucune conversation" in errors
    assert [*tmp_path.iterdir()] == []
