"""Who somebody is, as people write it on one line: function, first name, last name."""

import re
from collections.abc import Iterable, Mapping

from candidature.places import words
from candidature.reading import MOST_CHARACTERS, Problem, Read

_CIVILITY = re.compile(
    r"^(?:m\.?|mr\.?|mme\.?|mlle\.?|dr\.?|monsieur|madame|mademoiselle|moi|c['’]est|je suis"
    r"|je m['’]appelle|il s['’]agit de)\s+",
    re.IGNORECASE,
)
_INTRODUCED = re.compile(r"^(?:mon |son |le )?(?:pré)?nom,? (?:c['’]est|est) ", re.IGNORECASE)
_SEGMENTS = re.compile(r"\s*(?:[,;\n/|()]|\s[-–—]\s|:\s|\.\s|\.$)\s*")
# Capitals tell a name here, so their case counts.
_CALLED = re.compile(
    r"\b(?:M\.|Mr\.?|Mme\.?|mme|Mlle|Monsieur|Madame|monsieur|madame)\s+"
    r"((?:(?:(?:de|du|des|la|le|van|den|der|von)\s+|d['’])*[A-ZÀ-Ý][\w'’-]*\s*)+)"
)
_NO_NAME = frozenset(
    words("je j ne n pas oui non modifier changer corriger veux voudrais donner trompé trompée")
    + words("erreur c est quoi que qui pourquoi comment mon ma mes suis être avoir faut peux")
    + words("pouvez vous votre contactez joindre personne encore idée aucune aucun")
)
_JOINS = frozenset(" '’.-")
_OF = frozenset(words("de du des d à au aux en chargé chargée délégué déléguée"))
MOST_WORDS = 12
"""In a function."""
MOST_NAMES = 6
"""Words of a first name, or of a last name."""
_FILLERS = frozenset(
    words("est c est s appelle nom prénom fonction mail email courriel adresse téléphone tel")
    + words("contact et joignable au par numéro portable qui")
)


def name(text: str, most: int) -> Read[str]:
    """Read a name of a person: letters, with what joins them."""
    stripped = _without_civility(text.strip().rstrip("."))
    stripped = re.sub(
        r"^(?:mon |son |le )?(?:pré)?nom,? (?:c['’]est|est) ", "", stripped, flags=re.I
    )
    if is_sentence(stripped) or len(words(stripped)) > MOST_NAMES:
        return Read(problem=Problem.ABSURD)
    if len(stripped) > most:
        return Read(problem=Problem.TOO_LONG)
    return Read(stripped) if _is_name(stripped) else Read(problem=Problem.ABSURD)


def person(text: str, functions: Iterable[str]) -> Mapping[str, str]:
    """Return the function, the first name and the last name that `text` tells, as far as it does.

    Addresses and telephone numbers must have been taken out of it. A last name
    is what is written in capitals or, failing that, all that follows the first
    word; one word alone is no full name.

    >>> person("Maire, Mme Camille DURAND", ["maire"])
    {'function': 'Maire', 'first_name': 'Camille', 'last_name': 'DURAND'}
    """
    known = sorted((tuple(words(one)) for one in functions), key=len, reverse=True)
    found: dict[str, str] = {}
    if called := _CALLED.search(text[:MOST_CHARACTERS]):
        if full := _full_name(called[1]):
            found["first_name"], found["last_name"] = full
        else:
            found["last_name"] = called[1].strip()
        text = text[:MOST_CHARACTERS].replace(called[0], ",")
    for segment in filter(None, _SEGMENTS.split(text[:MOST_CHARACTERS])):
        told, rest = _function(_without_civility(segment), known)
        if told and "function" not in found:
            found["function"] = told
        for part in rest if told else [segment]:
            full = _full_name(part)
            if full and "last_name" not in found:
                found["first_name"], found["last_name"] = full
    return {kind: found[kind] for kind in ("function", "first_name", "last_name") if kind in found}


def is_sentence(text: str) -> bool:
    """Tell whether a text is something said or an address, rather than a name or a function."""
    return (
        bool(_NO_NAME.intersection(words(text)) or re.search(r"[@?]|\d[\d .]{6,}", text))
        or len(words(text)) > MOST_WORDS
    )


def _is_name(text: str) -> bool:
    """Tell whether a text has letters, and what joins them in names, and nothing else."""
    letters = (character.isalpha() or character in _JOINS for character in text)
    return text[:1].isalpha() and all(letters)


def _function(segment: str, known: list[tuple[str, ...]]) -> tuple[str | None, list[str]]:
    """Return the function that a segment tells, and what is left on either side of it."""
    tokens = segment.split()
    plain = [tuple(words(token)) for token in tokens]
    for phrase in known:
        for start in range(len(tokens)):
            end = start
            said: list[str] = []
            while end < len(tokens) and len(said) < len(phrase):
                said += plain[end]
                end += 1
            if tuple(said) != phrase:
                continue
            # « Maire de Saint-Flovier », « adjointe aux finances »: what it is of belongs to it.
            if end < len(tokens) and _OF.intersection(plain[end][:1]):
                end = len(tokens)
            return " ".join(tokens[start:end]), [
                " ".join(tokens[:start]),
                " ".join(tokens[end:]),
            ]
    return None, []


def _full_name(text: str) -> tuple[str, str] | None:
    text = _without_civility(text)
    if is_sentence(text):
        return None
    tokens = [
        token for token in text.split() if not set(words(token)) <= _FILLERS and _is_name(token)
    ]
    if len(tokens) < 2 or len(tokens) > 5:
        return None
    capitals = [token for token in tokens if token.isupper() and len(token) > 1]
    others = [token for token in tokens if token not in capitals]
    if capitals and others:
        return " ".join(others), " ".join(capitals)
    return tokens[0], " ".join(tokens[1:])


def _without_civility(text: str) -> str:
    text = text.strip()
    while (shorter := _CIVILITY.sub("", text)) != text:
        text = shorter
    return text
