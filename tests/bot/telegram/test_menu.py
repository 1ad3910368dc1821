"""What commands and links come to, and what the file of the menu may say."""

import json
import re
import shutil
from functools import partial
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from telegram import Bot

from actions.desk import code_in
from bot.telegram.menu import Order, ordered, show_menu
from knowledge import KnowledgeError, load
from knowledge.base import BEGIN
from knowledge.document import FOLDER
from knowledge.telegram import OWN, load_telegram
from settings import ROOT
from storage.drafts import LETTERS
from storage.payloads import payload_of

WORDING = load_telegram()
QUESTIONNAIRES = frozenset(one.removeprefix(f"{BEGIN}/") for one in load().beginnings)
order = partial(ordered, wording=WORDING, questionnaires=QUESTIONNAIRES)
COMMANDS = {
    "start": "@welcome",
    "eligibilite": '/affirm{"step": "0:begin:fonds"}',
    "candidature": '/affirm{"step": "0:form"}',
    "reprendre": '/affirm{"step": "0:resume"}',
    "contact": "/human_handoff",
    "aide": "/help",
    "mesdonnees": "@export",
    "supprimer": "@erase",
}


def test_every_command_of_the_menu_is_known_here() -> None:
    assert list(WORDING.commands) == list(COMMANDS)


@pytest.mark.parametrize(("name", "payload"), COMMANDS.items(), ids=COMMANDS.keys())
def test_what_each_command_comes_to(name: str, payload: str) -> None:
    for text in (
        f"/{name}",
        f"/{name.upper()}",
        f"/{name.capitalize()}",
        f"/{name}@passerelle_bot",
        f"/{name.upper()}@Passerelle_Bot",
    ):
        assert order(text) == Order(text, payload)


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - {"start", "reprendre"}))
def test_what_follows_a_command_changes_nothing(name: str) -> None:
    for rest in (" maintenant", "@passerelle_bot tout de suite", "\nsur deux\nlignes", " /aide"):
        assert order(f"/{name}{rest}") == Order(f"/{name}{rest}", COMMANDS[name])


@pytest.mark.parametrize(
    "text",
    ["/nimporte", "/help", "/restart", "/settings@bot", "/_", "/2", "/begin", f"/{'a' * 32}"],
)
def test_an_unknown_command_gets_what_can_be_done(text: str) -> None:
    assert order(text) == Order(text, "/help")


@pytest.mark.parametrize(
    "text",
    [
        "bonjour",
        "/",
        "//",
        "//aide",
        "/ x",
        "/ aide",
        " /aide",
        "a/b",
        "et/ou",
        "/élu",
        "/éligibilité",
        "/aidé",
        "/aide-moi",
        "/aide!",
        "/aide/contact",
        "/aide@",
        "/aide@ bot",
        "/etc/passwd",
        '/montant{"subject": "axe_1"}',
        "/affirm{}",
        "/start=ABCD",
        "／aide",
        "@welcome",
        "@erase_yes",
        f"/{'a' * 33}",
        "",
    ],
    ids=ascii,
)
def test_what_is_no_command(text: str) -> None:
    assert order(text) is None


@pytest.mark.parametrize(
    "word",
    ["ABCD-EFGH-JKMN", "ABCDEFGHJKMN", "ABCD_EFGH_JKMN", "ABCD-EFGHJKMN", "abcd-efgh-jkmn"],
)
@pytest.mark.parametrize("start", ["/start", "/START", "/start@passerelle_bot"])
def test_a_link_with_a_code_resumes_the_draft(start: str, word: str) -> None:
    found = order(f"{start} {word}")
    assert found is not None and found.payload is None
    assert found.text.upper() == "REPRENDRE ABCD-EFGH-JKMN"
    code = code_in(found.text)  # what the action server finds in it
    assert code and code.upper() == "ABCD-EFGH-JKMN"


@settings(deadline=None)
@given(st.text(LETTERS, min_size=12, max_size=12))
def test_every_code_that_is_given_can_be_a_link(letters: str) -> None:
    code = f"{letters[:4]}-{letters[4:8]}-{letters[8:]}"
    found = order(f"/start {code}")
    assert found == Order(f"reprendre {code}", None)
    assert code_in(found.text) == code


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - {"start"}))
def test_a_link_may_carry_a_command(name: str) -> None:
    for word in (name, name.upper()):
        assert order(f"/start {word}") == Order(f"/start {word}", COMMANDS[name])


def test_a_link_may_carry_a_questionnaire() -> None:
    assert "fonds" in QUESTIONNAIRES
    for name in QUESTIONNAIRES:
        expected = f'/affirm{{"step": "0:begin:{name}"}}'
        assert order(f"/start {name}") == Order(f"/start {name}", expected)
        assert order(f"/start {name.upper()}") == Order(f"/start {name.upper()}", expected)


@pytest.mark.parametrize(
    "word",
    [
        "start",
        "rubbish",
        "ABCD",
        "ABCD-EFGH",
        "ABCD-EFGH-JKMN-PQRS",
        "-ABCD-EFGH-JKMN",
        "A" * 64,
        "-" * 64,
        "_",
        "@erase_yes",
        '/affirm{"step":"0:form"}',
        "begin/fonds",
        "éligibilité",
        "x" * 4000,
    ],
)
def test_a_link_with_rubbish_is_the_welcome(word: str) -> None:
    assert order(f"/start {word}") == Order(f"/start {word}", "@welcome")


def test_no_questionnaire_nor_command_can_be_taken_for_a_code() -> None:
    for name in (*QUESTIONNAIRES, *COMMANDS):
        assert order(f"/start {name}") != Order(f"reprendre {name}", None)
        assert len(re.sub("[-_]", "", name)) != 12


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("/reprendre ABCD-EFGH-JKMN", "reprendre ABCD-EFGH-JKMN"),
        ("/Reprendre@bot  ABCD EFGH JKMN", "reprendre ABCD EFGH JKMN"),
        ("/reprendre\nabcd-efgh-jkmn", "reprendre abcd-efgh-jkmn"),
    ],
)
def test_a_code_may_follow_the_command_that_resumes(typed: str, text: str) -> None:
    assert order(typed) == Order(text, None)
    assert code_in(text)


@settings(deadline=None, max_examples=300)
@given(st.text() | st.text('/@_- aé\n{}":').map(lambda rest: f"/{rest}"))
def test_whatever_is_typed_is_a_command_of_the_menu_or_none(text: str) -> None:
    found = order(text)
    assert found is None or found.payload in {None, *COMMANDS.values()} | {
        payload_of(f"begin/{name}") for name in QUESTIONNAIRES
    }
    if found is not None and found.payload is None:
        assert found.text.startswith("reprendre ")


# What the file leads to


def intents() -> set[str]:
    """What Rasa understands, by the files of its domain."""
    found: set[str] = set()
    for file in (ROOT / "domain").glob("*.yml"):
        for one in yaml.safe_load(file.read_text()).get("intents") or ():
            found |= {one} if isinstance(one, str) else set(one)
    return found


@pytest.mark.parametrize(
    "does", [*(one.does for one in WORDING.commands.values()), *WORDING.welcome]
)
def test_what_the_file_leads_to_is_understood(does: str) -> None:
    payload = payload_of(does)
    if payload.startswith("@"):
        assert payload in OWN
        return
    found = re.fullmatch(r"/(\w+)(\{.*\})?", payload)
    assert found and found[1] in intents()
    told = json.loads(found[2] or "{}")
    if "subject" in told:
        assert load().find(found[1], told["subject"])
    elif "step" in told:
        number, _, step = told["step"].partition(":")
        assert number == "0"
        assert step in ("form", "resume") or step.removeprefix("begin:") in QUESTIONNAIRES


async def test_telegram_is_told_the_menu_and_who_we_are(monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, object] = {}

    def tell(name: str) -> None:
        async def method(_: Bot, said: object) -> None:
            told[name] = said

        monkeypatch.setattr(Bot, name, method)

    for name in ("set_my_commands", "set_my_description", "set_my_short_description"):
        tell(name)
    await show_menu(Bot("123:ABC"), WORDING)
    commands = told["set_my_commands"]
    assert isinstance(commands, list)
    assert [one.command for one in commands] == list(COMMANDS)
    assert commands[0].description == "Commencer"
    assert told["set_my_description"] == WORDING.description
    assert told["set_my_short_description"] == WORDING.short_description


# What is wrong in the file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the real files."""
    copy = tmp_path / "knowledge"
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return copy


def changed(folder: Path, before: str, after: str) -> int:
    """Change the only place of the file that has `before`; return the number of its line."""
    file = folder / "channels" / "telegram.yml"
    content = file.read_text()
    assert content.count(before) == 1
    file.write_text(content.replace(before, after))
    return content[: content.index(before)].count("\n") + 1


def complaint(folder: Path) -> str:
    with pytest.raises(KnowledgeError) as error:
        load_telegram(folder)
    return str(error.value)


def test_the_copy_has_no_fault(folder: Path) -> None:
    assert load_telegram(folder) == WORDING


@pytest.mark.parametrize(
    "does",
    [
        "lune",
        "begin/lune",
        "begin/",
        "definition/",
        "definition/lune",
        "lune/fonds",
        "forme",
        "'@erase_yes'",
        "'@lune'",
        "'/help'",
        "''",
        "help/fonds",
    ],
)
def test_a_command_that_leads_nowhere_is_told_by_its_line(folder: Path, does: str) -> None:
    line = changed(folder, "does: human_handoff", f"does: {does}")
    shown = does.strip("'")
    assert complaint(folder) == (
        f"channels/telegram.yml, ligne {line}, commands.contact.does : "
        f"« {shown} » ne mène nulle part."
    )


@pytest.mark.parametrize("does", ["'@export'", "'@erase'", "'@welcome'", "form", "resume", "help"])
def test_a_command_may_lead_elsewhere(folder: Path, does: str) -> None:
    changed(folder, "does: human_handoff", f"does: {does}")
    assert load_telegram(folder).commands["contact"].does == does.strip("'")


def test_a_button_of_the_welcome_that_leads_nowhere(folder: Path) -> None:
    line = changed(folder, "definition/aidants_connect]", "definition/lune]")
    assert complaint(folder) == (
        f"channels/telegram.yml, ligne {line}, welcome.3 : « definition/lune » ne mène nulle part."
    )


@pytest.mark.parametrize("does", ["'@export'", "form"])
def test_a_button_of_the_welcome_leads_to_an_answer_or_a_questionnaire(
    folder: Path, does: str
) -> None:
    line = changed(folder, "[begin/fonds, def", f"[{does}, def")
    shown = does.strip("'")
    assert complaint(folder) == (
        f"channels/telegram.yml, ligne {line}, welcome.0 : « {shown} » ne mène nulle part."
    )


FAULTS = {
    "no text": ("does: human_handoff", "does: 12", "commands.contact.does", "un texte est attendu"),
    "unknown field": (
        "does: human_handoff",
        "does: help, couleur: bleue",
        "commands.contact.couleur",
        "ce champ est inconnu",
    ),
    "missing field": (", does: human_handoff", "", "commands.contact.does", "ce champ manque"),
    "name that Telegram refuses": (
        "  contact: {title: É",
        "  Écrire: {title: É",
        "commands.Écrire",
        "ce nom n'a pas la forme attendue",
    ),
    "no list": (
        "welcome: [begin",
        "welcome: définir # [begin",
        "welcome",
        "une liste est attendue",
    ),
}


@pytest.mark.parametrize(
    ("before", "after", "field", "problem"), FAULTS.values(), ids=FAULTS.keys()
)
def test_a_fault_is_told_in_french_by_its_line(
    folder: Path, before: str, after: str, field: str, problem: str
) -> None:
    line = changed(folder, before, after)
    assert complaint(folder) == f"channels/telegram.yml, ligne {line}, {field} : {problem}."


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  start: {", "  debut: {"),
        ("  eligibilite: {", "  projet: {"),
        ("does: begin/fonds", "does: form"),
        ("  other: ", "  autre: "),
        ("  erased: ", "  efface: "),
        ("{kept} après", "{garde} après"),
    ],
    ids=["no start", "no eligibilite", "no beginning", "no other", "no sentence", "no such field"],
)
def test_what_the_program_needs_is_looked_for_at_the_start(
    folder: Path, before: str, after: str
) -> None:
    changed(folder, before, after)
    assert re.match(r"channels/telegram\.yml, ligne \d+", complaint(folder))
