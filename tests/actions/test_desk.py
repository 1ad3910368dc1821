"""Messages that are for a draft, and its row: from the first question to the reference."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from actions.desk import Desk, Message, Reply, Taken
from candidature.dialogue import Dialogue, Meaning
from candidature.draft import from_json
from candidature.filed import Filed
from candidature.places import Finder
from candidature.wording import Said
from knowledge import load
from knowledge.dialogue import load_wording
from knowledge.form import load_form
from knowledge.places import load_places
from knowledge.questionnaire import load_questionnaires
from storage import drafts, telegram_bots
from storage.conversations import open_conversation
from storage.database import Database
from storage.models import Base, Channel, Chat, Draft, Mail, State, Status

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
QUESTION = Meaning(asks=True, confidence=0.95)
ROUNDS = 12
"""How often two messages meet, so that they meet in more than one order."""

ANSWERS = {
    "porteur": "une commune",
    "lieu": "Saint-Flovier",
    "projet": "former nos agents",
    "decision": "par une délibération",
    "resultats": "mars 2022",
    "materiel": "non",
    "licences": "non",
    "siret": "21370218600015",
    "representant_fonction": "Maire, Camille Durand",
    "contact_fonction": "la même personne",
    "contact_email": "mairie@exemple.fr",
    "contact_telephone": "passer",
    "titre": "Former les agents",
    "description": "Dix agents apprennent la bureautique pendant six mois.",
    "usagers": "Un accueil plus rapide.",
    "date_decision": "12 mars 2022",
    "debut": "de janvier à septembre 2022",
    "mutualisation": "non",
    "exigences": "non",
    "cout": "12 500,50 €",
    "montant": "10 000 €",
    "cofinanceurs": "non",
}
"""What is typed when a question is asked; a group is asked by its first one."""
READY = {
    "title": "Former les agents",
    "applicant": "Saint-Flovier (INSEE\u00a037218)",
    "siret": "21370218600015",
    "email": "mairie@exemple.fr",
    "cost_cents": 12_500_50,
    "amount_cents": 10_000_00,
}
NOTHING = dict.fromkeys(READY)


class Clock:
    """A clock set at will."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


class Person:
    """Somebody in a conversation, whose messages are numbered as they come."""

    def __init__(self, database: Database, desk: Desk, dialogue: Dialogue, own: str) -> None:
        self.database, self.desk, self.dialogue = database, desk, dialogue
        self.conversation = own
        self.last = Message(own, 0, "")

    async def take(self, text: str, step: str | None = None, meaning: Meaning | None = None) -> Any:
        """Send one more message; give all that became of it."""
        self.last = Message(self.conversation, (self.last.seq or 0) + 1, text, step)
        return await self.desk.take(self.last, meaning or Meaning())

    async def say(self, text: str) -> Reply:
        return replied(await self.take(text))

    async def press(self, step: str) -> Reply:
        return replied(await self.take("x", step))

    async def edit(self, text: str, seq: int | None = None, meaning: Meaning | None = None) -> Any:
        """Change a message, by default the last one; give all that became of it."""
        number = (self.last.seq or 0) + 1
        corrects = self.last.seq if seq is None else seq
        self.last = Message(self.conversation, number, text, corrects=corrects)
        return await self.desk.take(self.last, meaning or Meaning())

    async def again(self) -> Reply:
        """Send the last message once more, as when its answer was lost."""
        return replied(await self.desk.take(self.last, Meaning()))

    async def begin(self, questionnaire: str = "fonds") -> int:
        """Begin a questionnaire; give the number of its draft."""
        reply = await self.press(f"0:begin:{questionnaire}")
        if f"0:anew:{questionnaire}" in steps(reply.said):
            reply = await self.press(f"0:anew:{questionnaire}")
        return int(reply.said.buttons[0].step.partition(":")[0])

    async def row(self, draft: int) -> Draft:
        async with self.database.read() as session:
            return await session.get_one(Draft, draft)

    async def asked(self, draft: int) -> str | None:
        """Give the question of a draft that waits for its answer."""
        row = await self.row(draft)
        if not row.state:
            return "porteur"
        interview = self.dialogue.interview(row.questionnaire, form=row.state["form"])
        question = interview.question(from_json(row.questionnaire, row.state, interview).state)
        return question.id if question else None

    async def answer(self, draft: int, until: str | None = None) -> None:
        """Answer everything that is asked, up to the question `until`."""
        while (asked := await self.asked(draft)) not in (None, until):
            assert asked is not None
            await self.say(ANSWERS[asked])

    async def complete(self) -> int:
        """Go from nothing to a complete draft; give its number."""
        draft = await self.begin()
        await self.answer(draft)
        await self.say("préparer ma candidature")
        await self.answer(draft)
        return draft

    async def filed(self) -> tuple[int, str]:
        """Go from nothing to a filed candidature; give its number and its reference."""
        draft = await self.complete()
        await self.say("déposer")
        reply = await self.say("oui")
        assert reply.document
        return draft, reply.document


def replied(taken: Taken) -> Reply:
    assert taken.reply is not None and taken.waiting is None
    return taken.reply


def steps(said: Said) -> list[str]:
    return [button.step for button in said.buttons]


def columns(row: Draft) -> dict[str, Any]:
    return {name: getattr(row, name) for name in READY}


async def everything(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Everything in our tables."""
    async with database.read() as session:
        return {
            table.name: [
                dict(row)
                for row in (
                    await session.execute(select(table).order_by(*table.primary_key))
                ).mappings()
            ]
            for table in Base.metadata.sorted_tables
        }


async def mails(database: Database) -> list[int]:
    """Give the drafts that a mail is to carry."""
    async with database.read() as session:
        return list(await session.scalars(select(Mail.draft_id).order_by(Mail.id)))


@pytest.fixture(scope="module")
def dialogue() -> Dialogue:
    return Dialogue(
        load_questionnaires(),
        load_form(),
        load_wording(),
        load(),
        Finder(load_places()),
        "prefecture@example.fr",
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def newcomer(database: Database, dialogue: Dialogue, clock: Clock) -> Person:
    async with database.write() as session:
        conversation = (await open_conversation(session, Channel.web)).id
    return Person(database, Desk(database, dialogue, clock), dialogue, conversation)


@pytest.fixture
async def person(database: Database, dialogue: Dialogue, clock: Clock) -> Person:
    return await newcomer(database, dialogue, clock)


@pytest.fixture
async def other(database: Database, dialogue: Dialogue, clock: Clock) -> Person:
    """Somebody else, or the same person in another conversation."""
    return await newcomer(database, dialogue, clock)


@pytest.fixture
async def desks(
    database: Database, database_url: str, dialogue: Dialogue, clock: Clock
) -> AsyncIterator[list[Desk]]:
    """Two desks, as two processes have them."""
    second = Database(database_url)
    yield [Desk(one, dialogue, clock) for one in (database, second)]
    await second.close()


# From the first question to the reference


async def test_from_the_first_question_to_the_reference(
    person: Person, database: Database, clock: Clock
) -> None:
    number = await person.begin()
    row = await person.row(number)
    assert (row.status, row.open, row.questionnaire) == (Status.draft, True, "fonds")
    assert (row.heard_seq, columns(row)) == (1, NOTHING)
    assert row.conversation_id == person.conversation
    assert row.created_at == row.updated_at == NOON

    clock.now = NOON + timedelta(minutes=5)
    await person.answer(number)
    row = await person.row(number)
    assert (row.status, row.open) == (Status.draft, True)
    assert columns(row) == {**NOTHING, "applicant": READY["applicant"]}
    assert row.state["answers"]["lieu"] == "37218"
    assert (row.created_at, row.updated_at) == (NOON, clock.now)

    await person.say("préparer ma candidature")
    await person.answer(number, until="montant")
    row = await person.row(number)
    assert (row.status, row.state["form"]) == (Status.draft, True)
    assert columns(row) == {**READY, "amount_cents": None}

    await person.answer(number)
    row = await person.row(number)
    assert (row.status, row.open, columns(row)) == (Status.complete, True, READY)
    assert (row.reference, row.filed, row.filed_at, row.consented_at) == (None, None, None, None)

    asked = await person.say("déposer")
    assert steps(asked.said) == [f"{number}:yes:file", f"{number}:no:file"]
    assert asked.document is None
    assert (await person.row(number)).status is Status.complete
    assert await mails(database) == []

    clock.now = NOON + timedelta(hours=1)
    reply = await person.say("oui")
    words = person.dialogue.words
    assert reply.document == "IDL-2026-0001"
    told = words.say("filed", reference="IDL-2026-0001", email="mairie@exemple.fr")
    assert reply.said.text == told
    row = await person.row(number)
    assert (row.status, row.open, columns(row)) == (Status.filed, False, READY)
    assert row.reference == "IDL-2026-0001"
    assert row.filed_at == row.consented_at == row.updated_at == clock.now
    assert row.heard_seq == person.last.seq

    filed = Filed.model_validate(row.filed)
    assert (filed.reference, filed.filed_at) == ("IDL-2026-0001", clock.now)
    assert (filed.title, filed.applicant, filed.email) == (
        READY["title"],
        READY["applicant"],
        READY["email"],
    )
    assert (filed.answers["cout"], filed.answers["siret"]) == ("12500.50", READY["siret"])
    assert (filed.prefecture, filed.attachments) == ("prefecture@example.fr", ())
    async with database.read() as session:
        mail = await drafts.mail_of(session, number)
    assert mail is not None
    assert (mail.state, mail.attempts, mail.next_attempt_at) == (State.due, 0, clock.now)


async def test_what_goes_with_it_is_filed_with_it(person: Person, database: Database) -> None:
    number = await person.complete()
    async with database.write() as session:
        for name in ("devis.pdf", "plan.pdf"):
            await drafts.attach(
                session,
                number,
                name=name,
                media_type="application/pdf",
                sha256=f"{name:0>64}",
                content=b"%PDF",
                now=NOON,
            )
    assert "devis.pdf" in (await person.say("où j'en suis")).said.text
    await person.say("déposer")
    await person.say("oui")
    filed = Filed.model_validate((await person.row(number)).filed)
    assert [(one.name, one.size) for one in filed.attachments] == [
        ("devis.pdf", 4),
        ("plan.pdf", 4),
    ]


async def test_what_is_not_complete_is_not_filed(person: Person, database: Database) -> None:
    number = await person.begin()
    await person.answer(number)
    await person.say("préparer ma candidature")
    await person.answer(number, until="montant")
    await person.press(f"{number}:yes:file")
    row = await person.row(number)
    assert (row.status, row.open, row.reference) == (Status.draft, True, None)
    assert await mails(database) == []


# A message that comes again


async def test_a_message_again_at_any_step_changes_nothing(
    person: Person, database: Database
) -> None:
    async def heard(reply: Reply) -> None:
        before = await everything(database)
        assert await person.again() == reply
        assert await person.again() == reply
        assert await everything(database) == before

    await heard(await person.press("0:begin:fonds"))
    number = (await everything(database))["draft"][0]["id"]
    while asked := await person.asked(number):
        await heard(await person.say(ANSWERS[asked]))
    await heard(await person.say("préparer ma candidature"))
    while asked := await person.asked(number):
        await heard(await person.say(ANSWERS[asked]))
    await heard(await person.say("arrêter"))
    await heard(await person.say("reprendre"))
    await heard(await person.say("déposer"))
    await heard(await person.say("oui"))
    assert await mails(database) == [number]


async def test_a_cancelling_again_changes_nothing(person: Person, database: Database) -> None:
    number = await person.begin()
    await person.answer(number, until="projet")
    await person.say("annuler")
    reply = await person.press(f"{number}:yes:cancel")
    before = await everything(database)
    assert await person.again() == reply
    assert await everything(database) == before


async def test_messages_without_a_number_are_each_taken(person: Person) -> None:
    number = await person.begin()
    one = Message(person.conversation, None, "non")
    await person.answer(number, until="materiel")
    for _ in range(2):
        replied(await person.desk.take(one, Meaning()))
    row = await person.row(number)
    assert (row.state["answers"]["materiel"], row.state["answers"]["licences"]) == ("non", "non")
    assert row.heard_seq is None
    # Nor do they hide one that has a number.
    assert (await person.say("préparer ma candidature")).said.buttons


# Two messages at once, in two processes


async def copies(person: Person, draft: int, many: int) -> list[tuple[str, int]]:
    """Give conversations, each with an open draft like this one."""
    row = await person.row(draft)
    given = {name: getattr(row, name) for name in ("questionnaire", "status", "state", *READY)}
    made = []
    for _ in range(many):
        async with person.database.write() as session:
            conversation = (await open_conversation(session, Channel.web)).id
            copy = Draft(conversation_id=conversation, open=True, **given)
            session.add(copy)
            await session.flush()
            made.append((conversation, copy.id))
    return made


@pytest.mark.parametrize("apart", [0, 1], ids=["same message", "two messages"])
async def test_filing_at_once_files_once(
    person: Person, desks: list[Desk], database: Database, apart: int
) -> None:
    number = await person.complete()
    references = []
    for conversation, draft in await copies(person, number, ROUNDS):
        taken = await asyncio.gather(
            *(
                desk.take(
                    Message(conversation, 50 + apart * n, "x", f"{draft}:yes:file"), Meaning()
                )
                for n, desk in enumerate(desks)
            )
        )
        row = await person.row(draft)
        assert (row.status, row.open) == (Status.filed, False)
        for one in map(replied, taken):
            assert one.document == row.reference
            assert row.reference is not None and row.reference in one.said.text
        references.append(row.reference)
    assert references == [f"IDL-2026-{n + 1:04}" for n in range(ROUNDS)]
    assert len(await mails(database)) == len(set(await mails(database))) == ROUNDS


async def test_two_candidatures_filed_at_once_get_two_references(
    person: Person, desks: list[Desk], database: Database
) -> None:
    number = await person.complete()
    made = await copies(person, number, 2 * ROUNDS)
    for one in range(0, 2 * ROUNDS, 2):
        taken = await asyncio.gather(
            *(
                desk.take(Message(conversation, 1, "x", f"{draft}:yes:file"), Meaning())
                for desk, (conversation, draft) in zip(desks, made[one : one + 2], strict=True)
            )
        )
        assert sorted(str(replied(each).document) for each in taken) == [
            f"IDL-2026-{one + 1:04}",
            f"IDL-2026-{one + 2:04}",
        ]
    assert sorted(await mails(database)) == [draft for _, draft in made]


@pytest.fixture
def meeting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make messages that come at once all look, before any is taken, whether they were heard."""
    heard_before = drafts.heard_before

    async def slowly(session: AsyncSession, conversation: str, seq: int) -> Draft | None:
        found = await heard_before(session, conversation, seq)
        await asyncio.sleep(0.05)
        return found

    monkeypatch.setattr(drafts, "heard_before", slowly)


@pytest.mark.usefixtures("meeting")
async def test_an_answer_twice_at_once_is_taken_once(person: Person, desks: list[Desk]) -> None:
    number = await person.begin()
    await person.answer(number, until="materiel")
    for conversation, draft in await copies(person, number, 3):
        taken = await asyncio.gather(
            *(desk.take(Message(conversation, 50, "non"), Meaning()) for desk in desks)
        )
        assert await person.asked(draft) == "licences"
        assert taken[0] == taken[1]


@pytest.mark.usefixtures("meeting")
async def test_a_typed_yes_twice_at_once_gets_the_same_reply(
    person: Person, desks: list[Desk]
) -> None:
    number = await person.complete()
    await person.say("déposer")
    for conversation, _ in await copies(person, number, 3):
        taken = await asyncio.gather(
            *(desk.take(Message(conversation, 50, "oui"), Meaning()) for desk in desks)
        )
        assert replied(taken[0]).document
        assert taken[0] == taken[1]


@pytest.mark.usefixtures("meeting")
async def test_beginning_twice_at_once_begins_once(
    person: Person, desks: list[Desk], database: Database
) -> None:
    for seq in range(1, 4):
        message = Message(person.conversation, seq, "x", "0:begin:fonds")
        taken = await asyncio.gather(*(desk.take(message, Meaning()) for desk in desks))
        assert taken[0] == taken[1]
        async with database.read() as session:
            assert await session.scalar(select(func.count()).select_from(Draft)) == seq


# References


@pytest.mark.parametrize(
    ("instant", "year"),
    [
        (datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC), 2026),
        (datetime(2026, 12, 31, 23, tzinfo=UTC), 2027),
        (datetime(2026, 12, 31, 23, 30, tzinfo=UTC), 2027),
        (datetime(2027, 1, 1, tzinfo=UTC), 2027),
    ],
    ids=str,
)
async def test_the_year_is_that_of_paris(
    person: Person, clock: Clock, instant: datetime, year: int
) -> None:
    clock.now = instant
    number, reference = await person.filed()
    assert reference == f"IDL-{year}-0001"
    assert (await person.row(number)).filed_at == instant


async def test_numbers_begin_again_each_year(person: Person, other: Person, clock: Clock) -> None:
    assert (await person.filed())[1] == "IDL-2026-0001"
    assert (await other.filed())[1] == "IDL-2026-0002"
    clock.now = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert (await person.filed())[1] == "IDL-2027-0001"
    assert (await other.filed())[1] == "IDL-2027-0002"


# Taking a draft up again


def code_in(reply: Reply) -> str:
    codes: list[str] = re.findall(r"\b[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}\b", reply.said.text)
    (code,) = codes
    return code


async def test_a_draft_that_was_left_is_taken_up_where_it_was(person: Person) -> None:
    number = await person.begin()
    await person.answer(number, until="decision")
    stopped = await person.say("arrêter")
    assert steps(stopped.said) == [f"{number}:resume"]
    row = await person.row(number)
    assert (row.open, row.status) == (False, Status.draft)
    # What comes meanwhile is not for it.
    assert await person.take("par une délibération") == Taken()

    for words in ("reprendre", None):
        reply = await (person.say(words) if words else person.press(f"{number}:resume"))
        title = "Saint-Flovier, projet numérique"
        assert reply.said.text.startswith(person.dialogue.words.say("resumed", title=title))
        assert f"{number}:answer:decision=deliberation" in steps(reply.said)
        row = await person.row(number)
        assert (row.open, row.state["answers"]["projet"]) == (True, "formation")
        await person.say("arrêter")


async def test_of_several_drafts_one_is_chosen(person: Person) -> None:
    first = await person.begin("fonds")
    await person.answer(first, until="projet")
    second = await person.begin("conseiller_numerique")
    asked = await person.asked(second)
    assert asked is not None
    await person.press(f"{second}:skip:{asked}")
    await person.say("arrêter")
    reply = await person.say("reprendre")
    assert reply.said.text == person.dialogue.words.say("which_draft")
    assert steps(reply.said) == [f"0:resume:{second}", f"0:resume:{first}"]  # the last used first
    assert [(await person.row(one)).open for one in (first, second)] == [False, False]
    reply = await person.press(f"0:resume:{first}")
    assert f"{first}:answer:projet=formation" in steps(reply.said)
    assert [(await person.row(one)).open for one in (first, second)] == [True, False]


async def test_resuming_offers_what_was_left_though_another_is_open(person: Person) -> None:
    first = await person.begin("fonds")
    await person.answer(first, until="projet")
    second = await person.begin("fonds")
    # One that holds no answer yet is nothing to resume.
    reply = await person.say("reprendre")
    assert f"{first}:answer:projet=formation" in steps(reply.said)
    await person.press(f"{second}:answer:porteur=commune")  # looks before it acts
    await person.press(f"{second}:answer:porteur=commune")
    assert steps((await person.say("reprendre")).said) == [
        f"0:resume:{second}",
        f"0:resume:{first}",
    ]


async def test_the_candidature_that_was_begun_is_offered_where_an_empty_draft_is_open(
    person: Person,
) -> None:
    first = await person.begin("fonds")
    await person.answer(first)
    await person.begin("fonds")
    reply = await person.say("préparer ma candidature")
    assert steps(reply.said) == [f"0:resume:{first}", "0:anew:fonds"]
    # The button of the one that was begun takes it up.
    await person.press(f"{first}:form")
    assert (await person.row(first)).open


async def test_a_code_takes_a_draft_to_another_conversation(person: Person, other: Person) -> None:
    number = await person.begin()
    await person.answer(number, until="projet")
    code = code_in(await person.say("arrêter"))
    assert code not in str((await person.row(number)).resume_hash)

    reply = await other.say(f"reprendre {code}")
    assert f"{number}:answer:projet=formation" in steps(reply.said)
    row = await person.row(number)
    assert (row.conversation_id, row.open) == (other.conversation, True)
    await other.say(ANSWERS["projet"])
    assert (await person.row(number)).state["answers"]["projet"] == "formation"

    # The first conversation no longer has it.
    none = person.dialogue.words.say("no_draft")
    assert (await person.say("reprendre")).said.text == none
    assert (await person.press(f"{number}:answer:projet=expert")).said.text == none
    assert (await person.row(number)).state["answers"]["projet"] == "formation"


@pytest.mark.parametrize(
    "written",
    [
        "reprendre {}",
        "Reprendre {}.",
        "je reprends {}",
        "« reprendre {} »",
        "reprendre mon dossier : {}",
        "reprendre avec le code {}",
    ],
)
async def test_a_code_may_be_written_in_many_ways(
    person: Person, other: Person, written: str
) -> None:
    number = await person.begin()
    await person.answer(number, until="projet")
    code = code_in(await person.say("arrêter"))
    for one in (code, code.lower(), code.replace("-", " "), code.replace("-", " - ")):
        await other.say(written.format(one))
        assert (await person.row(number)).open
        async with person.database.write() as session:  # left, its code unchanged
            (await session.get_one(Draft, number)).open = False


async def test_a_code_serves_once(person: Person, other: Person) -> None:
    number = await person.begin()
    await person.answer(number, until="projet")
    code = code_in(await person.say("arrêter"))
    await other.say(f"reprendre {code}")
    # Whoever saw it meanwhile gets nothing by it; nor does the one who gave it.
    wrong = person.dialogue.words.say("wrong_code")
    assert (await person.say(f"reprendre {code}")).said.text == wrong
    row = await person.row(number)
    assert (row.conversation_id, row.open) == (other.conversation, True)
    again = code_in(await other.say("arrêter"))
    await person.say(f"reprendre {again}")
    assert (await person.row(number)).conversation_id == person.conversation


async def test_a_draft_that_is_open_elsewhere_goes_where_its_code_is_said(
    person: Person, other: Person
) -> None:
    number = await person.begin()
    await person.answer(number, until="projet")
    code = code_in(await person.say("arrêter"))
    await person.say("reprendre")
    own = await other.begin()
    await other.answer(own, until="projet")
    await other.say(f"reprendre {code}")
    assert [(await person.row(one)).open for one in (number, own)] == [True, False]
    assert await person.take("une étude") == Taken()
    # Said again where it is, it asks the same again.
    reply = await other.say(f"reprendre {code}")
    assert f"{number}:answer:projet=formation" in steps(reply.said)
    assert (await person.row(number)).open


async def test_a_wrong_code_changes_nothing(person: Person, database: Database) -> None:
    number = await person.begin()
    await person.answer(number, until="projet")
    code = code_in(await person.say("arrêter"))
    before = await everything(database)
    wrong = ("A" if code[0] != "A" else "B") + code[1:]
    reply = await person.say(f"reprendre {wrong}")
    assert reply == Reply(Said(person.dialogue.words.say("wrong_code")))
    assert await everything(database) == before


async def test_the_code_of_a_filed_draft_resumes_nothing(
    person: Person, other: Person, database: Database
) -> None:
    await person.complete()
    code = code_in(await person.say("arrêter"))
    await person.say("reprendre")
    await person.say("déposer")
    await person.say("oui")
    before = await everything(database)
    for one in (person, other):
        reply = await one.say(f"reprendre {code}")
        assert reply.said.text == person.dialogue.words.say("wrong_code")
    assert await everything(database) == before


async def test_a_new_code_replaces_the_old_one(person: Person, other: Person) -> None:
    number = await person.begin()
    await person.answer(number, until="projet")
    old = code_in(await person.say("arrêter"))
    await person.say("reprendre")
    new = code_in(await person.say("arrêter"))
    assert old != new
    wrong = person.dialogue.words.say("wrong_code")
    assert (await other.say(f"reprendre {old}")).said.text == wrong
    assert (await other.say(f"reprendre {new}")).said.text != wrong
    assert (await person.row(number)).conversation_id == other.conversation


# Cancelling


async def test_cancelling_leaves_nothing(person: Person, other: Person, database: Database) -> None:
    number = await person.complete()
    async with database.write() as session:
        await drafts.attach(
            session,
            number,
            name="devis.pdf",
            media_type="application/pdf",
            sha256="0" * 64,
            content=b"%PDF",
            now=NOON,
        )
    code = code_in(await person.say("arrêter"))
    await person.say("reprendre")
    assert steps((await person.say("annuler")).said) == [
        f"{number}:yes:cancel",
        f"{number}:no:cancel",
    ]
    assert columns(await person.row(number)) == READY  # not before it is confirmed
    reply = await person.say("oui")
    assert reply == Reply(Said(person.dialogue.words.say("cancelled")))
    row = await person.row(number)
    assert (row.status, row.open, row.resume_hash) == (Status.withdrawn, False, None)
    assert columns(row) == NOTHING
    assert not any(row.state.values())
    assert (await everything(database))["attachment"] == []

    words = person.dialogue.words
    assert (await person.say("reprendre")).said.text == words.say("no_draft")
    assert (await person.press(f"0:resume:{number}")).said.text == words.say("no_draft")
    assert (await person.press(f"{number}:answer:porteur=epci")).said.text == words.say("no_draft")
    assert (await other.say(f"reprendre {code}")).said.text == words.say("wrong_code")
    row = await person.row(number)
    assert (row.status, row.open, columns(row)) == (Status.withdrawn, False, NOTHING)
    assert not any(row.state.values())


async def test_a_draft_that_is_kept_after_all_is_whole(person: Person) -> None:
    number = await person.begin()
    await person.answer(number, until="projet")
    await person.say("annuler")
    reply = await person.say("non")
    assert reply.said.text.startswith(person.dialogue.words.say("kept"))
    row = await person.row(number)
    assert (row.open, row.state["answers"]["lieu"], row.state["pending"]) == (True, "37218", None)


# Several drafts


async def test_a_second_draft_closes_the_first(person: Person) -> None:
    first = await person.begin()
    await person.answer(first, until="projet")
    second = await person.begin("aidants_connect")
    assert second != first
    assert [(await person.row(one)).open for one in (first, second)] == [False, True]
    assert (await person.row(first)).state["answers"]["lieu"] == "37218"
    third = await person.begin()
    assert [(await person.row(one)).open for one in (first, second, third)] == [False, False, True]
    # Not the answers of the first: it is another.
    assert not (await person.row(third)).state["answers"]


@pytest.mark.parametrize("stopped", [False, True], ids=["open", "stopped"])
async def test_what_was_begun_is_offered_before_it_is_begun_again(
    person: Person, stopped: bool
) -> None:
    number = await person.begin()
    await person.answer(number, until="projet")
    if stopped:
        await person.say("arrêter")
    before = await everything(person.database)
    reply = await person.press("0:begin:fonds")
    assert reply.said.text == person.dialogue.words.say("begun_already")
    assert steps(reply.said) == [f"0:resume:{number}", "0:anew:fonds"]
    assert await everything(person.database) == before
    reply = await person.press(f"0:resume:{number}")
    assert f"{number}:answer:projet=formation" in steps(reply.said)
    # Another questionnaire is another matter, and what is filed or erased is not under way.
    assert "0:anew:fonds" not in steps((await person.press("0:begin:aidants_connect")).said)
    await person.press(f"0:resume:{number}")
    await person.say("annuler")
    await person.say("oui")
    assert "0:anew:fonds" not in steps((await person.press("0:begin:fonds")).said)


@pytest.mark.parametrize("stopped", [False, True], ids=["another open", "none open"])
@pytest.mark.parametrize("step", ["answer:projet=expert", "skip:projet", "stop", "cancel", "back"])
async def test_a_button_of_a_draft_that_was_left_takes_it_up(
    person: Person, step: str, stopped: bool
) -> None:
    first = await person.begin()
    await person.answer(first, until="projet")
    state = (await person.row(first)).state
    second = await person.begin("conseiller_numerique")
    if stopped:
        await person.say("arrêter")
    reply = await person.press(f"{first}:{step}")
    assert f"{first}:answer:projet=formation" in steps(reply.said)
    assert [(await person.row(one)).open for one in (first, second)] == [True, False]
    assert (await person.row(first)).state == state
    await person.press(f"{first}:answer:projet=expert")  # now it acts
    assert (await person.row(first)).state["answers"]["projet"] == "expert"


async def test_a_button_of_somebody_else_s_draft_does_nothing(
    person: Person, other: Person, database: Database
) -> None:
    number = await person.begin()
    await person.answer(number, until="projet")
    filed, _ = await other.filed()
    before = await everything(database)
    none = person.dialogue.words.say("no_draft")
    for step in (f"{number}:answer:projet=expert", f"{number}:stop", f"0:resume:{number}"):
        assert (await other.press(step)).said.text == none
    assert await everything(database) == before
    await person.press(f"{filed}:yes:file")
    assert (await person.row(number)).conversation_id == person.conversation
    assert (await mails(database)) == [filed]


FILED_STEPS = [
    *("answer:projet=expert", "skip:siret", "keep", "change", "change:titre", "back", "where"),
    *("why", "stop", "complete", "attach", "detach:1", "file", "yes:file", "no:file"),
    *("yes:cancel", "no:cancel"),
]


@pytest.mark.parametrize("another", [False, True], ids=["none open", "another open"])
async def test_the_buttons_of_a_filed_draft_say_that_it_is(
    person: Person, database: Database, another: bool
) -> None:
    number, reference = await person.filed()
    if another:
        await person.answer(await person.begin(), until="projet")
    before = await everything(database)
    told = person.dialogue.words.say(
        "filed_already", reference=reference, prefecture="prefecture@example.fr"
    )
    replies = {step: await person.press(f"{number}:{step}") for step in FILED_STEPS}
    assert {step: one for step, one in replies.items() if not says(one, told, reference)} == {}
    assert await everything(database) == before


def says(reply: Reply, told: str, reference: str) -> bool:
    return (reply.said.text, reply.document) == (told, reference)


@pytest.mark.parametrize(
    ("step", "another"),
    [
        ("form", True),
        ("cancel", True),
        ("form", False),
        ("cancel", False),
        ("resume", False),
        ("resume", True),
    ],
)
async def test_commands_on_the_buttons_of_a_filed_draft_say_that_it_is(
    person: Person, database: Database, step: str, another: bool
) -> None:
    number, reference = await person.filed()
    if another:
        await person.answer(await person.begin(), until="projet")
    before = await everything(database)
    told = person.dialogue.words.say(
        "filed_already", reference=reference, prefecture="prefecture@example.fr"
    )
    assert says(await person.press(f"{number}:{step}"), told, reference)
    assert await everything(database) == before


# What is not for a draft


async def test_a_question_leaves_what_was_asked_waiting(person: Person, database: Database) -> None:
    number = await person.begin()
    await person.answer(number, until="projet")
    before = await everything(database)
    taken = await person.take("C'est quoi l'axe 3 ?", meaning=QUESTION)
    assert taken.reply is None
    assert taken.waiting is not None
    text = person.dialogue.questionnaires["fonds"].questions
    assert next(one.text for one in text if one.id == "projet").split("?")[0].strip() in (
        taken.waiting.said.text.replace("\u00a0", " ")
    )
    assert steps(taken.waiting.said)[0] == f"{number}:answer:projet=expert"
    assert steps(taken.waiting.said)[-1] == f"{number}:skip:projet"
    assert all(step.startswith(f"{number}:") for step in steps(taken.waiting.said))
    assert await everything(database) == before


async def test_after_a_question_at_the_summary_one_may_go_on(person: Person) -> None:
    number = await person.complete()
    taken = await person.take("C'est quoi l'axe 3 ?", meaning=QUESTION)
    assert taken.reply is None and taken.waiting is not None
    assert (taken.waiting.said.text, steps(taken.waiting.said)) == (
        "",
        [f"{number}:where", f"{number}:file"],
    )


async def test_without_a_draft_nothing_is_taken_nor_written(
    person: Person, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_database: Database) -> None:
        raise AssertionError("nothing is to be written")

    before = await everything(database)
    monkeypatch.setattr(Database, "write", refused)
    for text in ("Bonjour", "C'est quoi le fonds ?", "oui", "non", "passer", "pourquoi ?", ""):
        for meaning in (None, QUESTION):
            assert await person.take(text, meaning=meaning) == Taken()
    assert await everything(database) == before


async def test_a_questionnaire_that_is_not_there_begins_nothing(
    person: Person, database: Database
) -> None:
    assert await person.take("x", "0:begin:other") == Taken()
    assert (await everything(database))["draft"] == []


async def test_a_question_between_does_not_let_yes_confirm_what_was_asked_before(
    person: Person,
) -> None:
    """The last thing asked is what « oui » answers, not the erasing asked for before it."""
    number = await person.begin()
    await person.answer(number, until="materiel")
    await person.say("annuler")
    taken = await person.take("C'est quoi l'axe 3 ?", meaning=QUESTION)
    assert steps(taken.waiting.said)[0] == f"{number}:answer:materiel=non"
    await person.say("oui")
    row = await person.row(number)
    assert (row.status, row.state["answers"].get("materiel")) == (Status.draft, "partie")


async def test_a_question_between_does_not_let_yes_file(person: Person) -> None:
    number = await person.complete()
    await person.say("déposer")
    taken = await person.take("Quelle est l'enveloppe ?", meaning=QUESTION)
    assert taken.reply is None
    await person.take("oui")
    assert (await person.row(number)).status is Status.complete


async def test_a_resume_button_is_that_of_its_draft(person: Person) -> None:
    first = await person.begin()
    await person.answer(first, until="projet")
    await person.say("arrêter")
    second = await person.begin()
    await person.answer(second, until="decision")
    await person.press(f"{first}:resume")
    assert [(await person.row(one)).open for one in (first, second)] == [True, False]


async def test_a_draft_stopped_before_any_answer_is_forgotten(person: Person) -> None:
    number = await person.begin()
    reply = await person.say("arrêter")
    assert reply.said == Said(person.dialogue.words.say("left"))
    assert (await person.row(number)).status is Status.withdrawn
    assert not (await person.row(number)).open


async def test_an_answer_that_begins_like_a_code_is_an_answer(person: Person) -> None:
    number = await person.begin()
    await person.answer(number)
    await person.say("préparer ma candidature")
    await person.answer(number, until="titre")
    await person.say("Reprendre nos démarches pour vous tous")
    assert (await person.row(number)).title == "Reprendre nos démarches pour vous tous"


async def test_the_last_answer_is_changed_by_editing_it(person: Person) -> None:
    number = await person.begin()
    await person.answer(number, until="projet")
    await person.say("former nos agents")
    assert await person.asked(number) == "decision"
    reply = replied(await person.edit("une étude de besoin"))
    assert await person.asked(number) == "decision"
    assert (await person.row(number)).state["answers"]["projet"] == "etude"
    # Sent again, it changes nothing more; edited again, it does.
    assert await person.again() == reply
    replied(await person.edit("former nos agents"))
    assert (await person.row(number)).state["answers"]["projet"] == "formation"
    assert await person.asked(number) == "decision"


async def test_an_edited_answer_that_is_a_question_is_taken_back(person: Person) -> None:
    number = await person.begin()
    await person.answer(number, until="projet")
    await person.say("former nos agents")
    taken = await person.edit("C'est quoi l'axe 3 ?", meaning=QUESTION)
    assert taken.reply is None and taken.waiting is not None
    assert await person.asked(number) == "projet"
    assert "projet" not in (await person.row(number)).state["answers"]


async def test_an_edited_message_that_others_followed_is_a_message_like_any_other(
    person: Person,
) -> None:
    number = await person.begin()
    await person.answer(number, until="projet")
    await person.say("former nos agents")
    before = person.last.seq
    await person.say("par une délibération")
    await person.edit("mars 2022", seq=before)
    answers = (await person.row(number)).state["answers"]
    assert (answers["projet"], answers["decision"]) == ("formation", "deliberation")
    assert answers["resultats"] == "2022-03-31"


async def test_what_was_filed_or_cancelled_is_not_taken_back(person: Person) -> None:
    number, reference = await person.filed()
    await person.edit("non")
    row = await person.row(number)
    assert (row.status, row.reference, row.before) == (Status.filed, reference, None)
    second = await person.begin()
    await person.answer(second, until="decision")
    await person.say("annuler")
    await person.say("oui")
    await person.edit("former nos agents")
    row = await person.row(second)
    assert (row.status, row.open, row.before) == (Status.withdrawn, False, None)
    assert row.state["answers"] == {}


async def test_a_number_alone_may_be_shared_by_the_telephone(person: Person) -> None:
    number = await person.begin()
    await person.answer(number)
    await person.say("préparer ma candidature")
    await person.answer(number, until="contact_fonction")
    assert not (await person.say("où j'en suis")).asks_phone  # a group: there is more to tell
    await person.say("la même personne")
    reply = await person.say(ANSWERS["contact_email"])
    assert await person.asked(number) == "contact_telephone"
    assert reply.asks_phone
    taken = await person.take("C'est quoi l'axe 3 ?", meaning=QUESTION)
    assert taken.waiting is not None and taken.waiting.asks_phone
    reply = await person.say("02 47 00 00 00")
    assert not reply.asks_phone
    assert (await person.row(number)).state["answers"]["contact_telephone"] == "02 47 00 00 00"


@pytest.mark.parametrize("named", [True, False])
async def test_a_draft_that_is_left_on_the_web_is_resumed_in_telegram(
    person: Person, named: bool
) -> None:
    if named:
        async with person.database.write() as session:
            await telegram_bots.add_bot(session, 123)
            await telegram_bots.name_bot(session, 123, "passerelle_bot")
            assert await telegram_bots.hold(session, 123, "process", NOON, lambda _: False)
    number = await person.begin()
    await person.answer(number, until="projet")
    text = (await person.say("arrêter")).said.text
    code = re.findall(r"\b\w{4}-\w{4}-\w{4}\b", text)[0]
    assert (f"https://t.me/passerelle_bot?start={code}" in text) is named


async def test_in_telegram_nobody_is_sent_to_telegram(person: Person) -> None:
    async with person.database.write() as session:
        await telegram_bots.add_bot(session, 123)
        await telegram_bots.name_bot(session, 123, "passerelle_bot")
        session.add(
            Chat(bot_id=123, chat_id=5, conversation_id=person.conversation, created_at=NOON)
        )
    number = await person.begin()
    await person.answer(number, until="projet")
    text = (await person.say("arrêter")).said.text
    assert code_in(Reply(Said(text))) and "/reprendre" in text and "t.me" not in text


async def test_a_bot_that_nobody_speaks_for_is_not_linked_to(person: Person, clock: Clock) -> None:
    async with person.database.write() as session:
        await telegram_bots.add_bot(session, 123)
        await telegram_bots.name_bot(session, 123, "passerelle_bot")
        assert await telegram_bots.hold(session, 123, "process", NOON, lambda _: False)
    clock.now = NOON + timedelta(minutes=5)
    number = await person.begin()
    await person.answer(number, until="projet")
    assert "t.me" not in (await person.say("arrêter")).said.text


async def test_where_one_stands_without_a_draft_and_once_it_is_filed(person: Person) -> None:
    assert (await person.say("où j'en suis")).said.text == person.dialogue.words.say("no_draft")
    _, reference = await person.filed()
    assert (await person.say("où j'en suis")).document == reference


async def test_a_code_that_is_wrong_is_no_answer(person: Person) -> None:
    number = await person.begin()
    reply = await person.say("reprendre ABCD-EFGH-JKMN")
    assert reply.said.text == person.dialogue.words.say("wrong_code")
    assert await person.asked(number) == "porteur"


async def test_who_asks_for_a_candidature_is_told_where_it_begins(person: Person) -> None:
    reply = await person.press("0:form")
    assert reply.said.text.startswith(person.dialogue.words.say("no_form"))
    assert reply.said.buttons[0].step.endswith(":answer:porteur=commune")
