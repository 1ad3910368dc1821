"""What the draft asks that has a form of its own: numbers of bodies, addresses, sums."""

import re
from decimal import Decimal

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from stdnum.fr import siren as siren_number
from stdnum.fr import siret as siret_number

from candidature.reading import MOST_CHARACTERS, Problem, Read, quantity, quantity_of

MOST_EUROS = Decimal(100_000_000)
"""More than the whole fund: a slip of the finger."""
CENT = Decimal("0.01")


def siren(text: str) -> Read[str]:
    """Read a SIREN: 9 digits, of which the last is a key."""
    return _body(text, 9)


def siret(text: str, of: str | None = None) -> Read[str]:
    """Read a SIRET: 14 digits with a key; `of`, if given, is the SIREN that it must begin with."""
    read = _body(text, 14)
    if read.value and of and not read.value.startswith(of):
        return Read(problem=Problem.OTHER_BODY)
    return read


def _body(text: str, size: int) -> Read[str]:
    spaced = re.findall(r"(?<!\d)\d(?:[ .\u00a0\u202f-]?\d)*(?!\d)", text[:MOST_CHARACTERS])
    numbers = {re.sub(r"\D", "", one) for one in spaced}
    fitting = {one for one in numbers if len(one) == size}
    if len(fitting) > 1:
        return Read(problem=Problem.SEVERAL)
    if not fitting:
        return Read(problem=Problem.LENGTH if numbers else Problem.NOTHING)
    (number,) = fitting
    valid = siret_number.is_valid(number) if size == 14 else siren_number.is_valid(number)
    return Read(number) if valid and number.strip("0") else Read(problem=Problem.KEY)


def email(text: str) -> Read[str]:
    """Read one e-mail address, written as it would be by hand; none is written to."""
    found = {
        one.rstrip(".,;:!?)>")
        for one in re.findall(r"[^\s<(,;]+@[^\s>),;]+", text[:MOST_CHARACTERS])
    }
    if len(found) != 1:
        return Read(problem=Problem.SEVERAL if found else Problem.NOTHING)
    try:
        return Read(validate_email(found.pop(), check_deliverability=False).normalized)
    except EmailNotValidError:
        return Read(problem=Problem.ABSURD)


def phone(text: str) -> Read[str]:
    """Read one telephone number, French unless it says otherwise: « 02 47 00 00 00 »."""
    matches = phonenumbers.PhoneNumberMatcher(text[:MOST_CHARACTERS], "FR")
    found = {
        phonenumbers.format_number(
            match.number,
            phonenumbers.PhoneNumberFormat.NATIONAL
            if match.number.country_code == 33
            else phonenumbers.PhoneNumberFormat.INTERNATIONAL,
        )
        for match in matches
    }
    if len(found) == 1:
        return Read(found.pop())
    digits = re.sub(r"\D", "", text[:MOST_CHARACTERS])
    return Read(problem=Problem.SEVERAL if found else Problem.ABSURD if digits else Problem.NOTHING)


_ALL = re.compile(r"\b(?:tout|totalité|intégralité|maximum|max|le total)\b", re.IGNORECASE)
_HALF = re.compile(r"\bmoitié\b", re.IGNORECASE)
_PERCENT = re.compile(r"(\d{1,3}(?:[.,]\d+)?)\s*(?:%|pour ?cents?\b)", re.IGNORECASE)
_TAXED = re.compile(r"\bttc\b|toutes taxes", re.IGNORECASE)
_OF_ELSE = re.compile(
    r"\b(?:mois|ans?|années?|jours?|semaines?|heures?|agents?|hab|habitants?)\b", re.IGNORECASE
)
_UNIT = re.compile(r"\s?(?:€|euros?\b)", re.IGNORECASE)
_EUROS = re.compile(r"€|\beuros?\b|\d\s?k", re.IGNORECASE)


def share(text: str) -> Decimal | None:
    """Return which part of a whole a text tells, from 0 to 1: « 80 % », « la moitié », « tout »."""
    text = text[:MOST_CHARACTERS]
    if percent := _PERCENT.search(text):
        part = Decimal(percent[1].replace(",", ".")) / 100
        return part if part <= 1 else None
    if re.search(r"\d", text):
        return None
    return Decimal("0.5") if _HALF.search(text) else Decimal(1) if _ALL.search(text) else None


def taxed(text: str) -> bool:
    """Tell whether a sum is said to be with taxes."""
    return bool(_TAXED.search(text))


def amount(text: str) -> Read[Decimal]:
    """Read one sum in euros, to the cent: « 12 500,50 € », « 12,5 k€ », « 1,2 million »."""
    text = text[:MOST_CHARACTERS]
    of_else = _OF_ELSE.search(text) and not _EUROS.search(text)
    if of_else or _PERCENT.search(text):
        return Read(problem=Problem.NOTHING)
    read = quantity(text, MOST_EUROS)
    if read.problem is Problem.SEVERAL:
        read = quantity_of(_UNIT, text, MOST_EUROS) or read
    return Read(problem=read.problem) if read.value is None else Read(read.value.quantize(CENT))
