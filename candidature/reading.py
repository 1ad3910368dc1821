"""What people write, read as a number, a day or one of several choices.

A reader returns what it read, or says what is the matter with it, so that the
conversation can tell in one sentence what would do.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

import dateparser
from rapidfuzz import fuzz
from text_to_num import alpha2digit

from candidature.places import words

MOST_INHABITANTS = 70_000_000
"""More than France has is a slip of the finger."""
FIRST_YEAR, LAST_YEAR = 1990, 2050
ALIKE = 88
"""How alike (0 to 100) a misspelt word of at least `LONG` letters and a real one are."""
LONG = 5
MOST_CHARACTERS = 500
"""What is longer is no answer to a closed question; reading it would take time."""


class Problem(StrEnum):
    """Why nothing could be read."""

    NOTHING = "nothing"
    """Nothing of the kind is there."""
    SEVERAL = "several"
    """More than one is there."""
    NEGATIVE = "negative"
    ABSURD = "absurd"
    """It cannot be: too large a number, too far a year, a day that does not exist."""
    NO_YEAR = "no_year"
    """A day or a month, of no known year."""
    LENGTH = "length"
    """A number of too many or too few digits."""
    KEY = "key"
    """A number whose key, the digit that guards against slips, is wrong."""
    OTHER_BODY = "other_body"
    """The number of another body than the one that applies."""


Value = TypeVar("Value")


@dataclass(frozen=True)
class Read(Generic[Value]):
    """What was read: a value, or a problem."""

    value: Value | None = None
    problem: Problem | None = None


_UNKNOWN = re.compile(
    r"\b(?:sais?|savons|sait) (?:pas|rien|plus)\b"
    r"|\b(?:aucune|pas d) idee\b"
    r"|\bpas (?:encore )?(?:decide|sur|certain)"
    r"|^(?:je passe|jsp|chais pas|inconnu|a voir|a confirmer)$"
)


def unknown(text: str) -> bool:
    """Tell whether a person says not to know."""
    return bool(_UNKNOWN.search(" ".join(words(text[:MOST_CHARACTERS])))) or text.strip() == "?"


_NUMBER = re.compile(
    r"(?P<minus>(?<![\w-])[-−]\s?)?(?<![\w.,])"
    r"(?P<digits>\d{1,3}(?:[ .'’\u00a0\u202f]\d{3})+(?!\d)|\d+)"
    r"(?P<decimals>[.,]\d{1,2}(?!\d))?\s?(?P<scale>k(?![a-z])|mille|millions?|m(?![a-zè²]))?",
    re.IGNORECASE,
)
_SCALES = {"k": 1_000, "mille": 1_000, "m": 1_000_000}


def number(text: str, most: int = MOST_INHABITANTS) -> Read[int]:
    """Read one whole number, at most `most`: « environ mille deux cents », « 850h », « 1,2 k ».

    >>> number("un peu plus de 1 200 hab.").value
    1200
    """
    found = []
    for match in _NUMBER.finditer(_in_digits(text[:MOST_CHARACTERS])):
        digits = re.sub(r"\D", "", match["digits"])
        whole = float(digits + (match["decimals"] or "").replace(",", "."))
        scale = (match["scale"] or "").lower()
        value = whole * _SCALES.get(scale, 1_000_000 if scale else 1)
        found.append(-round(value) if match["minus"] else round(value))
    if len(set(found)) != 1:
        return Read(problem=Problem.SEVERAL if found else Problem.NOTHING)
    if found[0] < 0:
        return Read(problem=Problem.NEGATIVE)
    if found[0] > most:
        return Read(problem=Problem.ABSURD)
    return Read(found[0])


def _in_digits(text: str) -> str:
    """Return a text whose numbers in words are in digits; « 10 millions » are left alone."""
    if re.search(r"\d\s?(?:mille|million)", text, re.IGNORECASE):
        return text
    spaced = re.sub(r"(?<=\d)(?=[^\W\d_]{2})", " ", text.lower())
    return str(alpha2digit(spaced, "fr"))


_MONTHS = words(
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"
)
# The last month of what people call a part of a year.
_PERIODS = {
    r"(?:1er|premier|1) trimestre": 3,
    r"(?:2e|2eme|deuxieme|second|2) trimestre": 6,
    r"(?:3e|3eme|troisieme|3) trimestre": 9,
    r"(?:4e|4eme|quatrieme|dernier|4) trimestre": 12,
    r"(?:1er|premier|1) semestre": 6,
    r"(?:2e|2eme|deuxieme|second|2) semestre": 12,
    r"debut|hiver": 3,
    r"mi|milieu|printemps|moitie": 6,
    r"ete|rentree": 9,
    r"automne|fin|noel|avant la fin|courant|d ici la fin": 12,
}


def day(text: str) -> Read[dt.date]:
    """Read a day; of a month, a season or a year, the last one.

    >>> day("fin juin 2022").value, day("à l'automne 2021").value
    (datetime.date(2022, 6, 30), datetime.date(2021, 12, 31))
    """
    text = text[:MOST_CHARACTERS]
    explicit = re.search(r"\b(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d\d)\b", text)
    iso = re.search(r"\b(\d{4})-(\d\d)-(\d\d)\b", text)
    if explicit or iso:
        first, month, last = map(int, (iso or explicit).groups())  # type: ignore[union-attr]
        return _checked(last, month, first) if iso else _checked(first, month, last)
    # « sept » is a month before it is a number.
    as_written, said = " ".join(words(text)), " ".join(words(_in_digits(text)))
    months = [place for place, name in enumerate(_MONTHS, 1) if _has_month(as_written, name)]
    years = {int(one) for one in re.findall(r"\b(?:19|20)\d\d\b", said)}
    if months and not years:
        years = {2000 + int(one) for one in re.findall(r"[a-z] (2\d)$", said)}
    if len(years) > 1 or len(months) > 1:
        return Read(problem=Problem.SEVERAL)
    if not years:
        return Read(problem=Problem.NO_YEAR) if months else _parsed(text)
    (year,) = years
    if months:
        of_month = re.search(r"\b([0-3]?\d)(?:er)? [a-z]", said)
        return _checked(int(of_month[1]), months[0], year) if of_month else _end_of(year, months[0])
    periods = (last for name, last in _PERIODS.items() if re.search(rf"\b(?:{name})\b", said))
    return _end_of(year, next(periods, 12))


def _has_month(said: str, name: str) -> bool:
    short = name[:4] if len(name) > 4 else name  # janv, févr, avri, juil, sept…
    return bool(re.search(rf"\b(?:{name}|{short})\b", said))


def _parsed(text: str) -> Read[dt.date]:
    """Read what a library knows; without a year of its own it means none."""
    settings = {"REQUIRE_PARTS": ["day", "month", "year"], "DATE_ORDER": "DMY"}
    found = dateparser.parse(text[:60], languages=["fr"], settings=settings)
    if found is None:
        return Read(problem=Problem.NOTHING)
    return _checked(found.day, found.month, found.year)


def _checked(of_month: int, month: int, year: int) -> Read[dt.date]:
    year += 2000 if year < 100 else 0
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return Read(problem=Problem.ABSURD)
    try:
        return Read(dt.date(year, month, of_month))
    except ValueError:
        return Read(problem=Problem.ABSURD)


def _end_of(year: int, month: int) -> Read[dt.date]:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return Read(problem=Problem.ABSURD)
    following = dt.date(year + month // 12, month % 12 + 1, 1)
    return Read(following - dt.timedelta(days=1))


def choice(text: str, said: Mapping[str, Iterable[str]]) -> Read[str]:
    """Read which choice is meant: the one with the longest of its phrases in the text.

    `said` gives, for each choice, what people say for it.
    """
    heard = words(text[:MOST_CHARACTERS])
    lengths: dict[str, int] = {}
    for name, phrases in said.items():
        found = [len(phrase) for one in phrases if _stands_in(phrase := words(one), heard)]
        lengths[name] = max(found, default=0)
    longest = max(lengths.values(), default=0)
    meant = [name for name, length in lengths.items() if length == longest]
    if not longest:
        return Read(problem=Problem.NOTHING)
    return Read(meant[0]) if len(meant) == 1 else Read(problem=Problem.SEVERAL)


def _stands_in(phrase: list[str], heard: list[str]) -> bool:
    size = len(phrase)
    return any(
        all(_same(one, other) for one, other in zip(phrase, heard[start:], strict=False))
        for start in range(len(heard) - size + 1)
    )


def _same(word: str, heard: str) -> bool:
    if min(len(word), len(heard)) < LONG:
        return word == heard
    return word == heard.removesuffix("s") or fuzz.ratio(word, heard) >= ALIKE
