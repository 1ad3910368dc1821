"""Badly typed twins: the same every time, and each kind does what it says."""

import pytest

from bench import noise

TEXT = "Qu'est-ce que l\u2019axe 3, et combien d'argent pour nous à Château-Renault ?"


@pytest.mark.parametrize("kind", noise.KINDS)
def test_a_twin_is_always_the_same(kind: str) -> None:
    assert noise.twin(TEXT, kind) == noise.twin(TEXT, kind) != TEXT


@pytest.mark.parametrize(
    ("kind", "noisy"),
    [
        (
            "sans accents",
            "Qu'est-ce que l\u2019axe 3, et combien d'argent pour nous a Chateau-Renault ?",
        ),
        (
            "sans apostrophes",
            "Quest-ce que laxe 3, et combien dargent pour nous à Château-Renault ?",
        ),
        (
            "en capitales",
            "QU'EST-CE QUE L\u2019AXE 3, ET COMBIEN D'ARGENT POUR NOUS À CHÂTEAU-RENAULT ?",
        ),
        ("style SMS", "kesk l axe 3 et cb d argent pr ns à château renault"),
    ],
)
def test_what_a_kind_does(kind: str, noisy: str) -> None:
    assert noise.twin(TEXT, kind) == noisy


def test_two_neighbours_are_swapped_in_a_long_word() -> None:
    noisy = noise.twin(TEXT, "deux lettres échangées")
    (first, second) = [i for i, (a, b) in enumerate(zip(TEXT, noisy, strict=True)) if a != b]
    assert second == first + 1
    assert (noisy[first], noisy[second]) == (TEXT[second], TEXT[first])


@pytest.mark.parametrize("text", ["et le 3 ?", "aaaa", ""])
def test_nothing_is_swapped_where_nothing_can_be(text: str) -> None:
    assert noise.twin(text, "deux lettres échangées") == text
