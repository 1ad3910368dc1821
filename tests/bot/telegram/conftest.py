"""What the tests of a running channel share: a Telegram in the same loop, and little waiting."""

from collections.abc import AsyncIterator

import pytest

from storage.database import Database
from tests.bot.telegram.running import TOKEN, hurry
from tests.telegram.api import Telegram


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever waits waits less."""
    hurry(monkeypatch)


@pytest.fixture
async def telegram() -> AsyncIterator[Telegram]:
    async with Telegram(TOKEN) as telegram:
        yield telegram


@pytest.fixture
async def file(sqlite_url: str) -> AsyncIterator[Database]:
    """A database for what depends on none."""
    database = Database(sqlite_url)
    yield database
    await database.close()
