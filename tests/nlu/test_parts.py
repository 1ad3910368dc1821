"""The parts of a message: its sentences, and the questions that one sentence joins."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nlu.components import parts
from nlu.components.parts import MAX_PARTS, MAX_PIECES, split
from nlu.components.text import Folded, fold


def pieces(text: str) -> list[str]:
    return [text[part.start : part.end].strip() for part in split(text)]


def asking(text: str) -> list[str]:
    return [text[part.start : part.end].strip() for part in split(text) if part.asks]


def test_sentences_are_parts() -> None:
    assert pieces("Nous avons un projet. Est-il payé ? Et par qui ?!") == [
        "Nous avons un projet.",
        "Est-il payé ?",
        "Et par qui ?!",
    ]
    assert pieces("Quel montant ?\nQuelles dates") == ["Quel montant ?", "Quelles dates"]
    assert pieces("Quel montant ; quelles dates… merci") == [
        "Quel montant ;",
        "quelles dates…",
        "merci",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Combien pour l'axe 3 et qui peut candidater ?",
        "Combien pour l'axe 3 et aussi qui peut candidater ?",
        "Combien pour l'axe 3, et qui peut candidater ?",
        "Combien pour l'axe 3, qui peut candidater ?",
        "Combien pour l'axe 3 puis qui peut candidater ?",
        "Combien pour l'axe 3, mais aussi qui peut candidater ?",
        "Combien pour l'axe 3 ainsi que qui peut candidater ?",
        "Combien pour l'axe 3 ET\u00a0qui peut candidater ?",
    ],
)
def test_a_sentence_is_cut_where_another_question_begins(text: str) -> None:
    assert pieces(text) == ["Combien pour l'axe 3", "qui peut candidater ?"]
    assert asking(text) == pieces(text)


@pytest.mark.parametrize(
    "second",
    [
        "est-ce gratuit ?",
        "est-ce qu'il est gratuit ?",
        "à qui faut-il écrire ?",
        "avec quoi se connecte-t-on ?",
        "pour combien de temps ?",
        "jusqu'à quand peut-on candidater",
        "où sont-ils",
        "peut-on en avoir deux",
        "a-t-elle une date limite",
        "y a-t-il une date limite",
        "a-t-on droit à l'axe 1",
        "quelles sont les dates",
        "lequel choisir",
        "si la mairie peut en avoir un",
        "c koi l'axe 1",
        "koman candidater",
        "kel montant",
        "kan faut il candidater",
    ],
)
def test_what_a_question_begins_with_is_known_however_it_is_typed(second: str) -> None:
    first = "Qui paie le conseiller numérique"
    assert pieces(f"{first} et {second}") == [first, second]


def test_three_questions_in_one_sentence() -> None:
    text = "C'est quoi l'axe 3, qui peut candidater et quand faut-il écrire ?"
    assert asking(text) == ["C'est quoi l'axe 3", "qui peut candidater", "quand faut-il écrire ?"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n ",
        "🙂 ? 🙂 ?",
        "?!",
        "Bonjour",
        "Quel est le montant de l'axe 3 ?",
        "Quel est le montant de l'axe 3 ?!… 🙂",
        "Quels sont le montant et les dates de l'axe 3 ?",
        "Est-ce que les écrans et les tablettes sont payés ?",
        "Les écrans, les tablettes, les logiciels et les formations sont payés ?",
        "Combien et comment ?",
        "Bonjour, combien ?",
        "L'axe 1 ou l'axe 2 ?",
        "Une aide de 1.5 million, à 12.30 le 16.02.2021 ?",
        "Un peut-être et un rendez-vous ?",
        "Aidants Connect, sur www.aidantsconnect.fr ?",
    ],
)
def test_one_question_is_not_cut(text: str) -> None:
    assert split(text) == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1) Quel montant\n2) Quelles dates", ["Quel montant", "Quelles dates"]),
        ("1. Quel montant ?\n2. Quelles dates ?", ["Quel montant ?", "Quelles dates ?"]),
        ("1. Quel montant 2. Quelles dates", ["Quel montant 2.", "Quelles dates"]),
        ("Dites-moi :\n1) le montant\n2) les dates", ["Dites-moi :", "le montant", "les dates"]),
        ("- quel montant\n- quelles dates", ["- quel montant", "quelles dates"]),
        ("* quel montant\n* quelles dates", ["* quel montant", "quelles dates"]),
        ("• quel montant • quelles dates", ["• quel montant •", "quelles dates"]),
        ("quel montant — quelles dates", ["quel montant —", "quelles dates"]),
    ],
)
def test_lists_are_cut_at_their_items(text: str, wanted: list[str]) -> None:
    # The sign of an item ends the part before it.
    assert pieces(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "Bonjour.",
        "Bonjour Madame,\n",
        "Merci d'avance.",
        "Merci beaucoup !",
        "Bonne journée à vous.",
        "Merci à nous tous, à ce jour.",
        "Cordialement, la secrétaire de mairie.",
        "Nous sommes une commune de 500 habitants.",
        "J'écris au nom du maire.",
    ],
)
def test_politeness_and_context_do_not_ask(text: str) -> None:
    question = "Quel est le montant de l'axe 3 ?"
    assert asking(f"{text} {question}") == [question]
    assert asking(f"{question} {text}") == [question]


@pytest.mark.parametrize(
    "text",
    [
        "Je voudrais connaître le montant.",
        "Nous souhaitons un conseiller numérique.",
        "Dites-moi les dates.",
        "J'aimerais des informations sur l'axe 3.",
        "Je cherche un contact.",
        "Et l'axe 3 ?",
    ],
)
def test_a_request_asks_without_a_question_word(text: str) -> None:
    assert asking(f"Bonjour. {text}") == [text]


def test_parts_without_a_word_are_left_out() -> None:
    assert pieces("Combien ? 🙂 ! … 12 ? Quand ?") == ["Combien ?", "Quand ?"]


def test_a_very_long_message_has_a_bounded_number_of_parts() -> None:
    assert len(split("Quel montant ? " * (MAX_PARTS - 1))) == MAX_PARTS - 1
    assert len(split("Quel montant ? " * 260)) == MAX_PARTS
    assert len(split("qui peut candidater et " * 170)) == MAX_PARTS


WORDS = st.sampled_from(
    [
        *(
            "Bonjour",
            "et",
            "ET AUSSI",
            ", ",
            ",",
            ". ",
            "?",
            " ? ",
            "\n",
            "- ",
            " • ",
            "1) ",
            "2. ",
        ),
        *("quel montant", "qui peut", "où", "est-ce que", "y a-t-il", "si ", "œuf", "€", "½", "🙂"),
        *("l'axe 3", "1.5", "…", "!", ";", "mais aussi", "ainsi que", "\u00a0", "İ", "ß"),
    ]
)
TEXTS = st.text() | st.builds(str.join, st.sampled_from(["", " "]), st.lists(WORDS, max_size=40))


@settings(deadline=None)
@given(TEXTS)
@example("quel montant et quelles dates ? " * 20)
def test_parts_are_in_order_inside_the_text_and_never_overlap(text: str) -> None:
    parts = split(text)
    assert len(parts) != 1 and len(parts) <= MAX_PARTS
    end = 0
    for part in parts:
        assert end <= part.start < part.end <= len(text)
        assert any(character.isalpha() for character in text[part.start : part.end])
        end = part.end


QUESTIONS = ["quel montant", "Qui peut candidater ?", "C'est quoi l'axe 3", "y a-t-il une date ?"]
JOINS = [
    " et ",
    ", ",
    ", et ",
    " ET aussi ",
    " ainsi que ",
    ". ",
    "… ",
    "\n",
    " ; ",
    "\n- ",
    " 2) ",
]


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(JOINS), st.sampled_from(QUESTIONS)), min_size=1, max_size=8)
)
def test_each_question_is_a_part_whatever_joins_them(following: list[tuple[str, str]]) -> None:
    first = "Combien pour nous"
    text = first + "".join(join + question for join, question in following)
    found = asking(text)
    assert len(found) == 1 + len(following)
    for piece, question in zip(found, [first, *(q for _, q in following)], strict=True):
        assert question in piece


@pytest.mark.parametrize("text", ["le fonds, " * 400, "un axe et qui " * 285, "l'axe 3, ou " * 330])
def test_a_long_message_costs_its_length_not_its_square(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = 0

    def counting(some: str) -> Folded:
        nonlocal read
        read += len(some)
        return fold(some)

    monkeypatch.setattr(parts, "fold", counting)
    parts.split(text)
    assert 0 < read < 20 * len(text)


def in_one_breath(text: str) -> list[str]:
    return [text[piece.start : piece.end] for piece in parts.pieces(text, 0, len(text))]


@pytest.mark.parametrize(
    "join", [" et ", ", et ", " puis ", " ainsi que ", " ET\u00a0", " + ", "/"]
)
def test_one_verb_may_ask_two_things(join: str) -> None:
    found = in_one_breath(f"Quel est le montant{join}la durée de l'aide ?")
    assert found == ["Quel est le montant", "la durée de l'aide ?"]


def test_a_bare_list_is_cut_at_its_commas() -> None:
    assert in_one_breath("taux, dépenses exclues, contact") == [
        "taux",
        "dépenses exclues",
        "contact",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "L'axe 1, quels territoires peuvent y prétendre ?",
        "L'axe 1, nous y avons droit avec nos habitants",
        "Quel montant ?",
        "",
        "et, puis / +",
        "taux, durée, pièces, contact",
    ],
)
def test_the_rest_is_left_whole(text: str) -> None:
    assert in_one_breath(text) == []


@settings(deadline=None)
@given(st.lists(st.sampled_from(["taux", "et", ",", "/", "combien", "?", " "]), max_size=15))
def test_pieces_are_in_order_within_the_text(words: list[str]) -> None:
    text = " ".join(words)
    found = parts.pieces(text, 0, len(text))
    assert len(found) != 1
    assert len(found) <= MAX_PIECES
    places = [place for piece in found for place in (piece.start, piece.end)]
    assert places == sorted(places)
