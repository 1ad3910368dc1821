"""What updates tell: each kind of message, tap and membership, and updates that are not whole."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from bot.rasa import Rasa
from bot.telegram.reading import (
    Card,
    Edit,
    Group,
    Presence,
    Tap,
    Told,
    Upload,
    Wordless,
    Words,
    read,
)
from storage import models, telegram_bots
from storage.database import Database
from tests.bot.fakes import ACTIONS, RASA, FakeRasa, parts
from tests.telegram import people
from tests.telegram.people import Channel, Person
from tests.telegram.state import Message, State

Json = dict[str, Any]
FILE: Json = {"file_id": "BQAC-1", "file_unique_id": "AgAD-1", "file_size": 4_000_000_000}


def last(telegram: State) -> Json:
    return telegram.updates.pending[-1].update


def told(telegram: State) -> Told | None:
    return read(last(telegram), telegram.bot["username"])


@pytest.fixture
def telegram() -> State:
    return State()


@pytest.fixture
def person(telegram: State) -> Person:
    return Person(telegram, "Camille", started=True)


def instant(message: Message) -> datetime:
    return datetime.fromtimestamp(message.json["date"], UTC)


def offered(telegram: State, person: Person) -> Message:
    key = {"text": "Oui", "callback_data": "3-0a1b2c3d"}
    content = {"text": "On commence ?", "reply_markup": {"inline_keyboard": [[key]]}}
    return person.post(content, telegram.bot)


def test_words_are_read_as_they_are(telegram: State, person: Person) -> None:
    said = person.say("  Bonjour\n<b>Ligré</b> 👍 ")
    assert told(telegram) == Words(person.id, said.id, "  Bonjour\n<b>Ligré</b> 👍 ", instant(said))


def test_a_command_is_words(telegram: State, person: Person) -> None:
    said = person.start("ABCD-EFGH-JKMN")
    assert told(telegram) == Words(person.id, said.id, "/start ABCD-EFGH-JKMN", instant(said))


def test_an_answer_to_a_message_is_words(telegram: State, person: Person) -> None:
    said = person.say("celui-là", reply_to=offered(telegram, person))
    assert told(telegram) == Words(person.id, said.id, "celui-là", instant(said))


def test_a_document_is_told_with_what_is_said_of_it(telegram: State, person: Person) -> None:
    said = person.document("Devis été.pdf", size=5000, caption="le devis")
    file_id = said.json["document"]["file_id"]
    assert told(telegram) == Upload(
        person.id, said.id, file_id, "Devis été.pdf", "application/pdf", 5000, "le devis"
    )


def test_a_document_of_which_nothing_is_said(telegram: State, person: Person) -> None:
    bare = {"file_id": "BQAC-1", "file_unique_id": "AgAD-1"}
    said = person.send({"document": bare})
    assert told(telegram) == Upload(person.id, said.id, "BQAC-1", "", "", 0, "")


def test_a_document_may_be_larger_than_32_bits_tell(telegram: State, person: Person) -> None:
    person.send({"document": FILE})
    found = told(telegram)
    assert isinstance(found, Upload) and found.size == 4_000_000_000


def test_of_a_photo_the_largest_size_is_taken(telegram: State, person: Person) -> None:
    sizes = [
        {**FILE, "file_id": f"size-{width}", "file_size": width, "width": width, "height": width}
        for width in (90, 320, 1280)
    ]
    said = person.send({"photo": sizes, "caption": "la mairie"})
    name = f"photo-{said.id}.jpg"
    assert told(telegram) == Upload(
        person.id, said.id, "size-1280", name, "image/jpeg", 1280, "la mairie"
    )


def test_a_photo_without_caption_nor_size(telegram: State, person: Person) -> None:
    size = {"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}
    said = person.send({"photo": [size]})
    name = f"photo-{said.id}.jpg"
    assert told(telegram) == Upload(person.id, said.id, "a", name, "image/jpeg", 0, "")


POLL: Json = {
    "id": "1",
    "question": "?",
    "options": [{"persistent_id": "0", "text": "Oui", "voter_count": 0}],
    "total_voter_count": 0,
    "is_closed": False,
    "is_anonymous": True,
    "type": "regular",
    "allows_multiple_answers": False,
    "allows_revoting": True,
    "members_only": False,
}
PLACE: Json = {"latitude": 47.39, "longitude": 0.69}
FILM: Json = FILE | {"duration": 3, "width": 640, "height": 480}
WORDLESS: dict[str, tuple[str, Json]] = {
    "voice": ("voice", {"voice": FILE | {"duration": 3}}),
    "video": ("video", {"video": FILM, "caption": "regardez"}),
    "video note": ("video_note", {"video_note": FILE | {"duration": 3, "length": 240}}),
    "audio": ("audio", {"audio": FILE | {"duration": 3, "title": "Conseil"}, "caption": "x"}),
    "animation, which is a document too": ("animation", {"animation": FILM, "document": FILE}),
    "sticker": (
        "sticker",
        {
            "sticker": FILE
            | {"type": "regular", "width": 9, "height": 9, "is_animated": False, "is_video": False}
        },
    ),
    "venue, which is a location too": (
        "venue",
        {"venue": {"location": PLACE, "title": "Mairie", "address": "Ligré"}, "location": PLACE},
    ),
    "location": ("location", {"location": PLACE}),
    "live location": ("location", {"location": PLACE | {"live_period": 900}}),
    "poll": ("poll", {"poll": POLL}),
    "dice": ("dice", {"dice": {"emoji": "🎲", "value": 6}}),
    "game": (
        "game",
        {"game": {"title": "a", "description": "b", "photo": [FILE | {"width": 1, "height": 1}]}},
    ),
    "story": ("story", {"story": {"chat": {"id": 1, "type": "private"}, "id": 4}}),
    "content of tomorrow": ("other", {"hologram": {"depth": 3}}),
}


@pytest.mark.parametrize(("kind", "content"), WORDLESS.values(), ids=WORDLESS.keys())
def test_what_is_no_text_is_told_by_its_kind(
    telegram: State, person: Person, kind: str, content: Json
) -> None:
    said = person.send(content)
    assert told(telegram) == Wordless(person.id, said.id, kind)


def test_what_a_person_can_send_in_the_applications(telegram: State, person: Person) -> None:
    kinds: dict[str, Callable[[], object]] = {
        "voice": person.voice,
        "video": person.video,
        "sticker": person.sticker,
        "location": person.location,
    }
    for kind, send in kinds.items():
        assert told_after(telegram, send) == kind
    assert told_after(telegram, lambda: person.poll("Oui ?", "Oui", "Non")) == "poll"


def told_after(telegram: State, send: Callable[[], object]) -> str:
    send()
    found = told(telegram)
    assert isinstance(found, Wordless)
    return found.kind


def test_one_s_own_number(telegram: State, person: Person) -> None:
    said = person.contact("+33612345678")
    assert told(telegram) == Card(person.id, said.id, "+33612345678")
    said = person.contact("33612345678")  # some applications leave the plus out
    assert told(telegram) == Card(person.id, said.id, "+33612345678")


def test_somebody_else_s_number(telegram: State, person: Person) -> None:
    said = person.contact("+33247000000", name="La mairie")
    assert told(telegram) == Card(person.id, said.id, "+33247000000")


@pytest.mark.parametrize("typed", ["0612345678", "06 12 34 56 78", "0033612345678"])
def test_a_number_of_the_address_book_may_be_national(
    telegram: State, person: Person, typed: str
) -> None:
    person.contact(typed, name="La mairie")
    found = told(telegram)
    assert isinstance(found, Card) and not found.phone.startswith("+0")


SERVICE: dict[str, Json] = {
    "pinned": {
        "pinned_message": {"message_id": 1, "chat": {"id": 1, "type": "private"}, "date": 0}
    },
    "boost": {"boost_added": {"boost_count": 1}},
    "allowed": {"write_access_allowed": {"from_request": True}},
    "connected": {"connected_website": "example.fr"},
    "nothing": {},
}


@pytest.mark.parametrize("content", SERVICE.values(), ids=SERVICE.keys())
def test_notices_of_telegram_s_own_tell_nothing(
    telegram: State, person: Person, content: Json
) -> None:
    person.send(content)
    assert told(telegram) is None


def test_an_edited_text(telegram: State, person: Person) -> None:
    said = person.say("1200 habitants")
    person.edit(said, "2100 habitants")
    assert told(telegram) == Edit(person.id, said.id, "2100 habitants")


def test_an_edited_caption_tells_nothing(telegram: State, person: Person) -> None:
    person.edit(person.document("devis.pdf", caption="le devis"), "le bon devis")
    assert "edited_message" in last(telegram)
    assert told(telegram) is None


def test_a_position_that_moves_tells_nothing(telegram: State, person: Person) -> None:
    said = person.location()
    moved = said.json | {"location": {"latitude": 47.4, "longitude": 0.7}, "edit_date": 1}
    telegram.updates.add("edited_message", moved)
    assert told(telegram) is None


def test_a_tap(telegram: State, person: Person) -> None:
    message = offered(telegram, person)
    query = person.tap("Oui")
    assert query
    assert told(telegram) == Tap(person.id, message.id, query, "3-0a1b2c3d", message.text)


def test_a_tap_under_a_message_that_is_too_old(telegram: State, person: Person) -> None:
    message = offered(telegram, person)
    message.deleted = True
    query = person.press(message, message.buttons[0])
    assert last(telegram)["callback_query"]["message"]["date"] == 0
    assert told(telegram) == Tap(person.id, message.id, query, "3-0a1b2c3d")


def test_a_tap_under_no_message_is_in_the_person_s_own_chat(
    telegram: State, person: Person
) -> None:
    message = offered(telegram, person)
    query = person.press(message, message.buttons[0])
    update = deepcopy(last(telegram))
    del update["callback_query"]["message"]
    update["callback_query"]["inline_message_id"] = "abc"
    assert read(update) == Tap(person.id, None, query, "3-0a1b2c3d")


def test_a_tap_without_data(telegram: State, person: Person) -> None:
    message = offered(telegram, person)
    query = person.press(message, message.buttons[0])
    update = deepcopy(last(telegram))
    del update["callback_query"]["data"]
    assert read(update) == Tap(person.id, message.id, query, "", message.text)


def test_who_blocks_the_bot_and_who_comes_back(telegram: State, person: Person) -> None:
    person.block()
    assert told(telegram) == Presence(person.id, blocked=True)
    person.unblock()
    assert told(telegram) == Presence(person.id, blocked=False)


@pytest.mark.parametrize("supergroup", [True, False])
@pytest.mark.parametrize("administrator", [True, False])
def test_a_group_the_bot_is_put_into(
    telegram: State, person: Person, supergroup: bool, administrator: bool
) -> None:
    group = people.Group(telegram, "Conseil", person, supergroup=supergroup)
    group.add_bot(administrator=administrator)
    change, joined = (entry.update for entry in telegram.updates.pending[-2:])
    assert read(change) == Group(group.id)
    assert read(joined) is None
    group.remove_bot()
    assert "my_chat_member" in last(telegram)
    assert told(telegram) is None


def test_a_group_where_the_bot_gets_other_rights(telegram: State, person: Person) -> None:
    group = people.Group(telegram, "Conseil", person)
    group.add_bot()
    group._membership("administrator", person)
    assert told(telegram) is None


def test_a_group_that_changes_its_number(telegram: State, person: Person) -> None:
    group = people.Group(telegram, "Conseil", person, supergroup=False)
    group.add_bot()
    group.upgrade()
    left, entered = (entry.update for entry in telegram.updates.pending[-2:])
    assert "migrate_to_chat_id" in left["message"]
    assert read(left) is read(entered) is None


def test_in_a_group_only_commands_are_for_us(telegram: State, person: Person) -> None:
    group = people.Group(telegram, "Conseil", person)
    group.add_bot(administrator=True)
    group.say("/aide@passerelle_test_bot")
    assert told(telegram) == Group(group.id)
    group.say("/aide")
    assert told(telegram) == Group(group.id)
    for send in (
        lambda: group.say("on en parle à @passerelle_test_bot ?"),
        lambda: group.document("secret.pdf", caption="/aide"),
        group.photo,
        group.voice,
        group.contact,
        group.location,
        lambda: group.edit(group.say("/aide"), "/aide encore"),
    ):
        send()
        assert told(telegram) is None


def test_in_a_group_a_command_of_another_bot_is_not_for_us(telegram: State, person: Person) -> None:
    group = people.Group(telegram, "Conseil", person)
    group.add_bot(administrator=True)
    group.say("/meteo@un_autre_bot")
    assert told(telegram) is None


def test_channels_are_not_for_us(telegram: State, person: Person) -> None:
    channel = Channel(telegram, "Annonces", person)
    channel.add_bot()
    assert "my_chat_member" in last(telegram)
    assert told(telegram) is None
    post = channel.say("/start")
    assert "channel_post" in last(telegram)
    assert told(telegram) is None
    channel.edit(post, "/aide")
    assert told(telegram) is None
    channel.remove_bot()
    assert told(telegram) is None
    # Were a post to come as a message, it would be nobody's.
    assert read({"update_id": 1, "message": post.json}) is None


def test_bots_are_not_answered(telegram: State, person: Person) -> None:
    person.user["is_bot"] = True
    person.say("Bonjour, je suis un robot aussi")
    assert told(telegram) is None


def test_what_was_not_asked_for_tells_nothing(telegram: State, person: Person) -> None:
    said = person.say("Bonjour")
    for update in (
        {"update_id": 1},
        {"update_id": 1, "poll": POLL},
        {"update_id": 1, "telepathy": {"from": person.user}},
        {"update_id": 1, "edited_channel_post": said.json},
    ):
        assert read(update) is None


# What is not whole


def _samples() -> Iterator[Json]:
    telegram = State()
    person = Person(telegram, "Camille", "Durand", username="camille", started=True)
    said = person.say("Bonjour, combien pour Ligré ?")
    person.edit(said, "Bonjour, combien pour Chinon ?")
    person.start("ABCD-EFGH-JKMN")
    person.document("devis.pdf", size=5000, caption="le devis")
    person.photo(caption="la mairie")
    person.contact()
    person.sticker()
    person.poll("Oui ?", "Oui", "Non")
    person.send(WORDLESS["animation, which is a document too"][1])
    person.send(WORDLESS["venue, which is a location too"][1])
    offered(telegram, person)
    person.tap("Oui")
    group = people.Group(telegram, "Conseil", person)
    group.add_bot()
    group.say("/aide")
    person.block()
    yield from (entry.update for entry in telegram.updates.pending)


SAMPLES = list(_samples())
VALUES: list[Any] = [None, True, False, 0, -1, 2**31, 2**63, -(2**70), 1.5]
VALUES += ["", "x", "12", "\0", "\ud800", "a" * 10_000]
VALUES += [[], {}, [1], [None], [[]], [{}], {"id": 1}, {"id": None}, {"date": 0}]
OTHERS: st.SearchStrategy[Any] = st.sampled_from(VALUES) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


def places(whole: Any) -> Iterator[tuple[Any, Any]]:
    """Each container of an update with each key in it."""
    keys: Any = whole if isinstance(whole, dict) else range(len(whole))
    for key in list(keys):
        yield whole, key
        if isinstance(whole[key], dict | list):
            yield from places(whole[key])


@st.composite
def broken(draw: st.DrawFn) -> Json:
    update: Json = deepcopy(draw(st.sampled_from(SAMPLES)))
    for _ in range(draw(st.integers(1, 3))):
        there = list(places(update))
        if not there:
            break
        container, key = there[draw(st.integers(0, len(there) - 1))]
        if draw(st.booleans()):
            del container[key]
        else:
            container[key] = deepcopy(draw(OTHERS))
    return update


def fails_or_tells(update: Json) -> bool:
    try:
        found = read(update)
    except Exception:  # whatever the library makes of it; what is no `Exception` fails the test
        return True
    return found is None or isinstance(found, Told)


@settings(deadline=None, max_examples=500)
@given(broken())
def test_what_is_not_whole_is_read_or_refused(update: Json) -> None:
    assert fails_or_tells(update)


def test_whatever_one_field_is_replaced_by() -> None:
    """Every field of every sample, by every other type."""
    others: tuple[Any, ...] = (None, True, 2**70, "x", [], {}, [{}], ...)
    count = 0
    for sample in SAMPLES:
        for index in range(len(list(places(sample)))):
            for other in others:
                update = deepcopy(sample)
                container, key = list(places(update))[index]
                if other is ...:
                    del container[key]
                else:
                    container[key] = other
                assert fails_or_tells(update), update
                count += 1
    assert count > 1000


async def test_what_is_not_whole_is_taken_all_the_same(
    sqlite_url: str, fake_rasa: FakeRasa, tmp_path: Path
) -> None:
    database = Database(sqlite_url)
    async with database.write() as session:
        await telegram_bots.add_bot(session, 123)
    rasa = Rasa(RASA, ACTIONS, transport=fake_rasa)
    services = parts(database, rasa, tmp_path, token="123:ABC", api="http://127.0.0.1:9")
    assert services.telegram
    take = services.telegram._intake.take
    updates: list[Json] = []

    @settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))
    @given(broken())
    def collect(update: Json) -> None:
        updates.append(update)

    collect()
    assert len(updates) >= 300
    for number, update in enumerate(updates):
        if "update_id" in update:
            update["update_id"] = number
        # Some values reach the database, which may not take them: that it says.
        with suppress(SQLAlchemyError):
            await take(update)
    person = Person(State(), "Camille")
    said = person.say("Bonjour")
    await take({"update_id": 1_000_000, "message": said.json})
    async with database.read() as session:
        last = select(models.Message).order_by(models.Message.id.desc()).limit(1)
        kept = await session.scalar(last)
    assert kept is not None and kept.text == "Bonjour"
    await database.close()
