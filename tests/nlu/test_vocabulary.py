"""Properties of folding, and of any list of names."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nlu.components.text import Vocabulary, fold

WORDS = st.text(alphabet="axe1éÀ'-?. ℡🙂", max_size=8)


@settings(deadline=None)
@given(st.text())
@example("℡ № 𝐀xe İ ß ½")
def test_folding_twice_is_folding_once(text: str) -> None:
    once = fold(text).text
    assert fold(once).text == once
    assert once == once.lower()


@settings(deadline=None)
@given(st.text())
def test_a_part_of_the_folded_text_is_a_part_of_the_text(text: str) -> None:
    folded = fold(text)
    for character, offset in zip(folded.text, folded.offsets, strict=True):
        if character not in " ?":
            assert character in fold(text[offset]).text


@pytest.mark.parametrize("name", ["", "…", " !", "🙂"])
def test_a_name_without_a_letter_is_found_nowhere(name: str) -> None:
    assert Vocabulary({name: "nothing"}).find("le fonds") == []
    (found,) = Vocabulary({name: "nothing", "le fonds": "fonds"}).find("le fonds")
    assert found.value == "fonds"


@settings(deadline=None)
@given(st.dictionaries(WORDS, st.sampled_from("abc"), max_size=5), WORDS)
def test_any_names_are_found_in_order_within_the_text(names: dict[str, str], text: str) -> None:
    folded = fold(text).text
    end = 0
    for mention in Vocabulary(names).find(folded):
        assert end <= mention.start < mention.end <= len(folded)
        assert folded[mention.start : mention.end].strip()
        assert mention.value in names.values()
        end = mention.end


@settings(deadline=None)
@given(WORDS)
def test_a_name_is_found_in_itself(name: str) -> None:
    folded = fold(name).text
    found = Vocabulary({name: "it"}).find(folded)
    assert [folded[m.start : m.end] for m in found][:1] == ([folded] if folded else [])
