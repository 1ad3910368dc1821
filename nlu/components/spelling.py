"""Spelling, brought to words that the examples use: only what is no French word is touched.

A word that nobody writes so is replaced by the likeliest word of ours: one that
sounds the same, or else is one slip of the finger away. Works on folded text
(`nlu.components.text`), word by word.
"""

import re
from typing import Collection, Dict, List, Mapping, Optional, Text, Tuple

from rapidfuzz.distance import OSA

from nlu.components.text import Folded

_ELISIONS = ("qu", "l", "d", "j", "c", "n", "m", "s", "t")
_VOWELS = tuple("aeiouyh")
_SHORTEST = 4
"""Letters from which a word is corrected: shorter ones have too many neighbours."""
_LONG = 8
"""Letters from which two slips are forgiven."""
_LETTERS_THEN_DIGITS = re.compile(r"([a-z]{3,})(\d+[abc]?)")

# The sounds of French, roughly: each rule in its turn, on a word in plain small letters.
_SOUNDS = [
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"^h", ""),
        (r"ph", "f"),
        (r"qu|ck|q(?!u)", "k"),
        (r"sch|ch", "#"),
        (r"[cs]h", "#"),
        (r"(?<=[^s])ti(?=on|el|eu|al)|[sc]{1,2}i(?=on|el|eu|al)", "si"),
        (r"sc(?=[eiy])|c(?=[eiy])", "s"),
        (r"c", "k"),
        (r"gu(?=[eiy])", "g!"),
        (r"g(?=[eiy])", "j"),
        (r"!", ""),
        (r"h", ""),
        (r"(.)\1+", r"\1"),
        (r"eau|au", "o"),
        (r"oeu|oe|eu", "e"),
        (r"(?<=[aeo])in(?=[^aeiouy]|$)|[aei]im(?=[^aeiouy]|$)", "1"),
        (r"[iyu][nm](?=[^aeiouynm]|$)", "1"),
        (r"[ae][nm](?=[^aeiouynm]|$)", "2"),
        (r"o[nm](?=[^aeiouynm]|$)", "3"),
        (r"[ae]i|ez$|er$|et$", "e"),
        (r"y", "i"),
        (r"(?<=[aeiou])z|z", "s"),
        (r"w", "v"),
        (r"(?<=..)(?:e?[sxtdp]|e|es|ts)+$", ""),
    )
]


def sound(word: Text) -> Text:
    """Return a key that is the same for words that sound the same, or nearly."""
    for pattern, key in _SOUNDS:
        word = pattern.sub(key, word)
    return word


class Spelling:
    """Corrects words towards `counts`: our words, with how often the examples have them."""

    def __init__(self, counts: Mapping[Text, int], french: Collection[Text]) -> None:
        """`french` are the words to leave alone, besides ours."""
        self._counts = counts
        self._known = frozenset(french) | frozenset(counts)
        self._sounds: Dict[Text, List[Text]] = {}
        self._lengths: Dict[int, List[Text]] = {}
        for word in sorted(counts, key=lambda word: (-counts[word], word)):
            if len(word) >= _SHORTEST and word.isalpha():
                self._sounds.setdefault(sound(word), []).append(word)
                self._lengths.setdefault(len(word), []).append(word)

    def correct(self, folded: Folded) -> Folded:
        """Return the text with its unknown words corrected, where that is safe."""
        characters: List[Text] = []
        offsets: List[int] = []
        position = 0
        for word in folded.text.split(" "):
            better = self.corrected(word)
            places = folded.offsets[position : position + len(word)]
            if characters:
                characters.append(" ")
                offsets.append(folded.offsets[position - 1])
            characters.extend(better)
            # A longer word's last letters all stand where the old one ended.
            offsets.extend(places[min(i, len(places) - 1)] for i in range(len(better)))
            position += len(word) + 1
        return Folded("".join(characters), offsets)

    def corrected(self, word: Text) -> Text:
        """Return the word or words that `word` stands for."""
        if word in self._known or len(word) < 3:
            return word
        glued = _LETTERS_THEN_DIGITS.fullmatch(word)
        if glued:
            return f"{self.corrected(glued[1])} {glued[2]}"
        if not word.isalpha():
            return word
        for elided in _ELISIONS:
            rest = word[len(elided) :]
            if word.startswith(elided) and rest[:1] in _VOWELS and rest in self._known:
                return f"{elided} {rest}"
        if len(word) < _SHORTEST:
            return word
        return self._nearest(word) or self._elided(word) or word

    def _nearest(self, word: Text) -> Optional[Text]:
        """Return the nearest word that sounds the same, or else that is a slip or two away."""
        slips = 2 if len(word) >= _LONG else 1
        alike = self._sounds.get(sound(word), [])
        near = [
            candidate
            for length in range(len(word) - slips, len(word) + slips + 1)
            for candidate in self._lengths.get(length, ())
            if OSA.distance(word, candidate, score_cutoff=slips) <= slips
        ]
        return min(alike or near, key=lambda other: self._cost(word, other), default=None)

    def _cost(self, word: Text, other: Text) -> Tuple[int, int]:
        return OSA.distance(word, other), -self._counts[other]

    def _elided(self, word: Text) -> Optional[Text]:
        """Correct what follows an elision that lost its apostrophe: « lhabilitassion »."""
        for elided in _ELISIONS:
            rest = word[len(elided) :]
            if word.startswith(elided) and rest[:1] in _VOWELS and len(rest) > _SHORTEST:
                better = self._nearest(rest)
                if better:
                    return f"{elided} {better}"
        return None
