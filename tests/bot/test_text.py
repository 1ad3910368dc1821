"""Typed text: cleaned to be shown, disarmed for Rasa."""

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.text import clean, disarm

settings.register_profile("slow machines too", deadline=None)
settings.load_profile("slow machines too")

# Blanks, joiners, slashes and marks often; anything else sometimes, even what is no text.
ANYTHING = st.text(
    st.one_of(
        st.sampled_from(
            list("/ ／⁄∕⧸a\n\r\t\0\u200b\u200d\ufeff\u0338\u0301e\u00a0\u3164\ud83d😀")
        ),
        st.characters(),
    )
)


@given(ANYTHING)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(ANYTHING)
def test_clean_text_is_normal_and_holds_no_control(text: str) -> None:
    cleaned = clean(text)
    assert unicodedata.is_normalized("NFC", cleaned)
    assert not [c for c in cleaned if unicodedata.category(c) in ("Cc", "Cs") and c != "\n"]
    assert cleaned == cleaned.strip()
    assert "  " not in cleaned
    assert "\n\n\n" not in cleaned
    cleaned.encode()


@given(ANYTHING)
@example("/")
@example("\u200b/restart")
@example(" \u0338／/ restart")
def test_disarmed_text_is_no_command(text: str) -> None:
    """Whatever is stripped, folded or normalised on Rasa's side."""
    disarmed = disarm(text)
    assert disarmed
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert not unicodedata.normalize(form, disarmed).strip().startswith("/")
    visible = "".join(c for c in disarmed if unicodedata.category(c) not in ("Cf", "Mn", "Cc"))
    assert not visible.strip().startswith("/")
    assert disarm(disarmed) == disarmed
    assert disarm(clean(text)) == clean(disarm(clean(text)))


@given(ANYTHING.filter(lambda text: clean(text) != ""))
def test_only_what_leads_is_lost(text: str) -> None:
    cleaned = clean(text)
    assert cleaned.endswith(disarm(cleaned)) or disarm(cleaned) == "?"


@pytest.mark.parametrize(
    ("typed", "kept", "sent"),
    [
        ("/restart", "/restart", "restart"),
        (
            '  /montant{"subject":"fonds"}',
            '/montant{"subject":"fonds"}',
            'montant{"subject":"fonds"}',
        ),
        ("//session_start", "//session_start", "session_start"),
        ("/ restart", "/ restart", "restart"),
        ("\u200b/restart", "/restart", "restart"),
        ("\u200d/restart", "\u200d/restart", "restart"),
        ("／restart", "／restart", "restart"),
        ("\n\t/\n/ greet@1.0", "/\n/ greet@1.0", "greet@1.0"),
        ("EXTERNAL: greet", "EXTERNAL: greet", "EXTERNAL: greet"),
        ("///", "///", "?"),
        ("et/ou", "et/ou", "et/ou"),
        ("1/2", "1/2", "1/2"),
        ("\ta\t b\u00a0!", "a b\u00a0!", "a b\u00a0!"),
        ("un\r\ndeux\rtrois\u2028quatre", "un\ndeux\ntrois\nquatre", "un\ndeux\ntrois\nquatre"),
        ("un" + " \n" * 9 + "deux" + " " * 99 + "trois", "un\n\ndeux trois", "un\n\ndeux trois"),
        ("e\u0301te\u0301", "été", "été"),
        ("a\0b\x1bc\x7f", "abc", "abc"),
        ("👩\u200d🚒 ?", "👩\u200d🚒 ?", "👩\u200d🚒 ?"),
        ("\U0001fae8", "\U0001fae8", "\U0001fae8"),
        ("...", "...", "..."),
        ("\u202eabc", "abc", "abc"),
    ],
)
def test_examples(typed: str, kept: str, sent: str) -> None:
    assert clean(typed) == kept
    assert disarm(kept) == sent


@pytest.mark.parametrize("typed", ["", "  \n\t", "\0", "\u200b\u200d", "\u3164", "\u2800\ufe0f"])
def test_what_cannot_be_seen_is_nothing(typed: str) -> None:
    assert clean(typed) == ""
