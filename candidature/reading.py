"""What people write, read as a number, a day or one of several choices.

A reader returns what it read, or says what is the matter with it, so that the
conversation can tell in one sentence what would do.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import islice
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
MOST_CUTS = 8
"""Places at which a text may be cut in two days, at most: each is read."""
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
    OTHER_SORT = "other_sort"
    """A commune where an EPCI is meant, or an EPCI where a commune is."""
    ZERO = "zero"
    NO_DAY = "no_day"
    """A month or a year, where the very day is asked."""
    TAXED = "taxed"
    """A sum with taxes, where it is asked without."""
    TOO_LONG = "too_long"
    TOO_MUCH = "too_much"
    """A sum that exceeds the one that bounds it."""
    TOO_EARLY = "too_early"
    """A day before the one that it follows."""


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
    r"|^(?:je passe|jsp|je c pas|j en sais rien|chais pas|inconnu|a voir|a confirmer)$"
)


def unknown(text: str) -> bool:
    """Tell whether a person says not to know."""
    return bool(_UNKNOWN.search(" ".join(words(text[:MOST_CHARACTERS])))) or text.strip() == "?"


_QUANTITY = re.compile(
    r"(?P<minus>(?<![\w-])[-−]\s?)?(?<![\w.,])"
    r"(?P<whole>\d{1,3}(?:[ .'’\u00a0\u202f]\d{3})+(?!\d)|\d+)(?:[.,](?P<rest>\d{1,2})(?!\d))?"
    r"\s?(?P<scale>k(?![a-z])|keuros?|mille|milliers?|millions?|m(?![a-zè²]))?",
    re.IGNORECASE,
)


def quantity(text: str, most: int | Decimal) -> Read[Decimal]:
    """Read one quantity, at most `most`: « environ mille deux cents », « 12 500,50 € », « 3k »."""
    found = set()
    for match in _QUANTITY.finditer(_in_digits(text[:MOST_CHARACTERS])):
        value = Decimal(re.sub(r"\D", "", match["whole"]) + "." + (match["rest"] or "0"))
        scale = (match["scale"] or "").lower()
        if scale:
            thousands = scale[0] == "k" or scale.startswith(("mille", "millier"))
            value *= 1_000 if thousands else 1_000_000
        found.add(-value if match["minus"] else value)
    if len(found) != 1:
        return Read(problem=Problem.SEVERAL if found else Problem.NOTHING)
    (value,) = found
    if value < 0:
        return Read(problem=Problem.NEGATIVE)
    return Read(value) if value <= most else Read(problem=Problem.ABSURD)


_INHABITANTS = re.compile(r"\s?(?:hab\b|h\b|habitants?\b|âmes\b|administrés\b)", re.IGNORECASE)
_CENSUS = re.compile(r"\b(?:en|de|du|depuis|recensement)\s+(?:19|20)\d\d\b", re.IGNORECASE)


def number(text: str) -> Read[int]:
    """Read a number of inhabitants.

    >>> number("un peu plus de 1 200 hab.").value, number("650 habitants en 2023").value
    (1200, 650)
    """
    read = quantity(text, MOST_INHABITANTS)
    if read.problem is Problem.SEVERAL:
        # The one that is said to be of inhabitants; failing that, the one that is no year.
        told = quantity_of(_INHABITANTS, text, MOST_INHABITANTS)
        read = told or quantity(_CENSUS.sub("", text), MOST_INHABITANTS)
    return Read(problem=read.problem) if read.value is None else Read(round(read.value))


def quantity_of(unit: re.Pattern[str], text: str, most: int | Decimal) -> Read[Decimal] | None:
    """Read the one quantity that stands before its unit, whatever else is counted in the text."""
    parts = unit.split(_in_digits(text[:MOST_CHARACTERS]))[:-1]
    before = [list(_QUANTITY.finditer(part)) for part in parts if re.search(r"\d\s*k?$", part)]
    if len(before) != 1 or not before[0]:
        return None
    return quantity(before[0][-1][0], most)


_ABOUT = {
    "dizaine": 10,
    "douzaine": 12,
    "quinzaine": 15,
    "vingtaine": 20,
    "trentaine": 30,
    "quarantaine": 40,
    "cinquantaine": 50,
    "soixantaine": 60,
    "centaine": 100,
    "millier": 1000,
}
_ABOUT_A = re.compile(rf"\bune? ({'|'.join(_ABOUT)})\b", re.IGNORECASE)


def _in_digits(text: str) -> str:
    """Return a text whose numbers in words are in digits; « 10 millions » are left alone."""
    text = _ABOUT_A.sub(lambda match: str(_ABOUT[match[1].lower()]), text)
    if re.search(r"\d\s?(?:mille|million)", text, re.IGNORECASE):
        return text
    spaced = re.sub(r"(?<=\d)(?=[^\W\d_]{2})", " ", text.lower())
    return str(alpha2digit(spaced, "fr"))


# With what people write for short: « sept 2022 », « 14 avr. 2022 ».
_MONTHS = [
    *("janvier|janv|jan", "fevrier|fevr|fev", "mars", "avril|avr", "mai", "juin"),
    *(
        "juillet|juil",
        "aout",
        "septembre|(?<!vingt )(?<!trente )(?<!mille )sept",
        "octobre|oct",
        "novembre|nov",
        "decembre|dec",
    ),
]
# The first and the last month of what people call a part of a year.
_PERIODS = {
    r"(?:1er|premier|1) trimestre|trimestre 1|t1": (1, 3),
    r"(?:2e|2eme|deuxieme|second|2) trimestre|trimestre 2|t2": (4, 6),
    r"(?:3e|3eme|troisieme|3) trimestre|trimestre 3|t3": (7, 9),
    r"(?:4e|4eme|quatrieme|dernier|4) trimestre|trimestre 4|t4": (10, 12),
    r"(?:1er|premier|1) semestre|semestre 1|s1": (1, 6),
    r"(?:2e|2eme|deuxieme|second|2) semestre|semestre 2|s2": (7, 12),
    r"debut|hiver": (1, 3),
    r"mi|milieu|printemps|moitie": (4, 6),
    r"ete": (7, 9),
    r"rentree": (9, 9),
    r"automne": (10, 12),
    r"fin|noel|avant la fin|d ici la fin": (12, 12),
    r"courant": (1, 12),
}


_FIRST_OF = re.compile(r"\bpremier (?!trim|sem)(?=[^\W\d]+ )", re.IGNORECASE)
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")


def day(text: str, *, first: bool = False) -> Read[dt.date]:
    """Read a day; of a month, a season or a year, the last one, or the `first`.

    >>> day("fin juin 2022").value, day("à l'automne 2021").value
    (datetime.date(2022, 6, 30), datetime.date(2021, 12, 31))
    """
    text = _FIRST_OF.sub("1er ", text[:MOST_CHARACTERS])
    if re.search(r"€|\beuros?\b", text, re.IGNORECASE):
        return Read(problem=Problem.NOTHING)  # a sum is no year
    if iso := re.search(r"\b(\d{4})-(\d\d)-(\d\d)\b", text):
        year, month, of_month = map(int, iso.groups())
        return _checked(of_month, month, year)
    if figures := re.search(r"\b(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d\d)\b", text):
        return _checked(*map(int, figures.groups()))
    if figures := re.search(r"(?<![\d/.-])(\d{1,2})[/.-](\d{4})\b", text):
        month, year = map(int, figures.groups())
        if not 1 <= month <= 12:
            return Read(problem=Problem.ABSURD)
        return _checked(1, month, year) if first else _end_of(year, month)
    if re.search(r"(?<![\d/.-])\d{1,2}/\d{1,2}(?![\d/.-])", text) and not _YEAR.search(text):
        return Read(problem=Problem.NO_YEAR)
    # « sept » is a month before it is a number.
    as_written, said = " ".join(words(text)), " ".join(words(_in_digits(text)))
    named = [re.compile(rf"(?:\b([0-3]?\d)(?:er)? )?\b(?:{name})\b") for name in _MONTHS]
    months = [place for place, one in enumerate(named, 1) if one.search(as_written)]
    years = {int(one) for one in re.findall(r"\b(?:19|20)\d\d\b", said)}
    if months and not years:
        years = {2000 + int(one) for one in re.findall(r"[a-z] (2\d)$", said)}
    if len(years) > 1 or len(months) > 1:
        return Read(problem=Problem.SEVERAL)
    if not years:
        return Read(problem=Problem.NO_YEAR) if months else _parsed(text)
    (year,) = years
    if months:
        (month,) = months
        found = (named[month - 1].search(one) for one in (said, as_written))
        before = next((one[1] for one in found if one and one[1]), None)
        if before:
            return _checked(int(before), month, year)
        return _checked(1, month, year) if first else _end_of(year, month)
    periods = (both for name, both in _PERIODS.items() if re.search(rf"\b(?:{name})\b", said))
    from_month, to_month = next(periods, (1, 12))
    return _checked(1, from_month, year) if first else _end_of(year, to_month)


_BETWEEN = re.compile(
    r"\s+(?:à|a|au|et|jusqu['’ ]?(?:à|au|en)?|puis|vers|→|[-–—])\s+"
    r"|\s*[,;→>\n]\s*|(?<=\d{4})\s*[-–—]\s*|(?<=[a-zéû])-(?=[a-zéû])",
    re.IGNORECASE,
)


def period(text: str) -> tuple[Read[dt.date], Read[dt.date]] | None:
    """Read a first and a last day, where a text tells two; the second's year may serve for both.

    >>> tuple(one.value.isoformat() for one in period("de mars à juin 2022"))
    ('2022-03-01', '2022-06-30')
    """
    text = text[:MOST_CHARACTERS]
    for cut in islice(_BETWEEN.finditer(text), MOST_CUTS):
        begins, ends = day(text[: cut.start()], first=True), day(text[cut.end() :])
        if begins.problem is Problem.NO_YEAR and ends.value:
            begins = _in_year(text[: cut.start()], ends.value.year, first=True)
        elif ends.problem is Problem.NO_YEAR and begins.value:
            ends = _in_year(text[cut.end() :], begins.value.year)
            if ends.value and ends.value < begins.value:  # « d'octobre 2022 à mars »
                ends = _in_year(text[cut.end() :], begins.value.year + 1)
        if begins.value and ends.value:
            return begins, ends
    return None


def _in_year(text: str, year: int, *, first: bool = False) -> Read[dt.date]:
    """Read a day that lacks its year."""
    figures = re.search(r"(\d{1,2})/(\d{1,2})", text)
    whole = f"{figures[1]}/{figures[2]}/{year}" if figures else f"{text.rstrip()} {year}"
    return day(whole, first=first)


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
