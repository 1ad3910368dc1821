"""A client of the public API: one conversation, as the widget and the terminal have it."""

import time
import uuid
from pathlib import Path
from typing import Any

import httpx

from knowledge.typography import french

PATIENCE = 30.0
"""Longest wait for an answer, in seconds."""
GLANCE = 0.1
"""Pause between two looks for the answer, in seconds."""
_UNREACHABLE = "Passerelle ne répond pas."
_LATE = french("La réponse tarde. Votre message est gardé : Entrée pour voir si elle est arrivée.")


class Unreachable(Exception):
    """The assistant does not answer, or not yet; `str()` is a French sentence."""


class Refused(Exception):
    """There is nothing to answer to what was typed; `str()` says why, in French.

    `status` is the HTTP status, if the assistant was asked.
    """

    def __init__(self, sentence: str, status: int | None = None) -> None:
        super().__init__(sentence)
        self.status = status


class Conversation:
    """One conversation with the assistant at `url`."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=PATIENCE, trust_env=False)
        self.buttons: list[dict[str, Any]] = []
        """What may be pressed now."""
        self.ratable: int | None = None
        """Number of the last answer, if it may be rated."""
        self._unsent: tuple[str, dict[str, str], str] | None = None
        self._read = 0
        self._open()

    @property
    def unsent(self) -> bool:
        """Whether a message did not reach the assistant."""
        return self._unsent is not None

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def write(self, text: str) -> list[dict[str, Any]]:
        """Send a text and return what is answered."""
        return self._send({"text": text}, text)

    def press(self, number: int) -> list[dict[str, Any]]:
        """Press a button, counted from 1, and return what is answered."""
        button = self.buttons[number - 1]
        return self._send({"button": button["id"]}, button["title"])

    def attach(self, file: Path) -> list[dict[str, Any]]:
        """Join a file to the candidature under way and return what is answered.

        Raises:
            OSError: the file cannot be read.
        """
        query = {"id": str(uuid.uuid4()), "name": file.name}
        sent = self._call("POST", "/api/attachments", params=query, content=file.read_bytes())
        return self._answers_to(sent["seq"])

    def read(self, path: str) -> bytes:
        """Return the content of a file that goes with a message."""
        try:
            return self._client.get(path).raise_for_status().content
        except httpx.HTTPError:
            raise Unreachable(_UNREACHABLE) from None

    def retry(self) -> list[dict[str, Any]]:
        """Send again, under the same id, what did not arrive."""
        assert self._unsent, "everything arrived"
        message_id, content, shown = self._unsent
        try:
            sent = self._call("POST", "/api/messages", json={"id": message_id, **content})
        except Refused as refused:
            self._unsent = None
            if refused.status != httpx.codes.UNAUTHORIZED:
                raise
            # Buttons of a conversation that is gone mean nothing in a new one: their words do.
            self._open()
            sent = self._call("POST", "/api/messages", json={"id": message_id, "text": shown})
        self._unsent = None
        return self._answers_to(sent["seq"])

    def rate(self, rating: str) -> None:
        """Say of the last answer whether it is useful: `up` or `down`."""
        assert self.ratable, "nothing to rate"
        self._call("PUT", f"/api/messages/{self.ratable}/rating", json={"rating": rating})

    def news(self) -> list[dict[str, Any]]:
        """Return what the assistant said since the last look."""
        messages = self._call("GET", "/api/messages", params={"after": self._read})["messages"]
        if messages:
            self._read = messages[-1]["seq"]
        said = [one for one in messages if one["author"] != "person"]
        if said:
            self.buttons = said[-1]["buttons"]
            self.ratable = said[-1]["seq"] if said[-1]["ratable"] else None
        return said

    def _send(self, content: dict[str, str], shown: str) -> list[dict[str, Any]]:
        if self._unsent is None or self._unsent[1] != content:
            self._unsent = (str(uuid.uuid4()), content, shown)
        return self.retry()

    def _answers_to(self, seq: int) -> list[dict[str, Any]]:
        limit = time.monotonic() + PATIENCE
        said: list[dict[str, Any]] = []
        while not said or said[-1]["seq"] < seq:
            if time.monotonic() > limit:
                raise Unreachable(_LATE)
            time.sleep(GLANCE)
            said += self.news()
        return said

    def _open(self) -> None:
        token = self._call("POST", "/api/conversations")["token"]
        self._client.headers["Authorization"] = f"Bearer {token}"
        self._read = 0

    def _call(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        try:
            response = self._client.request(method, path, **more)
            body: dict[str, Any] = response.json() if response.content else {}
        except (httpx.TransportError, ValueError):
            raise Unreachable(_UNREACHABLE) from None
        if response.is_server_error:
            raise Unreachable(_UNREACHABLE)
        if response.is_error:
            raise Refused(body.get("detail", _UNREACHABLE), response.status_code)
        return body
