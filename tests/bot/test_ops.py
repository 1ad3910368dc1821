"""What those who run it look at, and nobody else."""

from typing import Any

import httpx
import pytest

from bot.services import Services
from bot.web.app import create_app
from storage.database import Database
from tests.bot.fakes import FakeRasa
from tests.bot.threads import running, until


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """None of this depends on the database."""
    return sqlite_url


PATHS = ("/healthz", "/readyz", "/metrics")


async def test_it_is_up_and_ready(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    response = await client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"database": True, "rasa": True, "actions": True}


@pytest.mark.parametrize(
    ("fault", "missing"), [("down", {"rasa", "actions"}), ("actions_down", {"actions"})]
)
async def test_it_is_not_ready_without_rasa(
    client: httpx.AsyncClient, fake_rasa: FakeRasa, fault: str, missing: set[str]
) -> None:
    fake_rasa.fault = fault
    response = await client.get("/readyz")
    assert response.status_code == 503
    assert {part for part, up in response.json().items() if not up} == missing
    assert (await client.get("/healthz")).status_code == 200


async def test_it_is_not_ready_without_its_database(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    monkeypatch.setattr(Database, "read", lambda _, read=Database.read: read(broken))
    response = await client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"database": False, "rasa": True, "actions": True}
    assert (await client.get("/metrics")).status_code == 503


async def test_it_counts(
    client: httpx.AsyncClient, services: Services, fake_rasa: FakeRasa
) -> None:
    token = (await client.post("/api/conversations")).json()["token"]
    who = {"Authorization": f"Bearer {token}"}

    async def send(number: int) -> None:
        message = {"id": f"{number:032x}", "text": "Bonjour"}
        await client.post("/api/messages", json=message, headers=who)

    async def counts(*lines: str) -> None:
        async def all_there() -> bool:
            counted = (await client.get("/metrics")).text.splitlines()
            return set(lines) <= set(counted)

        await until(all_there)

    await send(1)
    await send(1)
    await counts(
        "passerelle_messages_in_total 1.0",
        "passerelle_messages_due 1.0",
        "passerelle_mails_due 0.0",
    )
    async with running(services):
        await counts(
            "passerelle_messages_out_total 1.0",
            "passerelle_messages_due 0.0",
            "passerelle_turn_seconds_count 1.0",
        )
        fake_rasa.fault = "silent"
        await send(2)
        await counts(
            'passerelle_faults_total{reason="silent"} 1.0',
            "passerelle_messages_out_total 2.0",
            "passerelle_messages_due 1.0",
        )


@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "X-Forwarded-Host", "Origin"],
)
async def test_behind_a_proxy_the_world_sees_nothing(
    client: httpx.AsyncClient, header: str
) -> None:
    for path in PATHS:
        response = await client.get(path, headers={header: "127.0.0.1"})
        assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (("127.0.0.1", 5000), 200),
        (("127.8.8.8", 5000), 200),
        (("::1", 5000), 200),
        (("::ffff:127.0.0.1", 5000), 200),
        (("::ffff:10.0.0.1", 5000), 404),
        (("10.0.0.1", 5000), 404),
        (("192.0.2.1", 5000), 404),
        (("localhost", 5000), 404),
        (None, 404),
    ],
)
async def test_only_this_machine_sees_them(services: Services, address: Any, status: int) -> None:
    transport = httpx.ASGITransport(create_app(services), client=address)
    async with httpx.AsyncClient(transport=transport, base_url="http://bot.test") as client:
        for path in PATHS:
            assert (await client.get(path)).status_code == status
