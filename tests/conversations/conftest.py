"""A person who talks to the real assistant through the public API."""

import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

PATIENCE = 30.0


class Person:
    """One conversation, from the side of the person."""

    def __init__(self, api: httpx.Client) -> None:
        opened = api.post("/api/conversations")
        assert opened.status_code == 201
        self._api = api
        self._headers = {"Authorization": f"Bearer {opened.json()['token']}"}
        self._buttons: dict[str, str] = {}

    def say(self, text: str) -> str:
        """Say something; return the answer, its non-breaking spaces made ordinary."""
        return self._answer(self.send({"text": text}))

    def press(self, title: str) -> str:
        """Press the button with this title, of the last answer."""
        return self._answer(self.send({"button": self._buttons[title]}))

    @property
    def buttons(self) -> list[str]:
        """The titles of the buttons under the last answer."""
        return list(self._buttons)

    def send(self, content: dict[str, str]) -> int:
        """Send a message; return its number."""
        body = {"id": str(uuid.uuid4()), **content}
        sent = self._api.post("/api/messages", json=body, headers=self._headers)
        assert sent.status_code == 202, sent.text
        return int(sent.json()["seq"])

    def after(self, seq: int) -> list[dict[str, Any]]:
        """Return the messages after number `seq`."""
        page = self._api.get("/api/messages", params={"after": seq}, headers=self._headers)
        messages: list[dict[str, Any]] = page.raise_for_status().json()["messages"]
        return messages

    def wait(self, seq: int, count: int = 1) -> list[dict[str, Any]]:
        """Wait for `count` messages after number `seq`."""
        limit = time.monotonic() + PATIENCE
        while time.monotonic() < limit:
            if len(messages := self.after(seq)) >= count:
                return messages
            time.sleep(0.02)
        raise AssertionError("no answer came")

    def _answer(self, seq: int) -> str:
        (message,) = self.wait(seq)
        assert message["author"] == "assistant"
        self._buttons = {button["title"]: button["id"] for button in message["buttons"]}
        return str(message["text"]).replace("\u00a0", " ")


@pytest.fixture
def person(api: httpx.Client) -> Person:
    return Person(api)


@pytest.fixture
def somebody(api: httpx.Client) -> Callable[[], Person]:
    """Give as many persons as are asked for."""
    return lambda: Person(api)
