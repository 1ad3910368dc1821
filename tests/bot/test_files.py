"""Files in a conversation, on both databases: joined to the draft, and read with a message."""

import asyncio
import hashlib
import json
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import delete, select

from bot import joining
from bot.services import Services
from bot.web import files
from bot.web.app import create_app
from bot.web.problems import MAX_BODY
from candidature.attachments import (
    MOST_BYTES,
    MOST_CHARACTERS,
    MOST_FILES,
    MOST_TOGETHER,
    check,
)
from knowledge.dialogue import load_wording
from knowledge.typography import french
from storage import drafts
from storage.database import Database
from storage.models import Attachment, Conversation, Draft
from storage.payloads import ATTACH, step_payload
from storage.times import utc_now
from tests.bot.api_calls import is_problem, opened, read, send
from tests.bot.fakes import FakeRasa
from tests.bot.mail.filings import put_in_outbox
from tests.bot.threads import running, until

PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n"
OTHER_PDF = PDF + b"% another\n"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
REFERENCE = "IDL-2026-0001"


async def begun(client: httpx.AsyncClient, database: Database) -> tuple[dict[str, str], int]:
    """Open a conversation with a draft; return what gives access to it, and the draft's number."""
    response = (await client.post("/api/conversations")).json()
    async with database.write() as session:
        draft = await drafts.begin(session, response["conversation"], "fonds", utc_now())
    return {"Authorization": f"Bearer {response['token']}"}, draft.id


async def join(
    client: httpx.AsyncClient,
    who: dict[str, str],
    content: bytes | AsyncIterator[bytes] = PDF,
    **query: str,
) -> httpx.Response:
    """Send a file as the widget does."""
    query = {"id": str(uuid4()), "name": "devis.pdf", **query}
    headers = {**who, "Content-Type": "application/octet-stream"}
    return await client.post("/api/attachments", params=query, content=content, headers=headers)


async def kept(database: Database) -> list[Attachment]:
    async with database.read() as session:
        return list(await session.scalars(select(Attachment).order_by(Attachment.id)))


async def there_already(database: Database, draft: int, *sizes: int) -> None:
    """Add files to a draft, of which only the sizes are true."""
    async with database.write() as session:
        for at, size in enumerate(sizes):
            session.add(
                Attachment(
                    draft_id=draft,
                    name=f"{at}.pdf",
                    media_type="application/pdf",
                    size=size,
                    sha256=f"{at:064}",
                    content=b"%PDF-",
                )
            )


def is_refused(response: httpx.Response, status: int, code: str, reason: str) -> None:
    """The sentence is the one of knowledge, whatever was sent."""
    is_problem(response, status, code)
    assert response.json()["detail"] == french(load_wording().refusals[reason])


async def test_a_file_joins_the_open_draft(
    client: httpx.AsyncClient, database: Database, services: Services, fake_rasa: FakeRasa
) -> None:
    who, draft = await begun(client, database)
    response = await join(client, who, name="C:\\Mes documents\\Devis été.pdf")
    assert (response.status_code, response.json()) == (202, {"seq": 1})
    (file,) = await kept(database)
    async with database.read() as session:
        content = await session.scalar(select(Attachment.content))
    assert content == PDF
    assert (file.draft_id, file.name, file.size) == (draft, "Devis été.pdf", len(PDF))
    assert file.media_type == "application/pdf"
    async with running(services):

        async def is_answered() -> bool:
            return len(await read(client, who)) == 2

        await until(is_answered)
    said = (await read(client, who))[0]
    assert (said["author"], said["text"]) == ("person", "Devis été.pdf")
    assert said["attachments"] == []
    step = f"{draft}:attached:{file.id}:{hashlib.sha256(PDF).hexdigest()[:16]}"
    expected = f'/affirm{{"step": "{step}"}}'
    assert [message for _, message in fake_rasa.messages] == [expected]


async def test_the_type_comes_from_the_content(
    client: httpx.AsyncClient, database: Database
) -> None:
    who, _ = await begun(client, database)
    for name, content in (("scan", PDF), ("photo.PNG", PNG)):
        assert (await join(client, who, content, name=name)).status_code == 202
    assert [(one.name, one.media_type) for one in await kept(database)] == [
        ("scan.pdf", "application/pdf"),
        ("photo.PNG", "image/png"),
    ]


async def test_the_same_file_again_changes_nothing(
    client: httpx.AsyncClient, database: Database
) -> None:
    who, _ = await begun(client, database)
    one = str(uuid4())
    for same in (one, one, one.upper()):
        response = await join(client, who, id=same)
        assert (response.status_code, response.json()) == (202, {"seq": 1})
    # Said a second time, it is still one file.
    response = await join(client, who, name="le même.pdf")
    assert (response.status_code, response.json()) == (202, {"seq": 2})
    assert [file.name for file in await kept(database)] == ["devis.pdf"]
    assert [said["text"] for said in await read(client, who)] == ["devis.pdf", "devis.pdf"]
    is_problem(await join(client, who, OTHER_PDF, id=one), 409, "different_message")
    assert len(await read(client, who)) == 2

    other, _ = await begun(client, database)  # another client may choose the same id
    assert (await join(client, other, OTHER_PDF, id=one)).json() == {"seq": 1}


@pytest.mark.parametrize("first", ["a message", "a file"])
async def test_a_file_refused_for_its_id_does_not_stay(
    client: httpx.AsyncClient, database: Database, first: str
) -> None:
    """Else it would be sent to the préfecture, though it was said to be refused."""
    who, _ = await begun(client, database)
    one = str(uuid4())
    if first == "a file":
        await join(client, who, id=one)
    else:
        await send(client, who, id=one, text="Bonjour")
    before = len(await kept(database))
    is_problem(await join(client, who, OTHER_PDF, id=one), 409, "different_message")
    assert len(await kept(database)) == before


async def test_a_receipt_lost_then_the_draft_closed(
    client: httpx.AsyncClient, database: Database
) -> None:
    who, draft = await begun(client, database)
    one = str(uuid4())
    assert (await join(client, who, id=one)).json() == {"seq": 1}
    async with database.write() as session:
        row = await session.get_one(Draft, draft)
        row.open = False
    response = await join(client, who, id=one)
    assert (response.status_code, response.json()) == (202, {"seq": 1})


async def test_without_an_open_draft(client: httpx.AsyncClient, database: Database) -> None:
    who = await opened(client)
    is_problem(await join(client, who), 409, "no_draft")
    is_problem(await join(client, who, b""), 409, "no_draft")
    who, draft = await begun(client, database)
    async with database.write() as session:
        row = await session.get_one(Draft, draft)
        row.open = False
    is_problem(await join(client, who), 409, "no_draft")
    assert await read(client, who) == []
    assert await kept(database) == []


async def test_each_conversation_has_its_own_draft(
    client: httpx.AsyncClient, database: Database
) -> None:
    who, draft = await begun(client, database)
    other, others = await begun(client, database)
    await join(client, who)
    await join(client, other)
    assert [one.draft_id for one in await kept(database)] == [draft, others]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}], ids=["none", "unknown"])
async def test_without_its_token(
    client: httpx.AsyncClient, database: Database, headers: dict[str, str]
) -> None:
    await begun(client, database)
    read_so_far = 0

    async def much() -> AsyncIterator[bytes]:
        nonlocal read_so_far
        while True:
            read_so_far += 1024
            yield b" " * 1024

    for response in (
        await join(client, headers),
        await join(client, headers, much()),
        await client.get("/api/messages/1/attachments/0", headers=headers),
    ):
        is_problem(response, 401, "no_conversation")
        assert response.headers["www-authenticate"].startswith("Bearer")
    assert read_so_far <= 1024
    assert await kept(database) == []


async def test_files_that_are_refused(client: httpx.AsyncClient, database: Database) -> None:
    who, _ = await begun(client, database)
    for name, content, reason in (
        ("devis.pdf", b"", "empty"),
        ("budget.xlsx", b"PK\x03\x04" + bytes(40), "type"),
        ("script.sh", b"#!/bin/sh\n", "type"),
        ("devis.pdf", b"<!doctype html><script>1</script>", "lies"),
        ("photo.jpg", PDF, "lies"),
        ("devis.exe", PDF, "lies"),
        ("devis.pdf", PDF + b"<< /S /JavaScript >>", "unsafe"),
        ("devis.pdf", PDF + b"<< /Encrypt 4 0 R >>", "unsafe"),
    ):
        is_refused(await join(client, who, content, name=name), 422, "unfit_file", reason)
    assert await read(client, who) == []
    assert await kept(database) == []


async def test_as_many_files_as_fit(client: httpx.AsyncClient, database: Database) -> None:
    who, draft = await begun(client, database)
    await there_already(database, draft, *[1] * (MOST_FILES - 1))
    last = str(uuid4())
    assert (await join(client, who, id=last)).status_code == 202
    is_refused(await join(client, who, OTHER_PDF), 422, "unfit_file", "too_many")
    # The last one again is none more.
    assert (await join(client, who, id=last)).json() == {"seq": 1}
    assert len(await kept(database)) == MOST_FILES
    assert len(await read(client, who)) == 1


async def test_as_large_together_as_fits(client: httpx.AsyncClient, database: Database) -> None:
    who, draft = await begun(client, database)
    await there_already(database, draft, MOST_TOGETHER - len(PDF))
    refused = await join(client, who, OTHER_PDF)
    is_refused(refused, 422, "unfit_file", "too_large_together")
    assert (await join(client, who)).status_code == 202
    assert (await join(client, who)).status_code == 202  # it does not count twice
    assert sum(one.size for one in await kept(database)) == MOST_TOGETHER


@pytest.fixture
def checked_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two files are looked at in the same moment."""
    both = threading.Barrier(2)

    def at_once(name: str, content: bytes, others: list[int]) -> Any:
        both.wait(10)
        return check(name, content, others)

    monkeypatch.setattr(joining, "check", at_once)


@pytest.mark.usefixtures("checked_together")
async def test_two_files_at_once_where_one_fits(
    client: httpx.AsyncClient, database: Database
) -> None:
    who, draft = await begun(client, database)
    await there_already(database, draft, *[1] * (MOST_FILES - 1))
    responses = await asyncio.gather(join(client, who), join(client, who, OTHER_PDF))
    assert sorted(one.status_code for one in responses) == [202, 422]
    for response in responses:
        if response.status_code == 422:
            is_refused(response, 422, "unfit_file", "too_many")
    assert len(await kept(database)) == MOST_FILES


@pytest.mark.usefixtures("checked_together")
async def test_the_same_file_twice_at_once(client: httpx.AsyncClient, database: Database) -> None:
    who, _ = await begun(client, database)
    one = str(uuid4())
    responses = await asyncio.gather(join(client, who, id=one), join(client, who, id=one))
    assert [(one.status_code, one.json()) for one in responses] == [(202, {"seq": 1})] * 2
    assert len(await kept(database)) == 1


@pytest.mark.usefixtures("checked_together")
async def test_two_files_at_once_too_large_together(
    client: httpx.AsyncClient, database: Database
) -> None:
    who, draft = await begun(client, database)
    await there_already(database, draft, MOST_TOGETHER - len(OTHER_PDF))
    responses = await asyncio.gather(join(client, who), join(client, who, OTHER_PDF))
    assert sorted(one.status_code for one in responses) == [202, 422]


async def test_a_file_too_large_is_refused_before_it_is_read(
    client: httpx.AsyncClient, database: Database
) -> None:
    who, _ = await begun(client, database)
    piece, read_so_far = b" " * 2**18, 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read_so_far
        while True:
            read_so_far += len(piece)
            yield piece

    is_refused(await join(client, who, endless()), 413, "file_too_large", "too_large")
    assert MOST_BYTES < read_so_far <= MOST_BYTES + 2 * len(piece)

    for length in (str(MOST_BYTES + 1), "9" * 5000):
        read_so_far = 0
        announced = {**who, "Content-Length": length}
        is_refused(await join(client, announced, endless()), 413, "file_too_large", "too_large")
        assert read_so_far <= len(piece)
    assert await kept(database) == []

    largest = PDF.ljust(MOST_BYTES)
    assert (await join(client, who, largest)).status_code == 202
    assert [one.size for one in await kept(database)] == [MOST_BYTES]


async def test_only_files_may_be_as_large(client: httpx.AsyncClient, database: Database) -> None:
    who, _ = await begun(client, database)
    content = PDF.ljust(MAX_BODY + 1)
    assert (await join(client, who, content)).status_code == 202
    json_body = json.dumps({"id": str(uuid4()), "text": "a"}).encode().ljust(MAX_BODY + 1)
    for path in ("/api/messages", "/api/messages?name=/api/attachments"):
        response = await client.post(
            path, content=json_body, headers={**who, "Content-Type": "application/json"}
        )
        is_problem(response, 413, "body_too_large")
    response = await client.put(
        "/api/messages/1/rating",
        content=json_body,
        headers={**who, "Content-Type": "application/json"},
    )
    is_problem(response, 413, "body_too_large")
    assert len(await read(client, who)) == 1


async def test_what_is_no_file(client: httpx.AsyncClient, database: Database) -> None:
    who, _ = await begun(client, database)
    queries: tuple[dict[str, str], ...] = (
        {},
        {"id": str(uuid4())},
        {"name": "devis.pdf"},
        {"id": "", "name": "devis.pdf"},
        {"id": "1", "name": "devis.pdf"},
        {"id": "<b>x</b>", "name": "<b>x</b>"},
        {"id": str(uuid4()), "name": ""},
        {"id": str(uuid4()), "name": "a" * 997 + ".pdf"},
    )
    for query in queries:
        response = await client.post("/api/attachments", params=query, content=PDF, headers=who)
        is_problem(response, 422, "invalid_file")
        assert "<b>" not in response.text
    assert await read(client, who) == []
    assert await kept(database) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("..\\..\\windows\\win.pdf", "win.pdf"),
        ("..", "document.pdf"),
        (" ", "document.pdf"),
        ("\0", "document.pdf"),
        ("de\0vis\r\nSet-Cookie: a=b\x1b[31m.pdf", "devisSet-Cookie_ a=b[31m.pdf"),
        ("devis\u202efdp.pdf", "devisfdp.pdf"),
        ('a"; filename="b.pdf', "a_; filename=_b.pdf"),
        ("<img src=x onerror=alert(1)>.pdf", "_img src=x onerror=alert(1)_.pdf"),
        ("a" * 996 + ".pdf", "a" * (MOST_CHARACTERS - 4) + ".pdf"),
    ],
    ids=lambda value: ascii(value)[:30],
)
async def test_hostile_names_are_made_safe(
    client: httpx.AsyncClient, database: Database, name: str, expected: str
) -> None:
    who, _ = await begun(client, database)
    assert (await join(client, who, name=name)).status_code == 202
    assert [one.name for one in await kept(database)] == [expected]
    assert [said["text"] for said in await read(client, who)] == [expected]


async def test_a_name_that_is_not_text(client: httpx.AsyncClient, database: Database) -> None:
    """Bytes that are no UTF-8, and half of an emoji."""
    who, _ = await begun(client, database)
    for name in ("%ff%fe.pdf", "%ed%a0%bd.pdf"):
        response = await client.post(
            f"/api/attachments?id={uuid4()}&name={name}", content=PDF, headers=who
        )
        assert response.status_code == 202
    assert len(await kept(database)) == 1


async def test_a_conversation_that_ends_meanwhile(
    client: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, _ = await begun(client, database)
    checked: Callable[..., Any] = joining.checked

    async def then_it_ends(*arguments: Any) -> Any:
        result = await checked(*arguments)
        async with database.write() as session:
            await session.execute(delete(Conversation))
        return result

    monkeypatch.setattr(files, "checked", then_it_ends)
    is_problem(await join(client, who), 401, "no_conversation")


async def test_a_button_says_that_it_chooses_a_file(
    client: httpx.AsyncClient, services: Services, fake_rasa: FakeRasa
) -> None:
    fake_rasa.replies = lambda _: [
        {
            "text": "Des pièces à joindre ?",
            "buttons": [
                {"title": "Joindre un fichier", "payload": step_payload(f"7:{ATTACH}")},
                {"title": "Relire", "payload": step_payload("7:summary")},
            ],
        }
    ]
    who = await opened(client)
    async with running(services):
        await send(client, who, text="Bonjour")

        async def is_there() -> bool:
            return len(await read(client, who)) == 2

        await until(is_there)
    buttons = (await read(client, who))[1]["buttons"]
    assert [(one["title"], one["file"]) for one in buttons] == [
        ("Joindre un fichier", True),
        ("Relire", False),
    ]
    # Where no file can be chosen it is a button as another.
    assert (await send(client, who, button=buttons[0]["id"])).json() == {"seq": 3}


@pytest.fixture
async def who(
    client: httpx.AsyncClient, database: Database, services: Services, fake_rasa: FakeRasa
) -> dict[str, str]:
    """A conversation whose second message has the document of a filed candidature."""
    await put_in_outbox(database)
    fake_rasa.replies = lambda _: [
        {"text": "Votre candidature est déposée."},
        {"custom": {"document": REFERENCE}},
    ]
    who = await opened(client)
    async with running(services):
        await send(client, who, text="Déposer")

        async def is_there() -> bool:
            return len(await read(client, who)) == 2

        await until(is_there)
    return who


async def change(database: Database, **changes: Any) -> None:
    """Change the filed candidature."""
    async with database.write() as session:
        draft = await drafts.of_reference(session, REFERENCE)
        assert draft is not None
        for name, value in changes.items():
            setattr(draft, name, value)


async def test_the_document_is_made_and_read(
    client: httpx.AsyncClient, who: dict[str, str]
) -> None:
    question, answer = await read(client, who)
    path = "/api/messages/2/attachments/0"
    name = f"{REFERENCE}.pdf"
    assert question["attachments"] == []
    assert answer["attachments"] == [{"name": name, "media_type": "application/pdf", "path": path}]
    response = await client.get(path, headers={**who, "Origin": "https://www.commune.test"})
    assert response.status_code == 200
    assert response.content.startswith(b"%PDF-")
    assert response.headers["content-type"] == "application/pdf"
    assert response.headers["content-length"] == str(len(response.content))
    assert response.headers["content-disposition"] == f"attachment; filename*=UTF-8''{name}"
    assert "no-store" in response.headers["cache-control"]
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["access-control-allow-origin"] == "*"
    # Made once.
    assert (await client.get(path, headers=who)).content == response.content


async def test_only_its_conversation_reads_a_document(
    client: httpx.AsyncClient, database: Database, who: dict[str, str]
) -> None:
    await change(database, document=PDF)
    path = "/api/messages/2/attachments/0"
    other = await opened(client)
    for _ in range(2):
        await send(client, other, text="Bonjour")
    is_problem(await client.get(path, headers=other), 404, "no_attachment")
    assert (await client.get(path, headers=who)).content == PDF


async def test_places_where_no_file_is(
    client: httpx.AsyncClient, database: Database, who: dict[str, str]
) -> None:
    await change(database, document=PDF)
    for place, status, code in (
        ("2/attachments/1", 404, "no_attachment"),
        ("2/attachments/99", 404, "no_attachment"),
        ("1/attachments/0", 404, "no_attachment"),
        ("3/attachments/0", 404, "no_attachment"),
        (f"{2**31 - 1}/attachments/0", 404, "no_attachment"),
        ("2/attachments/100", 422, "invalid_position"),
        ("2/attachments/-1", 422, "invalid_position"),
        ("2/attachments/a", 422, "invalid_position"),
        ("2/attachments/0.5", 422, "invalid_position"),
        ("2/attachments/%00", 422, "invalid_position"),
        ("0/attachments/0", 422, "invalid_position"),
        ("-2/attachments/0", 422, "invalid_position"),
        (f"{2**31}/attachments/0", 422, "invalid_position"),
        (f"{'9' * 30}/attachments/0", 422, "invalid_position"),
        ("%3Cb%3E/attachments/0", 422, "invalid_position"),
        ("2/attachments/", 404, "not_found"),
        ("2/attachments/0/0", 404, "not_found"),
        ("2/attachments/..%2f0", 404, "not_found"),
    ):
        response = await client.get(f"/api/messages/{place}", headers=who)
        is_problem(response, status, code)
        assert "<b>" not in response.text


async def test_a_document_that_is_no_more(
    client: httpx.AsyncClient, database: Database, who: dict[str, str]
) -> None:
    async with database.write() as session:
        await session.execute(delete(Draft))
    response = await client.get("/api/messages/2/attachments/0", headers=who)
    is_problem(response, 404, "no_attachment")


async def test_files_change_by_no_other_method(
    client: httpx.AsyncClient, who: dict[str, str]
) -> None:
    for method, path in (
        ("GET", "/api/attachments"),
        ("DELETE", "/api/attachments"),
        ("PUT", "/api/messages/2/attachments/0"),
    ):
        is_problem(await client.request(method, path, headers=who), 405, "method_not_allowed")


async def test_without_its_database_it_says_so(
    client: httpx.AsyncClient, who: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    monkeypatch.setattr(Database, "read", lambda _, read=Database.read: read(broken))
    monkeypatch.setattr(Database, "write", lambda _, write=Database.write: write(broken))
    for response in (
        await join(client, who),
        await client.get("/api/messages/2/attachments/0", headers=who),
    ):
        is_problem(response, 503, "unavailable")


async def test_a_document_that_cannot_be_made(
    services: Services, static: Path, who: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> bytes:
        raise RuntimeError("typst")

    monkeypatch.setattr("bot.document.pdf", fail)
    app = create_app(services, static)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://bot.test") as client:
        response = await client.get("/api/messages/2/attachments/0", headers=who)
    assert (response.status_code, response.json()["code"]) == (500, "internal")


async def test_what_the_api_says_of_files(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/api/openapi.json")).json()["paths"]
    post = paths["/api/attachments"]["post"]
    assert set(post["responses"]) == {"202", "401", "409", "413", "422", "503"}
    assert post["security"]
    assert set(post["requestBody"]["content"]) == {"application/octet-stream"}
    get = paths["/api/messages/{seq}/attachments/{index}"]["get"]
    assert set(get["responses"]) == {"200", "401", "404", "422", "503"}
    assert get["security"]
    assert "application/pdf" in get["responses"]["200"]["content"]
