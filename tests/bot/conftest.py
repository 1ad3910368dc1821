"""A bot around a Rasa that fails on demand."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

import bot.relay
from bot.rasa import Rasa
from bot.services import Services
from bot.web.app import create_app
from storage.database import Database
from tests.bot.fakes import ACTIONS, RASA, Clock, FakeRasa, parts
from tests.databases import *  # noqa: F403


@pytest.fixture
def fake_rasa() -> FakeRasa:
    return FakeRasa()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_services(
    fake_rasa: FakeRasa, clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[[Database], Services]:
    """What makes the parts of one more bot process on a database."""
    monkeypatch.setattr(bot.relay, "POLL", 0.05)

    def make(database: Database) -> Services:
        rasa = Rasa(RASA, ACTIONS, transport=fake_rasa)
        return parts(database, rasa, tmp_path, clock=clock)

    return make


@pytest.fixture
def services(database: Database, make_services: Callable[[Database], Services]) -> Services:
    """The parts of a bot whose workers do not run by themselves."""
    return make_services(database)


@pytest.fixture
def static(tmp_path: Path) -> Path:
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html><title>Démonstration</title>")
    (folder / "widget.js").write_text("customElements.define('passerelle-chat', class {});")
    (folder / "page.css").write_text("body { margin: 0 }")
    return folder


@pytest.fixture
async def client(services: Services, static: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A browser's side of the bot, from this machine."""
    transport = httpx.ASGITransport(create_app(services, static))
    async with httpx.AsyncClient(transport=transport, base_url="http://bot.test") as client:
        yield client
