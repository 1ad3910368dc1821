"""What the tests share: a real PostgreSQL server, and the three real processes."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest
from pydantic import SecretStr
from xdist.scheduler import LoadScopeScheduling

from deploy import ports
from deploy.stack import Stack
from deploy.train import trained_model
from settings import ROOT, Settings
from tests.telegram.api import Telegram, listening

ON_STACK = ("tests/conversations/", "tests/deploy/test_stack.py")
"""Where the tests of the real stack are."""


class _OneStack(LoadScopeScheduling):  # type: ignore[misc]  # xdist tells no types
    """Shares the tests between workers by files, but those of the real stack as one.

    So it is started once. (xdist's own groups come to nothing with this pytest.)
    """

    def _split_scope(self, nodeid: str) -> str:
        return "stack" if nodeid.startswith(ON_STACK) else str(nodeid.partition("::")[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Share the tests so if there are several workers (`-n 2`)."""
    return _OneStack(config, log)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a test after no bytes: a file that is made for it may tell the hour.

    Then two workers would not collect the same tests, and run none.
    """
    return argname if isinstance(val, bytes) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of the real stack first: they take the longest."""
    items.sort(key=lambda item: not item.nodeid.startswith(ON_STACK))


def unavailable(what: str) -> NoReturn:
    """Skip for want of a tool of the system; in continuous integration, fail."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} (.ci/run installs it)", pytrace=False)
    pytest.skip(what)


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A PostgreSQL server of the tests' own, on loopback: the URL of an empty database."""
    installed = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
    places = os.pathsep.join([*installed, os.environ.get("PATH", "")])
    initdb, pg_ctl = shutil.which("initdb", path=places), shutil.which("pg_ctl", path=places)
    if not initdb or not pg_ctl:
        unavailable("PostgreSQL is not installed")
    # Not in pytest's own folders, which are closed to the user that runs the server.
    with tempfile.TemporaryDirectory(prefix="passerelle-postgresql-") as folder:
        as_owner: list[str] = []
        if os.getuid() == 0:  # PostgreSQL will not run as root
            as_owner = ["runuser", "-u", "postgres", "--"]
            shutil.chown(folder, "postgres")
        data = f"{folder}/data"

        def run(*command: str) -> None:
            subprocess.run([*as_owner, *command], check=True, cwd=folder, stdout=subprocess.DEVNULL)

        run(initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
        port = ports.free()
        # What a crash of the machine would lose, a test does not miss.
        options = f"-h {ports.LOOPBACK} -p {port} -k '' -c fsync=off -c full_page_writes=off"
        run(pg_ctl, "-D", data, "-w", "-o", options, "-l", f"{folder}/server.log", "start")
        try:
            yield f"postgresql://postgres@{ports.LOOPBACK}:{port}/postgres"
        finally:
            run(pg_ctl, "-D", data, "-w", "-m", "immediate", "stop")


@pytest.fixture(scope="session")
def model() -> Path:
    """The model of the current files, trained if it is not there."""
    return trained_model(ROOT / "var")


@pytest.fixture(scope="session")
def telegram() -> Iterator[Telegram]:
    """The Telegram of `stack`, which its bot polls."""
    with listening(Telegram("123:ABC")) as telegram:
        yield telegram


@pytest.fixture(scope="session")
def stack(
    model: Path, tmp_path_factory: pytest.TempPathFactory, telegram: Telegram
) -> Iterator[Stack]:
    """The bot, Rasa and the action server, real, ready, with data of their own; started once.

    A test that stops one of them starts it again and waits (`stack.wait_ready()`).
    """
    settings = Settings(
        host=ports.LOOPBACK,
        port=ports.free(),
        var=tmp_path_factory.mktemp("stack"),
        database_url=None,
        tracker_url=None,
        rasa_url=f"http://{ports.LOOPBACK}:{ports.free()}",
        actions_url=f"http://{ports.LOOPBACK}:{ports.free()}",
        telegram_token=SecretStr(telegram.token),
        telegram_api=telegram.url,
        telegram_webhook_url=None,
    )
    with Stack(settings, model) as stack:
        yield stack


@pytest.fixture
def api(stack: Stack) -> Iterator[httpx.Client]:
    """A client of the public face of `stack`."""
    with httpx.Client(base_url=stack.url, timeout=30, trust_env=False) as client:
        yield client
