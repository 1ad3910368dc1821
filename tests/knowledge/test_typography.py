"""French typography is put in by the program, and puts in nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.typography import NBSP, french


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("Combien ?", f"Combien{NBSP}?"),
        ("« oui »", f"«{NBSP}oui{NBSP}»"),
        ("297 000 € et 100 %", f"297{NBSP}000{NBSP}€ et 100{NBSP}%"),
        ("88 millions d'euros", f"88{NBSP}millions d’euros"),
        ("le 16 02 2021", "le 16 02 2021"),
        ("https://aidantsconnect.beta.gouv.fr/habilitation", None),
        ("pref-badl@indre-et-loire.gouv.fr", None),
    ],
)
def test_known_cases(typed: str, read: str | None) -> None:
    assert french(typed) == (typed if read is None else read)


@given(st.text(alphabet="aé 0123456789:;?!»«%€'’.\n"))
def test_only_spaces_and_apostrophes_change_and_once_is_enough(text: str) -> None:
    read = french(text)
    assert french(read) == read
    assert read.replace(NBSP, " ").replace("’", "'") == text.replace("’", "'")
