"""The reception, on both databases, between a chat and a Rasa that fails on demand."""

import hashlib
import itertools
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import func, select, update

import bot.relay
from bot.rasa import Fault, Rasa
from bot.reception import Reception
from bot.services import Services
from bot.telegram.intake import Intake
from bot.text import MAX_LENGTH
from candidature.attachments import MOST_BYTES
from candidature.wording import paragraphs
from knowledge import load
from knowledge.dialogue import load_wording
from knowledge.telegram import load_telegram
from knowledge.typography import french
from storage import chats, deliveries, drafts, inbox, telegram_bots
from storage.database import Database
from storage.models import Attachment, Chat, Conversation, Draft, Message, State
from storage.payloads import payload_of, step_payload
from storage.times import utc_now
from tests.bot.fakes import ACTIONS, PREFECTURE, RASA, UNAVAILABLE, Clock, FakeRasa, parts
from tests.bot.mail.filings import put_in_outbox
from tests.bot.threads import answered, answers, due, opened, running, say, thread, until
from tests.telegram import state
from tests.telegram.people import Person

BOT = 123
PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n"
TELEGRAM = load_telegram()


def said(sentence: str) -> str:
    """A sentence as it is read."""
    return french(
        TELEGRAM.sentences[sentence].format(kept="un an", limit="4\u00a0000", prefecture=PREFECTURE)
    )


NOTICE = said("notice")


@pytest.fixture
async def services(
    database: Database,
    fake_rasa: FakeRasa,
    clock: Clock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Services:
    """The parts of a bot that serves Telegram, which is out of reach."""
    monkeypatch.setattr(bot.relay, "POLL", 0.05)
    async with database.write() as session:
        await telegram_bots.add_bot(session, BOT)
    rasa = Rasa(RASA, ACTIONS, transport=fake_rasa)
    return parts(database, rasa, tmp_path, clock=clock, token="123:ABC", api="http://127.0.0.1:9")


@pytest.fixture
def intake(services: Services) -> Intake:
    assert services.telegram
    return services.telegram._intake


@pytest.fixture
def reception(services: Services) -> Reception:
    dialogue = services.relay._dialogue
    assert isinstance(dialogue, Reception)
    return dialogue


@pytest.fixture
def telegram() -> state.State:
    telegram = state.State()
    telegram.ids = itertools.count(123_456_789)
    return telegram


@pytest.fixture
def person(telegram: state.State) -> Person:
    return Person(telegram, "Camille", started=True)


@pytest.fixture
def trackers(tmp_path: Path) -> Path:
    """Rasa's database."""
    file = tmp_path / "rasa.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE rasa_tracker (sender_id VARCHAR(255) PRIMARY KEY)")
    return file


async def taken(intake: Intake, telegram: state.State) -> None:
    waiting = [entry.update for entry in telegram.updates.pending]
    telegram.updates.pending.clear()
    for one in waiting:
        await intake.take(one)


async def conversation_of(database: Database, person: Person) -> str:
    async with database.read() as session:
        chat = await session.get(Chat, (BOT, person.id))
    assert chat is not None
    return chat.conversation_id


async def nothing_due(database: Database, seconds: float = 10) -> None:
    async def is_so() -> bool:
        return await due(database) == 0

    await until(is_so, seconds)


async def heard(services: Services, telegram: state.State, person: Person) -> list[str]:
    """Have what waits taken and answered; give all that was said to the person."""
    assert services.telegram
    await taken(services.telegram._intake, telegram)
    async with running(services):
        await nothing_due(services.database)
    return await answers(services.database, await conversation_of(services.database, person))


async def last_said(database: Database, person: Person) -> Message:
    return (await thread(database, await conversation_of(database, person)))[-1]


def choices(message: Message) -> list[tuple[str, str]]:
    return [(one["title"], one["payload"]) for one in message.buttons or ()]


def pressed(telegram: state.State, person: Person, message: Message, title: str) -> None:
    """Tap a button of a message as Telegram would show it."""
    (button,) = (one for one in message.buttons or () if one["title"] == title)
    shown = person.post({"text": message.text}, telegram.bot)
    person.press(shown, {"text": title, "callback_data": button["id"]})


async def drafted(database: Database, person: Person, **values: Any) -> int:
    """Begin a draft in the person's conversation; give its number."""
    conversation = await conversation_of(database, person)
    async with database.write() as session:
        draft = await drafts.begin(session, conversation, "fonds", utc_now())
        draft.state = values or {"given": {}}
    return draft.id


async def greeted(services: Services, telegram: state.State, person: Person) -> None:
    """Have the first message over, and the notice with it."""
    person.say("Bonjour")
    assert await heard(services, telegram, person) == [NOTICE, "Réponse à Bonjour"]


async def everything(database: Database, table: type[Any]) -> Sequence[Any]:
    async with database.read() as session:
        return (await session.scalars(select(table))).all()


# The notice


async def test_the_first_answer_alone_comes_with_the_notice(
    services: Services, telegram: state.State, person: Person
) -> None:
    person.say("un")
    person.say("deux")
    expected = [NOTICE, "Réponse à un", "Réponse à deux"]
    assert await heard(services, telegram, person) == expected
    person.say("trois")
    assert await heard(services, telegram, person) == [*expected, "Réponse à trois"]
    other = Person(telegram, "Dominique", started=True)
    other.say("quatre")
    assert await heard(services, telegram, other) == [NOTICE, "Réponse à quatre"]


async def test_on_the_web_no_notice_is_said(services: Services, database: Database) -> None:
    conversation = await opened(database)
    async with running(services):
        await say(services, conversation, "un", "deux")
        await answered(database, conversation, "Réponse à un", "Réponse à deux")


async def test_after_a_failure_the_notice_comes_with_the_answer(
    services: Services,
    database: Database,
    telegram: state.State,
    person: Person,
    fake_rasa: FakeRasa,
    clock: Clock,
) -> None:
    fake_rasa.fault = "down"
    person.say("un")
    assert services.telegram
    await taken(services.telegram._intake, telegram)
    conversation = await conversation_of(database, person)
    async with running(services):
        await answered(database, conversation, UNAVAILABLE)
        fake_rasa.fault = None
        clock.advance(seconds=61)
        await answered(database, conversation, UNAVAILABLE, NOTICE, "Réponse à un")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("a" * (MAX_LENGTH + 1), "too_long"), ("\u200b", "empty"), ("/supprimer", "erase")],
    ids=["too long", "empty", "erase"],
)
async def test_what_is_answered_here_comes_with_the_notice_too(
    services: Services,
    telegram: state.State,
    person: Person,
    fake_rasa: FakeRasa,
    text: str,
    sentence: str,
) -> None:
    person.send({"text": text})
    assert await heard(services, telegram, person) == [NOTICE, said(sentence)]
    person.send({"text": text})
    # What follows at once on a message that is too long is the rest of it.
    again = [] if sentence == "too_long" else [said(sentence)]
    assert await heard(services, telegram, person) == [NOTICE, said(sentence), *again]
    assert fake_rasa.messages == []


# The welcome


async def test_the_welcome_says_who_answers_and_offers_beginnings(
    services: Services,
    database: Database,
    telegram: state.State,
    person: Person,
    fake_rasa: FakeRasa,
) -> None:
    person.start()
    expected = paragraphs(said("hello"), NOTICE, said("ask"))
    assert await heard(services, telegram, person) == [expected]
    offered = choices(await last_said(database, person))
    knowledge = load()
    assert offered == [(knowledge.title(one), payload_of(one)) for one in TELEGRAM.welcome]
    assert offered[0][1] == '/affirm{"step": "0:begin:fonds"}'
    assert fake_rasa.messages == []
    person.say("un")
    assert await heard(services, telegram, person) == [expected, "Réponse à un"]


async def test_the_welcome_back_asks_what_waits_in_a_draft(
    services: Services,
    database: Database,
    telegram: state.State,
    person: Person,
    fake_rasa: FakeRasa,
) -> None:
    await greeted(services, telegram, person)
    await drafted(database, person)
    fake_rasa.replies = lambda _: [
        {"text": "Où en étions-nous ?", "buttons": [{"title": "Oui", "payload": "/affirm"}]}
    ]
    person.start()
    told = await heard(services, telegram, person)
    assert told[2:] == [said("hello"), "Où en étions-nous ?"]
    assert fake_rasa.messages[-1][1] == '/affirm{"step": "0:resume"}'
    assert choices(await last_said(database, person)) == [("Oui", "/affirm")]


async def test_a_link_with_a_code_asks_for_the_draft(
    services: Services, telegram: state.State, person: Person, fake_rasa: FakeRasa
) -> None:
    person.start("ABCD-EFGH-JKMN")
    answer = "Réponse à reprendre ABCD-EFGH-JKMN"
    assert await heard(services, telegram, person) == [NOTICE, answer]
    person.start("PQRSTVWXYZ23")
    await heard(services, telegram, person)
    assert [one for _, one in fake_rasa.messages] == [
        "reprendre ABCD-EFGH-JKMN",
        "reprendre PQRS-TVWX-YZ23",
    ]


async def test_a_command_typed_is_its_button_and_no_other_is_one(
    services: Services, telegram: state.State, person: Person, fake_rasa: FakeRasa
) -> None:
    for text in ("/aide", "/eligibilite", '/restart{"a": 1}', "/ aide"):
        person.say(text)
    await heard(services, telegram, person)
    assert [one for _, one in fake_rasa.messages] == [
        "/help",
        '/affirm{"step": "0:begin:fonds"}',
        'restart{"a": 1}',
        "aide",
    ]


# What is no text


async def test_what_is_no_text_gets_its_own_sentence(
    services: Services, telegram: state.State, person: Person, fake_rasa: FakeRasa
) -> None:
    file = {"file_id": "a", "file_unique_id": "b", "width": 9, "height": 9}
    film = file | {"duration": 3, "length": 9}
    place = {"latitude": 47.39, "longitude": 0.69}
    contents: dict[str, Any] = {
        "voice": film,
        "audio": film,
        "video": film,
        "video_note": film,
        "animation": film,
        "sticker": file | {"type": "regular", "is_animated": False, "is_video": False},
        "location": place,
        "venue": {"location": place, "title": "Mairie", "address": "Ligré"},
        "contact": {"phone_number": "+33612345678", "first_name": "Camille"},
        "dice": {"emoji": "🎲", "value": 6},
        "story": {"chat": person.json, "id": 3},
        "hologram": {"depth": 3},
    }
    assert TELEGRAM.wordless.keys() - contents.keys() == {"poll", "other"}
    expected = [NOTICE]
    for kind, content in contents.items():
        person.send({kind: content})
        expected.append(TELEGRAM.wordless.get(kind, TELEGRAM.wordless["other"]))
        assert await heard(services, telegram, person) == expected
    person.poll("Oui ?", "Oui", "Non")
    told = await heard(services, telegram, person)
    assert told == [*expected, TELEGRAM.wordless["poll"]]
    assert fake_rasa.messages == []


# Changes


async def test_an_old_message_that_is_changed_gets_a_sentence(
    services: Services, telegram: state.State, person: Person, fake_rasa: FakeRasa
) -> None:
    old = person.say("un")
    person.say("deux")
    before = await heard(services, telegram, person)
    person.edit(old, "trois")
    assert await heard(services, telegram, person) == [*before, said("old_edit")]
    assert [one for _, one in fake_rasa.messages] == ["un", "deux"]


async def test_a_correction_is_answered(
    services: Services, telegram: state.State, person: Person, fake_rasa: FakeRasa
) -> None:
    wrong = person.say("un")
    await heard(services, telegram, person)
    person.edit(wrong, "deux")
    assert (await heard(services, telegram, person))[2:] == ["Réponse à deux"]
    assert [one for _, one in fake_rasa.messages] == ["un", "deux"]


# Files


async def no_file(file_id: str) -> bytes | None:
    pytest.fail("the file was asked for")


async def test_a_file_too_large_is_not_even_fetched(
    services: Services,
    database: Database,
    reception: Reception,
    telegram: state.State,
    person: Person,
) -> None:
    await greeted(services, telegram, person)
    await drafted(database, person)
    reception.fetch = no_file
    person.document("devis.pdf", size=MOST_BYTES + 1)
    told = await heard(services, telegram, person)
    assert told[2:] == [load_wording().refusals["too_large"]]


async def test_a_file_without_a_draft_gets_a_beginning(
    services: Services,
    database: Database,
    reception: Reception,
    telegram: state.State,
    person: Person,
    fake_rasa: FakeRasa,
) -> None:
    reception.fetch = no_file
    person.document("devis.pdf", size=5)
    assert await heard(services, telegram, person) == [NOTICE, said("no_draft")]
    assert choices(await last_said(database, person)) == [
        (load().title("begin/fonds"), '/affirm{"step": "0:begin:fonds"}')
    ]
    assert fake_rasa.messages == []


async def test_what_is_written_with_a_file_without_a_draft_is_a_message(
    services: Services,
    database: Database,
    reception: Reception,
    telegram: state.State,
    person: Person,
    fake_rasa: FakeRasa,
) -> None:
    reception.fetch = no_file
    person.photo(caption="/combien pour ça ?")
    answer = "Réponse à combien pour ça ?"
    assert await heard(services, telegram, person) == [NOTICE, said("no_draft"), answer]
    assert choices(await last_said(database, person)) == []


async def test_a_file_is_fetched_joined_and_told_to_the_draft(
    services: Services,
    database: Database,
    reception: Reception,
    telegram: state.State,
    person: Person,
    fake_rasa: FakeRasa,
) -> None:
    await greeted(services, telegram, person)
    draft = await drafted(database, person)
    asked = []

    async def fetch(file_id: str) -> bytes | None:
        asked.append(file_id)
        return PDF

    reception.fetch = fetch
    first = person.document("../Devis été.pdf", size=len(PDF), caption="le devis")
    second = person.document("le même.pdf", size=len(PDF))
    await heard(services, telegram, person)
    assert asked == [one.json["document"]["file_id"] for one in (first, second)]
    (file,) = await everything(database, Attachment)
    assert (file.draft_id, file.name, file.size) == (draft, "Devis été.pdf", len(PDF))
    step = f"{draft}:attached:{file.id}:{hashlib.sha256(PDF).hexdigest()[:16]}"
    assert [one for _, one in fake_rasa.messages][1:] == [step_payload(step)] * 2


async def test_a_file_that_telegram_has_no_more_is_asked_for_again(
    services: Services,
    database: Database,
    reception: Reception,
    telegram: state.State,
    person: Person,
) -> None:
    await greeted(services, telegram, person)
    await drafted(database, person)

    async def fetch(file_id: str) -> bytes | None:
        return None

    reception.fetch = fetch
    person.document("devis.pdf", size=5)
    assert (await heard(services, telegram, person))[2:] == [said("lost_file")]
    assert await everything(database, Attachment) == []


@pytest.mark.parametrize("missing", [True, False])
async def test_a_file_that_cannot_be_had_now_waits(
    services: Services,
    database: Database,
    reception: Reception,
    intake: Intake,
    telegram: state.State,
    person: Person,
    fake_rasa: FakeRasa,
    clock: Clock,
    missing: bool,
) -> None:
    """Telegram is out of reach, or this process does not serve it."""
    await greeted(services, telegram, person)
    await drafted(database, person)
    before = ["Réponse à Bonjour", UNAVAILABLE]
    failures = 0

    async def failing(file_id: str) -> bytes | None:
        nonlocal failures
        failures += 1
        raise Fault("telegram")

    async def fetch(file_id: str) -> bytes | None:
        return PDF

    reception.fetch = None if missing else failing
    person.document("devis.pdf", size=len(PDF))
    await taken(intake, telegram)
    conversation = await conversation_of(database, person)

    async def tried_again() -> bool:
        clock.advance(seconds=61)
        rows = await thread(database, conversation)
        return any(one.payload == "@file" and one.attempts >= 2 for one in rows)

    async with running(services):
        await until(tried_again)
        assert (await answers(database, conversation))[1:] == before
        assert await due(database) == 1
        assert missing or failures >= 2
        reception.fetch = fetch
        clock.advance(seconds=61)
        await nothing_due(database)
    told = (await answers(database, conversation))[1:]
    assert told[:2] == before and len(told) == 3 and ":attached:" in told[2]
    assert len(await everything(database, Attachment)) == len(fake_rasa.messages) - 1 == 1


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (b"MZ\x90\0 a program", "devis.pdf", "lies"),
        (b"MZ\x90\0 a program", "devis.exe", "type"),
        (b"%PDF-1.7 /JavaScript (x)", "devis.pdf", "unsafe"),
        (b"", "devis.pdf", "empty"),
        (b"%PDF-" + bytes(MOST_BYTES), "devis.pdf", "too_large"),
    ],
    ids=["lies", "type", "unsafe", "empty", "larger than told"],
)
async def test_a_file_that_is_not_fit_is_refused_by_its_content(
    services: Services,
    database: Database,
    reception: Reception,
    telegram: state.State,
    person: Person,
    fake_rasa: FakeRasa,
    content: bytes,
    name: str,
    reason: str,
) -> None:
    await greeted(services, telegram, person)
    await drafted(database, person)

    async def fetch(file_id: str) -> bytes | None:
        return content

    reception.fetch = fetch
    person.document(name, size=5)
    assert (await heard(services, telegram, person))[2:] == [load_wording().refusals[reason]]
    assert await everything(database, Attachment) == []
    assert len(fake_rasa.messages) == 1


async def test_a_draft_that_is_left_while_its_file_is_fetched(
    services: Services,
    database: Database,
    reception: Reception,
    telegram: state.State,
    person: Person,
) -> None:
    await greeted(services, telegram, person)
    await drafted(database, person)
    conversation = await conversation_of(database, person)

    async def fetch(file_id: str) -> bytes | None:
        async with database.write() as session:
            await drafts.close(session, conversation)
        return PDF

    reception.fetch = fetch
    person.document("devis.pdf", size=5)
    assert (await heard(services, telegram, person))[2:] == [said("no_draft")]
    assert await everything(database, Attachment) == []


# What a person may ask of their data


async def test_what_is_kept_is_sent_in_two_files(
    services: Services, database: Database, telegram: state.State, person: Person
) -> None:
    await greeted(services, telegram, person)
    person.say("/mesdonnees")
    assert (await heard(services, telegram, person))[2:] == [said("export")]
    message = await last_said(database, person)
    assert message.attachments == [
        {"name": name, "media_type": kind, "export": True} for name, kind in inbox.EXPORTED
    ]
    assert [one["name"] for one in message.attachments] == ["mes-donnees.txt", "mes-donnees.json"]
    assert message.state is State.due


async def asked_to_erase(
    services: Services, database: Database, telegram: state.State, person: Person
) -> Message:
    person.say("/supprimer")
    assert (await heard(services, telegram, person))[-1] == said("erase")
    return await last_said(database, person)


async def test_nothing_is_erased_before_it_is_confirmed(
    services: Services, database: Database, telegram: state.State, person: Person
) -> None:
    await greeted(services, telegram, person)
    await drafted(database, person)
    question = await asked_to_erase(services, database, telegram, person)
    assert choices(question) == [
        (said("erase_yes"), "@erase_yes"),
        (said("erase_no"), "@erase_no"),
    ]
    pressed(telegram, person, question, said("erase_no"))
    told = await heard(services, telegram, person)
    assert told == [NOTICE, "Réponse à Bonjour", said("erase"), said("kept")]
    assert len(await everything(database, Draft)) == 1
    person.say("@erase_yes")  # typed, it is a text
    assert (await heard(services, telegram, person))[-1] == "Réponse à @erase_yes"
    assert len(await everything(database, Draft)) == 1


def remembered(trackers: Path, *added: str) -> set[str]:
    with closing(sqlite3.connect(trackers)) as connection, connection:
        connection.executemany("INSERT INTO rasa_tracker VALUES (?)", [(one,) for one in added])
        return {one for (one,) in connection.execute("SELECT sender_id FROM rasa_tracker")}


async def joined_file(database: Database, draft: int) -> None:
    async with database.write() as session:
        await drafts.attach(
            session,
            draft,
            name="devis.pdf",
            media_type="application/pdf",
            sha256="0" * 64,
            content=PDF,
            now=utc_now(),
        )


async def erased(services: Services, telegram: state.State, person: Person) -> None:
    """Confirm, and wait until nothing is due."""
    question = await asked_to_erase(services, services.database, telegram, person)
    pressed(telegram, person, question, said("erase_yes"))
    assert services.telegram
    await taken(services.telegram._intake, telegram)
    async with running(services):
        await nothing_due(services.database)


async def test_all_is_erased_but_the_farewell(
    services: Services,
    database: Database,
    telegram: state.State,
    person: Person,
    trackers: Path,
    fake_rasa: FakeRasa,
) -> None:
    await greeted(services, telegram, person)
    conversation = await conversation_of(database, person)
    await joined_file(database, await drafted(database, person))
    neighbour = Person(telegram, "Dominique", started=True)
    await greeted(services, telegram, neighbour)
    theirs = await conversation_of(database, neighbour)
    remembered(trackers, conversation, theirs)

    await erased(services, telegram, person)
    assert remembered(trackers) == {theirs}
    assert await everything(database, Draft) == await everything(database, Attachment) == []
    anew = await conversation_of(database, person)
    assert {one.id for one in await everything(database, Conversation)} == {theirs, anew}
    assert anew != conversation
    (farewell,) = await thread(database, anew)
    assert (farewell.text, farewell.seq, farewell.state) == (said("erased"), 1, State.due)
    assert farewell.in_reply_to is None and farewell.buttons is None
    async with database.read() as session:
        chat = await session.get(Chat, (BOT, person.id))
        assert chat and chat.leaving
        assert person.id in await deliveries.due_chats(session, BOT, utc_now(), [], 9)
    assert await answers(database, theirs) == [NOTICE, "Réponse à Bonjour"]

    person.say("Me revoilà")  # from scratch, with the notice again
    told = await heard(services, telegram, person)
    assert told == [said("erased"), NOTICE, "Réponse à Me revoilà"]
    assert fake_rasa.messages[-1] == (anew, "Me revoilà")


async def test_who_confirms_then_blocks_the_bot_is_forgotten_with_all_the_rest(
    services: Services,
    database: Database,
    intake: Intake,
    telegram: state.State,
    person: Person,
    trackers: Path,
) -> None:
    await greeted(services, telegram, person)
    remembered(trackers, await conversation_of(database, person))
    question = await asked_to_erase(services, database, telegram, person)
    pressed(telegram, person, question, said("erase_yes"))
    person.block()
    await taken(intake, telegram)
    async with running(services):
        await nothing_due(database)
    assert remembered(trackers) == set()
    for table in (Conversation, Chat, Message):
        assert await everything(database, table) == []


async def test_what_was_filed_stays_and_is_told_of(
    services: Services, database: Database, telegram: state.State, person: Person, trackers: Path
) -> None:
    await greeted(services, telegram, person)
    conversation = await conversation_of(database, person)
    filed = await put_in_outbox(database, files=(("devis.pdf", "application/pdf", PDF),))
    async with database.write() as session:
        await session.execute(
            update(Draft).where(Draft.id == filed).values(conversation_id=conversation)
        )
    await drafted(database, person)
    await erased(services, telegram, person)
    (draft,) = await everything(database, Draft)
    assert (draft.id, draft.reference, draft.conversation_id) == (filed, "IDL-2026-0001", None)
    assert len(await everything(database, Attachment)) == 1
    (farewell,) = await thread(database, await conversation_of(database, person))
    assert farewell.text == paragraphs(said("erased"), said("erased_filed"))
    assert PREFECTURE in farewell.text


async def test_nothing_is_erased_while_rasa_would_remember(
    services: Services,
    database: Database,
    intake: Intake,
    telegram: state.State,
    person: Person,
    trackers: Path,
    clock: Clock,
    fake_rasa: FakeRasa,
) -> None:
    await greeted(services, telegram, person)
    conversation = await conversation_of(database, person)
    await drafted(database, person)
    remembered(trackers, conversation)
    with closing(sqlite3.connect(trackers)) as connection:  # it can be read, not written
        connection.execute(
            "CREATE TRIGGER full BEFORE DELETE ON rasa_tracker"
            " BEGIN SELECT RAISE(FAIL, 'full'); END"
        )
    question = await asked_to_erase(services, database, telegram, person)
    pressed(telegram, person, question, said("erase_yes"))
    await taken(intake, telegram)
    before = [NOTICE, "Réponse à Bonjour", said("erase"), UNAVAILABLE]
    async with running(services):
        await answered(database, conversation, *before)
        assert await due(database) == 1
        assert len(await everything(database, Draft)) == 1
        assert remembered(trackers) == {conversation}
        with closing(sqlite3.connect(trackers)) as connection:
            connection.execute("DROP TRIGGER full")
        clock.advance(seconds=61)
        await nothing_due(database)
    assert remembered(trackers) == set()
    assert await everything(database, Draft) == []
    anew = await conversation_of(database, person)
    assert anew != conversation
    assert await answers(database, anew) == [said("erased")]
    assert len(fake_rasa.messages) == 1


async def test_what_is_written_after_the_confirmation_is_erased_too_or_answered_anew(
    services: Services,
    database: Database,
    intake: Intake,
    telegram: state.State,
    person: Person,
    trackers: Path,
) -> None:
    await greeted(services, telegram, person)
    before = await conversation_of(database, person)
    question = await asked_to_erase(services, database, telegram, person)
    pressed(telegram, person, question, said("erase_yes"))
    person.say("et ceci ?")
    await taken(intake, telegram)
    async with running(services):
        await nothing_due(database)
    anew = await conversation_of(database, person)
    assert anew != before
    assert await answers(database, anew) == [said("erased")]
    assert {one.conversation_id for one in await everything(database, Message)} == {anew}


@pytest.fixture
async def postgresql(migrated_schema: Callable[[], str]) -> Any:
    database = Database(migrated_schema())
    async with database.write() as session:
        await telegram_bots.add_bot(session, BOT)
    yield database
    await database.close()


async def test_who_writes_while_all_is_erased_waits_for_it(
    postgresql: Database,
    fake_rasa: FakeRasa,
    tmp_path: Path,
    telegram: state.State,
    person: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bot.relay, "POLL", 0.05)
    rasa = Rasa(RASA, ACTIONS, transport=fake_rasa)
    services = parts(postgresql, rasa, tmp_path, token="123:ABC", api="http://127.0.0.1:9")
    assert services.telegram
    await greeted(services, telegram, person)
    question = await asked_to_erase(services, postgresql, telegram, person)
    pressed(telegram, person, question, said("erase_yes"))
    await taken(services.telegram._intake, telegram)
    conversation = await conversation_of(postgresql, person)

    async def is_waiting() -> bool:
        async with postgresql.read() as session:
            query = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            return bool(await session.scalar(sa.text(query)))

    async with running(services):
        async with postgresql.write() as session:
            # As the intake does, slowly.
            await chats.open_chat(session, BOT, person.id, utc_now())
            await until(is_waiting)
            await inbox.receive(
                session,
                conversation,
                scope="telegram:123",
                external_id="slow",
                text="attendez",
                payload=None,
                now=utc_now(),
            )
        await nothing_due(postgresql, 4)
    assert await conversation_of(postgresql, person) != conversation


# In words


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("supprimez mes données", "erase"),
        ("je voudrais effacer toutes mes données svp", "erase"),
        ("donnez-moi mes données", "export"),
        ("Combien de temps gardez-vous mes données ?", "notice"),
        ("C'est conforme au RGPD ?", "notice"),
    ],
)
async def test_what_is_asked_of_ones_data_in_words(
    services: Services,
    telegram: state.State,
    person: Person,
    fake_rasa: FakeRasa,
    text: str,
    sentence: str,
) -> None:
    await greeted(services, telegram, person)
    before = len(fake_rasa.messages)
    person.say(text)
    assert (await heard(services, telegram, person))[-1] == said(sentence)
    assert len(fake_rasa.messages) == before


@pytest.mark.parametrize("text", ["Oui", "oui je confirme", "Oui, tout effacer"])
async def test_all_is_erased_by_a_typed_yes(
    services: Services, database: Database, telegram: state.State, person: Person, text: str
) -> None:
    await greeted(services, telegram, person)
    await drafted(database, person)
    person.say("/supprimer")
    await heard(services, telegram, person)
    person.say(text)
    assert await heard(services, telegram, person) == [said("erased")]
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Draft)) == 0


@pytest.mark.parametrize("text", ["non", "non merci", "Non, garder"])
async def test_all_is_kept_by_a_typed_no_which_is_no_answer_to_a_draft(
    services: Services, telegram: state.State, person: Person, fake_rasa: FakeRasa, text: str
) -> None:
    await greeted(services, telegram, person)
    person.say("/supprimer")
    await heard(services, telegram, person)
    before = len(fake_rasa.messages)
    person.say(text)
    assert (await heard(services, telegram, person))[-1] == said("kept")
    assert len(fake_rasa.messages) == before
    # It was asked once: a yes that comes later is no answer to it.
    person.say("oui")
    assert (await heard(services, telegram, person))[-1] == "Réponse à oui"


async def test_what_is_written_under_a_file_is_told_not_to_be_read(
    services: Services,
    database: Database,
    reception: Reception,
    telegram: state.State,
    person: Person,
    fake_rasa: FakeRasa,
) -> None:
    await greeted(services, telegram, person)
    await drafted(database, person)

    async def fetch(_file_id: str) -> bytes | None:
        return PDF

    reception.fetch = fetch
    person.document("devis.pdf", PDF, caption="c'est bon ?")
    told = await heard(services, telegram, person)
    assert told[-2] == said("caption")
    assert ":attached:" in fake_rasa.messages[-1][1]


async def test_the_words_of_a_button_do_what_it_does(
    services: Services, telegram: state.State, person: Person, fake_rasa: FakeRasa
) -> None:
    await greeted(services, telegram, person)
    fake_rasa.replies = lambda _: [
        {
            "text": "Que voulez-vous modifier ?",
            "buttons": [
                {"title": "Population", "payload": "/one"},
                {"title": "Où j’en suis", "payload": "/two"},
            ],
        }
    ]
    for text, received in (
        ("modifier", "modifier"),
        ("population !", "/one"),
        ("ou j'en suis", "/two"),
        ("la population", "la population"),
        ("!!!", "!!!"),
    ):
        person.say(text)
        await heard(services, telegram, person)
        assert fake_rasa.messages[-1][1] == received
    # Not those of what was said before.
    fake_rasa.replies = lambda _: [{"text": "Très bien."}]
    person.say("non")
    await heard(services, telegram, person)
    person.say("Population")
    await heard(services, telegram, person)
    assert fake_rasa.messages[-1][1] == "Population"


async def test_words_written_before_the_buttons_are_no_choice_among_them(
    services: Services, telegram: state.State, person: Person, fake_rasa: FakeRasa
) -> None:
    """Sent at once, or changed since: what they answer is not what was said last."""
    await greeted(services, telegram, person)
    fake_rasa.replies = lambda _: [
        {"text": "Et ensuite ?", "buttons": [{"title": "Non", "payload": "/last"}]}
    ]
    for _ in range(2):
        said_so = person.say("non")
    await heard(services, telegram, person)
    assert [text for _, text in fake_rasa.messages[-2:]] == ["non", "non"]
    person.edit(said_so, "Non !")
    await heard(services, telegram, person)
    assert fake_rasa.messages[-1][1] == "Non !"
    person.say("non")
    await heard(services, telegram, person)
    assert fake_rasa.messages[-1][1] == "/last"


async def test_a_yes_sent_with_the_command_erases_nothing(
    services: Services, telegram: state.State, person: Person, fake_rasa: FakeRasa
) -> None:
    await greeted(services, telegram, person)
    person.say("/supprimer")
    person.say("oui")
    assert (await heard(services, telegram, person))[-2:] == [said("erase"), "Réponse à oui"]
