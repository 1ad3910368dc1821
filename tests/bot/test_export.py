"""What is kept of a conversation is given whole, readable, and with nothing of the machinery."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

import storage.conversations
from bot.export import Export, export, file_of
from storage import inbox
from storage.conversations import open_conversation, rate
from storage.database import Database
from storage.inbox import EXPORTED, Reply, UnknownConversation
from storage.models import (
    Attachment,
    Author,
    Channel,
    Conversation,
    Direction,
    Draft,
    Message,
    Rating,
    State,
    Status,
)
from tests.bot.mail.filings import CANDIDATURE, FILED_AT
from tests.storage.exchanges import NOON, OUTCOME, asked, exchanged, opened

NOW = datetime(2026, 11, 28, 13, 5, tzinfo=UTC)
NBSP = "\u00a0"
STATE = {
    "answers": {
        "porteur": "commune",
        "lieu": "37218",
        "population": 650,
        "titre": "Former les agents\nde l'accueil",
        "siret": "21370218600015",
        "debut": "2022-03-01",
        "cout": "12500.50",
    },
    "given": ["porteur", "lieu", "population", "titre", "siret", "mutualisation", "debut", "cout"],
    "misses": 1,
    "form": True,
    "pending": "cancel",
    "kept": {"montant": "10000.00"},
}
SECRETS: dict[str, Any] = {
    "before": {"answers": {"titre": "SECRET-before"}},
    "heard_seq": 7,
    "reply": {"text": "SECRET-reply"},
    "resume_hash": "c0ffee" * 10,
}


async def exported(database: Database, conversation: str, **more: Any) -> Export:
    return await export(database, conversation, clock=lambda: NOW, **more)


async def add(database: Database, conversation: str, *names: str, **values: Any) -> int:
    """Add a draft with files of these names."""
    whole: dict[str, Any] = {
        "questionnaire": "fonds",
        "open": False,
        "state": {},
        "created_at": NOON,
        "updated_at": NOON + timedelta(hours=1),
        **values,
    }
    async with database.write() as session:
        session.add(draft := Draft(conversation_id=conversation, **whole))
        await session.flush()
        for number, name in enumerate(names):
            session.add(
                Attachment(
                    draft_id=draft.id,
                    name=name,
                    media_type="application/pdf",
                    size=12_345,
                    sha256=f"abad1dea{number:056}",
                    content=b"SECRET-content",
                    created_at=NOON,
                )
            )
    return draft.id


async def add_filed(database: Database, conversation: str, **values: Any) -> int:
    filed: dict[str, Any] = {
        "status": Status.filed,
        "title": CANDIDATURE.title,
        "applicant": CANDIDATURE.applicant,
        "siret": "21370129800013",
        "email": CANDIDATURE.email,
        "cost_cents": 1_250_050,
        "amount_cents": 1_000_000,
        "reference": CANDIDATURE.reference,
        "consented_at": FILED_AT,
        "filed_at": FILED_AT,
        "filed": CANDIDATURE.model_dump(mode="json"),
    }
    return await add(database, conversation, "devis.pdf", **{**filed, **values})


def plain(text: str) -> str:
    return text.replace(NBSP, " ").replace("’", "'")


def told(draft: dict[str, Any]) -> dict[str, str]:
    return {one["label"]: plain(one["told"]) for one in draft["answers"]}


async def test_who_has_no_conversation_has_no_export(database: Database) -> None:
    await opened(database)
    with pytest.raises(UnknownConversation):
        await export(database, "nobody")


@pytest.mark.parametrize(
    ("channel", "where"),
    [
        (Channel.web, "sur le site"),
        (Channel.telegram, "sur Telegram"),
        (Channel.mail, "par courriel"),
    ],
)
async def test_an_empty_conversation_is_told_too(
    database: Database, channel: Channel, where: str
) -> None:
    async with database.write() as session:
        conversation = (await open_conversation(session, channel)).id
        await session.execute(update(Conversation).values(created_at=NOON))
    made = await exported(database, conversation)
    assert made.text == (
        "Vos données\u00a0: tout ce qui est gardé de votre conversation\n\n"
        "Service\u00a0: Passerelle, l’assistant numérique des petites communes et des aidants "
        "d’Indre-et-Loire.\n\n"
        "Ce fichier a été fait à votre demande le 28/11/2026 à 14:05 (heure de Paris).\n\n"
        f"Conversation {where}, commencée le 01/03/2026 à 13:00.\n\n"
        f"{'—' * 20}\nVOS DOSSIERS\n\nAucun dossier.\n\n"
        f"{'—' * 20}\nVOS MESSAGES ET NOS RÉPONSES\n\nAucun message.\n"
    )
    assert made.data == {
        "service": "Passerelle, l’assistant numérique des petites communes et des aidants "
        "d’Indre-et-Loire",
        "made_at": "2026-11-28T13:05:00Z",
        "since": "2026-03-01T12:00:00Z",
        "channel": channel.value,
        "chat": {},
        "messages": [],
        "drafts": [],
    }


async def test_what_a_channel_keeps_besides(database: Database) -> None:
    conversation = await opened(database)
    made = await exported(database, conversation, chat={"Numéro de la discussion": "4242 42"})
    assert made.data["chat"] == {"Numéro de la discussion": "4242 42"}
    assert f"Numéro de la discussion{NBSP}: 4242 42\n" in made.text


async def test_every_message_of_every_author(database: Database) -> None:
    conversation, other = await opened(database), await opened(database)
    await exchanged(database, other, "D'une autre")
    held = await asked(database, conversation, "Oui", payload="/SECRET-pressed")
    buttons = [("Déposer", "/SECRET-offered"), ("Plus tard", "/SECRET-later")]
    replies = [Reply("C'est 80 % ?", buttons), Reply("Déposée.", document="IDL-2026-0001")]
    async with database.write() as session:
        await inbox.answer(session, held, replies, OUTCOME, NOON + timedelta(minutes=1))
        assert await rate(session, conversation, 3, Rating.down)
        await session.execute(
            update(Conversation).where(Conversation.id == conversation).values(last_seq=5)
        )
        for seq, author, text in ((4, Author.person, ""), (5, Author.agent, "Bien reçu.")):
            person = author is Author.person
            session.add(
                Message(
                    conversation_id=conversation,
                    seq=seq,
                    direction=Direction.inbound if person else Direction.outbound,
                    author=author,
                    text=text,
                    state=State.done,
                    created_at=NOON + timedelta(hours=seq),
                )
            )
    made = await exported(database, conversation)
    assert made.data["messages"] == [
        {
            "seq": 1,
            "at": "2026-03-01T12:00:00Z",
            "author": "person",
            "text": "Oui",
            "buttons": [],
            "attachments": [],
        },
        {
            "seq": 2,
            "at": "2026-03-01T12:01:00Z",
            "author": "assistant",
            "text": "C'est 80 % ?",
            "buttons": ["Déposer", "Plus tard"],
            "attachments": [],
            "rating": None,
        },
        {
            "seq": 3,
            "at": "2026-03-01T12:01:00Z",
            "author": "assistant",
            "text": "Déposée.",
            "buttons": [],
            "attachments": ["IDL-2026-0001.pdf"],
            "rating": "down",
        },
        {
            "seq": 4,
            "at": "2026-03-01T16:00:00Z",
            "author": "person",
            "text": "",
            "buttons": [],
            "attachments": [],
        },
        {
            "seq": 5,
            "at": "2026-03-01T17:00:00Z",
            "author": "agent",
            "text": "Bien reçu.",
            "buttons": [],
            "attachments": [],
        },
    ]
    assert plain(made.text).partition("NOS RÉPONSES\n\n")[2] == (
        "Le 01/03/2026 à 13:00, vous :\nOui\n\n"
        "Le 01/03/2026 à 13:01, l'assistant :\nC'est 80 % ?\n"
        "Choix proposés : Déposer | Plus tard\n\n"
        "Le 01/03/2026 à 13:01, l'assistant :\nDéposée.\n"
        "Fichiers joints : IDL-2026-0001.pdf\nVotre avis : pas utile\n\n"
        "Le 01/03/2026 à 17:00, vous :\n(message hors sujet, non conservé)\n\n"
        "Le 01/03/2026 à 18:00, la préfecture :\nBien reçu.\n"
    )
    assert "SECRET" not in made.text + json.dumps(made.data)


async def test_every_message_however_many(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage.conversations, "PAGE", 3)
    conversation = await opened(database)
    for number in range(5):
        await exchanged(database, conversation, f"Question {number}")
    made = await exported(database, conversation)
    assert [one["seq"] for one in made.data["messages"]] == list(range(1, 11))
    assert made.text.count("Question ") == 5


async def test_a_draft_that_is_not_filed_as_people_read_it(database: Database) -> None:
    conversation = await opened(database)
    await add(database, conversation, "devis.pdf", "délibération.pdf", state=STATE, **SECRETS)
    made = await exported(database, conversation)
    (draft,) = made.data["drafts"]
    assert told(draft) == {
        "Porteur": "Une commune",
        "Commune ou intercommunalité": "Saint-Flovier (INSEE 37218)",
        "Population": "650 habitants",
        "Titre du projet": "Former les agents\nde l'accueil",
        "SIRET": "213 702 186 00015",
        "Mutualisation": "non renseigné",
        "Début du projet": "1er mars 2022",
        "Coût total hors taxes": "12 500,50 €",
        "Aide demandée": "10 000 €",
    }
    values = {one["id"]: one["value"] for one in draft["answers"]}
    assert values == {**STATE["answers"], **STATE["kept"], "mutualisation": None}  # type: ignore[dict-item]
    assert draft["files"] == [
        {
            "name": name,
            "media_type": "application/pdf",
            "size": 12_345,
            "at": "2026-03-01T12:00:00Z",
        }
        for name in ("devis.pdf", "délibération.pdf")
    ]
    assert {name: draft[name] for name in draft if name not in ("answers", "files")} == {
        "title": "Votre projet et le fonds numérique",
        "questionnaire": "fonds",
        "status": "draft",
        "status_told": "en cours",
        "created_at": "2026-03-01T12:00:00Z",
        "updated_at": "2026-03-01T13:00:00Z",
        "reference": None,
        "consented_at": None,
        "filed_at": None,
    }
    for wanted in (
        "État : en cours\nCommencé le 01/03/2026 à 13:00\nModifié le 01/03/2026 à 14:00\n\n",
        "Vos réponses :\n- Porteur : Une commune\n",
        "- Début du projet : 1er mars 2022\n",
        "Vos fichiers :\n- devis.pdf (12 ko)\n- délibération.pdf (12 ko)\n",
    ):
        assert wanted in plain(made.text), wanted
    whole = made.text + json.dumps(made.data)
    for hidden in ("SECRET", "c0ffee", "abad1dea", "misses", "pending", "cancel", "heard"):
        assert hidden not in whole


async def test_long_answers_are_not_cut(database: Database) -> None:
    conversation = await opened(database)
    long = "Un projet. " * 200
    await add(database, conversation, state={**STATE, "answers": {"titre": long}})
    made = await exported(database, conversation)
    assert long in made.text


async def test_each_status_has_its_word(database: Database) -> None:
    conversation = await opened(database)
    ready = {
        "title": "Former",
        "applicant": "Ligré",
        "siret": "21370218600015",
        "email": "mairie@exemple.fr",
        "cost_cents": 2,
        "amount_cents": 1,
    }
    for status in (Status.draft, Status.complete, Status.withdrawn):
        await add(database, conversation, status=status, **ready)
    await add_filed(database, conversation)
    made = await exported(database, conversation)
    words = ["en cours", "complet, pas encore déposé", "retiré", "déposé"]
    assert [one["status_told"] for one in made.data["drafts"]] == words
    assert [one["title"] for one in made.data["drafts"]] == ["Former"] * 3 + [CANDIDATURE.title]
    for word in words:
        assert f"État : {word}\n" in plain(made.text)


async def test_a_filed_one_is_told_as_it_was_filed(database: Database) -> None:
    conversation = await opened(database)
    await add_filed(database, conversation, state=STATE, document=b"SECRET", **SECRETS)
    made = await exported(database, conversation)
    (draft,) = made.data["drafts"]
    assert draft["reference"] == "IDL-2026-0001"
    assert draft["filed_at"] == draft["consented_at"] == "2026-03-02T14:30:00Z"
    assert draft["answers"] == [
        {
            "id": "cout",
            "label": "Coût total hors taxes",
            "value": "12500.50",
            "told": "12 500,50 €",
        },
        {"id": "montant", "label": "Aide demandée", "value": "10000.00", "told": "10 000 €"},
    ]
    assert (
        "« Des rendez-vous en ligne pour l'état civil »\nÉtat : déposé\n"
        "Commencé le 01/03/2026 à 13:00\nModifié le 01/03/2026 à 14:00\n"
        "Référence : IDL-2026-0001\nDéposé le 02/03/2026 à 15:30\n"
        "Votre accord : donné le 02/03/2026 à 15:30\n\n"
        "Vos réponses :\n- Coût total hors taxes : 12 500,50 €\n- Aide demandée : 10 000 €\n\n"
        "Vos fichiers :\n- devis.pdf (12 ko)\n"
    ) in plain(made.text)
    assert "SECRET" not in made.text + json.dumps(made.data)


@pytest.mark.parametrize(
    ("filed", "expected"),
    [
        ({"answers": {"cout": "12500.50", "x": [1]}}, {"Coût total hors taxes": "12 500,50 €"}),
        ({"version": 9}, {}),
        ({"answers": "?"}, {}),
    ],
)
async def test_a_filed_one_of_another_version_is_told_as_it_can_be(
    database: Database, filed: dict[str, Any], expected: dict[str, str]
) -> None:
    conversation = await opened(database)
    await add_filed(database, conversation, filed=filed)
    made = await exported(database, conversation)
    (draft,) = made.data["drafts"]
    assert {**told(draft)} == expected | ({"x": "[1]"} if expected else {})
    assert draft["reference"] == "IDL-2026-0001" and "IDL-2026-0001" in made.text


@pytest.mark.parametrize(
    ("questionnaire", "answers", "expected"),
    [
        ("fonds", {"population": "beaucoup"}, {"Population": "beaucoup"}),
        ("fonds", {"population": [1]}, {"Population": "[1]"}),
        ("fonds", {"porteur": "royaume"}, {"Porteur": "royaume"}),
        ("fonds", {"debut": "hier"}, {"Début du projet": "hier"}),
        ("fonds", {"cout": "cher"}, {"Coût total hors taxes": "cher"}),
        ("fonds", {"cout": {"é": 1}}, {"Coût total hors taxes": '{"é": 1}'}),
        ("fonds", {"disparue": "Ligré", "a": 12}, {"a": "12", "disparue": "Ligré"}),
        ("inconnu", {"population": 650}, {"population": "650"}),
    ],
    ids=str,
)
async def test_what_cannot_be_read_is_given_as_it_is_kept(
    database: Database, questionnaire: str, answers: dict[str, Any], expected: dict[str, str]
) -> None:
    conversation = await opened(database)
    state = {"answers": answers, "given": list(answers), "kept": {}}
    await add(database, conversation, questionnaire=questionnaire, state=state)
    made = await exported(database, conversation)
    (draft,) = made.data["drafts"]
    assert told(draft) == expected
    assert {one["id"]: one["value"] for one in draft["answers"]} == answers
    for label, value in expected.items():
        assert f"- {label} : {value}\n" in plain(made.text)
    if questionnaire == "inconnu":
        assert draft["title"] == "inconnu"


@pytest.mark.parametrize(
    "state", [{}, {"answers": None, "given": "x", "kept": 1}, {"given": [1, {}], "answers": []}]
)
async def test_a_draft_with_nothing_readable_is_still_told(
    database: Database, state: dict[str, Any]
) -> None:
    conversation = await opened(database)
    await add(database, conversation, state=state)
    made = await exported(database, conversation)
    assert made.data["drafts"][0]["answers"] == []
    assert "Aucune réponse." in made.text


async def test_the_drafts_of_others_are_theirs(database: Database) -> None:
    mine, other = await opened(database), await opened(database)
    await add_filed(database, other)
    await add(database, other, "devis.pdf", state=STATE)
    assert (await exported(database, mine)).data["drafts"] == []


async def test_nothing_is_changed(database: Database) -> None:
    conversation = await opened(database)
    await exchanged(database, conversation, "Combien ?")
    number = await add(database, conversation, state=STATE, open=True)
    first = await exported(database, conversation)
    assert await exported(database, conversation) == first
    async with database.read() as session:
        row = await session.get_one(Draft, number)
        assert (row.state, row.open) == (STATE, True)
        assert row.updated_at == NOON + timedelta(hours=1)


async def test_the_files_that_are_given(database: Database) -> None:
    conversation = await opened(database)
    await exchanged(database, conversation, "Où en est « l'été » ? 🎉")
    await add(database, conversation, state=STATE)
    made = await exported(database, conversation)
    text, data = (file_of(made, name) for name, _ in EXPORTED)
    assert text == b"\xef\xbb\xbf" + made.text.encode()
    assert data and json.loads(data) == made.data
    assert file_of(made, "autre.txt") is None
    assert "« l'été » ? 🎉" in data.decode()
    assert data.startswith(b'{\n  "service": ') and data.endswith(b"}\n")
