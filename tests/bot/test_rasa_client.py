"""What the client makes of Rasa's answers."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from bot.rasa import Fault, Rasa, Turn
from storage.inbox import Reply


def rasa(response: httpx.Response | Exception) -> Rasa:
    def respond(_: httpx.Request) -> httpx.Response:
        if isinstance(response, Exception):
            raise response
        return response

    return Rasa("http://rasa.test/", "http://actions.test/", transport=httpx.MockTransport(respond))


async def answer(items: Any) -> Turn:
    return await rasa(httpx.Response(200, json=items)).answer("c", "bonjour", seq=1, again=False)


async def test_texts_buttons_and_outcome() -> None:
    turn = await answer(
        [
            {"recipient_id": "c", "text": "Un", "buttons": [{"title": "A", "payload": "/a"}]},
            {"recipient_id": "c", "text": "Deux\0"},
            {"recipient_id": "c", "custom": {"outcome": {"kind": "sure", "score": 0.9}}},
        ]
    )
    assert turn == Turn(
        [Reply("Un", [("A", "/a")]), Reply("Deux", [])], {"kind": "sure", "score": 0.9}
    )


async def test_other_custom_payloads_say_nothing() -> None:
    turn = await answer([{"text": "Un"}, {"custom": {"other": 1}}, {"image": "x.png"}])
    assert turn == Turn([Reply("Un", [])], None)


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (httpx.ConnectError("refused"), "down"),
        (httpx.RemoteProtocolError("closed"), "down"),
        (httpx.ReadTimeout("slow"), "timeout"),
        (httpx.Response(500), "error"),
        (httpx.Response(404), "error"),
        (httpx.Response(302, headers={"location": "http://elsewhere.test"}), "error"),
        (httpx.Response(200, json=[]), "silent"),
        (httpx.Response(200, json=[{"custom": {"outcome": {"kind": "sure"}}}]), "silent"),
        (httpx.Response(200, json=[{"text": ""}]), "silent"),
        (httpx.Response(200, json={"status": "ok"}), "unreadable"),
        (httpx.Response(200, json=["bonjour"]), "unreadable"),
        (httpx.Response(200, json=[{"text": 1}]), "unreadable"),
        (httpx.Response(200, json=[{"text": "a", "buttons": [{"title": "b"}]}]), "unreadable"),
        (httpx.Response(200, json=[{"text": "a", "custom": {"outcome": "b"}}]), "unreadable"),
        (httpx.Response(200, content=b"\xff\xfe"), "unreadable"),
        (httpx.Response(200, content=b'[{"text": "\\ud800"}]'), "unreadable"),
        (httpx.Response(200, content=b"[" * 100_000), "unreadable"),
        (httpx.Response(200, content=b""), "unreadable"),
    ],
    ids=str,
)
async def test_faults(response: httpx.Response | Exception, reason: str) -> None:
    with pytest.raises(Fault) as fault:
        await rasa(response).answer("c", "bonjour", seq=1, again=False)
    assert fault.value.reason == reason


async def test_a_turn_that_lasts_is_not_waited_for() -> None:
    """All in all: a server that trickles never goes over httpx's own timeouts."""

    async def trickle() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0.01)
            yield b" "

    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=trickle()))
    client = Rasa("http://rasa.test", "http://actions.test", transport=transport, timeout=0.1)
    with pytest.raises(Fault) as fault:
        await client.answer("c", "bonjour", seq=1, again=False)
    assert fault.value.reason == "timeout"
