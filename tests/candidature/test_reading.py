"""Numbers, days and choices, as people write them."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from candidature.reading import FIRST_YEAR, LAST_YEAR, Problem, choice, day, number, period, unknown

DECISION = {
    "deliberation": ["délibération", "délibéré", "le conseil a voté"],
    "executif": ["le maire a décidé", "décision du maire"],
    "prevue": ["pas encore", "prévu", "prochain conseil"],
    "non": ["non"],
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1200", 1200),
        ("environ mille deux cents", 1200),
        ("1 200 hab.", 1200),
        ("1 200 habitants", 1200),
        ("1\u202f200", 1200),
        ("1.200", 1200),
        ("1'200 habitants", 1200),
        ("850h", 850),
        ("850 habitants à peu près", 850),
        ("on est 650", 650),
        ("une commune de six cent cinquante âmes", 650),
        ("quatre-vingt-douze", 92),
        ("vingt mille", 20_000),
        ("20 mille", 20_000),
        ("3k", 3_000),
        ("1,2 k", 1_200),
        ("12 000", 12_000),
        ("pas loin de 300", 300),
        ("un village de 230", 230),
        ("1,2 million", 1_200_000),
        ("1200 (1 200)", 1200),
        ("0", 0),
    ],
)
def test_a_number(text: str, value: int) -> None:
    assert number(text).value == value


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", Problem.NOTHING),
        ("beaucoup", Problem.NOTHING),
        ("²", Problem.NOTHING),
        ("entre 800 et 900", Problem.SEVERAL),
        ("-5", Problem.NEGATIVE),
        ("- 12", Problem.NEGATIVE),
        ("999999999999", Problem.ABSURD),
        ("100 millions", Problem.ABSURD),
    ],
)
def test_no_number(text: str, problem: Problem) -> None:
    assert number(text).problem is problem
    assert number(text).value is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("le 12 mars 2022", dt.date(2022, 3, 12)),
        ("on a délibéré le 12 mars 2021", dt.date(2021, 3, 12)),
        ("12/03/2022", dt.date(2022, 3, 12)),
        ("12.03.21", dt.date(2021, 3, 12)),
        ("2022-06-30", dt.date(2022, 6, 30)),
        ("1er septembre 22", dt.date(2022, 9, 1)),
        ("le trente juin deux mille vingt-deux", dt.date(2022, 6, 30)),
        ("juin 2022", dt.date(2022, 6, 30)),
        ("pour nos 3 agents, juin 2022", dt.date(2022, 6, 30)),
        ("le 7 sept. 2022", dt.date(2022, 9, 7)),
        ("fin juin 2022", dt.date(2022, 6, 30)),
        ("sept 2022", dt.date(2022, 9, 30)),
        ("Décembre 2022", dt.date(2022, 12, 31)),
        ("février 2024", dt.date(2024, 2, 29)),
        ("été 2022", dt.date(2022, 9, 30)),
        ("à l'automne 2021", dt.date(2021, 12, 31)),
        ("mi 2022", dt.date(2022, 6, 30)),
        ("fin 2022", dt.date(2022, 12, 31)),
        ("premier trimestre 2022", dt.date(2022, 3, 31)),
        ("2e semestre 2021", dt.date(2021, 12, 31)),
        ("2022", dt.date(2022, 12, 31)),
    ],
)
def test_a_day_or_the_last_of_a_period(text: str, value: dt.date) -> None:
    assert day(text).value == value


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", Problem.NOTHING),
        ("bientôt", Problem.NOTHING),
        ("mars", Problem.NO_YEAR),
        ("le 12 mars", Problem.NO_YEAR),
        ("31/02/2022", Problem.ABSURD),
        ("30 février 2022", Problem.ABSURD),
        ("12/13/2022", Problem.ABSURD),
        ("12/03/1822", Problem.ABSURD),
        ("1er mars 1950", Problem.ABSURD),
        ("2021 ou 2022", Problem.SEVERAL),
        ("entre mars et juin 2022", Problem.SEVERAL),
    ],
)
def test_no_day(text: str, problem: Problem) -> None:
    assert day(text).problem is problem


@given(st.dates(dt.date(FIRST_YEAR, 1, 1), dt.date(LAST_YEAR, 12, 31)))
def test_every_day_is_read_as_it_is_written(one: dt.date) -> None:
    assert day(f"{one:%d/%m/%Y}").value == one
    assert day(one.isoformat()).value == one


@given(st.integers(0, 70_000_000))
def test_every_number_is_read_as_it_is_written(one: int) -> None:
    assert number(str(one)).value == one
    assert number(f"{one:,}".replace(",", "\u202f")).value == one


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("oui on a délibéré le 12 mars", "deliberation"),
        ("deliberé", "deliberation"),
        ("delibération", "deliberation"),
        ("le maire a décidé", "executif"),
        ("pas encore", "prevue"),
        ("non, pas encore", "prevue"),
        ("Non.", "non"),
    ],
)
def test_the_longest_phrase_tells_the_choice(text: str, meant: str) -> None:
    assert choice(text, DECISION).value == meant


@pytest.mark.parametrize(
    ("text", "problem"),
    [("", Problem.NOTHING), ("bof", Problem.NOTHING), ("non prévu", Problem.SEVERAL)],
)
def test_no_choice(text: str, problem: Problem) -> None:
    assert choice(text, DECISION).problem is problem


@pytest.mark.parametrize(
    "text",
    [
        "je ne sais pas",
        "jsp",
        "?",
        "Aucune idée !",
        "on ne sait pas encore",
        "pas sûr",
        "chais pas",
    ],
)
def test_one_may_not_know(text: str) -> None:
    assert unknown(text)


@pytest.mark.parametrize("text", ["1200", "non", "le 12 mars 2022", "Saint-Flovier", ""])
def test_what_is_said_is_known(text: str) -> None:
    assert not unknown(text)


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_text_may_be_read(text: str) -> None:
    for read in (number(text), day(text), choice(text, DECISION)):
        assert (read.value is None) != (read.problem is None)
    unknown(text)


def test_ten_thousand_characters_are_no_answer_and_cost_nothing() -> None:
    assert number("x" * 10_000).problem is Problem.NOTHING
    assert day("x" * 10_000).problem is Problem.NOTHING
    assert choice("x" * 10_000, DECISION).problem is Problem.NOTHING


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("le premier avril 2022", dt.date(2022, 4, 1)),
        ("14 avr. 2022", dt.date(2022, 4, 14)),
        ("au printemps deux mille vingt-sept", dt.date(2027, 6, 30)),
        ("03/2022", dt.date(2022, 3, 31)),
    ],
)
def test_days_as_people_shorten_them(text: str, value: dt.date) -> None:
    assert day(text).value == value


def test_a_sum_is_no_year_and_a_day_may_lack_its_own() -> None:
    assert day("3000 € et la CC 2000").problem is Problem.NOTHING
    assert day("1/3").problem is Problem.NO_YEAR


@pytest.mark.parametrize(
    ("text", "begins", "ends"),
    [
        ("du 1/3 au 30/6/22", "2022-03-01", "2022-06-30"),
        ("mars-juin 2022", "2022-03-01", "2022-06-30"),
        ("avril 2022 > décembre 2022", "2022-04-01", "2022-12-31"),
        ("d'octobre 2022 à mars", "2022-10-01", "2023-03-31"),
        ("Du premier janvier au trente juin deux mille vingt-sept", "2027-01-01", "2027-06-30"),
        ("03/2022 - 10/2022", "2022-03-01", "2022-10-31"),
    ],
)
def test_a_first_and_a_last_day(text: str, begins: str, ends: str) -> None:
    both = period(text)
    assert both is not None
    assert [one.value.isoformat() for one in both if one.value] == [begins, ends]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("un millier", 1000),
        ("une centaine d'habitants", 100),
        ("1,2 millier", 1200),
        ("612 au recensement de 2020", 612),
        ("2 500 habitants et 900 foyers", 2500),
    ],
)
def test_a_population_among_other_numbers(text: str, value: int) -> None:
    assert number(text).value == value
