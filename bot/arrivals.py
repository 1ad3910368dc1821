"""Arrivals: wakes whoever waits for the next message of a conversation."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from storage.conversations import last_numbers
from storage.database import Database

POLL = 1.0
"""How often other processes' messages are looked for, in seconds."""

_CHUNK = 500

log = structlog.get_logger()


class Arrivals:
    """Who waits for which conversation, in this process.

    Messages stored by this process are announced with `ring`; those of others
    are found by one query a second, however many wait.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._seen: dict[str, int] = {}
        self._watching_all: set[asyncio.Event] = set()

    @property
    def watched(self) -> int:
        """How many conversations somebody waits for."""
        return len(self._waiting)

    @contextmanager
    def watch(self, conversation_id: str) -> Iterator[asyncio.Event]:
        """Give an event that is set at each arrival; clear it before reading."""
        event = asyncio.Event()
        self._waiting.setdefault(conversation_id, set()).add(event)
        try:
            yield event
        finally:
            others = self._waiting[conversation_id]
            others.discard(event)
            if not others:
                del self._waiting[conversation_id]
                self._seen.pop(conversation_id, None)

    @contextmanager
    def watch_all(self) -> Iterator[asyncio.Event]:
        """Give an event that is set at each arrival of this process, whatever the conversation."""
        event = asyncio.Event()
        self._watching_all.add(event)
        try:
            yield event
        finally:
            self._watching_all.discard(event)

    def ring(self, conversation_id: str) -> None:
        """Say that a message arrived in a conversation."""
        for event in self._waiting.get(conversation_id, ()):
            event.set()
        self.ring_all()

    def ring_all(self) -> None:
        """Wake those who look at all conversations."""
        for event in self._watching_all:
            event.set()

    async def run(self) -> None:
        """Look for other processes' messages, until cancelled."""
        while True:
            await asyncio.sleep(POLL)
            try:
                await self._look()
            except Exception as error:  # whatever it is, streams go on with the next look
                log.warning("arrivals_not_read", error=type(error).__name__)

    async def _look(self) -> None:
        ids = list(self._waiting)
        for start in range(0, len(ids), _CHUNK):
            async with self._database.read() as session:
                numbers = await last_numbers(session, ids[start : start + _CHUNK])
            for conversation_id, number in numbers.items():
                # Whoever stopped waiting meanwhile is remembered no more.
                if conversation_id not in self._waiting:
                    continue
                if number > self._seen.get(conversation_id, -1):
                    self._seen[conversation_id] = number
                    self.ring(conversation_id)
