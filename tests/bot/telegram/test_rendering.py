"""An outbound message as Telegram shows it: parts, marks, keys."""

import re
import time
from collections.abc import Sequence
from html import unescape
from itertools import pairwise, product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from telegram import InlineKeyboardMarkup

from bot.telegram import rendering
from bot.telegram.rendering import LONGEST, html, inline_keyboard, marked, phone_keyboard, split
from storage.models import Button

settings.register_profile("slow machines too", deadline=None)
settings.load_profile("slow machines too")

TELEGRAM_LIMIT = 4096
NO_BREAK = "\u00a0\u202f"
FAMILY = "👩\u200d👩\u200d👧\u200d👦"

# Blanks of all kinds, ends of sentences, marks and emoji often; anything else sometimes.
PIECES = st.one_of(
    st.sampled_from(["\n", "\n\n", " ", "  ", "\t", "\u00a0", ". ", "! ", "…"]),
    st.sampled_from(["\u202f?", "\u00a0» ", "«\u00a0", "mot", "M. ", "&", "<b>", "é" * 12]),
    st.sampled_from(["e\u0301", FAMILY, "👍🏽", "🇫🇷", "\u200b"]),
    st.text(max_size=5),
    # Not text, but nothing may fall over it.
    st.characters(codec=None),
)
ANYTHING = st.lists(PIECES, max_size=80).map("".join)
LONG = st.lists(st.tuples(PIECES, st.integers(1, 3000)), max_size=8).map(
    lambda runs: "".join(piece * times for piece, times in runs)
)
SIZES = st.integers(8, 60)


def units(text: str) -> int:
    return sum(2 if ord(character) > 0xFFFF else 1 for character in text)


def seen(text: str) -> str:
    return "".join(text.split())


def split_at(longest: int, text: str) -> list[str]:
    """Split as if Telegram's messages were tiny: small texts have many cuts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendering, "LONGEST", longest)
        return split(text)


def gaps(text: str, parts: Sequence[str]) -> list[tuple[int, int]]:
    """Where `text` was cut: the end of each part but the last, the start of the next."""
    spans = []
    position = 0
    for part in parts:
        start = text.index(part, position)
        assert not text[position:start].strip()
        position = start + len(part)
        spans.append((start, position))
    assert not text[position:].strip()
    return [(before[1], after[0]) for before, after in pairwise(spans)]


def assert_well_split(text: str, parts: Sequence[str], longest: int) -> None:
    assert all(parts)
    assert all(part == part.strip() for part in parts)
    assert all(units(part) <= longest for part in parts)
    assert seen("".join(parts)) == seen(text)


# Parts


@given(ANYTHING, SIZES)
@example("", 8)
@example(" \n\u00a0 ", 8)
@example("a" + "\u0301" * 50, 8)
@example("a" + "\u00a0" * 50 + "b", 8)
@example("😀" * 50, 9)
def test_no_visible_character_is_lost(text: str, longest: int) -> None:
    assert_well_split(text, split_at(longest, text), longest)


@given(LONG)
@settings(max_examples=50)
def test_no_visible_character_is_lost_at_full_size(text: str) -> None:
    assert_well_split(text, split(text), LONGEST)


@given(ANYTHING, SIZES)
def test_what_is_kept_is_kept_as_it_was(text: str, longest: int) -> None:
    """Inside a part, blanks included."""
    gaps(text, split_at(longest, text))


@given(ANYTHING, SIZES)
def test_what_fits_is_one_part(text: str, longest: int) -> None:
    parts = split_at(longest, text)
    if units(text.strip()) <= longest:
        assert parts == [text.strip()] * bool(text.strip())
    else:
        assert len(parts) > 1


@given(ANYTHING, SIZES)
def test_words_are_cut_only_where_no_blank_is(text: str, longest: int) -> None:
    """A part that ends inside a word began with that word."""
    parts = split_at(longest, text)
    for part, (end, start) in zip(parts, gaps(text, parts), strict=False):
        if end == start:
            assert not re.search(rf"[^\S{NO_BREAK}\u2007]", part)


@given(
    st.lists(st.sampled_from(["mot", "a", "Oui\u00a0!", "b\u202f?", "«\u00a0c\u202f»", " ", "\n"])),
    SIZES,
)
def test_never_cut_at_a_non_breaking_space(pieces: list[str], longest: int) -> None:
    text = "".join(pieces)
    for end, start in gaps(text, split_at(longest, text)):
        assert not set(text[end - 1 : start + 1]) & set(NO_BREAK)


@given(st.lists(st.sampled_from(["mot ", "Oui. ", "a\n", "b\n\n", "é" * 15]), max_size=60), SIZES)
def test_parts_are_short_only_before_a_long_word(pieces: list[str], longest: int) -> None:
    text = "".join(pieces).strip()
    parts = split_at(longest, text)
    for part, (end, _) in zip(parts, gaps(text, parts), strict=False):
        if len(part) < longest // 2:
            # Two blanks may have been dropped.
            window = text[end - len(part) :][: longest + 1]
            assert not re.search(r"\s", window[longest // 2 + 3 :])


def words(length: int) -> str:
    """Exactly `length` characters, the last word not a lone letter."""
    return ("mot " * (length // 4 + 1))[: length - 2] + "xx"


PARAGRAPH = words(2500)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        pytest.param(f"{PARAGRAPH}\n\n{words(500)}\n{words(2000)}", PARAGRAPH, id="paragraph"),
        pytest.param(f"{PARAGRAPH}\n \t\n{words(500)}\n{words(2000)}", PARAGRAPH, id="blank line"),
        pytest.param(f"{PARAGRAPH}\r\n\r\n{words(500)}\n{words(2000)}", PARAGRAPH, id="CRLF"),
        pytest.param(f"{PARAGRAPH}\n{words(500)}. {words(2000)}", PARAGRAPH, id="line"),
        pytest.param(f"{PARAGRAPH}. {words(2000)}", f"{PARAGRAPH}.", id="sentence"),
        pytest.param(
            f"{words(2200)}. {words(300)}. {words(2000)}",
            f"{words(2200)}. {words(300)}.",
            id="the last sentence",
        ),
        pytest.param(
            f"{words(2200)}\n\n{words(300)}\n\n{words(2000)}",
            f"{words(2200)}\n\n{words(300)}",
            id="the last paragraph",
        ),
        pytest.param(f"{words(800)}\n\n{words(2000)}\n{words(2000)}", None, id="early paragraph"),
        pytest.param(f"{words(800)}\n\n{words(2000)}. {words(2000)}", None, id="early, sentence"),
        pytest.param(f"{words(800)}\n{words(2000)}. {words(2000)}", None, id="early line"),
        pytest.param(
            f"{words(LONGEST)} {words(2000)}", words(LONGEST), id="a word ends where no more fits"
        ),
        pytest.param(
            f"{words(2500)}\n\n{words(LONGEST - 2502)}\n\n{words(2000)}",
            f"{words(2500)}\n\n{words(LONGEST - 2502)}",
            id="a paragraph ends where no more fits",
        ),
        pytest.param(
            f"{words(2500)}. {words(LONGEST - 2503)}. {words(2000)}",
            f"{words(2500)}. {words(LONGEST - 2503)}.",
            id="a sentence ends where no more fits",
        ),
        pytest.param(
            f"{words(2500)}. {words(LONGEST - 2502)}. {words(2000)}",
            f"{words(2500)}.",
            id="a full stop that does not fit",
        ),
        pytest.param("a\n\nb\nc " + "d" * LONGEST, "a", id="early paragraph, long word"),
        pytest.param("a\nb. c " + "d" * LONGEST, "a", id="early line, long word"),
        pytest.param(
            "M. Durand " + "c" * 2 * LONGEST, "M. Durand", id="not after an early abbreviation"
        ),
    ],
)
def test_where_it_is_cut(text: str, first: str | None) -> None:
    if first is None:  # up to the last of the words that begin the text
        first = text[: -len(words(2000))].strip()
    assert split(text)[0] == first


@pytest.mark.parametrize(
    "end", [".", "?", "\u00a0?", "\u202f!", "…", "...", ".\u00a0»", "\u202f!\u00a0»", '."', ".)"]
)
@pytest.mark.parametrize("blank", [" ", "  ", "\t"])
def test_ends_of_sentences(end: str, blank: str) -> None:
    sentence = f"{PARAGRAPH}{end}"
    assert split(f"{sentence}{blank}{words(2000)}") == [sentence, words(2000)]


@pytest.mark.parametrize(
    "no_end",
    [
        "M. Durand",
        "1. Le",
        "p. 12",
        "3.50",
        "service.fr/a?b",
        "a,",
        "soit\u00a0:",
        ".\u00a0Le",
        "fini. » disait",
        "fini.  » disait",
    ],
)
def test_no_ends_of_sentences(no_end: str) -> None:
    sentence = f"{words(2200)}."
    assert split(f"{sentence} {words(200)} {no_end} {words(2000)}")[0] == sentence


@pytest.mark.parametrize("glyph", ["e\u0301", FAMILY, "👍🏽", "❤\ufe0f", "1\ufe0f\u20e3", "😀"])
@pytest.mark.parametrize("shift", range(4))
def test_what_is_seen_as_one_character_stays_whole(glyph: str, shift: int) -> None:
    parts = split("x" * shift + glyph * 4000)
    assert len(parts) > 2
    assert all(re.fullmatch(f"x*(?:{glyph})*", part) for part in parts)
    # And parts are as full as whole glyphs allow.
    assert all(LONGEST - units(part) < units(glyph) for part in parts[:-1])


def test_a_long_word_is_not_cut_before_its_question_mark() -> None:
    text = "x" * (LONGEST - 1) + "\u00a0? " + "y" * 100
    assert split(text) == ["x" * (LONGEST - 2), "x\u00a0? " + "y" * 100]


def test_telegram_counts_an_emoji_twice() -> None:
    assert split("😀" * (LONGEST // 2)) == ["😀" * (LONGEST // 2)]
    assert split("😀" * (LONGEST // 2) + "a") == ["😀" * (LONGEST // 2), "a"]
    assert split("a" + "😀" * (LONGEST // 2)) == ["a" + "😀" * (LONGEST // 2 - 1), "😀"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x" * 5_000_000, id="no blank"),
        pytest.param(" " * 2_500_000 + "x" + " " * 2_500_000, id="blanks"),
        pytest.param("x" + "\n" * 5_000_000 + "x", id="line ends"),
        pytest.param("x" + "\u00a0" * 5_000_000 + "x", id="non-breaking spaces"),
        pytest.param("x" + "\u0301" * 5_000_000, id="marks"),
        pytest.param(("x" + "\u0301" * 4000) * 300, id="letters under marks"),
        pytest.param("x\u00a0" * 2_500_000, id="nowhere to cut"),
        pytest.param("." * 5_000_000, id="full stops"),
        pytest.param(".»" * 2_500_000, id="closing guillemets"),
        pytest.param(("x\n" + " " * 50) * 96_000, id="lines of blanks"),
        pytest.param(("a\n\nb\nc " + "x" * 2500) * 2000, id="short parts"),
        pytest.param("Bonjour à tous. " * 312_500, id="sentences"),
        pytest.param("😀" * 1_250_000, id="emoji"),
    ],
)
def test_the_time_it_takes_grows_with_the_text_only(text: str) -> None:
    """About a second for 5 MB; hours if each part took the time of what remains."""
    began = time.process_time()
    parts = split(text)
    assert time.process_time() - began < 5
    assert max(map(len, parts)) <= LONGEST


# HTML


@given(st.text())
@example("<b>R&D</b> &amp; l'« 1 < 2 »")
def test_html_shows_the_text_itself(text: str) -> None:
    escaped = html(text)
    assert not re.search("[<>]|&(?!amp;|lt;|gt;)", escaped)
    assert escaped.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == text


def test_quotes_stay() -> None:
    assert html("""l'« été » "R&D" <1>""") == """l'« été » "R&amp;D" &lt;1&gt;"""


def test_a_mark() -> None:
    assert marked("R&D ?", "Oui <3") == "R&amp;D ?\n\n✓ <b>Oui &lt;3</b>"


@pytest.mark.parametrize(
    ("choice", "shown"),
    [
        ("a" * 100, "a" * 100),
        ("a" * 101, "a" * 99 + "…"),
        ("&" * 101, "&amp;" * 99 + "…"),
        ("a" * 98 + " bcd", "a" * 98 + "…"),
        ("a" * 98 + "e\u0301" + "bcd", "a" * 98 + "…"),
        ("😀" * 100, "😀" * 49 + "…"),
    ],
)
def test_a_long_choice_is_shortened(choice: str, shown: str) -> None:
    assert marked("Laquelle ?", choice) == f"Laquelle ?\n\n✓ <b>{shown}</b>"


@given(LONG, ANYTHING)
@settings(max_examples=30)
@example("&" * LONGEST, "<" * 500)
@example("😀" * (LONGEST // 2), "😀" * 500)
def test_a_marked_part_still_fits(text: str, choice: str) -> None:
    for part in split(text):
        visible = unescape(re.sub("</?b>", "", marked(part, choice)))
        assert units(visible) <= TELEGRAM_LIMIT


# Keys


def buttons(titles: Sequence[str]) -> list[Button]:
    return [
        Button(id=f"id-{number}", title=title, payload=f"/secret{number}")
        for number, title in enumerate(titles)
    ]


def rows(titles: Sequence[str]) -> list[list[str]]:
    keyboard = inline_keyboard(buttons(titles))
    assert keyboard
    return [[key.text for key in row] for row in keyboard.inline_keyboard]


def test_no_buttons_no_keyboard() -> None:
    assert inline_keyboard([]) is None


@pytest.mark.parametrize(
    ("lengths", "sizes"),
    [
        ([3], [1]),
        ([3, 3], [2]),
        ([8, 8, 8], [3]),
        ([8, 8, 9], [2, 1]),
        ([8] * 4, [2, 2]),
        ([8] * 5, [3, 2]),
        ([8] * 6, [3, 3]),
        ([8] * 7, [3, 2, 2]),
        ([16, 16], [2]),
        ([16, 17], [1, 1]),
        ([16] * 3, [2, 1]),
        ([16] * 4, [2, 2]),
        ([17, 3, 3, 3, 17], [1, 3, 1]),
        ([3, 3, 3, 16], [2, 2]),
        ([3, 3, 3, 17], [3, 1]),
        ([3, 3, 12, 3, 3, 3], [2, 2, 2]),
        ([3, 12, 3, 3, 3], [2, 3]),
        ([40] * 3, [1, 1, 1]),
    ],
)
def test_rows(lengths: list[int], sizes: list[int]) -> None:
    assert [len(row) for row in rows(["x" * length for length in lengths])] == sizes


def fits(row: Sequence[int]) -> bool:
    return max(row) <= {1: 10_000, 2: 16, 3: 8}[len(row)]


@given(st.lists(st.sampled_from([1, 8, 9, 16, 17, 60]), min_size=1, max_size=7))
def test_no_layout_has_fewer_or_more_even_rows(lengths: list[int]) -> None:
    def cut(sizes: Sequence[int]) -> list[list[int]]:
        ends = [sum(sizes[:row]) for row in range(len(sizes) + 1)]
        return [lengths[start:end] for start, end in pairwise(ends)]

    possible = [
        sizes
        for count in range(1, len(lengths) + 1)
        for sizes in product((1, 2, 3), repeat=count)
        if sum(sizes) == len(lengths) and all(map(fits, cut(sizes)))
    ]
    layout = rows(["x" * length for length in lengths])
    assert all(fits([len(title) for title in row]) for row in layout)
    assert len(layout) == min(map(len, possible))
    widest = max(map(len, layout))
    assert widest == min(max(sizes) for sizes in possible if len(sizes) == len(layout))


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=100))
@settings(max_examples=50)
def test_every_button_has_its_key_in_order(titles: list[str]) -> None:
    offered = buttons(titles)
    keyboard = inline_keyboard(offered)
    assert keyboard
    keys = [key for row in keyboard.inline_keyboard for key in row]
    assert [(key.callback_data, key.text) for key in keys] == [
        (button["id"], button["title"]) for button in offered
    ]
    assert "secret" not in keyboard.to_json()


def test_telegram_takes_a_hundred_keys() -> None:
    assert sum(map(len, rows(["oui"] * 100))) == 100
    assert sum(map(len, rows(["oui"] * 101))) == 100


def test_long_titles_are_kept_up_to_a_point() -> None:
    assert rows(["a" * 200, "b" * 201]) == [["a" * 200], ["b" * 199 + "…"]]


@pytest.mark.parametrize("identifier", ["a", "a" * 64, "é" * 32])
def test_the_id_comes_back_when_tapped(identifier: str) -> None:
    keyboard = inline_keyboard([Button(id=identifier, title="Oui", payload="/affirmer")])
    assert isinstance(keyboard, InlineKeyboardMarkup)
    assert keyboard.inline_keyboard[0][0].callback_data == identifier


@pytest.mark.parametrize("identifier", ["", "a" * 65, "é" * 33])
def test_an_id_that_telegram_would_refuse_is_a_mistake(identifier: str) -> None:
    with pytest.raises(AssertionError):
        inline_keyboard([Button(id=identifier, title="Oui", payload="/affirmer")])


def test_phone_keyboard() -> None:
    keyboard = phone_keyboard("Envoyer mon numéro", buttons(["Non merci", "x" * 300]))
    assert keyboard.to_dict() == {
        "keyboard": [
            [{"text": "Envoyer mon numéro", "request_contact": True}],
            [{"text": "Non merci"}],
            [{"text": "x" * 300}],
        ],
        "one_time_keyboard": True,
        "resize_keyboard": True,
    }


def test_phone_keyboard_without_buttons() -> None:
    keyboard = phone_keyboard("Envoyer mon numéro", [])
    assert [[key.text for key in row] for row in keyboard.keyboard] == [["Envoyer mon numéro"]]
