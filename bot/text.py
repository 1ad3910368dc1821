"""Text typed by people: cleaned to be stored and shown, disarmed to be sent to Rasa."""

import re
import unicodedata

MAX_LENGTH = 4000
"""Longest message, in characters once cleaned."""

_LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_BLANKS = re.compile(r"[^\S\n]{2,}")
_BLANK_LINES = re.compile(r"\n{3,}")
_AROUND_LINE_ENDS = re.compile(r"[^\S\n]*\n[^\S\n]*")

# Joiners hold emoji and some scripts together; other format characters
# (zero-width spaces, soft hyphens, overrides of direction) only hide things.
_JOINERS = "\u200c\u200d"

# Letters and signs that draw nothing.
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")

# Rasa tests its own "/" after stripping blanks, and after our components saw
# the text; the look-alikes are what folding to plain text makes a "/" of.
_SLASHES = frozenset("/\u2044\u2215\u29f8\uff0f")

_NOTHING_LEFT = "?"


def clean(text: str) -> str:
    """Return `text` as it is stored and shown; empty if nothing in it can be seen.

    NFC, without control characters but the line feed (a tab becomes a space)
    nor invisible ones, runs of blanks made one, at most one empty line in a
    row. Cleaning twice changes nothing more.
    """
    text = _LINE_ENDS.sub("\n", text).replace("\t", " ")
    text = "".join(c for c in text if c in _JOINERS or c == "\n" or not _is_control(c))
    text = unicodedata.normalize("NFC", text)
    text = _AROUND_LINE_ENDS.sub("\n", text)
    text = _BLANK_LINES.sub("\n\n", _BLANKS.sub(" ", text)).strip()
    return "" if all(map(_is_invisible, text)) else text


def disarm(text: str) -> str:
    """Return `text` as it may be sent to Rasa: never a command, never empty.

    Rasa takes what begins with "/", blanks aside, for an intent of its own
    (`/restart`, `/montant{"subject": …}`, `/ restart@1.0`), whatever the model
    says. Leading slashes go, and what hides them; the words after them stay.
    Applying it twice changes nothing more.
    """
    for index, character in enumerate(text):
        if character not in _SLASHES and not _is_invisible(character):
            return text[index:]
    # Nothing but slashes: something must be said that means nothing.
    return _NOTHING_LEFT


def _is_control(character: str) -> bool:
    # Control, format, surrogate. Not "unassigned": this year's emoji are, to
    # last year's Unicode tables.
    return unicodedata.category(character) in ("Cc", "Cf", "Cs")


def _is_invisible(character: str) -> bool:
    return (
        character.isspace()
        or character in _FILLERS
        or _is_control(character)
        # A combining mark (or a variation selector) with nothing to sit on.
        or unicodedata.category(character) in ("Mn", "Me")
    )
