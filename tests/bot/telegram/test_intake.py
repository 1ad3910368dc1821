"""The intake, on both databases: each update becomes rows once, and nothing else is kept of it."""

import asyncio
import itertools
import json
import logging
from collections.abc import Callable, Sequence
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DataError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.testing import capture_logs

from bot.rasa import Rasa
from bot.telegram.intake import BURST, CUT, PACE, Intake
from bot.telegram.manners import Manners
from bot.text import MAX_LENGTH
from knowledge.telegram import load_telegram
from storage import chats, deliveries, erasure, inbox, telegram_bots
from storage.database import Database
from storage.inbox import Reply
from storage.models import (
    Asks,
    Base,
    Chat,
    Conversation,
    Direction,
    Message,
    State,
    TelegramUpdate,
)
from storage.times import utc_now
from tests.bot.fakes import ACTIONS, RASA, FakeRasa, parts
from tests.telegram import state
from tests.telegram.people import Person

Json = dict[str, Any]
BOT, OTHER_BOT = 123, 456
SAY = load_telegram().sentences
WITHOUT_TEXT = SAY["without_text"]
Begin = Callable[[int], Intake]


@pytest.fixture
async def begin(database: Database, fake_rasa: FakeRasa, tmp_path: Path) -> Begin:
    """What makes the intake of a bot; the relay does not run."""
    async with database.write() as session:
        await telegram_bots.add_bot(session, BOT)
        await telegram_bots.add_bot(session, OTHER_BOT)

    def make(bot: int) -> Intake:
        rasa = Rasa(RASA, ACTIONS, transport=fake_rasa)
        services = parts(database, rasa, tmp_path, token=f"{bot}:ABC", api="http://127.0.0.1:9")
        assert services.telegram
        return services.telegram._intake

    return make


@pytest.fixture
def intake(begin: Begin) -> Intake:
    return begin(BOT)


@pytest.fixture
def telegram() -> state.State:
    telegram = state.State()
    telegram.ids = itertools.count(123_456_789)  # a chat's number that nothing else looks like
    return telegram


@pytest.fixture
def person(telegram: state.State) -> Person:
    return Person(telegram, "Camille", started=True)


def updates(telegram: state.State) -> list[Json]:
    """Take the updates that wait."""
    waiting = [entry.update for entry in telegram.updates.pending]
    telegram.updates.pending.clear()
    return waiting


async def taken(intake: Intake, telegram: state.State) -> Manners:
    """Have the updates that wait taken; give what the last one asks for."""
    manners = Manners()
    for update in updates(telegram):
        manners = await intake.take(update)
    return manners


async def chat_of(database: Database, person: Person, bot: int = BOT) -> Chat:
    async with database.read() as session:
        chat = await session.get(Chat, (bot, person.id))
    assert chat is not None
    return chat


async def rows(database: Database, direction: Direction = Direction.inbound) -> Sequence[Message]:
    query = select(Message).where(Message.direction == direction).order_by(Message.id)
    async with database.read() as session:
        return (await session.scalars(query)).all()


async def received(database: Database) -> list[tuple[str, str | None]]:
    return [(one.text, one.payload) for one in await rows(database)]


async def counted(database: Database) -> tuple[int, int, int, int]:
    """How many chats, conversations, messages and marks of updates there are."""
    async with database.read() as session:
        found = [
            await session.scalar(select(func.count()).select_from(table)) or 0
            for table in (Chat, Conversation, Message, TelegramUpdate)
        ]
    return found[0], found[1], found[2], found[3]


async def replied(database: Database, conversation: str, *replies: Reply) -> list[Message]:
    """Answer the message that waits; give the rows of what is said."""
    async with database.write() as session:
        held = await inbox.claim(session, conversation, "worker", utc_now())
        assert held
        await inbox.answer(session, held, replies, None, utc_now())
        await inbox.release(session, held)
        query = select(Message).where(Message.in_reply_to == held.message.id)
        return list((await session.scalars(query.order_by(Message.seq))).all())


async def asked(
    intake: Intake, database: Database, telegram: state.State, person: Person, reply: Reply
) -> tuple[Message, state.Message]:
    """Have the person write and be answered so; give the row, and what Telegram shows of it."""
    person.say("Bonjour")
    await taken(intake, telegram)
    chat = await chat_of(database, person)
    (row,) = await replied(database, chat.conversation_id, reply)
    keys = [[{"text": one["title"], "callback_data": one["id"]}] for one in row.buttons or ()]
    content = {"text": row.text, "reply_markup": {"inline_keyboard": keys}}
    return row, person.post(content, telegram.bot)


CHOICE = Reply("On commence ?", [("Oui", "/affirm"), ("Non <merci>", "/deny"), ("Oui !", "/yes")])


# Once


async def test_a_message_becomes_a_row(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    said = person.say(" Combien\u200b  pour Ligré ? ")
    (update,) = updates(telegram)
    manners = await intake.take(update)
    chat = await chat_of(database, person)
    (row,) = await rows(database)
    assert (row.text, row.payload, row.state, row.seq) == (
        "Combien pour Ligré ?",
        None,
        State.due,
        1,
    )
    assert (row.channel_number, row.conversation_id) == (said.id, chat.conversation_id)
    assert manners == Manners(person.id, typing=(chat.conversation_id, 1))


async def test_an_update_that_comes_again_changes_nothing(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    person.say("Bonjour")
    (update,) = updates(telegram)
    await intake.take(update)
    for _ in range(3):
        assert await intake.take(deepcopy(update)) == Manners()
    assert await counted(database) == (1, 1, 1, 1)


async def test_an_update_that_comes_several_times_at_once_is_stored_once(
    begin: Begin, database: Database, telegram: state.State, person: Person
) -> None:
    person.say("Bonjour")
    (update,) = updates(telegram)
    several = [begin(BOT) for _ in range(4)]
    manners = await asyncio.gather(*(one.take(update) for one in several * 2))
    assert sorted(one.chat for one in manners) == [0] * 7 + [person.id]
    assert await counted(database) == (1, 1, 1, 1)


async def test_an_update_comes_again_after_all_was_erased(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    person.say("Bonjour")
    (update,) = updates(telegram)
    await intake.take(update)
    chat = await chat_of(database, person)
    async with database.write() as session:
        await erasure.erase(session, chat.conversation_id)
    assert await intake.take(update) == Manners()
    assert await counted(database) == (0, 0, 0, 1)


async def test_a_first_contact_opens_one_chat(
    begin: Begin, database: Database, telegram: state.State, person: Person
) -> None:
    for text in ("un", "deux", "trois", "quatre"):
        person.say(text)
    await asyncio.gather(*(begin(BOT).take(one) for one in updates(telegram)))
    assert await counted(database) == (1, 1, 4, 4)
    assert sorted(one.seq for one in await rows(database)) == [1, 2, 3, 4]


async def test_each_person_has_their_own_conversation(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    other = Person(telegram, "Dominique", started=True)
    person.say("Bonjour")
    other.say("Bonjour")
    await taken(intake, telegram)
    mine, theirs = await chat_of(database, person), await chat_of(database, other)
    assert mine.conversation_id != theirs.conversation_id
    assert await counted(database) == (2, 2, 2, 2)


async def test_two_bots_may_have_the_same_numbers(
    begin: Begin, database: Database, telegram: state.State, person: Person
) -> None:
    person.say("Bonjour")
    (update,) = updates(telegram)
    for bot in (BOT, OTHER_BOT):
        assert (await begin(bot).take(update)).chat == person.id
    assert await counted(database) == (2, 2, 2, 2)


async def test_an_update_without_a_number_is_left(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    person.say("Bonjour")
    (update,) = updates(telegram)
    numbers: list[Any] = [None, -1, 2**63, 2**70, "12", 1.0, [], {}]
    wrong = [update | {"update_id": number} for number in numbers]
    del update["update_id"]
    for one in (update, *wrong):
        with capture_logs() as logs:
            assert await intake.take(one) == Manners()
        assert [entry["event"] for entry in logs] == ["update_not_read"]
    assert await counted(database) == (0, 0, 0, 0)


async def test_a_number_may_be_any_that_the_database_holds(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    person.say("Bonjour")
    (update,) = updates(telegram)
    numbers = [0, 1, 2**31, 2**63 - 1]
    for number in numbers * 2:
        await intake.take(update | {"update_id": number})
    assert await received(database) == [("Bonjour", None)] * len(numbers)


async def test_a_number_that_telegram_gives_out_again_is_another_update(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    person.say("Bonjour")
    (update,) = updates(telegram)
    await intake.take(update)
    async with database.write() as session:
        await telegram_bots.forget_updates(session, utc_now() + timedelta(days=1))
    person.say("Des mois plus tard")
    (later,) = updates(telegram)
    await intake.take(later | {"update_id": update["update_id"]})
    assert await received(database) == [("Bonjour", None), ("Des mois plus tard", None)]


async def test_a_truth_is_no_number(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    person.say("Bonjour")
    (update,) = updates(telegram)
    assert await intake.take(update | {"update_id": True}) == Manners()
    assert await counted(database) == (0, 0, 0, 0)


async def test_what_is_not_read_is_marked_as_taken(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    person.say("secret de Ligré")
    (update,) = updates(telegram)
    del update["message"]["chat"]
    with capture_logs() as logs:
        assert await intake.take(update) == Manners()
    assert [one["event"] for one in logs] == ["update_not_read"]
    assert "secret" not in str(logs)
    assert await counted(database) == (0, 0, 0, 1)


async def test_what_no_row_can_hold_does_not_come_again_for_ever(
    intake: Intake,
    database: Database,
    telegram: state.State,
    person: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def failing(*_: Any, **__: Any) -> Any:
        raise DataError("INSERT", {}, Exception("out of range"))

    person.say("secret de Ligré")
    with monkeypatch.context() as patch, capture_logs() as logs:
        patch.setattr(inbox, "receive", failing)
        assert await taken(intake, telegram) == Manners()
    assert [(one["event"], one["error"]) for one in logs] == [("update_not_taken", "DataError")]
    person.say("Et maintenant ?")
    await taken(intake, telegram)
    assert await received(database) == [("Et maintenant ?", None)]


@pytest.fixture
async def postgresql(migrated_schema: Callable[[], str]) -> Any:
    database = Database(migrated_schema())
    async with database.write() as session:
        await telegram_bots.add_bot(session, BOT)
    yield database
    await database.close()


@pytest.mark.parametrize(
    ("field", "value"), [("chat", 2**64), ("chat", "x"), ("message_id", "x"), ("message_id", 2**64)]
)
async def test_numbers_that_no_column_holds_are_marked_as_taken(
    postgresql: Database,
    fake_rasa: FakeRasa,
    tmp_path: Path,
    telegram: state.State,
    person: Person,
    field: str,
    value: Any,
) -> None:
    rasa = Rasa(RASA, ACTIONS, transport=fake_rasa)
    services = parts(postgresql, rasa, tmp_path, token="123:ABC", api="http://127.0.0.1:9")
    assert services.telegram
    person.say("Bonjour")
    (update,) = updates(telegram)
    message = update["message"]
    if field == "chat":
        message["chat"]["id"] = value
    else:
        message[field] = value
    assert await services.telegram._intake.take(update) == Manners()
    assert await counted(postgresql) == (0, 0, 0, 1)


# Where Telegram's numbers are


async def test_a_person_s_number_is_in_no_table_but_one_and_in_no_log(
    intake: Intake,
    database: Database,
    telegram: state.State,
    person: Person,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    with capture_logs() as logs:
        _, shown = await asked(intake, database, telegram, person, CHOICE)
        person.tap("Oui")
        person.edit(person.say("1200 habitants"), "2100 habitants")
        person.document("devis.pdf", size=5000, caption="le devis")
        person.photo()
        person.voice()
        person.contact()
        person.press(shown, {"text": "?", "callback_data": "3-forged"})
        telegram.updates.raw({"message": {"chat": person.json, "from": person.user}})
        person.block()
        person.unblock()
        await taken(intake, telegram)
    number = str(person.id)
    assert number == "5123456789"
    found = set()
    async with database.read() as session:
        for table in Base.metadata.sorted_tables:
            for row in await session.execute(select(table)):
                if number in repr(row):
                    found.add(table.name)
    assert found == {"chat"}
    assert len(logs) >= 8
    assert number not in json.dumps(logs, default=str) + caplog.text
    assert "Camille" not in json.dumps(logs, default=str) + caplog.text


# Words


TEXTS: list[tuple[str, str, str | None]] = [
    ("a" * MAX_LENGTH, "a" * MAX_LENGTH, None),
    ("a" * (MAX_LENGTH + 1), "a" * CUT + "…", "@too_long"),
    ("a" * 5_000_000, "a" * CUT + "…", "@too_long"),
    ("é " * 2_500_000, ("é " * CUT)[:CUT] + "…", "@too_long"),
    ("\u200b" * 5_000_000, WITHOUT_TEXT, "@empty"),
    ("", WITHOUT_TEXT, "@empty"),
    (" \n\t ", WITHOUT_TEXT, "@empty"),
    ("\u200b\u2800\u00ad", WITHOUT_TEXT, "@empty"),
    ("\0", WITHOUT_TEXT, "@empty"),
    ("a\0b\ud800c", "abc", None),
    ("@erase_yes", "@erase_yes", None),
    ("(message sans texte)", WITHOUT_TEXT, None),
    ("/aide", "/aide", "/help"),
    ("/start ABCD-EFGH-JKMN", "reprendre ABCD-EFGH-JKMN", None),
    ("/supprimer", "/supprimer", "@erase"),
    ('/montant{"subject": "axe_1"}', '/montant{"subject": "axe_1"}', None),
    ("/aide " + "a" * MAX_LENGTH, "/aide " + "a" * (CUT - 6) + "…", "@too_long"),
]
"""What is written, what is kept of it, and as what it is received."""


async def test_what_is_kept_of_a_text(
    intake: Intake, database: Database, telegram: state.State
) -> None:
    for text, stored, payload in TEXTS:
        Person(telegram, "Camille").send({"text": text})
        manners = await taken(intake, telegram)
        assert (await received(database))[-1] == (stored, payload)
        assert manners.typing
    assert len(await rows(database)) == len(TEXTS)


async def test_what_is_no_text(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    person.voice()
    person.send({"hologram": {"depth": 3}})
    await taken(intake, telegram)
    assert await received(database) == [
        (WITHOUT_TEXT, "@wordless:voice"),
        (WITHOUT_TEXT, "@wordless:other"),
    ]


# Files


async def test_a_file_is_kept_by_what_is_told_of_it(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    said = person.document("Devis été.pdf", size=5000, caption="  voici \0 le devis ")
    await taken(intake, telegram)
    (row,) = await rows(database)
    assert (row.text, row.payload, row.channel_number) == ("voici le devis", "@file", said.id)
    assert row.attachments == [
        {
            "name": "Devis été.pdf",
            "media_type": "application/pdf",
            "size": 5000,
            "file_id": said.json["document"]["file_id"],
        }
    ]


NAMES = [
    ("../../etc/passwd", "passwd"),
    ("C:\\Mes documents\\devis.pdf", "devis.pdf"),
    ("/var/../devis.pdf", "devis.pdf"),
    ("dossier/", "document"),
    ("..", "document"),
    ("", "document"),
    ("a\0b\r\nc\u202efdp.pdf", "abcfdp.pdf"),
    ("\ud800.pdf", "document.pdf"),
    ("a" * 5_000_000, "a" * 100),
]


async def test_a_file_s_name_has_no_path(
    intake: Intake, database: Database, telegram: state.State
) -> None:
    for told, name in NAMES:
        document = {"file_id": "a\0b", "file_unique_id": "b", "file_name": told}
        content = document | {"mime_type": "x\0" + "y" * 5_000_000}
        Person(telegram, "Camille").send({"document": content})
        await taken(intake, telegram)
        row = (await rows(database))[-1]
        assert row.attachments
        (kept,) = row.attachments
        assert (kept["name"], kept["file_id"], kept["size"]) == (name, "ab", 0)
        assert len(kept["media_type"]) <= 128 and "\0" not in kept["media_type"]
    assert len(await rows(database)) == len(NAMES)


async def test_a_caption_of_any_length_is_cut(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    person.document("devis.pdf", size=5000, caption="é " * 2_500_000)
    await taken(intake, telegram)
    ((text, payload),) = await received(database)
    assert payload == "@file"
    assert text.startswith("é é é") and MAX_LENGTH - 1 <= len(text) <= MAX_LENGTH


# Taps


async def test_a_tap_is_a_message_that_answers_its_offer(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    offer, shown = await asked(intake, database, telegram, person, CHOICE)
    query = person.tap("Non <merci>")
    manners = await taken(intake, telegram)
    tap = (await rows(database))[-1]
    assert (tap.text, tap.payload, tap.state) == ("Non <merci>", "/deny", State.due)
    assert (tap.in_reply_to, tap.channel_number) == (offer.id, None)
    assert manners == Manners(
        person.id,
        typing=(tap.conversation_id, tap.seq),
        query=query,
        mark=(shown.id, "On commence ?\n\n✓ <b>Non &lt;merci&gt;</b>"),
    )


async def test_a_tap_twice_counts_once(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    _, shown = await asked(intake, database, telegram, person, CHOICE)
    person.tap("Oui")
    query = person.tap("Oui")
    manners = await taken(intake, telegram)
    mark = (shown.id, "On commence ?\n\n✓ <b>Oui</b>")  # the first time it did not go well
    assert manners == Manners(person.id, query=query, toast=SAY["chosen_before"], mark=mark)
    assert await received(database) == [("Bonjour", None), ("Oui", "/affirm")]


async def test_a_tap_that_comes_again_is_answered_and_marked_again(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    """As when the process died after it was stored: nobody was courteous yet."""
    _, shown = await asked(intake, database, telegram, person, CHOICE)
    query = person.tap("Oui")
    (update,) = updates(telegram)
    await intake.take(update)
    mark = (shown.id, "On commence ?\n\n✓ <b>Oui</b>")
    assert await intake.take(update) == Manners(person.id, query=query, mark=mark)
    assert await received(database) == [("Bonjour", None), ("Oui", "/affirm")]


async def test_taps_at_once_count_once(
    begin: Begin, database: Database, telegram: state.State, person: Person
) -> None:
    await asked(begin(BOT), database, telegram, person, CHOICE)
    for _ in range(4):
        person.tap("Oui")
    manners = await asyncio.gather(*(begin(BOT).take(one) for one in updates(telegram)))
    assert sorted(one.toast for one in manners) == ["", *[SAY["chosen_before"]] * 3]
    assert await received(database) == [("Bonjour", None), ("Oui", "/affirm")]


async def test_another_choice_of_the_same_message_counts(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    await asked(intake, database, telegram, person, CHOICE)
    person.tap("Oui")
    person.tap("Non <merci>")
    manners = await taken(intake, telegram)
    assert manners.toast == "" and manners.typing
    assert await received(database) == [
        ("Bonjour", None),
        ("Oui", "/affirm"),
        ("Non <merci>", "/deny"),
    ]


INVENTED = [
    "1-00000000",
    "2-forged",
    "999999999-0",
    "9999999999-0",
    "2",
    "-",
    "",
    "@erase_yes",
    "/deny",
    "2-\0",
    "٢-0a1b2c3d",
    "x" * 64,
    "2-" + "0" * 5_000_000,
]


async def test_a_button_that_was_not_offered_does_nothing(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    _, shown = await asked(intake, database, telegram, person, CHOICE)
    for button in INVENTED:
        query = person.press(shown, {"text": "Oui", "callback_data": button})
        manners = await taken(intake, telegram)
        assert manners == Manners(person.id, query=query, toast=SAY["not_offered"])
    assert len(await rows(database)) == 1


async def test_a_button_of_another_chat_does_nothing(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    offer, _ = await asked(intake, database, telegram, person, CHOICE)
    stranger = Person(telegram, "Dominique", started=True)
    _, shown = await asked(intake, database, telegram, stranger, Reply("Et vous ?", [("a", "/b")]))
    assert offer.buttons
    key = {"text": "Oui", "callback_data": offer.buttons[0]["id"]}
    query = stranger.press(shown, key)
    manners = await taken(intake, telegram)
    assert manners == Manners(stranger.id, query=query, toast=SAY["not_offered"])
    unknown = Person(telegram, "Alix", started=True)
    query = unknown.press(unknown.post({"text": "?"}, telegram.bot), key)
    manners = await taken(intake, telegram)
    assert manners == Manners(unknown.id, query=query, toast=SAY["not_offered"])
    assert len(await rows(database)) == 2
    assert (await counted(database))[0] == 2


async def test_a_tap_under_a_message_that_telegram_does_not_show_marks_nothing(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    await asked(intake, database, telegram, person, CHOICE)
    person.tap("Oui")
    (update,) = updates(telegram)
    del update["callback_query"]["message"]
    manners = await intake.take(update)
    assert manners.mark is None and manners.typing
    assert (await received(database))[-1] == ("Oui", "/affirm")


async def test_a_mark_goes_with_what_telegram_shows(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    """Of a message sent in parts, that with the buttons; never so long as to be refused."""
    await asked(intake, database, telegram, person, CHOICE)
    person.tap("Oui")
    (update,) = updates(telegram)
    update["callback_query"]["message"]["text"] = "a" * 9000 + "<b>"
    manners = await intake.take(update)
    assert manners.mark
    assert manners.mark[1].endswith("a\n\n✓ <b>Oui</b>") and len(manners.mark[1]) < 4096


async def test_the_end_of_what_is_too_long_is_no_answer(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    """An application cuts at Telegram's own limit, which is above ours."""
    person.say("mot " * 2500)
    # A command is no end of anything, whenever it comes.
    person.say("/aide")
    telegram.advance(3)
    person.say("En bref : combien ?")
    await taken(intake, telegram)
    assert [payload for _, payload in await received(database)] == ["@too_long", "/help", None]
    assert (await received(database))[-1] == ("En bref : combien ?", None)


async def test_what_is_too_long_and_was_not_stored_is_not_its_own_end(
    intake: Intake,
    database: Database,
    telegram: state.State,
    person: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def failing(*_: Any, **__: Any) -> Any:
        raise OperationalError("INSERT", {}, Exception("disk full"))

    person.say("mot " * 1020)
    (update,) = updates(telegram)
    with monkeypatch.context() as patch:
        patch.setattr(inbox, "receive", failing)
        with pytest.raises(SQLAlchemyError):
            await intake.take(update)
    await intake.take(update)
    assert [payload for _, payload in await received(database)] == ["@too_long"]


async def test_what_comes_long_after_is_no_end_though_we_get_it_at_once(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    person.say("a" * 4050)
    telegram.advance(600)
    person.say("Allô ?")
    await taken(intake, telegram)
    assert [payload for _, payload in await received(database)] == ["@too_long", None]


# Changes


async def test_what_nobody_began_to_answer_is_changed_in_place(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    said = person.say("1200 habitants")
    await taken(intake, telegram)
    person.edit(said, " 2100  habitants ")
    assert await taken(intake, telegram) == Manners()
    assert await received(database) == [("2100 habitants", None)]
    person.edit(said, "/aide")
    await taken(intake, telegram)
    assert await received(database) == [("/aide", "/help")]
    person.edit(said, "non, rien")
    await taken(intake, telegram)
    assert await received(database) == [("non, rien", None)]


async def test_the_last_answered_is_corrected_by_another(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    said = person.say("1200 habitants")
    await taken(intake, telegram)
    chat = await chat_of(database, person)
    await replied(database, chat.conversation_id, Reply("Noté."))
    person.edit(said, "2100 habitants")
    manners = await taken(intake, telegram)
    before, after = await rows(database)
    assert before.text == "1200 habitants"
    assert (after.text, after.corrects, after.seq) == ("2100 habitants", before.seq, 3)
    assert (after.channel_number, after.state) == (said.id, State.due)
    assert manners == Manners(person.id, typing=(chat.conversation_id, after.seq))


async def test_a_correction_may_be_corrected(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    said = person.say("1200 habitants")
    await taken(intake, telegram)
    chat = await chat_of(database, person)
    await replied(database, chat.conversation_id, Reply("Noté."))
    person.edit(said, "2100 habitants")
    await taken(intake, telegram)
    person.edit(said, "2200 habitants")  # not answered yet
    await taken(intake, telegram)
    assert [(one.text, one.corrects) for one in await rows(database)] == [
        ("1200 habitants", None),
        ("2200 habitants", 1),
    ]
    await replied(database, chat.conversation_id, Reply("Noté."))
    person.edit(said, "2300 habitants")
    await taken(intake, telegram)
    assert [(one.text, one.corrects, one.seq) for one in await rows(database)] == [
        ("1200 habitants", None, 1),
        ("2200 habitants", 1, 3),
        ("2300 habitants", 3, 5),
    ]


async def test_what_is_being_answered_is_corrected_by_another(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    said = person.say("1200 habitants")
    await taken(intake, telegram)
    chat = await chat_of(database, person)
    async with database.write() as session:
        assert await inbox.claim(session, chat.conversation_id, "worker", utc_now())
    person.edit(said, "2100 habitants")
    await taken(intake, telegram)
    assert [(one.text, one.corrects, one.state) for one in await rows(database)] == [
        ("1200 habitants", None, State.due),
        ("2100 habitants", 1, State.due),
    ]


async def test_what_may_have_been_heard_is_corrected_by_another(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    said = person.say("1200 habitants")
    await taken(intake, telegram)
    chat = await chat_of(database, person)
    async with database.write() as session:
        held = await inbox.claim(session, chat.conversation_id, "worker", utc_now())
        assert held
        later = utc_now() + timedelta(seconds=1)
        await inbox.postpone(session, held, retry_at=later, notice="Plus tard.", now=utc_now())
    person.edit(said, "2100 habitants")
    await taken(intake, telegram)
    assert [(one.text, one.corrects) for one in await rows(database)] == [
        ("1200 habitants", None),
        ("2100 habitants", 1),
    ]


async def test_one_that_waits_behind_others_is_changed_in_place(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    person.say("1200 habitants")
    said = person.say("et une école")
    person.say("merci")
    await taken(intake, telegram)
    chat = await chat_of(database, person)
    async with database.write() as session:  # a worker answers the first one
        assert await inbox.claim(session, chat.conversation_id, "worker", utc_now())
    person.edit(said, "et deux écoles")
    assert await taken(intake, telegram) == Manners()
    texts = [one.text for one in await rows(database)]
    assert texts == ["1200 habitants", "et deux écoles", "merci"]


async def test_an_older_one_is_not_changed_any_more(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    said = person.say("1200 habitants")
    person.say("et une école")
    await taken(intake, telegram)
    chat = await chat_of(database, person)
    for _ in range(2):
        await replied(database, chat.conversation_id, Reply("Noté."))
    person.edit(said, "2100 habitants")
    manners = await taken(intake, telegram)
    assert manners.typing
    last = (await rows(database))[-1]
    assert (last.text, last.payload) == ("2100 habitants", "@old_edit")
    assert (last.corrects, last.channel_number) == (None, None)
    assert [one.text for one in await rows(database)][:2] == ["1200 habitants", "et une école"]


async def test_a_tap_makes_what_was_written_before_an_older_one(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    said = person.say("1200 habitants")
    await taken(intake, telegram)
    chat = await chat_of(database, person)
    (row,) = await replied(database, chat.conversation_id, CHOICE)
    assert row.buttons
    shown = person.post({"text": row.text}, telegram.bot)
    person.press(shown, {"text": "Oui", "callback_data": row.buttons[0]["id"]})
    person.edit(said, "2100 habitants")
    await taken(intake, telegram)
    assert (await received(database))[1:] == [("Oui", "/affirm"), ("2100 habitants", "@old_edit")]


@pytest.mark.parametrize("same", ["1200 habitants", " 1200  habitants\u200b"])
async def test_what_is_as_it_was_changes_nothing(
    intake: Intake, database: Database, telegram: state.State, person: Person, same: str
) -> None:
    said = person.say("1200 habitants")
    await taken(intake, telegram)
    chat = await chat_of(database, person)
    await replied(database, chat.conversation_id, Reply("Noté."))
    person.edit(said, same)
    assert await taken(intake, telegram) == Manners()
    assert len(await rows(database)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "/aide",
        "/reprendre ABCD-EFGH-JKMN",
        "a" * (MAX_LENGTH + 1),
    ],
    ids=["command", "code", "too long"],
)
async def test_what_is_stored_otherwise_than_typed_may_be_as_it_was_too(
    intake: Intake, database: Database, telegram: state.State, person: Person, text: str
) -> None:
    said = person.send({"text": text})
    await taken(intake, telegram)
    chat = await chat_of(database, person)
    await replied(database, chat.conversation_id, Reply("Voilà."))
    person.edit(said, text)
    assert await taken(intake, telegram) == Manners()
    assert len(await rows(database)) == 1


async def test_a_change_to_nothing_or_to_too_much(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    said = person.say("1200 habitants")
    await taken(intake, telegram)
    person.edit(said, "\u200b")
    assert await taken(intake, telegram) == Manners()
    person.edit(said, "a" * 5_000_000)
    await taken(intake, telegram)
    assert await received(database) == [
        ("1200 habitants", None),
        ("a" * CUT + "…", "@too_long"),
    ]


async def test_a_change_of_what_we_do_not_know_changes_nothing(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    before = person.say("avant le robot")
    updates(telegram)
    person.edit(before, "autrement")
    assert await taken(intake, telegram) == Manners()
    assert (await counted(database))[:3] == (0, 0, 0)
    person.say("Bonjour")
    await taken(intake, telegram)
    person.edit(before, "encore autrement")
    assert await taken(intake, telegram) == Manners()
    stranger = Person(telegram, "Dominique", started=True)
    theirs = stranger.say("Salut")
    await taken(intake, telegram)
    assert theirs.id == before.id
    stranger.edit(theirs, "Bonsoir")  # the same number, in another chat
    await taken(intake, telegram)
    assert await received(database) == [("Bonjour", None), ("Bonsoir", None)]


# Telephone numbers


async def test_a_number_that_was_asked_for_is_an_answer(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    await asked(intake, database, telegram, person, Reply("Votre numéro ?", asks=Asks.phone))
    person.contact("33612345678")
    await taken(intake, telegram)
    assert (await received(database))[-1] == ("+33612345678", None)


async def test_a_number_that_was_not_asked_for_is_not_kept(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    person.contact("+33612345678")
    await taken(intake, telegram)
    await asked(intake, database, telegram, person, CHOICE)
    person.contact("+33612345678")
    await taken(intake, telegram)
    told = await received(database)
    assert told[0] == told[-1] == (WITHOUT_TEXT, "@wordless:contact")
    # Asked for, then something else was said.
    chat = await chat_of(database, person)
    for reply in (Reply("Votre numéro ?", asks=Asks.phone), Reply("Bien.")):
        await replied(database, chat.conversation_id, reply)
    person.contact("+33612345678")
    await taken(intake, telegram)
    assert (await received(database))[-1] == (WITHOUT_TEXT, "@wordless:contact")


# Who blocks


async def test_to_whom_blocks_the_bot_nothing_more_is_sent(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    row, _ = await asked(intake, database, telegram, person, CHOICE)
    other = Person(telegram, "Dominique", started=True)
    theirs, _ = await asked(intake, database, telegram, other, CHOICE)
    assert row.state is State.due
    async with database.read() as session:
        due = await deliveries.due_chats(session, BOT, utc_now(), [], 9)
    assert sorted(due) == sorted([person.id, other.id])
    person.say("encore une question")
    person.block()
    assert await taken(intake, telegram) == Manners()
    states = {one.id: one.state for one in await rows(database, Direction.outbound)}
    assert states == {row.id: State.failed, theirs.id: State.due}
    assert (await rows(database))[-1].state is State.due  # it can still be answered
    chat = await chat_of(database, person)
    assert chat.blocked_at is not None
    async with database.read() as session:
        assert await deliveries.due_chats(session, BOT, utc_now(), [], 9) == [other.id]


@pytest.mark.parametrize("by", ["coming back", "writing", "tapping", "a file"])
async def test_who_comes_back_is_heard_again(
    intake: Intake, database: Database, telegram: state.State, person: Person, by: str
) -> None:
    _, shown = await asked(intake, database, telegram, person, CHOICE)
    person.block()
    await taken(intake, telegram)
    person.unblock()
    back = updates(telegram)
    match by:
        case "coming back":
            await intake.take(back[0])
        case "writing":
            person.say("Me revoilà")
        case "tapping":
            person.press(shown, shown.buttons[0])
        case _:
            person.document("devis.pdf", size=5)
    await taken(intake, telegram)
    chat = await chat_of(database, person)
    assert chat.blocked_at is None
    assert [one.state for one in await rows(database, Direction.outbound)] == [State.failed]


async def test_what_was_answered_to_who_had_blocked_the_bot_is_not_told_later(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    person.say("une question")
    person.block()
    await taken(intake, telegram)
    chat = await chat_of(database, person)
    await replied(database, chat.conversation_id, Reply("Une réponse."))
    person.unblock()
    person.say("Me revoilà")
    await taken(intake, telegram)
    await replied(database, chat.conversation_id, Reply("Bonjour !"))
    states = {one.text: one.state for one in await rows(database, Direction.outbound)}
    assert states == {"Une réponse.": State.failed, "Bonjour !": State.due}


async def test_who_was_never_here_may_block_the_bot(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    person.block()
    person.unblock()
    assert await taken(intake, telegram) == Manners()
    assert await counted(database) == (0, 0, 0, 2)


async def test_who_had_all_erased_and_blocks_the_bot_is_forgotten(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    person.say("Bonjour")
    await taken(intake, telegram)
    chat = await chat_of(database, person)
    async with database.write() as session:
        await chats.begin_anew(session, chat.conversation_id, "Adieu.", utc_now())
        await erasure.erase(session, chat.conversation_id)
    person.block()
    await taken(intake, telegram)
    assert (await counted(database))[:3] == (0, 0, 0)


async def test_who_writes_while_being_forgotten_stays(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    person.say("Bonjour")
    await taken(intake, telegram)
    before = await chat_of(database, person)
    async with database.write() as session:
        await chats.begin_anew(session, before.conversation_id, "Adieu.", utc_now())
        await erasure.erase(session, before.conversation_id)
    person.say("Me revoilà")
    await taken(intake, telegram)
    chat = await chat_of(database, person)
    assert not chat.leaving and chat.conversation_id != before.conversation_id
    async with database.write() as session:
        await chats.forget_chat(session, BOT, person.id)
    assert await received(database) == [("Me revoilà", None)]


# Floods


async def test_a_flood_is_slowed_and_others_are_not(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    for number in range(BURST + 4):
        person.say(f"message {number}")
    other = Person(telegram, "Dominique", started=True)
    other.say("Bonjour")
    await taken(intake, telegram)
    late = [
        one.next_attempt_at - one.created_at
        for one in await rows(database)
        if one.text != "Bonjour" and one.next_attempt_at
    ]
    assert late[:BURST] == [timedelta()] * BURST
    assert timedelta() < PACE
    assert late[BURST:] == [PACE * n for n in range(1, 5)]
    quiet = (await rows(database))[-1]
    assert quiet.text == "Bonjour" and quiet.next_attempt_at == quiet.created_at


async def test_once_answered_a_flood_is_over(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    for number in range(BURST):
        person.say(f"message {number}")
    await taken(intake, telegram)
    chat = await chat_of(database, person)
    await replied(database, chat.conversation_id, Reply("Bien."))
    person.say("encore")
    await taken(intake, telegram)
    last = (await rows(database))[-1]
    assert last.next_attempt_at == last.created_at


# Failures


async def test_a_database_that_fails_stores_nothing(
    intake: Intake,
    database: Database,
    telegram: state.State,
    person: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    receive = inbox.receive

    async def failing(session: AsyncSession, *args: Any, **kwargs: Any) -> Any:
        await receive(session, *args, **kwargs)
        raise OperationalError("INSERT", {}, Exception("disk full"))

    person.say("Bonjour")
    (update,) = updates(telegram)
    with monkeypatch.context() as patch:
        patch.setattr(inbox, "receive", failing)
        with pytest.raises(SQLAlchemyError):
            await intake.take(update)
    assert await counted(database) == (0, 0, 0, 0)
    assert (await intake.take(update)).chat == person.id
    assert await counted(database) == (1, 1, 1, 1)


async def test_what_fails_otherwise_holds_nothing_up(
    intake: Intake,
    database: Database,
    telegram: state.State,
    person: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def failing(*args: Any, **kwargs: Any) -> Any:
        raise ValueError("secret")

    person.say("Bonjour")
    with monkeypatch.context() as patch, capture_logs() as logs:
        patch.setattr(inbox, "receive", failing)
        assert await taken(intake, telegram) == Manners()
    assert [(one["event"], one["error"]) for one in logs] == [("update_not_taken", "ValueError")]
    assert (await counted(database))[:3] == (0, 0, 0)
    person.say("Et maintenant ?")
    await taken(intake, telegram)
    assert await received(database) == [("Et maintenant ?", None)]


async def test_a_group_is_told_that_we_talk_in_private(
    intake: Intake, database: Database, telegram: state.State, person: Person
) -> None:
    update = {
        "update_id": 1,
        "message": {
            "message_id": 1,
            "date": 1,
            "chat": {"id": -1_001_234, "type": "supergroup", "title": "Conseil"},
            "from": person.user,
            "text": "/aide",
        },
    }
    assert await intake.take(update) == Manners(-1_001_234, private=True)
    assert await counted(database) == (0, 0, 0, 1)
