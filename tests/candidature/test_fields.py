"""Numbers of bodies, addresses and sums, as people write them."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import luhn

from candidature.fields import MOST_EUROS, amount, email, phone, share, siren, siret
from candidature.reading import Problem
from knowledge.places import Commune, load_places

SAINT_FLOVIER = load_places().communes["37218"].siren
SIRET = SAINT_FLOVIER + "0001" + luhn.calc_check_digit(SAINT_FLOVIER + "0001")


@pytest.mark.parametrize("commune", load_places().communes.values(), ids=lambda one: one.insee)
def test_the_siren_of_every_commune_is_one(commune: Commune) -> None:
    number = commune.siren
    assert siren(number).value == number
    assert siren(f"SIREN : {number[:3]} {number[3:6]} {number[6:]}.").value == number


def test_a_siret_with_its_spaces_or_words() -> None:
    spaced = f"{SIRET[:3]} {SIRET[3:6]} {SIRET[6:9]} {SIRET[9:]}"
    for text in (SIRET, spaced, f"notre SIRET est {spaced}, voilà", spaced.replace(" ", "\u202f")):
        assert siret(text).value == SIRET
        assert siret(text, of=SAINT_FLOVIER).value == SIRET


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", Problem.NOTHING),
        ("je l'ai oublié", Problem.NOTHING),
        (SIRET[:-1], Problem.LENGTH),
        (SIRET + "0", Problem.LENGTH),
        (SIRET[:-1] + str((int(SIRET[-1]) + 1) % 10), Problem.KEY),
        ("0" * 14, Problem.KEY),
        (f"{SIRET} ou 26370018900011", Problem.SEVERAL),
    ],
)
def test_no_siret(text: str, problem: Problem) -> None:
    assert siret(text).problem is problem


def test_a_siret_of_another_body_is_told() -> None:
    assert siret(SIRET, of="213700016").problem is Problem.OTHER_BODY


@given(st.integers(1, 99_999_999_999_99), st.integers(1, 9))
def test_one_wrong_digit_never_passes(number: int, slip: int) -> None:
    body = f"{number:013d}"[:13]
    right = body + luhn.calc_check_digit(body)
    place = number % 14
    wrong = right[:place] + str((int(right[place]) + slip) % 10) + right[place + 1 :]
    assert siret(wrong).value is None or wrong.startswith("356000000")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("mairie@saint-flovier.fr", "mairie@saint-flovier.fr"),
        ("Mairie <Mairie@Saint-Flovier.FR>", "Mairie@saint-flovier.fr"),
        ("mon mail c'est jean.dupont@orange.fr.", "jean.dupont@orange.fr"),
    ],
)
def test_an_address(text: str, value: str) -> None:
    assert email(text).value == value


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", Problem.NOTHING),
        ("mairie chez orange point fr", Problem.NOTHING),
        ("mairie@orange", Problem.ABSURD),
        ("a@b@c.fr", Problem.ABSURD),
        ("a@orange.fr ou b@orange.fr", Problem.SEVERAL),
        ("'; DROP TABLE draft; --@x", Problem.ABSURD),
    ],
)
def test_no_address(text: str, problem: Problem) -> None:
    assert email(text).problem is problem


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0247000000", "02 47 00 00 00"),
        ("02.47.00.00.00", "02 47 00 00 00"),
        ("+33 6 12 34 56 78", "06 12 34 56 78"),
        ("appelez le 06 12 34 56 78 svp", "06 12 34 56 78"),
        ("+32 2 555 12 12", "+32 2 555 12 12"),
    ],
)
def test_a_telephone_number(text: str, value: str) -> None:
    assert phone(text).value == value


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", Problem.NOTHING),
        ("pas de téléphone", Problem.NOTHING),
        ("12", Problem.ABSURD),
        ("0247000000 ou 0612345678", Problem.SEVERAL),
    ],
)
def test_no_telephone_number(text: str, problem: Problem) -> None:
    assert phone(text).problem is problem


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12500", "12500.00"),
        ("12 500 €", "12500.00"),
        ("12\u202f500,50 euros", "12500.50"),
        ("environ 12,5 k€", "12500.00"),
        ("12k", "12000.00"),
        ("1,2 million", "1200000.00"),
        ("20 mille", "20000.00"),
        ("0", "0.00"),
        ("9,9", "9.90"),
    ],
)
def test_a_sum(text: str, value: str) -> None:
    assert amount(text).value == Decimal(value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", Problem.NOTHING),
        ("pas cher", Problem.NOTHING),
        ("-500 €", Problem.NEGATIVE),
        ("entre 5 000 et 8 000", Problem.SEVERAL),
        ("999 999 999 999", Problem.ABSURD),
    ],
)
def test_no_sum(text: str, problem: Problem) -> None:
    assert amount(text).problem is problem


@given(st.decimals(0, MOST_EUROS, places=2))
def test_every_sum_is_read_as_it_is_written(value: Decimal) -> None:
    assert amount(f"{value:,.2f} €".replace(",", "\u202f").replace(".", ",")).value == value


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_text_may_be_read(text: str) -> None:
    for read in (siren(text), siret(text), email(text), phone(text), amount(text)):
        assert (read.value is None) != (read.problem is None)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("80 %", "0.8"),
        ("80% du coût", "0.8"),
        ("100 %", "1"),
        ("12,5 pour cent", "0.125"),
        ("tout", "1"),
        ("la totalité", "1"),
        ("le max", "1"),
        ("la moitié", "0.5"),
    ],
)
def test_a_part_of_a_whole(text: str, part: str) -> None:
    assert share(text) == Decimal(part)
    assert amount(text).problem is Problem.NOTHING  # never so many euros


@pytest.mark.parametrize("text", ["120 %", "12 000 €", "tout, soit 12 000 €", "", "rien"])
def test_no_part(text: str) -> None:
    assert share(text) is None


@pytest.mark.parametrize("text", ["3 mois", "850 habitants", "4 agents", "dix jours"])
def test_what_is_counted_otherwise_is_no_sum(text: str) -> None:
    assert amount(text).problem is Problem.NOTHING


def test_a_sum_for_so_many_is_one() -> None:
    assert amount("12 000 € pour 4 agents").value == Decimal(12_000)
    assert amount("douze mille euros sur dix-huit mois").value == Decimal(12_000)
    assert amount("12 000 € ou 15 000 €").problem is Problem.SEVERAL
    assert amount("12 000 € par an").value == Decimal(12_000)
