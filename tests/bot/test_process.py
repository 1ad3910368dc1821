"""`python -m bot`, as it is run: it starts on nothing, stops cleanly, and survives being killed."""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


@asynccontextmanager
async def bot(
    var: Path, port: int
) -> AsyncIterator[tuple[asyncio.subprocess.Process, httpx.AsyncClient]]:
    """Start a bot whose Rasa is down; kill it at the end if it still runs."""
    nobody = f"http://127.0.0.1:{free_port()}"
    environment = {
        **os.environ,
        "PASSERELLE_VAR": str(var),
        "PASSERELLE_DATABASE_URL": "",
        "PASSERELLE_PORT": str(port),
        "PASSERELLE_RASA_URL": nobody,
        "PASSERELLE_ACTIONS_URL": nobody,
    }
    with (var.parent / "bot.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    try:
        base = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=base, trust_env=False) as client:
            async with asyncio.timeout(30):
                while True:
                    assert process.returncode is None, (var.parent / "bot.log").read_text()
                    try:
                        assert (await client.get("/healthz")).status_code == 200
                        break
                    except httpx.ConnectError:
                        await asyncio.sleep(0.05)
            yield process, client
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def second_message(lines: AsyncIterator[str]) -> None:
    """Read the person's message, then the sentence that says why there is no answer."""
    async with asyncio.timeout(10):
        while await anext(lines) != "id: 2":
            pass


async def test_it_starts_on_nothing_and_loses_nothing(tmp_path: Path) -> None:
    var = tmp_path / "new" / "var"
    var.parent.mkdir()
    port = free_port()
    message = {"id": "4dcdd6a5-5b1c-4b33-8b0e-3c4e2c6d0c7e", "text": "Un secret"}
    async with bot(var, port) as (process, client):
        token = (await client.post("/api/conversations")).json()["token"]
        who = {"Authorization": f"Bearer {token}"}
        assert (await client.post("/api/messages", json=message, headers=who)).status_code == 202
        async with client.stream("GET", "/api/events", headers=who) as response:
            await second_message(response.aiter_lines())
        process.kill()

    async with bot(var, port) as (process, client):
        # The same message once more, by a client that never saw the first answer.
        response = await client.post("/api/messages", json=message, headers=who)
        assert response.json() == {"seq": 1}
        async with client.stream("GET", "/api/events", headers=who) as response:
            lines = response.aiter_lines()
            await second_message(lines)
            assert (await client.get("/readyz")).status_code == 503
            assert "passerelle_messages_due 1.0" in (await client.get("/metrics")).text
            started = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert [line async for line in lines if line.startswith("id:")] == []
        assert await process.wait() in (0, -signal.SIGTERM)
        assert time.monotonic() - started < 5

    log = (var.parent / "bot.log").read_text()
    events = [json.loads(line)["event"] for line in log.splitlines()]
    assert {"message_received", "turn_failed"} <= set(events)
    assert "secret" not in log
    assert token not in log
    assert "Traceback" not in log
