"""Saying whether an answer is useful: the last word counts, on one's own answers only."""

import json
from typing import Any

import httpx
import pytest

from bot.services import Services
from bot.web.problems import MAX_BODY
from tests.bot.api_calls import is_problem, opened, read, send
from tests.bot.fakes import UNAVAILABLE, FakeRasa
from tests.bot.threads import running, until

JSON = {"Content-Type": "application/json"}
ANSWER = 3
"""Number of the second message of the answer below: the one that can be rated."""


@pytest.fixture
async def who(client: httpx.AsyncClient, services: Services, fake_rasa: FakeRasa) -> dict[str, str]:
    """A conversation of one question and its answer, in two messages."""
    outcome = {"kind": "answer", "confidence": 0.9, "references": ["montant/fonds"]}
    fake_rasa.replies = lambda _: [
        {"text": "Un"},
        {"text": "Deux"},
        {"custom": {"outcome": outcome}},
    ]
    who = await opened(client)
    await send(client, who, text="Combien ?")

    async def is_there() -> bool:
        return len(await read(client, who)) == ANSWER

    async with running(services):
        await until(is_there)
    return who


async def rate(
    client: httpx.AsyncClient, who: dict[str, str], rating: Any, seq: int | str = ANSWER
) -> httpx.Response:
    return await client.put(f"/api/messages/{seq}/rating", json={"rating": rating}, headers=who)


async def ratings(client: httpx.AsyncClient, who: dict[str, str]) -> list[str | None]:
    return [message["rating"] for message in await read(client, who)]


async def test_what_ends_an_answer_can_be_rated(
    client: httpx.AsyncClient, who: dict[str, str]
) -> None:
    assert [m["ratable"] for m in await read(client, who)] == [False, False, True]
    assert await ratings(client, who) == [None, None, None]
    assert (await read(client, who, ANSWER - 1))[0]["text"] == "Deux"


async def test_the_last_word_counts(client: httpx.AsyncClient, who: dict[str, str]) -> None:
    for rating in ("up", "up", "down", None, None, "down"):
        response = await rate(client, who, rating)
        assert (response.status_code, response.content) == (204, b"")
        assert await ratings(client, who) == [None, None, rating]


async def test_ratings_are_counted(
    client: httpx.AsyncClient, services: Services, who: dict[str, str]
) -> None:
    for rating in ("up", "down", "down", None):
        await rate(client, who, rating)
    await rate(client, who, "up", 1)  # refused: not counted
    lines = services.metrics.text().decode().splitlines()
    assert [line for line in lines if line.startswith("passerelle_ratings_total")] == [
        'passerelle_ratings_total{rating="up"} 1.0',
        'passerelle_ratings_total{rating="down"} 2.0',
        'passerelle_ratings_total{rating="none"} 1.0',
    ]


@pytest.mark.parametrize("seq", [1, 2, 4, 2**31 - 1])
async def test_only_one_s_own_answers_are_rated(
    client: httpx.AsyncClient, who: dict[str, str], seq: int
) -> None:
    is_problem(await rate(client, who, "up", seq), 404, "not_ratable")
    is_problem(await rate(client, who, None, seq), 404, "not_ratable")
    assert await ratings(client, who) == [None, None, None]


async def test_another_conversation_s_answer_is_not_rated(
    client: httpx.AsyncClient, who: dict[str, str]
) -> None:
    is_problem(await rate(client, await opened(client), "down"), 404, "not_ratable")
    assert await ratings(client, who) == [None, None, None]


async def test_a_notice_is_not_rated(
    client: httpx.AsyncClient, services: Services, fake_rasa: FakeRasa
) -> None:
    fake_rasa.fault = "down"
    who = await opened(client)
    await send(client, who, text="Combien ?")

    async def is_there() -> bool:
        return len(await read(client, who)) == 2

    async with running(services):
        await until(is_there)
    notice = (await read(client, who))[1]
    assert (notice["text"], notice["ratable"]) == (UNAVAILABLE, False)
    is_problem(await rate(client, who, "down", 2), 404, "not_ratable")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "invalid_rating"),
        (b"{", 400, "invalid_json"),
        (b"\xff", 400, "invalid_json"),
        (b"null", 422, "invalid_rating"),
        (b'"up"', 422, "invalid_rating"),
        (b"{}", 422, "invalid_rating"),
        (b'{"rating": ""}', 422, "invalid_rating"),
        (b'{"rating": "UP"}', 422, "invalid_rating"),
        (b'{"rating": "<b>x</b>"}', 422, "invalid_rating"),
        (b'{"rating": "\\ud800"}', 422, "invalid_rating"),
        (b'{"rating": true}', 422, "invalid_rating"),
        (b'{"rating": 1}', 422, "invalid_rating"),
        (b'{"rating": ["up"]}', 422, "invalid_rating"),
        (b'{"rating": "up", "text": "a"}', 422, "invalid_rating"),
        (b" " * (MAX_BODY + 1), 413, "body_too_large"),
    ],
    ids=lambda value: ascii(value)[:40],
)
async def test_bodies_that_are_refused(
    client: httpx.AsyncClient, who: dict[str, str], body: bytes, status: int, code: str
) -> None:
    response = await client.put(
        f"/api/messages/{ANSWER}/rating", content=body, headers={**who, **JSON}
    )
    is_problem(response, status, code)
    assert "<b>" not in response.text
    assert await ratings(client, who) == [None, None, None]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_only_json_is_read(client: httpx.AsyncClient, who: dict[str, str], kind: str) -> None:
    response = await client.put(
        f"/api/messages/{ANSWER}/rating",
        content=json.dumps({"rating": "up"}).encode(),
        headers={**who, "Content-Type": kind},
    )
    is_problem(response, 422, "invalid_rating")


@pytest.mark.parametrize("seq", ["0", "-1", "a", "1.5", "2147483648", "9" * 30, "%00", "<b>"])
async def test_numbers_that_are_refused(
    client: httpx.AsyncClient, who: dict[str, str], seq: str
) -> None:
    is_problem(await rate(client, who, "up", seq), 422, "invalid_rating")


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer x"}, {"Cookie": "token=x"}], ids=str
)
async def test_without_its_token_a_conversation_is_closed(
    client: httpx.AsyncClient, who: dict[str, str], headers: dict[str, str]
) -> None:
    response = await rate(client, headers, "up")
    is_problem(response, 401, "no_conversation")
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert await ratings(client, who) == [None, None, None]


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PATCH"])
async def test_a_rating_is_only_put(
    client: httpx.AsyncClient, who: dict[str, str], method: str
) -> None:
    response = await client.request(method, f"/api/messages/{ANSWER}/rating", headers=who)
    is_problem(response, 405, "method_not_allowed")


async def test_any_site_may_put_it(client: httpx.AsyncClient, who: dict[str, str]) -> None:
    origin = {"Origin": "https://www.commune.test"}
    address = f"/api/messages/{ANSWER}/rating"
    asked = {
        **origin,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    response = await client.options(address, headers=asked)
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == "*"
    assert "PUT" in response.headers["access-control-allow-methods"]
    refused = await client.options(
        address, headers={**asked, "Access-Control-Request-Method": "DELETE"}
    )
    assert refused.status_code == 400
    for seq, status in ((ANSWER, 204), (1, 404), (0, 422)):
        response = await rate(client, {**who, **origin}, "up", seq)
        assert response.status_code == status
        assert response.headers["access-control-allow-origin"] == "*"
