"""No figure, name or address stands in a text without the fact that it comes from."""

import re

import pytest

from knowledge import load
from knowledge.schema import MAX_LABEL
from knowledge.typography import NBSP

KNOWLEDGE = load()
TEXTS = {key: (answer.text, set(answer.facts)) for key, answer in KNOWLEDGE.answers.items()} | {
    name: (reply.text, set(reply.facts)) for name, reply in KNOWLEDGE.replies.items()
}

NUMBERS = {
    # number: the facts that may put it in a text
    "2": {"F18"},
    "3": {"F03", "F50"},
    "4": {"F54"},
    "9": {"F54"},
    "16/02/2021": {"F64"},
    "2021": {"F54", "F64"},
    "2022": {"F01", "F32"},
    "24": {"F50"},
    "35": {"F41"},
    "34": {"F09"},
    "88": {"F01"},
    "100": {"F13", "F48"},
    "4 000": {"F39"},
    "50 000": {"F49"},
    "297 000": {"F12"},
    "500 000": {"F06"},
}
WORDS = {
    # words: the facts of which at least one must be carried
    "à confirmer": {"F12"},
    "SMIC": {"F51"},
    "tranches": {"F50"},
    "CRTE": {"F38"},
    "DINUM": {"F58"},
    "FranceConnect": {"F61", "F62"},
    "pref-badl@indre-et-loire.gouv.fr": {"F36"},
    "https://aidantsconnect.beta.gouv.fr/habilitation": {"F63"},
    "extra-communautaires": {"F27"},
    "interopérabilité": {"F16"},
    "au fil de l'eau": {"F52"},
}
ELSEWHERE = {
    # source: the numbers that it gives, besides the page
    "informations publiques sur Aidants Connect": {"7", "2023"},
    "ministère de la Transition écologique et de la Cohésion des territoires": {"2023"},
}
CARRIED = {
    # fact: what must be in every text that carries it, besides the figures of test_contents
    "F12": ["297 000 €", "à confirmer"],
    "F27": ["marginale"],
    "F32": ["fin 2022"],
    "F38": ["contrat de relance et de transition écologique (CRTE)"],
    "F50": ["24 mois", "3 tranches"],
    "F54": ["4 structures privées", "9 communes ou communautés de communes"],
}
TITLES = [answer.title for answer in KNOWLEDGE.answers.values()]
TITLES += [reply.title for reply in KNOWLEDGE.replies.values()]


def plain(text: str) -> str:
    return text.replace(NBSP, " ").replace("’", "'")


def numbers(text: str) -> list[str]:
    """The numbers of a text; not those of names (3A, axe 1) or addresses."""
    text = re.sub(r"https?://\S+|\S+@\S+", "", plain(text))
    text = re.sub(r"\b[Aa]xes? \d(?: et \d)?\b|\b\d[ABC]\b", "", text)
    return re.findall(r"\d\d/\d\d/\d{4}|\d{1,3}(?: \d{3})+|\d+", text)


@pytest.mark.parametrize("key", sorted(TEXTS))
def test_every_figure_comes_from_a_fact_that_is_carried(key: str) -> None:
    text, facts = TEXTS[key]
    answer = KNOWLEDGE.answers.get(key)
    elsewhere = ELSEWHERE.get(answer.source.publisher, set()) if answer else set()
    for number in set(numbers(text)) - elsewhere:
        assert NUMBERS.get(number, set()) & facts or key_dates(number, text), f"{key}: {number}"
    for words, sources in WORDS.items():
        if words in plain(text):
            assert sources & facts, f"{key}: {words}"


def key_dates(number: str, text: str) -> bool:
    """Whether a number is only the date of the page, which any text may give."""
    return number == "16/02/2021" and "page" in text


def test_the_check_sees_a_figure_from_nowhere() -> None:
    assert numbers("300 000 € (axe 3, 3A), le 16/02/2021") == ["300 000", "16/02/2021"]


@pytest.mark.parametrize("fact", CARRIED)
def test_what_a_fact_always_says(fact: str) -> None:
    carriers = [key for key, (_, facts) in TEXTS.items() if fact in facts]
    assert carriers
    for key in carriers:
        for words in CARRIED[fact]:
            assert words in plain(TEXTS[key][0]), f"{key}: {fact} without « {words} »"


def test_each_title_is_one_answer_s() -> None:
    assert sorted(TITLES) == sorted(set(TITLES))


def test_titles_and_labels_are_fit_to_be_read() -> None:
    labels = [subject.label for subject in KNOWLEDGE.subjects.values()]
    for words in (*labels, *TITLES):
        assert 1 <= len(words) <= MAX_LABEL
        assert "'" not in words
        assert not re.search(r" [:;?!»%€]|« |  |[^\s?!][?!;»%€]|\(e\)|·", words), words
