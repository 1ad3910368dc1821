"""The parts of a message: its sentences, and the questions that one sentence joins with « et »."""

import re
from typing import List, NamedTuple, Text

from nlu.components.text import fold

MAX_PARTS = 12
"""Parts looked at, so that a very long message costs no more than a long one."""
_BEGINNING = 60
"""Characters in which the beginning of a question is looked for."""

_SENTENCE_END = re.compile(r"[.!?…]+(?=\s|$)|[;\n]+|(?<=\s)[-•–—*]+(?=\s)|(?<!\w)\d{1,2}[).](?=\s)")

# What a question begins with, in folded text.
_QUESTION_WORDS = (
    r"(?:(?:a|de|pour|par|avec|chez|sous|vers|jusqu(?: a)?|depuis|en|dans|sur|d) )?"
    r"(?:qui|quoi|koi|qu est ce|quest ce|kesk\w*|qu|que|quel(?:le)?s?|kel(?:le)?s?|combien|kombien|"
    r"comment|coment|koman|quand|kan|ou|pourquoi|pkoi|pourkoi|lequel|laquelle|lesquels|lesquelles)"
    r"|est ce|c est quoi|c quoi|c koi|cest quoi|cest koi"
    r"|(?:peut|doit|faut|puis|pouvons|devons|peuvent|doivent|pourrait|pourrions|devrait|faudrait|"
    r"ai|avons|ont|y a|est|sont|sommes|suis|existe|reste)(?: t)? "
    r"(?:on|il|elle|ils|elles|je|nous|vous|ce|y)"
    r"|a(?: t)? (?:on|il|elle)"
    r"|peut on|dois je|puis je|ai je|a t on|y a til|ya til|ya t il|y a t il|il faut quoi|on peut"
    r"|si "
)
_BEGINS = re.compile(
    rf"(?:et |ou |mais |alors |puis |aussi |sinon |enfin )*(?:{_QUESTION_WORDS})\b"
)
_JOIN = re.compile(
    r"(?:,\s*)?(?<!\w)(?:et\s+aussi|et\s+puis|et\s+sinon|et|puis|ainsi\s+que|mais\s+aussi)(?!\w)\s+"
    r"|,\s*",
    re.IGNORECASE,
)
_ASKS = re.compile(
    rf"\b(?:{_QUESTION_WORDS})\b|\b(?:savoir|connaitre|demande|demandons|question|renseign\w+|"
    r"preciser|expliquer|indiquer|informations?|infos?|dites|dis moi|confirm\w+|"
    r"voudr\w+|souhait\w+|aimer\w+|cherch\w+|besoin|envisag\w+|projet\w*|veut|veux|voulons)\b"
)


# What may join two things asked by one verb, or by none: « le montant et les dates ».
_AND = re.compile(
    r"(?:\s*,)?\s+(?:et|puis|ainsi\s+que|mais\s+aussi|plus)\s+|\s*[+&/]\s*", re.IGNORECASE
)
_LISTED = re.compile(rf"{_AND.pattern}|\s*,\s+", re.IGNORECASE)
_ITEM = 5
"""Words that an item of a bare list has at most."""
MAX_PIECES = 3
"""Things asked by one sentence without as many verbs; a longer list is a sentence's own."""


class Part(NamedTuple):
    """A piece of a text, from `start` to `end`; `asks` if it may ask something."""

    start: int
    end: int
    asks: bool


def split(text: Text) -> List[Part]:
    """Return the parts of a text that has several, or nothing."""
    parts: List[Part] = []
    begin = 0
    for mark in [*_SENTENCE_END.finditer(text), None]:
        end = mark.end() if mark else len(text)
        parts += _joined(text, begin, end)
        begin = end
    parts = [part for part in parts if _words(text, part)][:MAX_PARTS]
    return parts if len(parts) > 1 else []


def pieces(text: Text, start: int, end: int) -> List[Part]:
    """Return the two or three things that a part may join without a question word, or nothing.

    Only understanding tells whether they are things asked: « ordinateurs et
    tablettes » is one.
    """
    asking = bool(_ASKS.search(fold(text[start:end]).text))
    found, begin = [], start
    for join in [*(_AND if asking else _LISTED).finditer(text, start, end), None]:
        stop = join.start() if join else end
        found.append(Part(begin, stop, _asks(text, begin, stop)))
        begin = join.end() if join else end
    found = [piece for piece in found if _words(text, piece)]
    # A comma lists things where there is no verb; elsewhere it does all sorts of things.
    longest = max((len(text[piece.start : piece.end].split()) for piece in found), default=0)
    listed = asking or longest <= _ITEM
    return found if listed and 1 < len(found) <= MAX_PIECES else []


def _joined(text: Text, start: int, end: int) -> List[Part]:
    """Split a sentence where « et » or a comma is followed by what begins a question."""
    parts = []
    for join in _JOIN.finditer(text, start, end):
        # Its first words tell a question: reading on to the end at each join would cost the square.
        after = fold(text[join.end() : min(end, join.end() + _BEGINNING)]).text
        if not (len(after.split()) > 1 and _BEGINS.match(after)):
            continue
        if len(fold(text[start : join.start()]).text.split()) > 1:
            parts.append(Part(start, join.start(), _asks(text, start, join.start())))
            start = join.end()
    parts.append(Part(start, end, _asks(text, start, end)))
    return parts


def _words(text: Text, part: Part) -> List[Text]:
    return re.findall(r"[^\W\d]{2,}", text[part.start : part.end])


def _asks(text: Text, start: int, end: int) -> bool:
    piece = text[start:end]
    return "?" in piece or bool(_ASKS.search(fold(piece).text))
