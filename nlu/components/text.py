"""French text as people type it, brought to one form: case, accents and signs folded."""

import re
import unicodedata
from typing import Dict, List, NamedTuple, Pattern, Text

_LIGATURES = {"œ": "oe", "æ": "ae", "ß": "ss", "€": " euro ", "%": " pourcent ", "&": " et "}


class Folded(NamedTuple):
    """A folded text, and for each of its characters its place in the text it comes from."""

    text: Text
    offsets: List[int]


def fold(text: Text) -> Folded:
    """Return `text` in small letters, without accents; signs become single spaces.

    Question marks stay (they tell a question from a need), apart from the word
    before.
    """
    characters: List[Text] = []
    offsets: List[int] = []
    for offset, original in enumerate(text):
        for character in _fold_character(original):
            if character == " " and (not characters or characters[-1] == " "):
                continue
            if character == "?" and characters and characters[-1] not in " ?":
                characters.append(" ")
                offsets.append(offset)
            characters.append(character)
            offsets.append(offset)
    while characters and characters[-1] == " ":
        characters.pop()
        offsets.pop()
    return Folded("".join(characters), offsets)


def _fold_character(character: Text) -> Text:
    lower = character.lower()
    if lower in _LIGATURES:
        return _LIGATURES[lower]
    # Some signs are made of capitals: « ℡ », « № », « 𝐀 ».
    parts = unicodedata.normalize("NFKD", lower).lower()
    plain = "".join(c for c in parts if not unicodedata.combining(c))
    return "".join(c if c.isalnum() or c == "?" else " " for c in plain)


RELATIVE_MARK = "~"
"""Before what a name means, in `nlu/subjects.yml`: only where its family is spoken of already."""


class Mention(NamedTuple):
    """A name of something, found in a text: whose name, and from where to where."""

    value: Text
    start: int
    end: int


class Vocabulary:
    """Names and what they mean, found in texts whatever their case, accents and plurals."""

    def __init__(self, names: Dict[Text, Text]) -> None:
        """`names` gives for each name what it means."""
        folded = {fold(name).text: value for name, value in names.items()}
        self.names = {name: value for name, value in folded.items() if name}
        by_first_word: Dict[Text, List[Text]] = {}
        for name in sorted(self.names, key=len, reverse=True):
            first = name.split()[0]
            for form in (first, f"{first}s"):
                by_first_word.setdefault(form, []).append(name)
        # One small pattern for each first word: a text has few of them.
        self._names_at = by_first_word
        self._patterns = {word: self._pattern(names) for word, names in by_first_word.items()}

    @staticmethod
    def _pattern(names: List[Text]) -> Pattern[Text]:
        forms = (r"s? ".join(map(re.escape, name.split())) for name in names)
        return re.compile(rf"(?:{'|'.join(f'({form})' for form in forms)})s?(?!\S)")

    def find(self, folded: Text) -> List[Mention]:
        """Return the names found in a folded text, longest first at each place, no overlap."""
        mentions: List[Mention] = []
        end = 0
        for word in re.finditer(r"\S+", folded):
            pattern = self._patterns.get(word.group())
            if pattern is None or word.start() < end:
                continue
            match = pattern.match(folded, word.start())
            if match:
                end = match.end()
                name = self._names_at[word.group()][(match.lastindex or 1) - 1]
                mentions.append(Mention(self.names[name], match.start(), end))
        return mentions
