"""French typography, so that the knowledge files are typed with ordinary characters."""

import re

NBSP = "\u00a0"

_RULES = (
    (re.compile(r"(?<=\w)'(?=\w)"), "’"),
    (re.compile(r" (?=[:;?!»%€])"), NBSP),
    (re.compile(r"(?<=«) "), NBSP),
    (re.compile(r"(?<=\d) (?=\d{3}(?!\d))"), NBSP),
    (
        re.compile(r"(?<=\d) (?=(?:euros?|millions?|M€|k€|ans?|mois|postes?|axes?|habitants)\b)"),
        NBSP,
    ),
)
_ADDRESS = re.compile(r"(\S+(?:://|@)\S+)")


def french(text: str) -> str:
    """Return `text` with French spacing and apostrophes.

    Ordinary spaces before « : ; ? ! » % € », inside guillemets, in numbers and
    between a number and its unit become non-breaking (U+00A0: the one that
    screen readers and old fonts all know); typewriter apostrophes between
    letters are curled. Nothing is inserted, addresses are left alone,
    and applying it twice changes nothing more.
    """
    parts = _ADDRESS.split(text)
    # Every second part is an address: it stays as it is.
    parts[::2] = map(_spaced, parts[::2])
    return "".join(parts)


def _spaced(text: str) -> str:
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
