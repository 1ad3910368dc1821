"""Server-sent events, from a real server: resumed, woken, kept open, closed."""

import asyncio
import json
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import httpx
import pytest
import uvicorn

from bot import arrivals
from bot.services import Services
from bot.web.app import create_app
from storage import conversations, inbox
from storage.database import Database
from storage.times import utc_now


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """None of this depends on the database."""
    return sqlite_url


class Server:
    """A running bot: its uvicorn, and a client of it."""

    def __init__(self, server: uvicorn.Server, client: httpx.AsyncClient) -> None:
        self.uvicorn = server
        self.client = client

    async def opened(self) -> tuple[str, dict[str, str]]:
        opened = (await self.client.post("/api/conversations")).json()
        return opened["conversation"], {"Authorization": f"Bearer {opened['token']}"}

    async def send(self, who: dict[str, str], text: str) -> None:
        message = {"id": str(uuid4()), "text": text}
        response = await self.client.post("/api/messages", json=message, headers=who)
        assert response.status_code == 202

    @asynccontextmanager
    async def follow(
        self, who: dict[str, str], after: int | None = None, last: int | None = None
    ) -> AsyncIterator[AsyncIterator[dict[str, str]]]:
        headers = who if last is None else {**who, "Last-Event-ID": str(last)}
        params = {} if after is None else {"after": after}
        path = "/api/events"
        async with self.client.stream("GET", path, params=params, headers=headers) as response:
            assert response.status_code == 200
            assert response.headers["content-type"].startswith("text/event-stream")
            assert response.headers["cache-control"] == "no-store"
            yield events(response)


async def events(response: httpx.Response) -> AsyncIterator[dict[str, str]]:
    """Read events as the standard says; a comment is an event with only `comment`."""
    event: dict[str, str] = {}
    async for line in response.aiter_lines():
        if line:
            name, _, value = line.partition(":")
            event[name or "comment"] = value.removeprefix(" ")
        elif event:
            yield event
            event = {}


async def following(stream: AsyncIterator[dict[str, str]], count: int) -> list[Any]:
    """Return the next messages of a stream, comments aside."""
    messages: list[Any] = []
    async with asyncio.timeout(10):
        while len(messages) < count:
            event = await anext(stream)
            if "comment" in event:
                continue
            assert event["event"] == "message"
            message = json.loads(event["data"])
            assert event["id"] == str(message["seq"])
            messages.append(message)
    return messages


@pytest.fixture
async def server(
    services: Services, static: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Server]:
    monkeypatch.setattr("bot.arrivals.POLL", 0.1)
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        create_app(services, static), log_config=None, timeout_graceful_shutdown=3
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve([listening]))
    address = "http://{}:{}".format(*listening.getsockname())
    async with httpx.AsyncClient(base_url=address, timeout=10, trust_env=False) as client:
        while not server.started:
            await asyncio.sleep(0.01)
        yield Server(server, client)
    server.should_exit = True
    await serving


async def test_messages_come_as_they_arrive(server: Server) -> None:
    _, who = await server.opened()
    async with server.follow(who) as stream:
        await server.send(who, "un")
        await server.send(who, "deux\nlignes <b>")
        messages = await following(stream, 4)
    assert [m["seq"] for m in messages] == [1, 2, 3, 4]
    assert sorted(m["text"] for m in messages) == sorted(
        ["un", "deux\nlignes <b>", "Réponse à un", "Réponse à deux\nlignes <b>"]
    )
    read = await server.client.get("/api/messages", headers=who)
    assert read.json()["messages"] == messages


@pytest.mark.parametrize(
    ("position", "first"),
    [({}, 1), ({"after": 1}, 2), ({"last": 1}, 2), ({"after": 0, "last": 1}, 2)],
    ids=str,
)
async def test_a_stream_resumes(server: Server, position: dict[str, int], first: int) -> None:
    _, who = await server.opened()
    await server.send(who, "un")
    async with server.follow(who, **position) as stream:
        messages = await following(stream, 3 - first)
        assert [m["seq"] for m in messages] == list(range(first, 3))
        await server.send(who, "deux")
        assert [m["seq"] for m in await following(stream, 2)] == [3, 4]


async def test_every_reader_of_a_conversation_gets_it_and_no_other(server: Server) -> None:
    _, who = await server.opened()
    _, other = await server.opened()
    async with (
        server.follow(who) as one,
        server.follow(who) as two,
        server.follow(other) as three,
    ):
        await server.send(who, "un")
        await server.send(other, "autre")
        assert await following(one, 2) == await following(two, 2)
        assert [m["text"] for m in await following(three, 2)] == ["autre", "Réponse à autre"]


async def test_another_process_s_messages_come_too(server: Server, database_url: str) -> None:
    conversation, who = await server.opened()
    elsewhere = Database(database_url)
    async with server.follow(who) as stream:
        await server.send(who, "ici")
        await following(stream, 2)
        for text in ("ailleurs", "encore"):
            async with elsewhere.write() as session:
                await inbox.receive(
                    session,
                    conversation,
                    scope=conversation,
                    external_id=text,
                    text=text,
                    payload=None,
                    now=utc_now(),
                )
            messages = await following(stream, 2)
            assert [m["text"] for m in messages] == [text, f"Réponse à {text}"]
    await elsewhere.close()


async def test_idle_streams_cost_one_query_a_poll(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: Counter[str] = Counter()

    def count(module: ModuleType, name: str) -> None:
        function = getattr(module, name)

        async def counted(*args: Any) -> Any:
            calls[name] += 1
            return await function(*args)

        monkeypatch.setattr(module, name, counted)

    count(arrivals, "last_numbers")
    count(conversations, "messages_after")
    async with AsyncExitStack() as stack:
        for _ in range(10):
            _, who = await server.opened()
            await stack.enter_async_context(server.follow(who))
        await asyncio.sleep(0.2)  # the first poll wakes each once
        calls.clear()
        await asyncio.sleep(0.5)
        assert 1 <= calls["last_numbers"] <= 6
        assert calls["messages_after"] == 0


async def test_an_idle_stream_is_kept_open(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.web.api.HEARTBEAT", 0.05)
    _, who = await server.opened()
    async with server.follow(who) as stream, asyncio.timeout(5):
        assert set(await anext(stream)) == {"comment"}
        assert set(await anext(stream)) == {"comment"}


async def test_a_stream_ends_cleanly_when_the_server_stops(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    _, who = await server.opened()
    async with server.follow(who) as stream:
        await server.send(who, "un")
        await following(stream, 2)
        started = time.monotonic()
        server.uvicorn.should_exit = True
        assert [event async for event in stream if "comment" not in event] == []
        assert time.monotonic() - started < 3
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_reader_that_leaves_is_forgotten(server: Server, services: Services) -> None:
    _, who = await server.opened()
    async with server.follow(who) as stream:
        await server.send(who, "un")
        await following(stream, 2)
    async with asyncio.timeout(5):
        while services.arrivals.watched:
            await asyncio.sleep(0.01)
