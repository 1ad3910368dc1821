"""Plays conversations through the public API, as a person's browser would, with a stop-watch."""

import json
import sqlite3
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

PATIENCE = 30.0
"""Longest wait for an answer, in seconds."""
_GLANCE = 0.003
"""Pause between two looks for the answer, in seconds."""


@dataclass(frozen=True)
class Turn:
    """A message sent, what came of it, and how long the answer took, in seconds."""

    text: str
    outcome: dict[str, Any]
    seconds: float


class Player:
    """One person at a time, talking to the assistant at `url`, whose data are in `var`."""

    def __init__(self, url: str, var: Path) -> None:
        self._client = httpx.Client(base_url=url, timeout=PATIENCE, trust_env=False)
        self._database = var / "passerelle.db"

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def converse(self, texts: Sequence[str]) -> list[Turn]:
        """Say `texts` one after the other in a new conversation.

        Raises:
            TimeoutError: an answer did not come.
        """
        opened = self._client.post("/api/conversations").raise_for_status().json()
        headers = {"Authorization": f"Bearer {opened['token']}"}
        timings = [self._say(text, headers) for text in texts]
        outcomes = self._outcomes(opened["conversation"])
        return [
            Turn(text, outcomes[seq], seconds)
            for text, (seq, seconds) in zip(texts, timings, strict=True)
        ]

    def converse_all(self, conversations: Iterable[Sequence[str]]) -> Iterator[list[Turn]]:
        """Play several conversations, one after the other."""
        return (self.converse(texts) for texts in conversations)

    def _say(self, text: str, headers: dict[str, str]) -> tuple[int, float]:
        """Send one message; return its number and the seconds until its answer was there."""
        started = time.perf_counter()
        body = {"id": str(uuid.uuid4()), "text": text}
        sent = self._client.post("/api/messages", json=body, headers=headers).raise_for_status()
        seq = int(sent.json()["seq"])
        while time.perf_counter() - started < PATIENCE:
            page = self._client.get("/api/messages", params={"after": seq}, headers=headers)
            if page.raise_for_status().json()["messages"]:
                return seq, time.perf_counter() - started
            time.sleep(_GLANCE)
        raise TimeoutError(f"no answer within {PATIENCE:.0f} s")

    def _outcomes(self, conversation: str) -> dict[int, dict[str, Any]]:
        """Return, by the number of the person's message, what the assistant says it did."""
        query = """
            select asked.seq, answered.outcome from message answered
            join message asked on asked.id = answered.in_reply_to
            where answered.conversation_id = ? and answered.outcome is not null
        """
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as database:
            rows = database.execute(query, (conversation,)).fetchall()
        return {seq: json.loads(outcome) for seq, outcome in rows}
