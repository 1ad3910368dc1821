"""The same questions, badly typed: one noisy twin a kind of noise, always the same one."""

import random
import re
import unicodedata
from collections.abc import Callable, Mapping

SEED = 20210216
"""Of what is drawn at random; a twin depends on it, on the kind and on the text alone."""
SHORTEST = 4
"""Letters of the shortest word in which two are swapped."""

_APOSTROPHES = re.compile("['’]")
_WORD = re.compile(rf"[^\W\d_]{{{SHORTEST},}}")

# In this order, on small letters with straight apostrophes.
_SMS = [
    (re.compile(pattern), short)
    for pattern, short in (
        (r"\bqu'est[- ]ce qu(?:e\b|')\s?", "kesk "),
        (r"\best[- ]ce qu(?:e\b|')\s?", "esk "),
        (r"\bc'est\b", "c"),
        (r"\bs'il (?:vous|te) pla[iî]t\b", "svp"),
        (r"\bj'ai\b", "g"),
        (r"\best\b", "é"),
        (r"\bvous\b", "vs"),
        (r"\bnous\b", "ns"),
        (r"\bpour\b", "pr"),
        (r"\bdans\b", "ds"),
        (r"\bavec\b", "ac"),
        (r"\btout\b", "tt"),
        (r"\btous\b", "ts"),
        (r"\bbeaucoup\b", "bcp"),
        (r"\bcombien\b", "cb"),
        (r"\bquelqu'un\b", "qq1"),
        (r"\bquelque(s?)\b", r"qq\1"),
        (r"\bbonjour\b", "bjr"),
        (r"\bquand\b", "qd"),
        (r"\btoujours\b", "tjs"),
        (r"\bparce que\b", "pcq"),
        (r"\bpeut[- ]être\b", "ptet"),
        (r"\bmême\b", "mm"),
        (r"\bqu", "k"),
    )
]


def drop_accents(text: str, _draw: random.Random) -> str:
    """Return `text` without its accents and cedillas."""
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def swap_letters(text: str, draw: random.Random) -> str:
    """Return `text` with one letter swapped with its neighbour, in a word of four or more."""
    places = [
        place
        for word in _WORD.finditer(text)
        for place in range(word.start(), word.end() - 1)
        if text[place].lower() != text[place + 1].lower()
    ]
    if not places:
        return text
    at = draw.choice(places)
    return f"{text[:at]}{text[at + 1]}{text[at]}{text[at + 2 :]}"


def drop_apostrophes(text: str, _draw: random.Random) -> str:
    """Return `text` without its apostrophes: « laxe », « quest »."""
    return _APOSTROPHES.sub("", text)


def shout(text: str, _draw: random.Random) -> str:
    """Return `text` in capitals."""
    return text.upper()


def shorten(text: str, _draw: random.Random) -> str:
    """Return `text` as in a short message: small letters, shortened words, no signs."""
    text = _APOSTROPHES.sub("'", text.lower())
    for pattern, short in _SMS:
        text = pattern.sub(short, text)
    return " ".join(re.sub(r"[^\w\s]", " ", text).split())


KINDS: Mapping[str, Callable[[str, random.Random], str]] = {
    "sans accents": drop_accents,
    "deux lettres échangées": swap_letters,
    "sans apostrophes": drop_apostrophes,
    "en capitales": shout,
    "style SMS": shorten,
}
"""The kinds of noise, by their name for people."""


def twin(text: str, kind: str) -> str:
    """Return the noisy twin of `text`; `text` itself where that noise changes nothing in it."""
    return KINDS[kind](text, random.Random(f"{SEED} {kind} {text}"))
