"""Folding a text, and finding names in it."""

from hypothesis import given
from hypothesis import strategies as st

from nlu.components.text import Vocabulary, fold


def test_case_accents_and_signs_fold() -> None:
    assert fold("L'Éligibilité, c'est QUOI ?!").text == "l eligibilite c est quoi ?"
    assert fold("  100 %  ").text == "100 pourcent"
    assert fold("cœur").text == "coeur"
    assert fold("🙂 !").text == ""


@given(st.text())
def test_every_character_comes_from_the_text(text: str) -> None:
    folded = fold(text)
    assert len(folded.text) == len(folded.offsets)
    assert folded.offsets == sorted(folded.offsets)
    assert all(0 <= offset < len(text) for offset in folded.offsets)
    assert not folded.text.startswith(" ")
    assert "  " not in folded.text


NAMES = Vocabulary({"axe 1": "axe_1", "axe 1 bis": "bis", "conseiller numérique": "cn"})


def found(text: str) -> list[tuple[str, str]]:
    folded = fold(text)
    return [
        (mention.value, text[folded.offsets[mention.start] : folded.offsets[mention.end - 1] + 1])
        for mention in NAMES.find(folded.text)
    ]


def test_names_are_found_whatever_their_case_accents_and_plural() -> None:
    assert found("Et l'AXE 1 ?") == [("axe_1", "AXE 1")]
    assert found("les conseillers numeriques") == [("cn", "conseillers numeriques")]


def test_the_longest_name_wins_and_words_are_whole() -> None:
    assert found("axe 1 bis") == [("bis", "axe 1 bis")]
    assert found("axe 12") == []
    assert found("relaxe 1") == []


def test_no_names_no_mention() -> None:
    assert Vocabulary({}).find("axe 1") == []


@given(st.text(alphabet="axe 1bisÉs'numérqco?"))
def test_mentions_stay_within_the_text(text: str) -> None:
    folded = fold(text).text
    ends = 0
    for mention in NAMES.find(folded):
        assert ends <= mention.start < mention.end <= len(folded)
        ends = mention.end
