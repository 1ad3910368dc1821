"""What is said in chats is sent in order, once, whatever happens to Telegram or to us."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update
from structlog.testing import capture_logs

from bot.services import Services
from bot.telegram.delivery import MAKE_AT_MOST
from bot.telegram.pace import BURST, IN_ALL
from bot.telegram.rendering import LONGEST
from storage import chats, conversations, deliveries, erasure
from storage.database import Database
from storage.models import Chat, Conversation, Direction, Draft, State, TelegramBot
from storage.times import utc_now
from tests.bot.fakes import UNAVAILABLE, FakeRasa
from tests.bot.mail.filings import put_in_outbox
from tests.bot.telegram.running import (
    calls,
    chat_of,
    greeted,
    heard,
    killed_before,
    made,
    received,
    rows,
    running,
    said,
    settled,
    taken,
)
from tests.bot.threads import until
from tests.telegram.api import Telegram
from tests.telegram.people import Person
from tests.telegram.state import Limits, Message

Json = dict[str, Any]
Make = Callable[..., Services]
HELLO = "Réponse à bonjour"
FAULTS: list[Json] = [{"code": 500}, {"code": 502}, {"hang": True}, {"cut": True}]
PDF = b"%PDF-1.7 kept"


pytestmark = pytest.mark.usefixtures("hurried")


@pytest.fixture
def make(fake_rasa: FakeRasa, tmp_path: Path, telegram: Telegram) -> Make:
    def make(database: Database, **more: Any) -> Services:
        return made(database, fake_rasa, tmp_path, telegram, **more)

    return make


def long_text(parts: int) -> str:
    return "\n\n".join(f"Partie {n}. " + "x" * (LONGEST - 20) for n in range(parts))


def buttons(*titles: str) -> list[Json]:
    return [{"title": title, "payload": f"/{title.lower()}"} for title in titles]


def replies(fake_rasa: FakeRasa, **kinds: Json) -> None:
    """Have some messages answered otherwise than by a plain text."""
    fake_rasa.replies = lambda message: [
        {"text": f"Réponse à {message}"} | kinds.get(message.split()[0], {})
    ]


def sent_once(person: Person, events: int) -> None:
    """As many messages were sent, and none was taken back."""
    assert len([event for event in person.events if event.kind == "sent"]) == events


# In order, once


async def test_answers_come_in_order_each_once(
    database: Database, make: Make, telegram: Telegram
) -> None:
    persons = [Person(telegram, name) for name in ("Camille", "Alix", "Dominique")]
    async with running(make(database)):
        for number in range(5):
            for person in persons:
                person.say(f"{number}")
        for person in persons:
            await heard(person, *(f"Réponse à {number}" for number in range(5)))
        await settled(database, 15)
    for person in persons:
        sent_once(person, 6)
        assert person.said[0].text.startswith("C")  # what answers, before anything else


async def test_a_long_answer_comes_in_parts_with_its_keyboard_under_the_last(
    file: Database, make: Make, telegram: Telegram, fake_rasa: FakeRasa
) -> None:
    text = long_text(3)
    fake_rasa.replies = lambda message: [{"text": text, "buttons": buttons("Oui", "Non")}]
    person = Person(telegram)
    async with running(make(file)):
        person.say("un")
        await heard(person, *text.split("\n\n"))
        await settled(file)
    parts = person.said[1:]
    assert [part.labels for part in parts] == [[], [], ["Oui", "Non"]]
    assert all(len(part.text) <= 4096 for part in parts)


async def test_what_looks_like_html_is_shown_as_it_is(
    file: Database, make: Make, telegram: Telegram, fake_rasa: FakeRasa
) -> None:
    text = "1 < 2 & <b>gras</b> &amp; « <a href='http://x.example'>là</a> »"
    fake_rasa.replies = lambda message: [{"text": text}]
    person = Person(telegram)
    async with running(make(file)):
        person.say("un")
        await heard(person, text)
    assert "entities" not in person.said[-1].json or all(
        entity["type"] == "url" for entity in person.said[-1].json["entities"]
    )
    assert unescape(calls(telegram, "sendMessage")[-1]["text"]) == unescape(
        text.replace("&amp;", "&amp;amp;")
    )


async def test_links_are_not_previewed(
    file: Database, make: Make, telegram: Telegram, fake_rasa: FakeRasa
) -> None:
    fake_rasa.replies = lambda message: [{"text": "Voir https://www.indre-et-loire.gouv.fr/"}]
    person = Person(telegram)
    async with running(make(file)):
        person.say("un")
        await heard(person, "Voir https://www.indre-et-loire.gouv.fr/")
    assert all(one.json["link_preview_options"] == {"is_disabled": True} for one in person.said)


async def with_document(database: Database, fake_rasa: FakeRasa) -> str:
    number = await put_in_outbox(database)
    async with database.write() as session:
        await session.execute(update(Draft).where(Draft.id == number).values(document=PDF))
        reference = await session.scalar(select(Draft.reference))
    assert reference
    replies(fake_rasa, document={"custom": {"document": reference}})
    return f"{reference}.pdf"


def files_of(person: Person) -> list[tuple[str, bytes | None]]:
    return [(one.file.name, one.file.content) for one in person.said if one.file]


async def test_a_document_comes_after_its_text(
    file: Database, make: Make, telegram: Telegram, fake_rasa: FakeRasa
) -> None:
    name = await with_document(file, fake_rasa)
    person = Person(telegram)
    async with running(make(file)):
        await greeted(file, person)
        person.say("document")
        await heard(person, HELLO, "Réponse à document", "")
        await settled(file, 2)
    assert files_of(person) == [(name, PDF)]


async def test_what_is_kept_is_sent_as_two_files(
    file: Database, make: Make, telegram: Telegram
) -> None:
    person = Person(telegram)
    async with running(make(file)):
        person.say("bonjour")
        person.say("/mesdonnees")
        await settled(file, 2)
    names = [name for name, _ in files_of(person)]
    assert names == ["mes-donnees.txt", "mes-donnees.json"]
    assert "bonjour" in (files_of(person)[0][1] or b"").decode()
    assert [bool(one.file) for one in person.said[-3:]] == [False, True, True]


async def test_a_document_that_cannot_be_made_is_tried_again_and_holds_nobody_else(
    file: Database,
    make: Make,
    telegram: Telegram,
    fake_rasa: FakeRasa,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = await with_document(file, fake_rasa)
    one, other = Person(telegram, "Camille"), Person(telegram, "Alix")
    failures = [3]

    async def content(*_: object) -> bytes:
        if failures[0]:
            failures[0] -= 1
            raise RuntimeError
        return PDF

    monkeypatch.setattr("bot.telegram.delivery.content_of", content)
    async with running(make(file)):
        await greeted(file, one, other)
        one.say("document")
        other.say("un")
        await heard(other, HELLO, "Réponse à un")
        await settled(file, 4)
    assert failures == [0]
    assert files_of(one) == [(name, PDF)]
    sent_once(one, 4)


async def test_a_document_that_can_never_be_made_is_given_up_and_the_next_is_sent(
    file: Database,
    make: Make,
    telegram: Telegram,
    fake_rasa: FakeRasa,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await with_document(file, fake_rasa)
    person, tried = Person(telegram), []

    async def content(*_: object) -> bytes:
        tried.append(1)
        raise RuntimeError

    monkeypatch.setattr("bot.telegram.delivery.content_of", content)
    async with running(make(file)):
        await greeted(file, person)
        person.say("document")
        person.say("un")
        await heard(person, HELLO, "Réponse à document", "Réponse à un")
        await settled(file, 3)
    assert len(tried) == MAKE_AT_MOST
    assert files_of(person) == []


# What Telegram refuses for now


async def test_telegram_says_when_to_send_again_and_others_do_not_wait(
    file: Database, make: Make, telegram: Telegram
) -> None:
    slow, quick = Person(telegram, "Camille"), Person(telegram, "Alix")
    async with running(make(file)):
        await greeted(file, slow, quick)
        telegram.fail("sendMessage", code=429, retry_after=2)
        before = time.monotonic()
        slow.say("un")

        async def refused() -> bool:
            return not telegram.faults["sendmessage"]

        await until(refused)
        slow.say("deux")
        quick.say("trois")
        await heard(quick, HELLO, "Réponse à trois")
        assert time.monotonic() - before < 2
        mine = [told for told in calls(telegram, "sendMessage") if told["chat_id"] == str(slow.id)]
        assert len(mine) == 3  # the two of the greeting, and the one refused
        await heard(slow, HELLO, "Réponse à un", "Réponse à deux")
        assert time.monotonic() - before >= 2
        await settled(file, 5)
    sent_once(slow, 4)


async def test_a_choice_that_was_tapped_before_its_message_was_known_keeps_its_mark(
    file: Database, make: Make, telegram: Telegram, fake_rasa: FakeRasa
) -> None:
    replies(fake_rasa, un={"buttons": buttons("Oui", "Non")})
    person = Person(telegram)
    async with running(make(file)):
        await greeted(file, person)
        telegram.fail("sendMessage", hang=True, done=True)
        person.say("un")
        question = await asked(person, "Oui")
        person.tap("Oui")
        await marked(question)
        await heard(person, HELLO, question.text, "Réponse à /oui")
        await settled(file, 3)
    assert (question.text, question.labels) == ("Réponse à un\n\n✓ Oui", [])
    sent_once(person, 4)


@pytest.mark.parametrize("done", [True, False], ids=["done", "not done"])
@pytest.mark.parametrize("kind", ["text", "keyboard", "second part", "document"])
async def test_an_answer_that_was_lost_is_not_sent_twice_nor_forgotten(
    file: Database, make: Make, telegram: Telegram, fake_rasa: FakeRasa, kind: str, done: bool
) -> None:
    """Each way for Telegram's answer not to come, whether it had done what was asked or not."""
    name = await with_document(file, fake_rasa)
    reference = name.removesuffix(".pdf")
    long = long_text(3)
    of: dict[str, Json] = {
        "text": {},
        "keyboard": {"buttons": buttons("Oui", "Non")},
        "second part": {"text": long, "buttons": buttons("Oui", "Non")},
        "document": {"custom": {"document": reference}},
    }
    expected = [HELLO]
    person = Person(telegram)
    async with running(make(file)):
        await greeted(file, person)
        replies(fake_rasa, un=of[kind])
        for number, fault in enumerate(FAULTS):
            if kind == "second part":
                # Others than the second go well: faults are taken in turn.
                sends = len(calls(telegram, "sendMessage"))
                person_says(person, telegram, sends, fault | {"done": done})
            else:
                method = "sendDocument" if kind == "document" else "sendMessage"
                telegram.fail(method, **fault, done=done)
            person.say(f"un {number}")
            texts = long.split("\n\n") if kind == "second part" else [f"Réponse à un {number}"]
            expected += [*texts, ""] if kind == "document" else texts
            await heard(person, *expected)
            await settled(file, number + 2)
            assert said(person) == expected
            assert not any(telegram.faults.values())
            if kind in ("keyboard", "second part"):
                assert person.said[-1].labels == ["Oui", "Non"]
    sent_once(person, len(expected) + 1)
    if kind == "document":
        assert files_of(person) == [(name, PDF)] * len(FAULTS)
    if kind == "second part":
        assert [one.labels for one in person.said[2:5]] == [[], [], ["Oui", "Non"]]


def person_says(person: Person, telegram: Telegram, sends: int, fault: Json) -> None:
    """Have the second message sent from now on go wrong."""
    plain, waiting = telegram.fault, [fault]

    def chosen(method: str) -> Any:
        # The call is counted before its fault is looked for.
        if method == "sendMessage" and len(calls(telegram, "sendMessage")) == sends + 2 and waiting:
            telegram.fail("sendMessage", **waiting.pop())
        return plain(method)

    telegram.fault = chosen  # type: ignore[method-assign]


AFTER_A_LOSS: list[Json] = [
    {"code": 429, "retry_after": 1},
    {"code": 500},
    {"cut": True},
    {"hang": True},
]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(AFTER_A_LOSS[0]),
        *AFTER_A_LOSS[1:],
    ],
)
async def test_looking_for_a_lost_message_may_fail_too(
    file: Database, make: Make, telegram: Telegram, fault: Json
) -> None:
    person = Person(telegram)
    async with running(make(file)):
        await greeted(file, person)
        telegram.fail("sendMessage", cut=True, done=True)
        telegram.fail("editMessageReplyMarkup", 2, **fault)
        person.say("un")
        await heard(person, HELLO, "Réponse à un")
        await settled(file, 2)
    assert said(person) == [HELLO, "Réponse à un"]


async def test_telegram_goes_away_with_its_answer_and_comes_back(
    file: Database, make: Make, telegram: Telegram
) -> None:
    person = Person(telegram)
    async with running(make(file)):
        await greeted(file, person)
        telegram.fail("sendMessage", cut=True, done=True)
        person.say("un")
        await heard(person, HELLO, "Réponse à un")
        await telegram.stop()
        await asyncio.sleep(1)
        await telegram.start()
        await settled(file, 2)
    assert said(person) == [HELLO, "Réponse à un"]


async def test_the_answer_to_an_edit_is_not_taken_for_the_one_before(
    file: Database, make: Make, telegram: Telegram
) -> None:
    person = Person(telegram)
    async with running(make(file)):
        await greeted(file, person)
        message = person.say("un")
        await heard(person, HELLO, "Réponse à un")
        await settled(file, 2)
        telegram.fail("sendMessage", cut=True)
        person.edit(message, "deux")
        await settled(file, 3)
    assert said(person) == [HELLO, "Réponse à un", "Réponse à deux"]


# What Telegram refuses for good


async def test_whoever_blocks_the_bot_is_sent_nothing_until_they_come_back(
    database: Database, make: Make, telegram: Telegram, fake_rasa: FakeRasa
) -> None:
    gone, other = Person(telegram, "Camille"), Person(telegram, "Alix")
    async with running(make(database)):
        await greeted(database, gone, other)
        # The 403 is all that tells it.
        telegram.fail("sendMessage", code=403, description="Forbidden: bot was blocked by the user")
        gone.say("un")

        async def recorded() -> bool:
            chat = await chat_of(database, gone)
            return chat is not None and chat.blocked_at is not None

        await until(recorded)
        other.say("deux")
        await heard(other, HELLO, "Réponse à deux")
        await settled(database, 4)
        sends = len(calls(telegram, "sendMessage"))
        await asyncio.sleep(0.5)
        assert len(calls(telegram, "sendMessage")) == sends
        failed = [m for m in await rows(database, Direction.outbound) if m.state is State.failed]
        assert [m.text for m in failed] == ["Réponse à un"]
        gone.say("trois")
        await heard(gone, HELLO, "Réponse à trois")
        await settled(database, 5)
    chat = await chat_of(database, gone)
    assert chat and chat.blocked_at is None
    sent_once(gone, 3)


async def test_a_person_who_says_that_they_block_the_bot(
    file: Database, make: Make, telegram: Telegram, fake_rasa: FakeRasa
) -> None:
    person = Person(telegram)
    async with running(make(file)):
        await greeted(file, person)
        fake_rasa.pause = 0.5
        person.say("un")
        person.block()

        async def answered() -> bool:
            outbound = await rows(file, Direction.outbound)
            return await taken(file) == 3 and outbound[-1].text == "Réponse à un"

        await until(answered)
        await asyncio.sleep(0.3)
        assert len(calls(telegram, "sendMessage")) == 2
        fake_rasa.pause = 0
        person.start()
        await settled(file, 5)
    # The answer that was made meanwhile is not told months later.
    assert said(person)[:-1] == [HELLO] and "Passerelle" in person.said[-1].text


async def test_a_chat_that_is_no_more_is_not_written_to(
    file: Database, make: Make, telegram: Telegram
) -> None:
    person = Person(telegram)
    async with running(make(file)):
        await greeted(file, person)
        telegram.fail("sendMessage", code=400, description="Bad Request: chat not found")
        person.say("un")
        await settled(file, 2)
        chat = await chat_of(file, person)
        assert chat and chat.blocked_at is not None
    (failed,) = [m for m in await rows(file, Direction.outbound) if m.state is State.failed]
    assert failed.text == "Réponse à un"


async def test_what_telegram_refuses_is_given_up_and_the_next_is_sent(
    file: Database, make: Make, telegram: Telegram
) -> None:
    person = Person(telegram)
    async with running(make(file)):
        await greeted(file, person)
        telegram.fail("sendMessage", code=400, description="Bad Request: message is too odd")
        person.say("un")
        person.say("deux")
        await heard(person, HELLO, "Réponse à deux")
        await settled(file, 3)
    states = {m.text: m.state for m in await rows(file, Direction.outbound)}
    assert (states["Réponse à un"], states["Réponse à deux"]) == (State.failed, State.done)
    sent_once(person, 3)


# The process dies


async def forever(*_: object, **__: object) -> Any:
    await asyncio.Event().wait()


@pytest.mark.parametrize("method", ["_sent", "_mark"], ids=["before", "after"])
@pytest.mark.parametrize("part", [0, 1])
async def test_a_process_killed_while_it_sends_neither_loses_nor_repeats(
    database: Database,
    make: Make,
    telegram: Telegram,
    fake_rasa: FakeRasa,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    part: int,
) -> None:
    """It was killed before Telegram had the part, or after and before it could be noted."""
    person = Person(telegram)
    texts = long_text(2).split("\n\n") if part else ["Réponse à un"]
    dead = make(database, process=killed_before())
    assert dead.telegram
    delivery = dead.telegram._delivery
    plain = getattr(delivery, method)
    async with running(dead):
        await greeted(database, person)
        replies(fake_rasa, un={"text": "\n\n".join(texts)})
        handed = [0]

        async def killed(*args: Any, **more: Any) -> Any:
            handed[0] += 1
            return await (forever() if handed[0] > part else plain(*args, **more))

        monkeypatch.setattr(delivery, method, killed)
        monkeypatch.setattr(dead.telegram, "_leave", nothing)
        person.say("un")

        async def stuck() -> bool:
            return handed[0] > part

        await until(stuck)
    chat = await chat_of(database, person)
    assert chat and chat.in_flight and chat.parts_sent == part
    assert len(said(person)) == 1 + part + (method == "_mark")
    async with running(make(database)):
        await settled(database, 2)
        person.say("deux")
        await heard(person, HELLO, *texts, "Réponse à deux")
        await settled(database, 3)
    sent_once(person, len(texts) + 3)


async def nothing() -> None:
    pass


async def stolen(database: Database, holder: str | None) -> None:
    until = utc_now() + timedelta(hours=1) if holder else None
    async with database.write() as session:
        await session.execute(update(TelegramBot).values(holder=holder, held_until=until))


async def test_a_process_that_lost_its_hold_sends_nothing(
    database: Database, make: Make, telegram: Telegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not know it yet: it says only now and then that it still speaks for the bot."""
    monkeypatch.setattr("bot.telegram.channel.RENEW", 60)
    person = Person(telegram)
    services = make(database)
    async with running(services):
        await greeted(database, person)
        async with database.read() as session:
            own = await session.scalar(select(TelegramBot.holder))
        await stolen(database, "ailleurs:1:0123abcd")
        person.say("un")

        async def answered() -> bool:
            return "Réponse à un" in [m.text for m in await rows(database, Direction.outbound)]

        await until(answered)
        await asyncio.sleep(0.5)
        assert said(person) == [HELLO]
        assert len(calls(telegram, "sendMessage")) == 2
        await stolen(database, own)
        await heard(person, HELLO, "Réponse à un")


@pytest.mark.parametrize("dies", [False, True], ids=["stops", "dies"])
async def test_of_two_processes_one_sends_and_the_other_takes_over(
    database_url: str,
    make: Make,
    telegram: Telegram,
    monkeypatch: pytest.MonkeyPatch,
    dies: bool,
) -> None:
    monkeypatch.setattr("storage.telegram_bots.HELD", timedelta(seconds=3))
    persons = [Person(telegram, name) for name in ("Camille", "Alix", "Dominique")]
    first_base, second_base = Database(database_url), Database(database_url)
    first = make(first_base, process="ici:1:aaaaaaaa")
    second = make(second_base, process="la-bas:1:bbbbbbbb")
    assert first.telegram and second.telegram
    with capture_logs() as logs:
        async with running(second):
            async with running(first):
                for number in range(4):
                    for person in persons:
                        person.say(f"{number}")
                for person in persons:
                    await heard(person, *(f"Réponse à {number}" for number in range(4)))
                await settled(first_base, 12)
                async with first_base.read() as session:
                    holder = await session.scalar(select(TelegramBot.holder))
                assert holder in ("ici:1:aaaaaaaa", "la-bas:1:bbbbbbbb")
                await stolen(first_base, None)
                if dies:
                    monkeypatch.setattr(first.telegram, "_leave", nothing)
            for person in persons:
                person.say("encore")
            for person in persons:
                await heard(person, *(f"Réponse à {n}" for n in range(4)), "Réponse à encore")
            await settled(second_base, 15)
            async with second_base.read() as session:
                assert await session.scalar(select(TelegramBot.holder)) == "la-bas:1:bbbbbbbb"
    assert "telegram_conflict" not in [one["event"] for one in logs]
    for person in persons:
        sent_once(person, 6)
    await first_base.close()
    await second_base.close()


# Erasing


async def erased(database: Database, person: Person, farewell: str) -> None:
    """Erase a person's conversation, as the reception does when they ask for it."""
    chat = await chat_of(database, person)
    assert chat
    async with database.write() as session:
        await conversations.lock_conversation(session, chat.conversation_id)
        await chats.begin_anew(session, chat.conversation_id, farewell, utc_now())
        await erasure.erase(session, chat.conversation_id)


async def left(database: Database) -> tuple[int, int]:
    """Return how many chats and conversations there are."""
    async with database.read() as session:
        return (
            await session.scalar(select(func.count()).select_from(Chat)) or 0,
            await session.scalar(select(func.count()).select_from(Conversation)) or 0,
        )


async def forgotten(database: Database) -> None:
    async def nothing_left() -> bool:
        return await left(database) == (0, 0)

    await until(nothing_left)


async def test_what_was_erased_meanwhile_is_not_sent(
    database: Database, make: Make, telegram: Telegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = make(database)
    assert services.telegram
    pace, go, waits = services.telegram._pace, asyncio.Event(), asyncio.Event()
    person = Person(telegram)
    async with running(services):
        await greeted(database, person)
        plain: Callable[[int], Awaitable[None]] = pace.turn

        async def turn(chat_id: int) -> None:
            waits.set()
            await go.wait()
            await plain(chat_id)

        monkeypatch.setattr(pace, "turn", turn)
        person.say("un")
        async with asyncio.timeout(10):
            await waits.wait()
        await erased(database, person, "Au revoir")
        go.set()
        await heard(person, HELLO, "Au revoir")
        await forgotten(database)
    sent_once(person, 3)


async def test_a_chat_is_forgotten_once_the_farewell_is_sent(
    database: Database, make: Make, telegram: Telegram
) -> None:
    person, other = Person(telegram, "Camille"), Person(telegram, "Alix")
    async with running(make(database)):
        await greeted(database, person, other)
        person.say("/supprimer")
        question = await asked(person, "Oui, tout effacer")
        person.tap("Oui, tout effacer")

        async def one_left() -> bool:
            return await left(database) == (1, 1)

        await until(one_left)
        assert question.text.startswith("Voulez-vous")
        assert person.said[-1].text.startswith("C") and "effacé" in person.said[-1].text
        assert await chat_of(database, person) is None
        # All begins anew.
        person.say("un")
        await settled(database, 5)
    assert person.said[-1].text == "Réponse à un"
    assert "un programme" in person.said[-2].text
    assert await left(database) == (2, 2)


async def asked(person: Person, label: str) -> Message:
    async def shown() -> bool:
        return bool(person.said) and label in person.said[-1].labels

    await until(shown)
    return person.said[-1]


async def test_whoever_writes_before_the_farewell_is_not_forgotten(
    database: Database, make: Make, telegram: Telegram
) -> None:
    person = Person(telegram)
    async with running(make(database)):
        await greeted(database, person)
        telegram.fail("sendMessage", code=429, retry_after=1)
        await erased(database, person, "Au revoir")

        async def refused() -> bool:
            return not telegram.faults["sendmessage"]

        await until(refused)
        person.say("un")
        await heard(person, HELLO, "Au revoir", "Réponse à un")
        await settled(database, 2)
    assert await left(database) == (1, 1)
    assert await received(database) == ["un"]


async def test_whoever_blocks_the_bot_at_the_farewell_is_forgotten(
    database: Database, make: Make, telegram: Telegram
) -> None:
    person = Person(telegram)
    async with running(make(database)):
        await greeted(database, person)
        telegram.fail("sendMessage", code=403, description="Forbidden: bot was blocked by the user")
        await erased(database, person, "Au revoir")
        await forgotten(database)
    assert said(person) == [HELLO]


async def test_whoever_says_that_they_block_the_bot_before_the_farewell_is_forgotten(
    file: Database, make: Make, telegram: Telegram
) -> None:
    person = Person(telegram)
    async with running(make(file)):
        await greeted(file, person)
        telegram.fail("sendMessage", code=429, retry_after=1)
        await erased(file, person, "Au revoir")

        async def refused() -> bool:
            return not telegram.faults["sendmessage"]

        await until(refused)
        person.block()

        async def told() -> bool:
            return await taken(file) == 2

        await until(told)
        await asyncio.sleep(1.5)
    assert await left(file) == (0, 0)


async def test_a_farewell_whose_answer_was_lost_is_said_once(
    file: Database, make: Make, telegram: Telegram
) -> None:
    person = Person(telegram)
    async with running(make(file)):
        await greeted(file, person)
        telegram.fail("sendMessage", cut=True, done=True)
        await erased(file, person, "Au revoir")
        await forgotten(file)
    assert said(person) == [HELLO, "Au revoir"]


# Keyboards


async def test_a_number_is_asked_for_by_a_keyboard_that_goes_with_the_next_answer(
    file: Database, make: Make, telegram: Telegram, fake_rasa: FakeRasa
) -> None:
    replies(fake_rasa, phone={"custom": {"asks": "phone"}, "buttons": buttons("Passer")})
    person = Person(telegram)
    async with running(make(file)):
        await greeted(file, person)
        person.say("phone")
        await heard(person, HELLO, "Réponse à phone")
        await settled(file, 2)
        assert person.keyboard is not None
        assert person.labels == ["Partager mon numéro", "Passer"]
        person.contact("33247000000")
        await heard(person, HELLO, "Réponse à phone", "Réponse à +33247000000")
        await settled(file, 3)
        assert person.keyboard is None
        person.say("un")
        await settled(file, 4)
    assert "reply_markup" not in calls(telegram, "sendMessage")[-1]


async def test_a_keyboard_that_goes_and_keys_that_come_are_two_messages(
    file: Database, make: Make, telegram: Telegram, fake_rasa: FakeRasa
) -> None:
    replies(
        fake_rasa,
        phone={"custom": {"asks": "phone"}},
        un={"text": "Premier.\n\nSecond.", "buttons": buttons("Oui")},
    )
    person = Person(telegram)
    async with running(make(file)):
        await greeted(file, person)
        person.say("phone")
        await heard(person, HELLO, "Réponse à phone")
        person.say("un")
        await heard(person, HELLO, "Réponse à phone", "Premier.", "Second.")
        await settled(file, 3)
        assert person.keyboard is None
        assert person.said[-1].labels == ["Oui"]


async def test_a_keyboard_goes_with_two_words_before_what_cannot_be_parted(
    file: Database, make: Make, telegram: Telegram, fake_rasa: FakeRasa
) -> None:
    question = "Question 5/13. Quel est le titre ?"
    replies(
        fake_rasa,
        phone={"custom": {"asks": "phone"}},
        un={"text": question, "buttons": buttons("Plus tard")},
    )
    person = Person(telegram)
    async with running(make(file)):
        await greeted(file, person)
        person.say("phone")
        await heard(person, HELLO, "Réponse à phone")
        person.say("un")
        await heard(person, HELLO, "Réponse à phone", "D’accord.", question)
        await settled(file, 3)
        assert person.keyboard is None
        assert person.said[-1].labels == ["Plus tard"]


async def test_the_mark_of_such_a_message_repeats_nothing(
    file: Database, make: Make, telegram: Telegram, fake_rasa: FakeRasa
) -> None:
    replies(
        fake_rasa,
        phone={"custom": {"asks": "phone"}},
        un={"text": "Premier.\n\nSecond.", "buttons": buttons("Oui")},
    )
    person = Person(telegram)
    async with running(make(file)):
        await greeted(file, person)
        person.say("phone")
        await heard(person, HELLO, "Réponse à phone")
        person.say("un")
        question = await asked(person, "Oui")
        person.tap("Oui")
        await marked(question)
    assert question.text == "Second.\n\n✓ Oui"


# Courtesy


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ").replace("’", "'")


def typings(person: Person) -> int:
    return len([event for event in person.events if event.kind == "typing"])


async def test_typing_is_shown_while_rasa_thinks(
    file: Database, make: Make, telegram: Telegram, fake_rasa: FakeRasa
) -> None:
    person = Person(telegram)
    async with running(make(file)):
        await greeted(file, person)
        before = typings(person)
        fake_rasa.pause = 0.5
        person.say("un")
        await heard(person, HELLO, "Réponse à un")
        assert typings(person) == before + 1
    kinds = [event.kind for event in person.events]
    assert kinds[-2:] == ["typing", "sent"]


async def repeated_typing(
    database: Database, make: Make, telegram: Telegram, fake_rasa: FakeRasa
) -> None:
    person = Person(telegram)
    async with running(make(database)):
        await greeted(database, person)
        before = typings(person)
        fake_rasa.pause = 2.5
        person.say("un")
        await heard(person, HELLO, "Réponse à un")
        shown = typings(person)
        assert shown >= before + 4
        await asyncio.sleep(1)
        assert typings(person) == shown


async def test_typing_is_shown_again_as_long_as_rasa_thinks(
    file: Database,
    make: Make,
    telegram: Telegram,
    fake_rasa: FakeRasa,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.telegram.manners.TYPING_LASTS", 0.5)
    monkeypatch.setattr("bot.arrivals.POLL", 60)
    await repeated_typing(file, make, telegram, fake_rasa)


async def test_typing_goes_on_past_a_look_at_other_processes(
    file: Database,
    make: Make,
    telegram: Telegram,
    fake_rasa: FakeRasa,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.telegram.manners.TYPING_LASTS", 0.5)
    monkeypatch.setattr("bot.arrivals.POLL", 0.2)
    await repeated_typing(file, make, telegram, fake_rasa)


async def marked(message: Message) -> None:
    async def shown() -> bool:
        return "✓" in message.text and not message.labels

    await until(shown)


async def test_a_choice_is_marked_and_answered_at_once_even_while_rasa_is_down(
    database: Database, make: Make, telegram: Telegram, fake_rasa: FakeRasa
) -> None:
    replies(fake_rasa, un={"text": "Vrai & <faux> ?", "buttons": buttons("Oui", "Non")})
    person = Person(telegram)
    async with running(make(database)):
        await greeted(database, person)
        person.say("un")
        question = await asked(person, "Oui")
        await settled(database, 2)
        fake_rasa.fault = "down"
        tap = person.tap("Oui")
        await marked(question)
        assert question.text == "Vrai & <faux> ?\n\n✓ Oui"

        async def answered() -> bool:
            return telegram.callbacks[tap or ""].answer is not None

        await until(answered)
        assert person.toasts == []
        await heard(person, HELLO, "Vrai & <faux> ?\n\n✓ Oui", UNAVAILABLE)
        fake_rasa.fault = None
        await heard(person, HELLO, "Vrai & <faux> ?\n\n✓ Oui", UNAVAILABLE, "Réponse à /oui")
        await settled(database, 3)
    assert await received(database) == ["bonjour", "un", "Oui"]


async def test_a_button_that_is_not_theirs_changes_nothing(
    database: Database, make: Make, telegram: Telegram, fake_rasa: FakeRasa
) -> None:
    replies(fake_rasa, un={"buttons": buttons("Oui", "Non")})
    person, other = Person(telegram, "Camille"), Person(telegram, "Alix")
    stranger = Person(telegram, "Dominique")
    async with running(make(database)):
        await greeted(database, person, other)
        person.say("un")
        question = await asked(person, "Oui")
        await settled(database, 3)
        own = question.buttons[0]
        for data in ("", "x", "1", "1-", "-1", "999999999999-a", f"{own['callback_data']}0", "é-1"):
            person.press(question, own | {"callback_data": data})
        other.press(other.said[-1], own)
        stranger.press(Message(question.json | {"chat": stranger.json}, by_bot=True), own)
        await settled(database, 13)

        async def told() -> bool:
            return len(person.toasts + other.toasts + stranger.toasts) == 10

        await until(told)
        shown = {plain(toast) for toast in person.toasts + other.toasts + stranger.toasts}
        assert shown == {"Ce choix n'est plus proposé. Écrivez votre question."}
    assert question.labels == ["Oui", "Non"]
    assert await received(database) == ["bonjour", "bonjour", "un"]
    assert await left(database) == (2, 2)


async def test_a_button_tapped_twice_is_one_message(
    database: Database, make: Make, telegram: Telegram, fake_rasa: FakeRasa
) -> None:
    replies(fake_rasa, un={"buttons": buttons("Oui", "Non")})
    person = Person(telegram)
    async with running(make(database)):
        await greeted(database, person)
        person.say("un")
        question = await asked(person, "Oui")
        await settled(database, 2)
        button = question.buttons[0]
        with telegram.updates.held():
            person.press(question, button)
            person.press(question, button)
        await settled(database, 4)

        async def told() -> bool:
            return [plain(toast) for toast in person.toasts] == ["C'est déjà noté."]

        await until(told)
        await marked(question)
    assert await received(database) == ["bonjour", "un", "Oui"]
    assert said(person)[-1] == "Réponse à /oui"


# Rates


async def limited(
    database: Database,
    make: Make,
    telegram: Telegram,
    monkeypatch: pytest.MonkeyPatch,
    persons: int,
    messages: int,
) -> int:
    """Send at Telegram's rates; return how many messages it refused."""
    monkeypatch.setattr("bot.telegram.pace.BURST", BURST)
    monkeypatch.setattr("bot.telegram.pace.IN_ALL", IN_ALL)
    telegram.limits = Limits()
    refusals = [0]
    too_fast = telegram.too_fast

    def counted(room: Any) -> float:
        wait = too_fast(room)
        refusals[0] += wait > 0
        return wait

    monkeypatch.setattr(telegram, "too_fast", counted)
    crowd = [Person(telegram) for _ in range(persons)]
    async with running(make(database)):
        for number in range(messages):
            for person in crowd:
                person.say(f"{number}")
        await settled(database, persons * messages, seconds=60)
    for person in crowd:
        assert said(person) == [f"Réponse à {number}" for number in range(messages)]
    return refusals[0]


async def test_a_crowd_is_answered_at_telegrams_pace(
    file: Database, make: Make, telegram: Telegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await limited(file, make, telegram, monkeypatch, 40, 3) == 0


async def test_a_message_that_is_slow_to_leave_does_not_bring_the_next_too_soon(
    file: Database, make: Make, telegram: Telegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when many chats wait for a turn of all, or for the database."""
    hand_over, slow = deliveries.hand_over, [0.4]

    async def slowly(*args: Any, **more: Any) -> bool:
        await asyncio.sleep(slow.pop() if slow else 0)
        return await hand_over(*args, **more)

    monkeypatch.setattr(deliveries, "hand_over", slowly)
    assert await limited(file, make, telegram, monkeypatch, 1, 4) == 0
