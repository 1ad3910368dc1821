"""The assistant in Telegram, whole: real Rasa, actions and bot, on a strict fake Telegram."""

import email
import email.policy
import json
import re
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from deploy.stack import Stack
from knowledge import load
from knowledge.dialogue import load_wording
from knowledge.telegram import load_telegram
from knowledge.typography import french
from tests.conversations.candidate import (
    CONFIRM,
    EMAIL,
    SIRET,
    TO_SUMMARY,
    TO_VERDICT,
    answers,
    row,
    rows,
    tell,
)
from tests.conversations.telegram_person import (
    TelegramPerson,
    assert_logs_tell_nobody,
    bot_apart,
    dumped,
    frozen,
    plain,
    selected,
    together,
    until,
)
from tests.telegram.api import Telegram
from tests.telegram.people import Channel, Group

WORDING = load_telegram()
PORTEUR, PLACE = "Qui porte le projet", "Quel est le nom de la commune"
PROJECT, DECISION = "Que voulez-vous faire surtout", "La décision de mener"
SOURCE = "Source : préfecture d’Indre-et-Loire, 16/02/2021"
MARKED = "\n\n✓ "
PHONE = "0612345678"


@pytest.fixture
def someone(stack: Stack, telegram: Telegram) -> Callable[[], TelegramPerson]:
    """Give as many persons as are asked for."""
    return lambda: TelegramPerson(stack, telegram)


@pytest.fixture
def camille(someone: Callable[[], TelegramPerson]) -> TelegramPerson:
    return someone()


def sentence(name: str) -> str:
    return plain(french(WORDING.sentences[name]))


NOTICE = sentence("notice").split(".")[0]


# Questions


def test_a_question_and_its_answer(camille: TelegramPerson) -> None:
    hello = camille.start()
    assert hello.startswith("Bonjour ! Je suis Passerelle.")
    assert hello.count(NOTICE) == 1
    assert len(camille.messages) == 1
    assert camille.buttons[0] == "Faire le point sur mon projet"
    typed = camille.typing
    answer = camille.say("c'est quoi l'axe 3 ?")
    assert "34 millions" in answer
    assert f"\n\n{SOURCE}" in answer
    assert NOTICE not in answer
    assert camille.typing > typed
    (message,) = camille.messages
    assert message.json["link_preview_options"] == {"is_disabled": True}
    title = camille.buttons[-1]
    answered = camille.press(title)
    knowledge = load()
    reference = next(key for key in knowledge.answers if plain(knowledge.title(key)) == title)
    assert answered.startswith(plain(knowledge.answers[reference].text))
    until(lambda: not message.buttons)
    assert plain(message.text).endswith(MARKED + title)
    # The follow-up is of the same conversation.
    assert "500 000 habitants" in camille.say("et le premier axe ?")


def test_a_first_question_is_told_who_answers(camille: TelegramPerson) -> None:
    camille.say("c'est quoi l'axe 3 ?")
    first, answer = camille.messages
    assert plain(first.text).startswith(NOTICE)
    assert "34 millions" in plain(answer.text)


def test_it_is_seen_typing_as_long_as_the_answer_takes(
    stack: Stack, camille: TelegramPerson
) -> None:
    camille.start()
    typed = camille.typing
    with frozen(stack):
        camille.room.say("c'est quoi l'axe 3 ?")
        time.sleep(6)  # the applications show it for five seconds
    camille.settle()
    assert "34 millions" in plain(camille.room.said[-1].text)
    assert camille.typing >= typed + 2


def test_a_long_message_gets_one_sentence(camille: TelegramPerson) -> None:
    camille.start("eligibilite")
    assert "trop long" in camille.say("Nous sommes une commune. " * 200)
    assert len(camille.messages) == 1


# The questionnaire


def test_the_questionnaire_by_buttons(stack: Stack, camille: TelegramPerson) -> None:
    assert PORTEUR in camille.start("eligibilite")
    asked = camille.messages[-1]
    assert PLACE in camille.press("Une commune")
    until(lambda: asked.text.endswith(f"{MARKED}Une commune"))
    assert not asked.buttons
    (mark,) = [one["offset"] for one in asked.json["entities"] if one["type"] == "bold"]
    assert mark > 0
    # The keys that an application still shows are refused, politely, and once.
    toasts = len(camille.room.toasts)
    assert camille.do(lambda: camille.room.tap("Une commune", message=asked)) == ""
    until(lambda: len(camille.room.toasts) > toasts)
    assert camille.room.toasts[-1] == sentence("chosen_before").replace("'", "’")

    said = camille.say("c'est quoi l'axe 3 ?")
    assert said.index("34 millions") < said.index(PLACE)
    said = camille.say("Saint-Flovier")
    assert "576 habitants" in said and PROJECT in said
    said = camille.edit("Saint-Flovier", "Loches")
    assert "Loches" in said and PROJECT in said
    assert "Saint-Flovier" not in said
    conversation = camille.conversation
    (draft,) = rows(stack, "draft", conversation_id=conversation)
    assert json.loads(draft["state"])["answers"]["lieu"] == "37132"
    # Of what was answered long ago, only this is said.
    assert camille.edit("c'est quoi l'axe 3 ?", "c'est quoi l'axe 2 ?") == sentence("old_edit")

    said = camille.say("arrêter")
    assert re.search(r"reprendre [A-Z0-9]{4}(-[A-Z0-9]{4}){2}", said)
    assert "FranceConnect" in camille.say("qui signe le mandat Aidants Connect ?")
    assert PROJECT in camille.say("/reprendre")
    assert DECISION in camille.press("Former nos agents")
    assert len(rows(stack, "draft", conversation_id=conversation)) == 1


def test_the_menu_in_the_middle_offers_what_is_under_way(camille: TelegramPerson) -> None:
    camille.start("eligibilite")
    for said in ("une commune", "Saint-Flovier"):
        camille.say(said)
    assert "Vous avez déjà commencé" in camille.say("/eligibilite")
    under_way, anew = camille.buttons
    assert under_way.startswith("Saint-Flovier, projet numérique (")
    assert PORTEUR in camille.press(anew)
    # What was kept is what « reprendre » finds.
    assert PROJECT in camille.say("/reprendre")
    said = camille.say("retour")
    assert PLACE in said and "Réponse actuelle : Saint-Flovier" in said
    assert PROJECT in camille.press("Garder cette réponse")


def test_an_edit_before_the_answer_is_what_is_answered(
    stack: Stack, camille: TelegramPerson
) -> None:
    camille.start("eligibilite")
    camille.press("Une commune")
    telegram = camille.room.state
    with telegram.updates.held():
        message = camille.room.say("Saint-Flovier")
        camille.room.edit(message, "Loches")
    camille.settle()
    assert row(stack, conversation_id=camille.conversation)["state"]["answers"]["lieu"] == "37132"


def test_an_edit_of_a_message_that_waits_is_what_is_answered(
    stack: Stack, camille: TelegramPerson
) -> None:
    camille.start()
    with frozen(stack):
        camille.room.say("c'est quoi l'axe 3 ?")
        message = camille.room.say("c'est quoi l'axe 1 ?")
        camille.room.say("qui signe le mandat Aidants Connect ?")
        until(lambda: not camille.room.state.updates.pending)
        camille.room.edit(message, "c'est quoi l'axe 2 ?")
        until(lambda: not camille.room.state.updates.pending)
    camille.settle()
    third, second, signed = (text for text, _ in camille.room.sent()[1:])
    assert "34 millions" in third
    assert "axe 2" in second
    assert "FranceConnect" in signed


# The candidature


def test_a_whole_candidature(stack: Stack, camille: TelegramPerson) -> None:
    camille.start("eligibilite")
    assert "axe 3" in tell(camille, TO_VERDICT[1:])
    camille.press("Préparer ma candidature")
    tell(camille, (SIRET, "Maire, Camille Durand"))
    camille.press("La même personne")
    assert "téléphone" in camille.say(EMAIL)
    share = sentence("share_phone")
    assert camille.buttons[0] == share
    # Tapped, it sends a card: it is the answer. The keyboard goes with what follows.
    assert "Quel titre" in camille.press(share)
    assert camille.room.keyboard is None
    tell(camille, TO_SUMMARY[10:])
    assert answers(stack)["contact_telephone"].replace(" ", "").endswith("247000000")
    content = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n"
    said = camille.do(lambda: camille.room.document("devis.pdf", content))
    assert "C’est joint : devis.pdf." in said
    said = camille.do(lambda: camille.room.document("virus.exe", b"MZ"))
    assert said == plain(french(load_wording().refusals["type"]))
    assert "Pièces jointes : devis.pdf." in camille.say("où j'en suis")
    camille.say("déposer")
    said = camille.press(CONFIRM)
    (reference,) = set(re.findall(r"IDL-\d{4}-\d{4}", said))
    (pdf,) = camille.files
    assert pdf.name == f"{reference}.pdf"
    assert pdf.content is not None and pdf.content.startswith(b"%PDF-")
    (filed,) = rows(stack, "draft", reference=reference)
    assert (filed["status"], filed["siret"], filed["email"]) == ("filed", SIRET, EMAIL)
    path = stack.var / "mail" / f"{reference}.eml"
    until(path.exists)
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    parts = {part.get_filename(): part.get_content() for part in mail.iter_attachments()}
    assert parts["devis.pdf"] == content
    assert parts[pdf.name] == pdf.content
    assert mail["Cc"] == EMAIL


# From one channel to the other


def test_a_draft_goes_to_the_phone_and_back(
    someone: Callable[[], TelegramPerson], person: Any, somebody: Callable[[], Any]
) -> None:
    assert PROJECT in tell(person, ("faire le test", "une commune", "Saint-Flovier"))
    said = person.say("arrêter")
    (code,) = re.findall(r"https://t\.me/passerelle_test_bot\?start=([A-Za-z0-9_-]{1,64})", said)
    camille, thief = someone(), someone()
    said = camille.start(code)
    assert PROJECT in said and NOTICE in said
    assert DECISION in camille.press("Former nos agents")
    # Used: nobody else gets anything with it, nor the page either.
    said = thief.start(code)
    assert "aucun dossier en cours sous ce code" in said
    assert "Flovier" not in said and PROJECT not in said
    assert "pas de dossier en cours" in thief.say("/reprendre")
    assert "pas de dossier en cours" in person.say("reprendre")
    said = camille.say("arrêter")
    assert "t.me/" not in said
    (back,) = re.findall(r"reprendre ([A-Z0-9-]{14})", said)
    assert back.replace("-", "") != code.replace("-", "")
    assert DECISION in somebody().say(f"reprendre {back}")
    assert "pas de dossier en cours" in camille.say("/reprendre")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("eligibilite", PORTEUR),
        ("conseiller_numerique", "Qui recruterait"),
        ("contact", "pref-badl@indre-et-loire.gouv.fr"),
        ("nothing-of-ours", "Bonjour ! Je suis Passerelle."),
    ],
)
def test_a_deep_link(camille: TelegramPerson, word: str, expected: str) -> None:
    assert expected in camille.start(word)


def test_every_command_of_the_menu_answers(
    telegram: Telegram, someone: Callable[[], TelegramPerson]
) -> None:
    (shown,) = telegram.commands.values()
    commands = [one["command"] for one in shown]
    assert commands == list(WORDING.commands)
    expected = {
        "start": "Bonjour ! Je suis Passerelle.",
        "eligibilite": PORTEUR,
        "candidature": PORTEUR,
        "reprendre": "pas de dossier en cours",
        "contact": "pref-badl@indre-et-loire.gouv.fr",
        "aide": "Je réponds sur trois sujets",
        "mesdonnees": "Voici ce qui est gardé de vous",
        "supprimer": "Voulez-vous vraiment effacer",
        # In no menu: what the assistant can do.
        "inconnue": "Je réponds sur trois sujets",
    }
    persons = {name: someone() for name in expected}
    names = {one.id: name for name, one in persons.items()}
    together(list(persons.values()), lambda one: one.room.say(f"/{names[one.id]}"))
    for name, person in persons.items():
        said = "\n".join(plain(one.text) for one in person.messages)
        assert expected[name] in said, name
        assert said.count(NOTICE) == 1, name
    assert set(expected) >= set(commands)
    assert [one.name for one in persons["mesdonnees"].files] == [
        "mes-donnees.txt",
        "mes-donnees.json",
    ]


# One's data


def test_my_data_then_nothing_of_it(
    stack: Stack, camille: TelegramPerson, someone: Callable[[], TelegramPerson]
) -> None:
    other = someone()
    words = "combien a eu le departement, demande la zinzoline ?"
    together([camille, other], lambda one: one.room.say(words))
    camille.say("/eligibilite")
    camille.press("Une commune")
    camille.say("Saint-Flovier")
    said = camille.say("/mesdonnees")
    assert "Voici ce qui est gardé" in said
    text, data = camille.files
    assert text.content is not None and data.content is not None
    assert words in text.content.decode("utf-8-sig")
    told = json.loads(data.content)
    assert words in [one["text"] for one in told["messages"]]
    assert [one["value"] for one in told["drafts"][0]["answers"]][:2] == ["commune", "37218"]

    conversation = camille.conversation
    assert conversation and other.conversation
    assert "Voulez-vous vraiment" in camille.say("/supprimer")
    assert camille.press(sentence("erase_no")) == sentence("kept")
    assert PROJECT in camille.say("/reprendre")
    marks = (str(camille.id), conversation)
    for mark in marks:
        assert mark in dumped(stack, "passerelle")
    assert conversation in dumped(stack, "rasa")

    camille.say("/supprimer")
    said = camille.press(sentence("erase_yes"))
    assert said.startswith(sentence("erased").split(":")[0].replace("'", "’"))
    assert rows(stack, "draft", conversation_id=conversation) == []
    for mark in marks:
        assert mark not in dumped(stack, "passerelle"), mark
        assert mark not in dumped(stack, "rasa"), mark
    # The other person said the same, and it is still there.
    assert dumped(stack, "passerelle").count("zinzoline") == 1
    assert other.conversation in dumped(stack, "rasa")

    said = camille.say("c'est quoi l'axe 3 ?")
    assert said.startswith(NOTICE)
    assert PROJECT not in said
    assert "pas de dossier en cours" in camille.say("/reprendre")
    # What was shown before is of nothing any more.
    toasts = len(camille.room.toasts)
    assert camille.press("Former nos agents") == ""
    until(lambda: len(camille.room.toasts) > toasts)
    assert camille.room.toasts[-1] == sentence("not_offered")


def test_what_was_erased_is_in_no_file(stack: Stack, camille: TelegramPerson) -> None:
    def left() -> int:
        files = [path for path in stack.var.iterdir() if ".db" in path.name]
        return sum(path.read_bytes().lower().count(b"amarantine") for path in files)

    camille.say("combien a eu le departement, demande la mairie d'amarantine ?")
    assert left()
    camille.say("/supprimer")
    camille.press(sentence("erase_yes"))
    assert not left()


# What is no text


def test_what_is_no_text_gets_a_sentence(
    stack: Stack, someone: Callable[[], TelegramPerson]
) -> None:
    did: dict[str, Callable[[TelegramPerson], object]] = {
        "voice": lambda one: one.room.voice(),
        "video": lambda one: one.room.video(),
        "sticker": lambda one: one.room.sticker(),
        "location": lambda one: one.room.location(),
        "poll": lambda one: one.room.poll("Quel jour ?", "Lundi", "Mardi"),
        "contact": lambda one: one.room.contact(PHONE, name="Gontran"),
        "other": lambda one: one.room.send({"something_newer": {"than": "the library"}}),
    }
    persons = {kind: someone() for kind in did}
    kinds = {one.id: kind for kind, one in persons.items()}
    photographer, caption = someone(), someone()

    def act(one: TelegramPerson) -> None:
        if one is photographer:
            one.room.photo()
        elif one is caption:
            one.room.photo(caption="c'est quoi l'axe 3 ?")
        else:
            did[kinds[one.id]](one)

    together([*persons.values(), photographer, caption], act)
    for kind, person in persons.items():
        notice, said = (plain(one.text) for one in person.messages)
        assert notice.startswith(NOTICE), kind
        assert said == plain(french(WORDING.wordless[kind])), kind
    notice, said = (plain(one.text) for one in photographer.messages)
    assert said == sentence("no_draft")
    assert PORTEUR in photographer.press("Faire le point sur mon projet")
    _, said, answer = (plain(one.text) for one in caption.messages)
    assert said == sentence("no_draft")
    assert "34 millions" in answer
    # Somebody else's number is kept nowhere.
    assert PHONE not in dumped(stack, "passerelle")


def test_groups_are_declined_and_channels_left_alone(
    telegram: Telegram, camille: TelegramPerson
) -> None:
    private = sentence("private").format(username="passerelle_test_bot")
    group = Group(telegram, "Le conseil", camille.room)
    group.add_bot()
    until(lambda: group.said)
    assert [plain(one.text) for one in group.said] == [private]
    group.say("On mange où ce midi ?")
    group.say("/aide")  # it was told a moment ago
    other = Group(telegram, "Le bourg", camille.room)
    other.add_bot(administrator=True)
    other.say("/aide@passerelle_test_bot")
    other.say("/meteo@un_autre_bot")
    until(lambda: other.said)
    channel = Channel(telegram, "Annonces du bourg", camille.room)
    channel.add_bot()
    channel.say("Le bureau sera fermé mardi")
    channel.say("/aide")
    # A turn of somebody's, to know that all that came before was dealt with.
    camille.say("c'est quoi l'axe 3 ?")
    time.sleep(0.5)
    assert [plain(one.text) for one in group.said] == [private]
    assert [plain(one.text) for one in other.said] == [private]
    assert channel.said == []
    group.remove_bot()
    other.remove_bot()
    channel.remove_bot()


def test_who_blocked_is_written_to_no_more(telegram: Telegram, camille: TelegramPerson) -> None:
    camille.say("c'est quoi l'axe 3 ?")
    camille.room.say("combien on touche par conseiller numérique ?")
    camille.room.block()
    camille.settle()
    calls = len(telegram.calls)
    time.sleep(2.5)
    assert not [one for one in telegram.calls[calls:] if one[1].get("chat_id") == str(camille.id)]
    assert "Bonjour" in camille.start()
    assert "34 millions" in camille.say("c'est quoi l'axe 3 ?")


# By webhook


def test_by_webhook_then_by_polling_again(
    stack: Stack, telegram: Telegram, camille: TelegramPerson
) -> None:
    with bot_apart(stack, telegram_webhook_url=stack.url) as bot:
        until(lambda: telegram.updates.webhook)
        assert telegram.updates.webhook is not None
        url, secret = telegram.updates.webhook.url, telegram.updates.webhook.secret
        assert url == f"{stack.url}/telegram"
        assert secret
        assert PORTEUR in camille.start("eligibilite")
        assert PLACE in camille.press("Une commune")
        said = camille.say("Saint-Flovier")
        assert PROJECT in said

        forged = {
            "update_id": 999_999_999,
            "message": camille.room.say("forgé").json | {"text": "annuler"},
        }
        camille.settle()
        before = len(camille.room.events)
        with httpx.Client(trust_env=False) as client:
            for headers in (
                {},
                {"X-Telegram-Bot-Api-Secret-Token": ""},
                {"X-Telegram-Bot-Api-Secret-Token": secret[:-1]},
                {"X-Telegram-Bot-Api-Secret-Token": secret + "a"},
                {"X-Telegram-Bot-Api-Secret-Token": telegram.token},
                {"Authorization": secret},
            ):
                assert client.post(url, json=forged, headers=headers).status_code == 403
            known = {"X-Telegram-Bot-Api-Secret-Token": secret}
            assert client.get(url, headers=known).status_code in {404, 405}
            assert client.post(url, content=b"{", headers=known).status_code == 400
            assert client.post(url, json=[forged], headers=known).status_code == 400
        taken = "SELECT 1 FROM telegram_update WHERE update_id = ?"
        assert selected(stack, taken, 999_999_999) == []
        camille.settle()
        assert len(camille.room.events) == before
        # The same update twice is one.
        camille.room.say("c'est quoi l'axe 3 ?")
        telegram.updates.repeat()
        camille.settle()
        (answer,) = [text for text, _ in camille.room.sent(before)]
        assert "34 millions" in answer
        assert bot.process is not None and bot.process.poll() is None
    until(lambda: telegram.updates.webhook is None)
    assert DECISION in camille.press("Former nos agents")


# Last of all


def test_only_opaque_numbers_leave_the_rows(stack: Stack, telegram: Telegram) -> None:
    assert_logs_tell_nobody(stack, telegram)
    rasa = dumped(stack, "rasa")
    assert "rasa_tracker" in rasa
    for room in telegram.rooms.values():
        assert str(abs(room.id)) not in rasa
    # The one place where a chat's number is, and the only one.
    tables = re.split(r"\n(?=INSERT INTO)", dumped(stack, "passerelle"))
    for room in telegram.rooms.values():
        named = [one for one in tables if str(abs(room.id)) in one]
        assert all(one.startswith('INSERT INTO "chat"') for one in named)
