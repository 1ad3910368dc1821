"""What the widget's API refuses, and how: a clean answer, whatever is thrown at it."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from bot.web.problems import MAX_BODY
from tests.bot.api_calls import is_problem, opened, read, send

ID = "4dcdd6a5-5b1c-4b33-8b0e-3c4e2c6d0c7e"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """None of this depends on the database."""
    return sqlite_url


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer x"},
        {"Authorization": "Bearer é".encode()},
        {"Authorization": "Basic eDp4"},
        {"Authorization": "Bearer " + "a" * 5000},
        {"Cookie": "token=x"},
    ],
    ids=lambda headers: str(headers)[:40],
)
async def test_without_its_token_a_conversation_is_closed(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    await opened(client)
    message = {"id": ID, "text": "Bonjour"}
    for response in (
        await client.post("/api/messages", json=message, headers=headers),
        await client.get("/api/messages", headers=headers),
        await client.get("/api/events", headers=headers),
    ):
        is_problem(response, 401, "no_conversation")
        assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty_text"),
        (" \n\t\u00a0", "empty_text"),
        ("\0\x1b\u200b", "empty_text"),
        ("a" * 4001, "text_too_long"),
        ("😀" * 4001, "text_too_long"),
    ],
    ids=lambda value: ascii(value)[:20],
)
async def test_texts_that_are_refused(client: httpx.AsyncClient, text: str, code: str) -> None:
    who = await opened(client)
    is_problem(await send(client, who, text=text), 422, code)
    assert await read(client, who) == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "invalid_message"),
        (b"{", 400, "invalid_json"),
        (b"\xff\xff", 400, "invalid_json"),
        (b"[" * 60_000, 400, "invalid_json"),
        (b'{"id":' * 9_000, 400, "invalid_json"),
        (b'{"text": ' + b"9" * 60_000 + b"}", 400, "invalid_json"),
        (b"null", 422, "invalid_message"),
        (b"[]", 422, "invalid_message"),
        (b'"bonjour"', 422, "invalid_message"),
        (b"{}", 422, "invalid_message"),
        (b'{"text": "a"}', 422, "invalid_message"),
        (f'{{"id": "{ID}"}}'.encode(), 422, "invalid_message"),
        (f'{{"id": "{ID}", "text": 1}}'.encode(), 422, "invalid_message"),
        (f'{{"id": "{ID}", "text": null}}'.encode(), 422, "invalid_message"),
        (f'{{"id": "{ID}", "text": ["a"]}}'.encode(), 422, "invalid_message"),
        (f'{{"id": "{ID}", "text": "\\ud800"}}'.encode(), 422, "empty_text"),
        (f'{{"id": "{ID}", "button": "\\udfff"}}'.encode(), 422, "unknown_button"),
        (f'{{"id": "{ID}", "button": {{}}}}'.encode(), 422, "invalid_message"),
        (f'{{"id": "{ID}", "text": "a", "button": "b"}}'.encode(), 422, "invalid_message"),
        (f'{{"id": "{ID}", "text": "a", "sender": "b"}}'.encode(), 422, "invalid_message"),
        (f'{{"id": "{ID}x", "text": "a"}}'.encode(), 422, "invalid_message"),
        (b'{"id": "", "text": "a"}', 422, "invalid_message"),
        (b'{"id": "\\ud800", "text": "a"}', 422, "invalid_message"),
        (b'{"id": 12345678901234567890, "text": "a"}', 422, "invalid_message"),
        (b'{"id": 1e999, "text": NaN}', 422, "invalid_message"),
        (b'{"id": "<b>x</b>", "text": "<b>x</b>"}', 422, "invalid_message"),
        (b'{"\\ud800": 1}', 422, "invalid_message"),
        (b'{"id": ' + b"[" * 900 + b"]" * 900 + b', "text": "a"}', 422, "invalid_message"),
    ],
    ids=lambda value: ascii(value)[:40],
)
async def test_bodies_that_are_refused(
    client: httpx.AsyncClient, body: bytes, status: int, code: str
) -> None:
    who = await opened(client)
    response = await client.post("/api/messages", content=body, headers={**who, **JSON})
    is_problem(response, status, code)
    assert "<b>" not in response.text
    assert await read(client, who) == []


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_only_json_is_read(client: httpx.AsyncClient, kind: str) -> None:
    who = await opened(client)
    body = json.dumps({"id": ID, "text": "a"}).encode()
    response = await client.post(
        "/api/messages", content=body, headers={**who, "Content-Type": kind}
    )
    is_problem(response, 422, "invalid_message")


async def test_a_body_too_large_is_refused_before_it_is_read(client: httpx.AsyncClient) -> None:
    who = await opened(client)
    read_so_far = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read_so_far
        while True:
            read_so_far += 1024
            yield b" " * 1024

    response = await client.post("/api/messages", content=endless(), headers={**who, **JSON})
    is_problem(response, 413, "body_too_large")
    assert read_so_far <= MAX_BODY + 4096

    read_so_far = 0
    announced = {**who, **JSON, "Content-Length": str(MAX_BODY + 1)}
    response = await client.post("/api/messages", content=endless(), headers=announced)
    is_problem(response, 413, "body_too_large")
    assert read_so_far <= 1024

    for length in ("-1", "1e9", "9" * 5000, "²"):
        headers = httpx.Headers({**who, **JSON, "Content-Length": length}, encoding="latin-1")
        response = await client.post("/api/messages", content=b"{}", headers=headers)
        assert 400 <= response.status_code < 500

    exact = json.dumps({"id": ID, "text": "a"}).encode().ljust(MAX_BODY)
    response = await client.post("/api/messages", content=exact, headers={**who, **JSON})
    assert response.status_code == 202


@pytest.mark.parametrize("after", ["-1", "a", "", "1.5", "9" * 30, "1 2", "<b>"])
async def test_positions_that_are_refused(client: httpx.AsyncClient, after: str) -> None:
    who = await opened(client)
    for path in ("/api/messages", "/api/events"):
        response = await client.get(path, params={"after": after}, headers=who)
        is_problem(response, 422, "invalid_position")
    response = await client.get("/api/events", headers={**who, "Last-Event-ID": after})
    is_problem(response, 422, "invalid_position")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/nothing", 404, "not_found"),
        ("GET", "/api/messages/", 404, "not_found"),
        ("GET", "/docs", 404, "not_found"),
        ("GET", "/static/../conftest.py", 404, "not_found"),
        ("GET", "/static/%2e%2e/%2e%2e/settings.py", 404, "not_found"),
        ("GET", "/static/%00", 404, "not_found"),
        ("GET", "/<script>", 404, "not_found"),
        ("DELETE", "/api/messages", 405, "method_not_allowed"),
        ("GET", "/api/conversations", 405, "method_not_allowed"),
        ("POST", "/", 405, "method_not_allowed"),
    ],
)
async def test_other_addresses(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    is_problem(await client.request(method, path), status, code)


async def test_any_site_may_embed_it(client: httpx.AsyncClient) -> None:
    origin = {"Origin": "https://www.commune.test"}
    asked = {
        **origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,last-event-id",
    }
    response = await client.options("/api/messages", headers=asked)
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in response.headers
    asked["Access-Control-Request-Headers"] = "x-other"
    assert (await client.options("/api/messages", headers=asked)).status_code == 400
    for response in (
        await client.post("/api/conversations", headers=origin),
        await client.get("/api/messages", headers=origin),
        await client.post("/api/messages", headers=origin, content=b" " * (MAX_BODY + 1)),
        await client.get("/widget.js", headers=origin),
    ):
        assert response.headers["access-control-allow-origin"] == "*"


async def test_the_api_describes_itself(client: httpx.AsyncClient) -> None:
    schema = (await client.get("/api/openapi.json")).json()
    assert set(schema["paths"]) == {
        "/api/conversations",
        "/api/messages",
        "/api/messages/{seq}/rating",
        "/api/messages/{seq}/attachments/{index}",
        "/api/attachments",
        "/api/events",
    }
    assert "HTTPValidationError" not in json.dumps(schema)
    post = schema["paths"]["/api/messages"]["post"]
    assert set(post["responses"]) == {"202", "400", "401", "409", "413", "422", "503"}
    assert post["security"]
    put = schema["paths"]["/api/messages/{seq}/rating"]["put"]
    assert set(put["responses"]) == {"204", "400", "401", "404", "413", "422", "503"}
    assert put["security"]
    assert "payload" not in json.dumps(schema["components"])


async def test_answers_are_not_kept_by_caches(client: httpx.AsyncClient) -> None:
    who = await opened(client)
    for response in (
        await client.post("/api/conversations"),
        await client.get("/api/messages", headers=who),
        await client.get("/api/messages"),
    ):
        assert response.headers["cache-control"] == "no-store"
