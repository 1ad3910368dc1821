"""The widget's API, on both databases: what is sent is kept, once, and answered."""

import json
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import pytest

from bot.services import Services
from storage.database import Database
from tests.bot.api_calls import is_problem, opened, read, send
from tests.bot.fakes import FakeRasa
from tests.bot.threads import running, until


async def test_a_conversation(
    client: httpx.AsyncClient, services: Services, fake_rasa: FakeRasa
) -> None:
    fake_rasa.replies = lambda message: [
        {
            "text": f"Réponse à {message}",
            "buttons": [{"title": "Oui", "payload": "/affirm"}],
        },
        {"custom": {"outcome": {"kind": "sure"}}},
    ]
    who = await opened(client)
    assert await read(client, who) == []
    before = datetime.now(UTC)
    response = await send(client, who, text="  Bonjour\u00a0!\t ")
    assert (response.status_code, response.json()) == (202, {"seq": 1})

    async def answered(seq: int) -> None:
        async def is_there() -> bool:
            return bool(await read(client, who, seq - 1))

        await until(is_there)

    async with running(services):
        await answered(2)
        first, second = await read(client, who)
        at = datetime.fromisoformat(first.pop("at"))
        assert at.utcoffset() is not None
        assert before <= at <= datetime.now(UTC)
        assert first == {
            "seq": 1,
            "author": "person",
            "text": "Bonjour\u00a0!",
            "buttons": [],
            "attachments": [],
            "ratable": False,
            "rating": None,
        }
        button = second["buttons"][0]
        assert second["author"] == "assistant"
        assert second["text"] == "Réponse à Bonjour\u00a0!"
        assert set(button) == {"id", "title", "file"}
        assert "affirm" not in json.dumps(second)
        assert "outcome" not in second

        assert (await send(client, who, button=button["id"])).json() == {"seq": 3}
        await answered(4)
    assert [m["text"] for m in await read(client, who, 2)] == ["Oui", "Réponse à /affirm"]
    assert [message for _, message in fake_rasa.messages] == ["Bonjour\u00a0!", "/affirm"]
    conversations = {sender for sender, _ in fake_rasa.messages}
    assert len(conversations) == 1


async def test_the_same_message_again_changes_nothing(client: httpx.AsyncClient) -> None:
    who = await opened(client)
    message = {"id": str(uuid4()), "text": "Bonjour"}
    for body in (message, message, {**message, "id": message["id"].upper()}):
        response = await client.post("/api/messages", json=body, headers=who)
        assert (response.status_code, response.json()) == (202, {"seq": 1})
    response = await client.post(
        "/api/messages", json={**message, "text": "Au revoir"}, headers=who
    )
    is_problem(response, 409, "different_message")
    assert len(await read(client, who)) == 1

    other = await opened(client)  # another client may choose the same id
    response = await client.post("/api/messages", json={**message, "text": "Non"}, headers=other)
    assert response.json() == {"seq": 1}


@pytest.mark.parametrize(
    ("references", "kept"),
    [
        (["out_of_scope"], False),
        (["montant/fonds"], True),
        (["undocumented/fonds"], True),
        ([], True),
    ],
)
async def test_what_is_off_the_subject_is_not_kept(
    client: httpx.AsyncClient,
    services: Services,
    fake_rasa: FakeRasa,
    references: list[str],
    kept: bool,
) -> None:
    outcome = {"kind": "reply", "references": references, "confidence": 0.9}
    fake_rasa.replies = lambda message: [
        {"text": "Je ne peux pas vous aider."},
        {"custom": {"outcome": outcome}},
    ]
    who = await opened(client)
    message = {"id": str(uuid4()), "text": "mon dossier médical est perdu"}
    assert (await client.post("/api/messages", json=message, headers=who)).json() == {"seq": 1}
    async with running(services):

        async def is_answered() -> bool:
            return len(await read(client, who)) == 2

        await until(is_answered)
    shown, _ = await read(client, who)
    expected = message["text"] if kept else "(message hors sujet, non conservé)"
    assert shown["text"] == expected
    # A second delivery is no other message, though there is nothing left to compare.
    response = await client.post("/api/messages", json=message, headers=who)
    assert (response.status_code, response.json()) == (202, {"seq": 1})
    assert [text for _, text in fake_rasa.messages] == [message["text"]]


async def test_a_button_counts_only_where_it_was_offered(
    client: httpx.AsyncClient, services: Services, fake_rasa: FakeRasa
) -> None:
    fake_rasa.replies = lambda _: [{"text": "?", "buttons": [{"title": "A", "payload": "/a"}]}]
    who, other = await opened(client), await opened(client)
    async with running(services):
        await send(client, who, text="Bonjour")

        async def is_there() -> bool:
            return len(await read(client, who)) == 2

        await until(is_there)
    button = (await read(client, who))[1]["buttons"][0]["id"]
    for wrong in ("/a", "A", "", button + "x", "\0", "é" * 100):
        is_problem(await send(client, who, button=wrong), 422, "unknown_button")
    is_problem(await send(client, other, button=button), 422, "unknown_button")
    again = {"id": str(uuid4()), "button": button}
    for _ in range(2):
        response = await client.post("/api/messages", json=again, headers=who)
        assert response.json() == {"seq": 3}


@pytest.mark.parametrize(
    "text",
    ["a" * 4000, "😀" * 4000, "/restart", "...", "\U0001fae8", "<script>alert(1)</script>", "a\0b"],
    ids=lambda value: ascii(value)[:20],
)
async def test_texts_that_are_kept(client: httpx.AsyncClient, text: str) -> None:
    who = await opened(client)
    assert (await send(client, who, text=text)).status_code == 202
    (message,) = await read(client, who)
    assert message["text"] == text.replace("\0", "")


async def test_half_an_emoji_is_dropped(client: httpx.AsyncClient) -> None:
    """As a browser cuts it at the maximum length of a field."""
    who = await opened(client)
    body = f'{{"id": "{uuid4()}", "text": "ab\\ud83d"}}'.encode()
    response = await client.post(
        "/api/messages", content=body, headers={**who, "Content-Type": "application/json"}
    )
    assert response.status_code == 202
    assert (await read(client, who))[0]["text"] == "ab"


async def test_long_threads_come_in_pages(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.conversations.PAGE", 2)
    who = await opened(client)
    for n in range(5):
        await send(client, who, text=str(n))
    pages = [
        [m["seq"] for m in await read(client, who, after)] for after in (0, 2, 4, 5, 2**31 - 1)
    ]
    assert pages == [[1, 2], [3, 4], [5], [], []]


async def test_without_its_database_it_says_so(
    client: httpx.AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = await opened(client)
    broken = Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    monkeypatch.setattr(Database, "read", lambda _, read=Database.read: read(broken))
    monkeypatch.setattr(Database, "write", lambda _, write=Database.write: write(broken))
    for response in (
        await client.post("/api/conversations"),
        await send(client, who, text="Bonjour"),
        await client.get("/api/messages", headers=who),
        await client.get("/api/events", headers=who),
        await client.put("/api/messages/1/rating", json={"rating": "up"}, headers=who),
    ):
        is_problem(response, 503, "unavailable")
        assert response.headers["retry-after"] == "5"
