"""How an outbound message is shown in Telegram: its text in parts, its buttons as keys."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from html import escape

from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    ReplyKeyboardMarkup,
)

from storage.models import Button

LONGEST = 3900
"""Longest visible text of one message, in UTF-16 code units, which is what Telegram counts.

Telegram takes 4096: what is left is for the mark of a tapped button.
"""

LONGEST_CHOICE = 100
"""Longest title repeated in a mark, in UTF-16 code units."""

LONGEST_TITLE = 200
"""Longest title of a key, in UTF-16 code units; Telegram cuts what its screen cannot show."""

LONGEST_IN_A_ROW = {2: 16, 3: 8}
"""Longest title, in characters, where two or three keys share a row.

About what a phone 360 pixels wide shows without cutting.
"""

MOST_BUTTONS = 100
"""What Telegram takes under one message."""

_LONGEST_CALLBACK = 64  # bytes, Telegram's too

# French sets these before « ? ! : ; » and inside « »: no line may end there, no part either.
_NO_BREAK = "\u00a0\u2007\u202f"
_BLANK = rf"[^\S{_NO_BREAK}]"

# Where a part may end; each match ends there, and the blank that follows is dropped.
_PARAGRAPH_END = re.compile(r"(?=\n[^\S\n]*\n)")
_LINE_END = re.compile(r"(?=\n)")
# Not after a lone letter or figure (« M. Durand », « 1. Le dossier »), nor before a closing
# guillemet set apart by an ordinary blank.
_SENTENCE_END = re.compile(
    rf"(?:(?<!\b\w)\.|[?!…])(?:[{_NO_BREAK}]?[»”\")])*(?={_BLANK})(?!{_BLANK}+»)"
)
_WORD_END = re.compile(rf"(?={_BLANK})")
_BLANKS = re.compile(r"\s*")

# What holds together the characters on both sides: non-breaking spaces, the zero-width joiner.
_GLUE = frozenset(_NO_BREAK + "\u200d")
_SKIN_TONES = range(0x1F3FB, 0x1F400)


def split(text: str) -> list[str]:
    """Return `text` in parts of at most `LONGEST`, none of them empty.

    A part ends with a paragraph if it can, else with a line, a sentence or a
    word. Only blanks are lost, at the ends of parts.
    """
    text = text.strip()
    parts = []
    start = 0
    while start < len(text):
        end = _part_end(text, start)
        parts.append(text[start:end].rstrip())
        start = _after_blanks(text, end)
    return parts


def html(text: str) -> str:
    """Return `text` escaped for Telegram's HTML parse mode."""
    return escape(text, quote=False)


def marked(text: str, choice: str) -> str:
    """Return the HTML of a message of which the button titled `choice` was tapped."""
    return f"{html(text)}\n\n✓ <b>{html(_shortened(choice, LONGEST_CHOICE))}</b>"


def inline_keyboard(buttons: Sequence[Button]) -> InlineKeyboardMarkup | None:
    """Return the keys shown under a message, short ones sharing a row; None if it has none.

    Keys beyond `MOST_BUTTONS` are left out: with them, Telegram would refuse
    the whole message.
    """
    keys = [_inline_key(button) for button in buttons[:MOST_BUTTONS]]
    if not keys:
        return None
    rows = []
    for size in _row_sizes([key.text for key in keys]):
        rows.append(keys[:size])
        keys = keys[size:]
    return InlineKeyboardMarkup(rows)


def phone_keyboard(share: str, buttons: Sequence[Button]) -> ReplyKeyboardMarkup:
    """Return a keyboard whose first key, titled `share`, sends one's telephone number.

    Titles are whole: tapping a key sends its title, which must be recognised.
    """
    keys = [
        KeyboardButton(share, request_contact=True),
        *(KeyboardButton(button["title"]) for button in buttons),
    ]
    return ReplyKeyboardMarkup(
        [[key] for key in keys], one_time_keyboard=True, resize_keyboard=True
    )


def _part_end(text: str, start: int) -> int:
    highest = start + _reach(text[start : start + LONGEST], LONGEST)
    if highest == len(text):
        return highest
    # A worse place in the second half is better than a short part. In the first
    # half, the end of a sentence is no better than that of a word: it may be an
    # abbreviation's, and what follows is too long for one part anyway.
    middle = (start + highest) // 2
    for pattern, lowest in (
        (_PARAGRAPH_END, middle),
        (_LINE_END, middle),
        (_SENTENCE_END, middle),
        (_WORD_END, middle),
        (_PARAGRAPH_END, start),
        (_LINE_END, start),
        (_WORD_END, start),
    ):
        end = _last(pattern, text, lowest, highest)
        if end is not None:
            return end
    return _hard_end(text, start, highest)


def _last(pattern: re.Pattern[str], text: str, lowest: int, highest: int) -> int | None:
    # Two characters more, to see the empty line that begins right where no more fits.
    ends = (match.end() for match in pattern.finditer(text, lowest, highest + 2))
    return max((end for end in ends if lowest < end <= highest), default=None)


def _hard_end(text: str, start: int, highest: int) -> int:
    """Return where to cut what has no blank: not inside what is seen as one character."""
    for end in range(highest, start, -1):
        if not _is_held(text[end - 1], text[end]):
            return end
    # Thousands of marks on one letter are no writing.
    return highest


def _is_held(before: str, after: str) -> bool:
    return (
        before in _GLUE
        or after in _GLUE
        or unicodedata.category(after).startswith("M")  # an accent, a variation selector
        or ord(after) in _SKIN_TONES
    )


def _after_blanks(text: str, start: int) -> int:
    blanks = _BLANKS.match(text, start)
    assert blanks
    return blanks.end()


def _shortened(text: str, most: int) -> str:
    if _units(text) <= most:
        return text
    end = _hard_end(text, 0, _reach(text[:most], most - 1))
    return text[:end].rstrip() + "…"


def _reach(text: str, most: int) -> int:
    """Return how many characters of `text`, from its first, hold in `most` UTF-16 code units."""
    return bisect_right(range(len(text) + 1), most, key=lambda length: _units(text[:length])) - 1


def _units(text: str) -> int:
    # A lone surrogate is no text, but it is not for a measure to say so.
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _inline_key(button: Button) -> InlineKeyboardButton:
    assert 0 < len(button["id"].encode()) <= _LONGEST_CALLBACK
    return InlineKeyboardButton(
        _shortened(button["title"], LONGEST_TITLE), callback_data=button["id"]
    )


def _row_sizes(titles: Sequence[str]) -> list[int]:
    """Return how many keys go on each row: the fewest rows, as even as they can be."""
    best: list[list[int]] = [[]]  # of no title, the last, the last two…
    for first in reversed(range(len(titles))):
        layouts = [
            [size, *best[-size]]
            for size in (3, 2, 1)
            if size <= len(best) and _share_a_row(titles[first : first + size])
        ]
        best.append(min(layouts, key=lambda sizes: (len(sizes), sum(n * n for n in sizes))))
    return best[-1]


def _share_a_row(titles: Sequence[str]) -> bool:
    return len(titles) == 1 or max(map(len, titles)) <= LONGEST_IN_A_ROW[len(titles)]
