"""What people write to conduct the exchange: « retour », « je voudrais reprendre mon dossier »."""

import re
from collections.abc import Collection, Iterable, Mapping

from rapidfuzz import fuzz

from candidature.places import words
from candidature.reading import ALIKE, LONG

MOST_WORDS = 12
"""A command is short; what is longer says something else."""


LONGEST_CHANGE = 120
"""Characters of a message that says what to change."""
_CHANGES = re.compile(
    r"^\W*(?:je (?:veux|voudrais|souhaite) |j['’]aimerais |il faut |on doit )?"
    r"(?:modifier|changer|corriger|rectifier|remplacer)\s+(.+?)"
    r"(?:\s+(?:en|par)\s+|\s*:\s*)?(«.+»|\".+\")?\W*$",
    re.IGNORECASE,
)
_ARTICLES = frozenset(words("le la les l mon ma mes notre nos votre vos un une du de d des en et"))
_GENERAL = _ARTICLES | frozenset(words("date jour projet numéro"))
_STOPS = re.compile(
    r"^\W*(?:(?:j['’]ai|je n['’]ai) pas le temps"
    r"(?=\W*$|\W+(?:l[àa]|maintenant|aujourd['’]hui|tout de suite|je reviens)\b)"
    r"|(?:stop|pause)(?=\W*$|\W+(?:je|on|merci)\b)|je (?:fais|fait) une pause"
    r"|je reviens?\b|je reviendrai|je continuerai"
    r"|je finirai|je reprendrai|je m['’]arr[eê]te|on s['’]arr[eê]te|laisse[zr]? tomber"
    r"|je dois (?:y aller|partir))\b",
    re.IGNORECASE,
)


class Commands:
    """Finds which command a message is, if it is one and nothing else."""

    def __init__(self, said: Mapping[str, Iterable[str]], polite: Iterable[str]) -> None:
        self._polite = {word for phrase in polite for word in words(phrase)}
        self._said = {
            self._bare(phrase): name for name, phrases in said.items() for phrase in phrases
        }

    def find(self, text: str, among: Collection[str] | None = None) -> str | None:
        """Return the command that the whole of `text` says, one of `among` if it is given."""
        if len(text) > 200 or len(words(text)) > MOST_WORDS:
            return None
        bare = self._bare(text)
        found = self._said.get(bare)
        if found is None:
            close = [name for said, name in self._said.items() if self._close(said, bare)]
            found = close[0] if close else None
        return found if among is None or found in among else None

    def _bare(self, text: str) -> str:
        """Return the words that matter; all of them if none would be left."""
        said = words(text)
        return " ".join([word for word in said if word not in self._polite] or said)

    @staticmethod
    def _close(said: str, bare: str) -> bool:
        """Tell whether two phrases are word by word the same, but for slips in long words."""
        ours, theirs = said.split(), bare.split()
        return len(ours) == len(theirs) and all(
            one == other or (min(len(one), len(other)) >= LONG and fuzz.ratio(one, other) >= ALIKE)
            for one, other in zip(ours, theirs, strict=True)
        )


def stops(text: str) -> bool:
    """Tell whether a short message says that one goes on another time."""
    return len(words(text)) <= MOST_WORDS and bool(_STOPS.match(text))


def named_change(text: str, names: Mapping[str, Iterable[str]]) -> tuple[str, str] | None:
    """Return which of these « changer le titre » names, and the new value if it is given.

    `names` are, for each, its label and what else it is called. One of which the
    words are all there is better than one that has them among others; `None` if
    it names none of them, or several as well.
    """
    named = _CHANGES.match(text) if len(text) <= LONGEST_CHANGE else None
    if named is None:
        return None
    for leaving_out in (_ARTICLES, _GENERAL):
        said = set(words(named[1])) - leaving_out
        told = [
            (name, set(words(one)) - leaving_out) for name, ones in names.items() for one in ones
        ]
        fitting = dict.fromkeys(name for name, one in told if one == said)
        if said and len(fitting) == 1:
            break
    else:
        fitting = dict.fromkeys(name for name, one in told if said <= one)
    if not said or len(fitting) != 1:
        return None
    return next(iter(fitting)), (named[2] or "").strip('«»" \u00a0')
