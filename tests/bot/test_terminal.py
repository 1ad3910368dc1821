"""The terminal: a program that reads lines, and the conversation under it."""

import asyncio
import contextlib
import io
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from rich.console import Console
from sqlalchemy import select

from bot import client, terminal
from bot.client import Conversation, Refused, Unreachable
from bot.services import Services
from deploy import ports
from deploy.stack import StackError
from settings import ROOT
from storage import drafts, models
from storage.database import Database
from storage.payloads import step_payload
from storage.times import utc_now
from tests.bot.fakes import UNAVAILABLE, FakeRasa
from tests.bot.live import listening
from tests.bot.mail.filings import put_in_outbox

BUTTONS = [
    {"title": "Le montant", "payload": '/montant{"subject": "fonds"}'},
    {"title": "Les dates", "payload": '/delai{"subject": "fonds"}'},
]

Listen = Callable[[], Any]


@pytest.fixture
def listen(
    sqlite_url: str, make_services: Callable[[Database], Services], fake_rasa: FakeRasa
) -> Listen:
    """What runs a bot, on the same data and the same port each time."""
    fake_rasa.replies = lambda message: [
        {"text": f"Réponse à {message}", "buttons": [] if message.startswith("/") else BUTTONS}
    ]
    port = ports.free()
    return lambda: listening(make_services(Database(sqlite_url)), port)


def program(port: int, **more: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "bot.terminal"],
        cwd=ROOT,
        env={**os.environ, "PASSERELLE_PORT": str(port), "PASSERELLE_HOST": ports.LOOPBACK},
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **more,
    )


def said(replies: list[dict[str, Any]]) -> list[str]:
    return [reply["text"] for reply in replies]


def test_a_pipe_of_questions(listen: Listen, fake_rasa: FakeRasa) -> None:
    typed = f"[bold]un[/bold]\n9\n\n2\n{'x' * 4001}\nquitter\njamais lu\n"
    with listen() as url, program(urlsplit(url).port or 0) as process:
        out, errors = process.communicate(typed, timeout=30)
    assert (process.returncode, errors) == (0, "")
    assert [text for _, text in fake_rasa.messages] == ["[bold]un[/bold]", BUTTONS[1]["payload"]]
    lines = [line for line in out.splitlines() if line]
    assert "un assistant automatique" in lines[0]
    assert lines[1:7] == [
        "› [bold]un[/bold]",
        "  Réponse à [bold]un[/bold]",
        "  1. Le montant",
        "  2. Les dates",
        "› 9",
        "Tapez un numéro de 1 à 2, ou écrivez votre question.",
    ]
    assert lines[7:9] == ["› 2", f"  Réponse à {BUTTONS[1]['payload']}"]
    assert "trop long" in lines[10]
    assert lines[11:] == ["À bientôt\u00a0!"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_by_a_signal(listen: Listen, number: signal.Signals) -> None:
    with listen() as url, program(urlsplit(url).port or 0) as process:
        assert process.stdout and process.stdin
        process.stdin.write("un\n")
        process.stdin.flush()
        while "Les dates" not in process.stdout.readline():
            pass
        process.send_signal(number)
        out, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, "")
    assert out.endswith("À bientôt\u00a0!\n")


def test_nothing_is_lost_or_said_twice(listen: Listen, fake_rasa: FakeRasa) -> None:
    with listen() as url:
        conversation = Conversation(url)
        assert said(conversation.write("un")) == ["Réponse à un"]
    with pytest.raises(Unreachable):
        conversation.press(1)
    assert conversation.unsent
    with listen():
        assert said(conversation.retry()) == [f"Réponse à {BUTTONS[0]['payload']}"]
        assert not conversation.unsent
        assert conversation.buttons == []
        assert conversation.news() == []
    conversation.close()
    assert len(fake_rasa.messages) == 2


def test_a_receipt_that_is_lost(
    listen: Listen, fake_rasa: FakeRasa, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listen() as url:
        conversation = Conversation(url)
        call = conversation._call

        def lose(*request: Any, **more: Any) -> dict[str, Any]:
            call(*request, **more)
            raise Unreachable("perdu")

        with monkeypatch.context() as patch, pytest.raises(Unreachable):
            patch.setattr(conversation, "_call", lose)
            conversation.write("un")
        assert said(conversation.write("un")) == ["Réponse à un"]
        conversation.close()
    assert len(fake_rasa.messages) == 1


def test_a_late_answer(
    listen: Listen, fake_rasa: FakeRasa, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_rasa.fault = "down"
    with listen() as url:
        conversation = Conversation(url)
        assert said(conversation.write("un")) == [UNAVAILABLE]
        fake_rasa.fault = None
        # What is answered to both questions comes in order, whoever waits for it.
        assert said(conversation.write("deux"))[0] == "Réponse à un"
        fake_rasa.pause = 1
        monkeypatch.setattr(client, "PATIENCE", 0.1)
        with pytest.raises(Unreachable, match="La réponse tarde"):
            conversation.write("trois")
        assert not conversation.unsent
        conversation.close()


def test_a_conversation_that_is_gone(listen: Listen, fake_rasa: FakeRasa) -> None:
    with listen() as url:
        conversation = Conversation(url)
        conversation.write("un")
        conversation._client.headers["Authorization"] = "Bearer inconnu"
        assert said(conversation.press(2)) == ["Réponse à Les dates"]
        with pytest.raises(Refused, match="vide"):
            conversation.write("\u200b")
        conversation.close()


def answered(message: str) -> list[Any]:
    """Answer so that it can be rated."""
    outcome = {"kind": "answer", "references": ["montant/fonds"]}
    return [{"text": f"Réponse à {message}"}, {"custom": {"outcome": outcome}}]


def ratings(conversation: Conversation) -> list[str | None]:
    return [one["rating"] for one in conversation._call("GET", "/api/messages")["messages"]]


def test_the_last_answer_is_rated(listen: Listen, fake_rasa: FakeRasa) -> None:
    with listen() as url, contextlib.closing(Conversation(url)) as conversation:
        conversation.write("un")
        assert conversation.ratable is None
        fake_rasa.replies = answered
        conversation.write("deux")
        conversation.rate("up")
        conversation.write("trois")
        conversation.rate("up")
        conversation.rate("down")
        assert ratings(conversation) == [None, None, None, "up", None, "down"]
        fake_rasa.fault = "down"
        conversation.write("quatre")  # what says that the answer will be late is no answer
        assert conversation.ratable is None


def test_plus_and_minus_are_words_where_there_is_nothing_to_rate(
    listen: Listen, fake_rasa: FakeRasa
) -> None:
    fake_rasa.replies = lambda message: (
        [{"text": "Réponse"}] if message in "+-" else answered(message)
    )
    with listen() as url, program(urlsplit(url).port or 0) as process:
        out, errors = process.communicate("+\nun\n+\n-\ndeux\n++\n", timeout=30)
        # Rated twice, and sent once, as a question.
        assert [text for _, text in fake_rasa.messages] == ["+", "un", "deux", "++"]
    assert (process.returncode, errors) == (0, "")
    lines = [line for line in out.splitlines() if line]
    assert lines[1:9] == [
        "› +",
        "  Réponse",
        "› un",
        "  Réponse à un",
        "› +",
        "Merci, votre avis est noté.",
        "› -",
        "Merci, votre avis est noté.",
    ]
    assert "Utile" not in out  # a pipe is not asked anything


class Keyboard(io.StringIO):
    """Lines that somebody types."""

    def isatty(self) -> bool:
        return True


def conversed(
    conversation: Conversation,
    typed: str,
    monkeypatch: pytest.MonkeyPatch,
    folder: Path = Path("nowhere"),
) -> list[str]:
    """Return the lines that somebody sees who types these; files go to `folder`."""
    monkeypatch.setattr(sys, "stdin", Keyboard(typed))
    screen = io.StringIO()
    terminal._converse(conversation, Console(file=screen, width=200), folder)
    return [line for line in screen.getvalue().splitlines() if line]


def test_whoever_types_is_told_that_an_answer_can_be_rated(
    listen: Listen, fake_rasa: FakeRasa, monkeypatch: pytest.MonkeyPatch
) -> None:
    hint = "  Utile\u00a0? Tapez + ou -"
    with listen() as url, contextlib.closing(Conversation(url)) as conversation:
        lines = conversed(conversation, "un\n", monkeypatch)
        assert lines[1:] == ["  Réponse à un", "  1. Le montant", "  2. Les dates"]
        fake_rasa.replies = answered
        lines = conversed(conversation, "deux\n +\n", monkeypatch)
        assert lines[1:] == ["  Réponse à deux", hint, "Merci, votre avis est noté."]
        assert ratings(conversation) == [None, None, None, "up"]


def in_database(url: str, work: Callable[[Database], Awaitable[object]]) -> None:
    """Do some work on a database, in an event loop of its own."""

    async def done() -> None:
        database = Database(url)
        await work(database)
        await database.close()

    asyncio.run(done())


def test_the_document_is_saved(
    listen: Listen,
    fake_rasa: FakeRasa,
    monkeypatch: pytest.MonkeyPatch,
    sqlite_url: str,
    tmp_path: Path,
) -> None:
    in_database(sqlite_url, put_in_outbox)
    fake_rasa.replies = lambda _: [
        {"text": "C'est déposé."},
        {"custom": {"document": "IDL-2026-0001"}},
    ]
    with listen() as url, contextlib.closing(Conversation(url)) as conversation:
        lines = conversed(conversation, "oui\n", monkeypatch, tmp_path / "chat")
    file = tmp_path / "chat" / "IDL-2026-0001.pdf"
    assert lines[1:] == ["  C'est déposé.", f"  Fichier enregistré\u00a0: {file}"]
    assert file.read_bytes().startswith(b"%PDF-")


def test_a_file_is_joined_by_its_path(
    listen: Listen,
    fake_rasa: FakeRasa,
    monkeypatch: pytest.MonkeyPatch,
    sqlite_url: str,
    tmp_path: Path,
) -> None:
    fake_rasa.replies = lambda message: [
        {
            "text": "Reçu." if "attached" in message else "Un fichier ?",
            "buttons": [{"title": "Joindre", "payload": step_payload("1:attach")}],
        }
    ]
    file = tmp_path / "devis.pdf"
    file.write_bytes(b"%PDF-1.7\n%%EOF\n")
    with listen() as url, contextlib.closing(Conversation(url)) as conversation:
        conversation.write("bonjour")
        assert "d’abord une candidature" in conversed(conversation, f"1\n{file}\n", monkeypatch)[1]

        async def begins(database: Database) -> None:
            async with database.write() as session:
                (one,) = (await session.scalars(select(models.Conversation.id))).all()
                await drafts.begin(session, one, "fonds", utc_now())

        in_database(sqlite_url, begins)
        typed = f"1\n{tmp_path / 'absent.pdf'}\n1\n\n1\n{file}\n"
        lines = conversed(conversation, typed, monkeypatch)
    assert lines[1:] == [
        "Ce fichier ne peut pas être lu. Vérifiez son chemin.",
        "  Reçu.",
        "  1. Joindre",
    ]


def test_a_rating_that_does_not_arrive_is_said(
    listen: Listen, fake_rasa: FakeRasa, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_rasa.replies = answered
    with listen() as url:
        conversation = Conversation(url)
        conversation.write("un")
        token = conversation._client.headers["Authorization"]
        conversation._client.headers["Authorization"] = "Bearer inconnu"
        (line,) = conversed(conversation, "-\n", monkeypatch)[1:]
        assert "n’existe plus" in line
        conversation._client.headers["Authorization"] = token
        assert ratings(conversation) == [None, None]
    assert conversed(conversation, "-\n", monkeypatch)[1:] == ["Passerelle ne répond pas."]
    with listen():
        conversed(conversation, "-\n", monkeypatch)
        assert ratings(conversation) == [None, "down"]
        conversation.close()


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The program is run in this process, where no assistant listens."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    monkeypatch.setenv("PASSERELLE_PORT", str(ports.free()))
    monkeypatch.setattr(terminal, "trained_model", lambda var: var / "model")
    monkeypatch.setattr(sys, "stdin", io.StringIO("un\n"))
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("here")
def test_it_starts_an_assistant_and_stops_it(
    listen: Listen, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    running: list[str] = []

    @contextmanager
    def stack(_settings: Any, model: Path) -> Iterator[Any]:
        assert model.name == "model"
        with listen() as url:
            running.append(url)
            yield type("Started", (), {"url": url})
        running.clear()

    monkeypatch.setattr(terminal, "Stack", stack)
    assert terminal.main() == 0
    out, errors = capsys.readouterr()
    assert "Réponse à un" in out
    assert "Démarrage de Passerelle" in errors  # not among the answers
    assert running == []


@pytest.mark.usefixtures("here")
def test_it_cannot_start_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stack(*_: Any) -> Any:
        raise StackError("Le port est pris.")

    monkeypatch.setattr(terminal, "Stack", stack)
    assert terminal.main() == 1
    assert "Le port est pris." in capsys.readouterr().err
