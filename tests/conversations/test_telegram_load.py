"""The bot in Telegram under load, killed, cut off and flooded: each gets their answers, once.

`PASSERELLE_TESTS=full` makes it longer; `-s` prints what was measured.
"""

import asyncio
import contextlib
import os
import random
import statistics
import threading
import time
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from deploy.stack import Stack
from tests.conversations.telegram_person import (
    Room,
    TelegramPerson,
    assert_logs_tell_nobody,
    bot_apart,
    frozen,
    plain,
    selected,
    until,
)
from tests.telegram.api import Telegram
from tests.telegram.state import Limits

FULL = os.environ.get("PASSERELLE_TESTS") == "full"
CHATS = 300 if FULL else 60
KILLS = 20 if FULL else 6
AWAY = 60.0 if FULL else 10.0
FLOOD = 200 if FULL else 20

QUESTIONS = {
    "c'est quoi l'axe 3 ?": "34 millions",
    "c'est quoi l'axe 1 ?": "500 000 habitants",
    "c'est quoi l'axe 2 ?": "guichet",
    "combien a eu le département ?": "297 000 €",
    "est-ce que les écrans des secrétaires sont payés ?": "exclus",
    "comment un agent d'accueil se fait-il habiliter à Aidants Connect ?": "beta.gouv.fr",
    "combien on touche par conseiller numérique ?": "50 000 €",
    "à qui j'envoie le dossier du fonds numérique ?": "pref-badl@indre-et-loire.gouv.fr",
    "qui signe le mandat Aidants Connect ?": "FranceConnect",
    "c'est quoi un conseiller numérique ?": "conseillers numériques",
    "c'est quoi Aidants Connect ?": "Aidants Connect",
    "que sais-tu faire ?": "trois sujets",
}
"""Questions that need no other to be understood; each has its own answer, with these words."""

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(autouse=True)
def limits(telegram: Telegram) -> Iterator[None]:
    """Telegram refuses what is sent too fast, as it does."""
    telegram.limits = Limits()
    yield
    telegram.limits = None


@pytest.fixture(scope="module")
def answers(stack: Stack, telegram: Telegram) -> dict[str, str]:
    """What each question is answered with, asked by somebody who is alone."""
    found = {}
    for question, words in QUESTIONS.items():
        asker = TelegramPerson(stack, telegram)
        asker.say(question)
        notice, answer = (plain(one.text) for one in asker.messages)
        assert words in answer, question
        found[""] = notice
        found[question] = answer
    assert len(set(found.values())) == len(QUESTIONS) + 1
    return found


def expected(answers: dict[str, str], asked: list[str]) -> list[str]:
    """Return all that somebody reads who asked this: first, who answers."""
    return [answers[one] for one in ("", *asked)]


def heard(room: Room) -> list[str]:
    return [text for text, _ in room.sent()]


def hears(rooms: dict[Room, list[str]], patience: float) -> None:
    """Wait until each has as many answers as questions; what they are is for whoever asks."""
    until(
        lambda: all(len(room.sent()) > len(asked) for room, asked in rooms.items()),
        patience,
        "answers are missing",
    )


def nothing_waits(stack: Stack) -> None:
    until(lambda: not selected(stack, "SELECT 1 FROM message WHERE state = 'due'"), 30, "some wait")


def many(telegram: Telegram, count: int) -> list[Room]:
    return [Room(telegram) for _ in range(count)]


def told(what: str, seconds: list[float]) -> None:
    ordered = sorted(seconds)
    p95 = ordered[int(0.95 * (len(ordered) - 1))]
    median = statistics.median(ordered)
    print(
        f"\n{what}: {len(ordered)}, median {median:.2f} s, p95 {p95:.2f} s, max {ordered[-1]:.2f}"
    )


def test_many_at_once(stack: Stack, telegram: Telegram, answers: dict[str, str]) -> None:
    chance = random.Random(1)
    rooms = {room: chance.sample(list(QUESTIONS), 2) for room in many(telegram, CHATS)}
    started = time.monotonic()
    for number in range(2):
        for room, asked in rooms.items():
            room.say(asked[number])
    hears(rooms, CHATS)
    nothing_waits(stack)
    first, second = [], []
    for room, asked in rooms.items():
        assert heard(room) == expected(answers, asked)
        _, one, other = (moment - started for _, moment in room.sent())
        first.append(one)
        second.append(other)
    told(f"{CHATS} chats at once, seconds to the first answer", first)
    told(f"{CHATS} chats at once, seconds to the second answer", second)


class Askers:
    """Chats that go on asking, each at the same rhythm, in a thread."""

    def __init__(self, telegram: Telegram, count: int, period: float) -> None:
        self.rooms: dict[Room, list[str]] = {room: [] for room in many(telegram, count)}
        self.at: dict[Room, list[float]] = {room: [] for room in self.rooms}
        self._period = period
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> "Askers":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _ask(self) -> None:
        chance = random.Random(2)
        orders = {room: chance.sample(list(QUESTIONS), len(QUESTIONS)) for room in self.rooms}
        while True:
            for room, asked in self.rooms.items():
                question = orders[room][len(asked) % len(QUESTIONS)]
                asked.append(question)
                self.at[room].append(time.monotonic())
                room.say(question)
                if self._stopped.wait(self._period / len(self.rooms)):
                    return


def test_killed_again_and_again(stack: Stack, telegram: Telegram, answers: dict[str, str]) -> None:
    chance = random.Random(3)
    log = stack.var / "log" / "bot-apart.log"
    before = log.stat().st_size if log.exists() else 0
    with bot_apart(stack) as bot:
        with Askers(telegram, 8, period=2) as askers:
            for number in range(KILLS):
                time.sleep(chance.uniform(0.2, 2))
                if number % 3:
                    # Just while a message is under way: it has come, or it never will.
                    telegram.fail("sendMessage", hang=True, done=number % 3 == 1)
                    until(lambda: not telegram.faults["sendmessage"])
                bot.kill()
                bot.start()
        hears(askers.rooms, 60)
        nothing_waits(stack)
        seconds = []
        for room, asked in askers.rooms.items():
            assert heard(room) == expected(answers, asked)
            moments = [moment for _, moment in room.sent()[1:]]
            seconds += [late - early for early, late in zip(askers.at[room], moments, strict=True)]
    told(f"{KILLS} kills, seconds to answer", seconds)
    events = log.read_bytes()[before:].decode()
    found = events.count('"message_found"')
    print(f"{found} messages found to be there already")
    assert found >= len(range(1, KILLS, 3))
    assert "Traceback" not in events


def test_killed_while_rasa_thinks(
    stack: Stack, telegram: Telegram, answers: dict[str, str]
) -> None:
    rooms = {room: [question] for room, question in zip(many(telegram, 3), QUESTIONS, strict=False)}
    with bot_apart(stack) as bot:
        with frozen(stack):
            for room, (question,) in rooms.items():
                room.say(question)
            until(lambda: not telegram.updates.pending)
            time.sleep(0.5)
            bot.kill()
        bot.start()
        hears(rooms, 60)
        nothing_waits(stack)
    for room, asked in rooms.items():
        assert heard(room) == expected(answers, asked)


class Outage:
    """Telegram stops and comes back, on the same port."""

    def __init__(self, telegram: Telegram) -> None:
        loop = telegram.updates._loop
        assert loop is not None
        self._telegram, self._loop, self._away = telegram, loop, False

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def __enter__(self) -> "Outage":
        self._run(self._telegram.stop())
        self._away = True
        return self

    def end(self) -> None:
        if self._away:
            self._run(self._telegram.start())
            self._away = False

    def __exit__(self, *_: object) -> None:
        self.end()


def test_telegram_goes_away(stack: Stack, telegram: Telegram, answers: dict[str, str]) -> None:
    chance = random.Random(4)
    rooms = {room: chance.sample(list(QUESTIONS), 2) for room in many(telegram, 6)}
    with contextlib.ExitStack() as ends:
        with frozen(stack):
            for room, asked in rooms.items():
                room.say(asked[0])
            until(lambda: not telegram.updates.pending)
            outage = ends.enter_context(Outage(telegram))
        # These have to wait for Telegram, and those that follow wait there.
        for room, asked in rooms.items():
            room.say(asked[1])
        time.sleep(AWAY)
        waiting = "SELECT 1 FROM message WHERE state = 'due' AND direction = 'outbound'"
        assert len(selected(stack, waiting)) == 2 * len(rooms)
        assert len(telegram.updates.pending) == len(rooms)
        assert not any(room.sent() for room in rooms)
        stack.wait_ready()  # the rest goes on
        outage.end()
        back = time.monotonic()
        hears(rooms, 40)
    nothing_waits(stack)
    for room, asked in rooms.items():
        assert heard(room) == expected(answers, asked)
    told(
        f"Telegram away for {AWAY:.0f} s, seconds to answer once it is back",
        [moment - back for room in rooms for _, moment in room.sent()[1:]],
    )


def ask(room: Room, question: str, answer: str) -> float:
    """Ask; return how long the answer took."""
    before, started = len(room.events), time.monotonic()
    room.say(question)
    until(lambda: answer in [text for text, _ in room.sent(before)], 60)
    return time.monotonic() - started


def test_a_flood_holds_nobody_up(stack: Stack, telegram: Telegram, answers: dict[str, str]) -> None:
    chance = random.Random(5)
    others = many(telegram, 3)

    def round() -> list[float]:
        asked = chance.sample(list(QUESTIONS), 3)
        time.sleep(2)  # nobody is slowed for having asked too fast
        return [ask(room, one, answers[one]) for room, one in zip(others, asked, strict=True)]

    alone = [*round(), *round()]
    order = chance.sample(list(QUESTIONS), len(QUESTIONS))
    asked = [order[number % len(order)] for number in range(FLOOD)]
    (flood,) = many(telegram, 1)
    for question in asked:
        flood.say(question)
    beside = [*round(), *round(), *round()]
    assert len(flood.sent()) < FLOOD, "the flood was over before"
    assert max(beside) < 3 * max(alone) + 3
    hears({flood: asked}, FLOOD + 30)
    nothing_waits(stack)
    assert heard(flood) == expected(answers, asked)
    moments = [moment for _, moment in flood.sent()]
    # Five at once, then one a second.
    lasted = moments[-1] - moments[0]
    assert lasted > 0.9 * (FLOOD - 5)
    told("Alone, seconds to answer", alone)
    told(f"Beside a flood of {FLOOD}, seconds to answer", beside)
    print(f"The flood was answered in {lasted:.1f} s, whole")


def test_logs_tell_nobody(stack: Stack, telegram: Telegram) -> None:
    assert_logs_tell_nobody(stack, telegram)
