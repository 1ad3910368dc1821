"""French typography: what it changes, and what it must leave alone."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from knowledge.typography import NBSP, french

# What the rules look at, often; anything else, sometimes.
SIGNS = [*" ':;?!%€«»l'a 1 250 000.,/@-…\n", NBSP, "’", "euros", " mois", "://"]
TEXTS = st.lists(st.one_of(st.sampled_from(SIGNS), st.characters())).map("".join)

WORDS = st.from_regex(r"[a-z0-9]+(?:['._-][a-z0-9]+)*", fullmatch=True)
URLS = st.builds("https://{}.fr/{}?{}=1%20000#{}".format, WORDS, WORDS, WORDS, WORDS)
E_MAILS = st.builds("{}@{}.fr".format, WORDS, WORDS)


@settings(deadline=None)
@given(TEXTS)
@example("l'axe  : 1 250 000 € ?  !")
def test_twice_is_once(text: str) -> None:
    assert french(french(text)) == french(text)


@settings(deadline=None)
@given(TEXTS)
def test_only_spaces_and_apostrophes_change(text: str) -> None:
    changes = {(old, new) for old, new in zip(text, french(text), strict=True) if old != new}
    assert changes <= {(" ", NBSP), ("'", "’")}


@settings(deadline=None)
@given(st.one_of(URLS, E_MAILS))
@example("https://fr.wikipedia.org/wiki/Plan_d'investissement")
def test_addresses_are_untouched(address: str) -> None:
    assert french(address) == address
    assert french(f"Écrivez à {address} ou à l'accueil.") == f"Écrivez à {address} ou à l’accueil."


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("l'axe d'aujourd'hui", "l’axe d’aujourd’hui"),
        ("Pour qui ? Combien !", "Pour qui~? Combien~!"),
        ("un : deux ; trois", "un~: deux~; trois"),
        ("« le fonds »", "«~le fonds~»"),
        ("297 000 € et 1 250 000 €", "297~000~€ et 1~250~000~€"),
        ("jusqu'à 100 %", "jusqu’à 100~%"),
        ("88 millions, 24 mois, 2 ans, 35 postes", "88~millions, 24~mois, 2~ans, 35~postes"),
        # Not numbers cut in three, nor units.
        ("en 2022 2023", "en 2022 2023"),
        ("le 3 anses", "le 3 anses"),
        # Quoted words, feet and inches: no apostrophe between letters.
        ("un 'mot' entre signes", "un 'mot' entre signes"),
    ],
)
def test_examples(typed: str, read: str) -> None:
    assert french(typed) == read.replace("~", NBSP)
