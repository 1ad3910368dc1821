"""Rasa, over its REST channel: one message in, one turn of replies out."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from storage.inbox import Reply
from storage.models import Asks

TURN_TIMEOUT = 15.0
"""Longest wait for a turn, in seconds; well under `storage.inbox.LEASE`."""
HEALTH_TIMEOUT = 2.0
"""Longest wait for a sign of life, in seconds."""

T = TypeVar("T")


class Fault(Exception):
    """There is no answer. `reason` is a short fixed word, fit for a log or a label."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Turn:
    """What is said to one message: at least one reply, unless all was erased."""

    replies: Sequence[Reply]
    outcome: dict[str, Any] | None = None
    """How the answer was decided, as the action server tells it."""
    erased: bool = False
    """Whether the conversation is no more: nothing is left to be answered in it."""


class _Button(BaseModel):
    title: str
    payload: str


class _Custom(BaseModel):
    outcome: dict[str, Any] | None = None
    document: str | None = None
    asks: Asks | None = None


class _Item(BaseModel):
    text: str | None = None
    buttons: list[_Button] = Field(default_factory=list)
    custom: _Custom | None = None


_ITEMS = TypeAdapter(list[_Item])


class Rasa:
    """A client of Rasa, and of the health of its action server."""

    def __init__(
        self,
        url: str,
        actions_url: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        timeout: float = TURN_TIMEOUT,
    ) -> None:
        self._url = url.rstrip("/")
        self._actions_url = actions_url.rstrip("/")
        self._timeout = timeout
        self._client = httpx.AsyncClient(
            transport=transport,
            timeout=timeout,
            # Rasa's server closes a connection after 5 idle seconds: by then it must not be used.
            limits=httpx.Limits(max_keepalive_connections=32, keepalive_expiry=2),
            trust_env=False,  # both are on loopback: a proxy of the environment is not for them
        )

    async def answer(
        self, sender: str, message: str, *, seq: int, again: bool, corrects: int | None = None
    ) -> Turn:
        """Send one message and return the turn.

        Its number goes with it: an answer may be lost on the way, and what a
        message changes must then not be changed twice. So does the number of
        the one that it `corrects`; `again` says that it has been sent before.

        Rasa remembers every message it is sent, answered or not, and its turns
        slow down with what it remembers: one that failed before is only sent
        once the action server is there to answer it.

        Raises:
            Fault: Rasa is down or slow, gives an error or something unreadable,
                or says nothing, as it does when its action server is down.
        """
        if again and not await self.actions_up():
            raise Fault("actions_down")
        metadata = {"seq": seq} | ({} if corrects is None else {"corrects": corrects})
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._client.post(
                    f"{self._url}/webhooks/rest/webhook",
                    json={"sender": sender, "message": message, "metadata": metadata},
                )
        except (TimeoutError, httpx.TimeoutException):
            raise Fault("timeout") from None
        except httpx.HTTPError:
            raise Fault("down") from None
        if response.status_code != httpx.codes.OK:
            raise Fault("error")
        return _turn(response.content)

    async def rasa_up(self) -> bool:
        """Tell whether Rasa is up."""
        return await self._up(f"{self._url}/")

    async def actions_up(self) -> bool:
        """Tell whether the action server is up."""
        return await self._up(f"{self._actions_url}/health")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _up(self, url: str) -> bool:
        try:
            async with asyncio.timeout(HEALTH_TIMEOUT):
                return (await self._client.get(url)).is_success
        except (TimeoutError, httpx.HTTPError):
            return False


def _turn(content: bytes) -> Turn:
    try:
        items = _ITEMS.validate_json(content)
    except ValidationError:
        raise Fault("unreadable") from None
    replies = [
        # PostgreSQL keeps no NUL.
        Reply(item.text.replace("\0", ""), [(b.title, b.payload) for b in item.buttons])
        for item in items
        if item.text
    ]
    if not replies:
        raise Fault("silent")
    outcomes = [item.custom.outcome for item in items if item.custom and item.custom.outcome]
    documents = [item.custom.document for item in items if item.custom and item.custom.document]
    asks = [item.custom.asks for item in items if item.custom and item.custom.asks]
    if documents or asks:
        last = replies[-1]
        replies[-1] = replace(last, document=_last(documents), asks=_last(asks))
    return Turn(replies, outcomes[-1] if outcomes else None)


def _last(told: Sequence[T]) -> T | None:
    return told[-1] if told else None
