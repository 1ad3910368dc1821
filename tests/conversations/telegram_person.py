"""Somebody who talks to the real assistant in Telegram; and the bot as a process of the test's."""

import contextlib
import itertools
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any

import httpx

from deploy.stack import Stack
from settings import ROOT
from tests.conversations.candidate import database
from tests.telegram import people
from tests.telegram.api import Telegram
from tests.telegram.state import File, Message

PATIENCE = 30.0
_NAMES = (
    *("Philomène", "Théodule", "Sidonie", "Barnabé", "Zénobie", "Célestin", "Hermance"),
    *("Polycarpe", "Eulalie", "Hippolyte", "Clotilde", "Anselme", "Radegonde", "Fulgence"),
)
"""Names that no log has by chance."""
_numbers = itertools.count(1)


class Room(people.Person):
    """A person's chat, in which each thing that the bot does has its moment."""

    def __init__(self, telegram: Telegram) -> None:
        number = next(_numbers)
        names = f"{_NAMES[number % len(_NAMES)]}-{number}", f"Vraincourt-{number}"
        self.moments: list[float] = []
        super().__init__(telegram, *names, username=f"vraincourt_{number}")

    def record(
        self, kind: Any, message: Message | None, json: dict[str, Any] | None = None
    ) -> None:
        self.moments.append(time.monotonic())
        super().record(kind, message, json)

    def sent(self, after: int = 0) -> list[tuple[str, float]]:
        """What the bot sent after that many events: as it was then, and when."""
        events = list(self.events)
        return [
            (plain(one.json.get("text", "")), self.moments[number])
            for number, one in enumerate(events)
            if number >= after and one.kind == "sent"
        ]


class TelegramPerson:
    """One chat, from the side of the person; each method waits until nothing more is to come."""

    def __init__(self, stack: Stack, telegram: Telegram) -> None:
        self.room = Room(telegram)
        self.id = self.room.id
        self.messages: list[Message] = []
        """What the last thing done was answered with."""
        self._stack = stack
        self._telegram = telegram

    def say(self, text: str) -> str:
        """Say something; return the answer, its non-breaking spaces made ordinary."""
        return self.do(lambda: self.room.say(text))

    def start(self, word: str = "") -> str:
        """Follow a link to the bot."""
        return self.do(lambda: self.room.start(word))

    def press(self, title: str) -> str:
        """Tap the button with this title: the last one that has it."""
        label = next((one for one in self._labels() if plain(one) == title), title)
        return self.do(lambda: self.room.tap(label))

    def edit(self, text: str, text_after: str) -> str:
        """Change the last message that said `text`."""
        message = [one for one in self.room.messages.values() if one.text == text][-1]
        return self.do(lambda: self.room.edit(message, text_after))

    def do(self, action: Callable[[], object]) -> str:
        """Do anything; return what the bot answers, messages apart by an empty line."""
        before = len(self.room.events)
        action()
        self.settle()
        events = self.room.events[before:]
        self.messages = [one.message for one in events if one.kind == "sent" and one.message]
        return "\n\n".join(plain(one.text) for one in self.messages if one.text)

    @property
    def buttons(self) -> list[str]:
        """The titles of the buttons that can be tapped under the last message."""
        return [plain(one) for one in self.room.labels]

    @property
    def files(self) -> list[File]:
        """The files of the last answer."""
        return [one.file for one in self.messages if one.file]

    @property
    def typing(self) -> int:
        """How many times the bot was seen typing."""
        return sum(one.kind == "typing" for one in list(self.room.events))

    @property
    def conversation(self) -> str | None:
        """The number of the conversation of this chat, if it has one now."""
        query = "SELECT conversation_id FROM chat WHERE chat_id = ?"
        found = selected(self._stack, query, self.id)
        return str(found[0][0]) if found else None

    def settle(self, patience: float = PATIENCE) -> None:
        """Wait until the bot has taken all that was sent, and has nothing to say any more."""
        until(lambda: self._taken() and not self._due(), patience, "the bot is not done")

    def _taken(self) -> bool:
        mine = f'"id": {self.id},'
        return not any(
            mine in json.dumps(one.update) for one in list(self._telegram.updates.pending)
        )

    def _due(self) -> bool:
        query = """
            SELECT 1 FROM chat JOIN message USING (conversation_id)
            WHERE chat_id = ?
            AND (leaving OR state = 'due' AND (direction = 'inbound' OR blocked_at IS NULL))
        """
        return bool(selected(self._stack, query, self.id))

    def _labels(self) -> Iterator[str]:
        for message in reversed(self.room.said):
            yield from message.labels
        for row in (self.room.keyboard or {}).get("keyboard", []):
            yield from (str(key["text"]) for key in row)


def together(persons: Sequence[TelegramPerson], action: Callable[[TelegramPerson], object]) -> None:
    """Have each person do something at the same time; wait for all the answers."""
    before = [len(one.room.events) for one in persons]
    for person in persons:
        action(person)
    for person, start in zip(persons, before, strict=True):
        person.settle()
        events = person.room.events[start:]
        person.messages = [one.message for one in events if one.kind == "sent" and one.message]


def until(done: Callable[[], object], patience: float = PATIENCE, what: str = "") -> None:
    limit = time.monotonic() + patience
    while not done():
        assert time.monotonic() < limit, what or "it did not happen"
        time.sleep(0.03)


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def selected(stack: Stack, query: str, *values: object) -> list[Any]:
    """Return what a query finds in the application's database."""
    with contextlib.closing(_reader(stack, "passerelle")) as connection:
        return connection.execute(query, values).fetchall()


def dumped(stack: Stack, name: str) -> str:
    """Return all that a database holds, as text."""
    with contextlib.closing(_reader(stack, name)) as connection:
        return "\n".join(connection.iterdump())


def _reader(stack: Stack, name: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{database(stack, name)}?mode=ro", uri=True, timeout=30)


# What logs may not tell


def assert_logs_tell_nobody(stack: Stack, telegram: Telegram) -> None:
    """Fail if a log names a chat, a person, the token, or quotes what somebody sent."""
    rooms = list(telegram.rooms.values())
    assert any(room.messages for room in rooms)
    secrets = {telegram.token, telegram.token.partition(":")[2]}
    for room in rooms:
        secrets |= {str(abs(room.id)), *map(str, room.names.values())}
        for message in list(room.messages.values()):
            # « Non » says nothing; a command may be the name of something of ours.
            if not message.by_bot and len(message.text) > 9 and not message.text.startswith("/"):
                secrets.add(message.text)
            if message.file and not message.by_bot:
                secrets |= {message.file.id, message.file.path}
    logs = [path for path in (stack.var / "log").iterdir() if path.is_file()]
    assert {"bot.log", "rasa.log", "actions.log"} <= {path.name for path in logs}
    for path in logs:
        told = path.read_text("utf-8", "replace")
        for secret in secrets:
            assert secret not in told, f"{path.name} tells {secret!r}"
            assert json.dumps(secret)[1:-1] not in told, f"{path.name} tells {secret!r}"


# Processes


@contextlib.contextmanager
def frozen(stack: Stack) -> Iterator[None]:
    """Have Rasa think for as long as the block lasts."""
    rasa = stack.pid("rasa")
    assert rasa is not None
    os.kill(rasa, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(rasa, signal.SIGCONT)


class BotApart:
    """`python -m bot` on the settings of the stack, run by the test."""

    def __init__(self, stack: Stack, log: IO[bytes], environment: dict[str, str]) -> None:
        settings = stack.settings
        given = stack._environment(settings.rasa_url, settings.actions_url)
        self._environment = given | environment
        self._url = stack.url
        self._log = log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bot"],
            cwd=ROOT,
            env=self._environment,
            stdout=self._log,
            stderr=self._log,
        )
        until(self._answers, 60, "the bot did not start")

    def kill(self) -> None:
        assert self.process is not None
        assert self.process.poll() is None, "it had ended by itself"
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def _answers(self) -> bool:
        assert self.process is not None and self.process.poll() is None, "the bot ended"
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self._url}/healthz", trust_env=False).is_success
        return False


@contextlib.contextmanager
def bot_apart(stack: Stack, **settings: str) -> Iterator[BotApart]:
    """Run the bot from here, with these settings more; then as before, under supervisor."""
    environment = {f"PASSERELLE_{name.upper()}": value for name, value in settings.items()}
    stack.halt("bot")
    try:
        with (stack.var / "log" / "bot-apart.log").open("ab") as log:
            bot = BotApart(stack, log, environment)
            try:
                bot.start()
                yield bot
            finally:
                bot.stop()
    finally:
        stack.restart("bot")
        stack.wait_ready()
