"""The queue of updates, given by polling or by webhook."""

import asyncio
import contextlib
import itertools
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.telegram.markup import Json, Refusal

# Only given to bots that ask for them.
NOT_BY_DEFAULT = {"chat_member", "message_reaction", "message_reaction_count"}
LONGEST_POLL = 50


def conflict(reason: str) -> Refusal:
    return Refusal(409, f"Conflict: {reason}")


@dataclass
class Webhook:
    url: str
    secret: str = ""
    max_connections: int = 40
    last_error: tuple[int, str] | None = None


@dataclass(eq=False)
class Pending:
    update: Json
    once: bool = False  # a repeated update: given again, whatever was confirmed

    @property
    def id(self) -> int:
        return int(self.update["update_id"])


@dataclass(eq=False)
class _Poll:
    ended: Refusal | None = None
    wakes: asyncio.Event = field(default_factory=asyncio.Event)


class Updates:
    """What awaits the bot, in order.

    `retry` is the first delay, in seconds, before a webhook that refused an
    update is tried again; it doubles up to `longest_retry`. Telegram waits a
    second, then up to a minute.
    """

    def __init__(self) -> None:
        self.pending: list[Pending] = []
        self.given: list[Json] = []
        self.allowed: list[str] | None = None
        self.webhook: Webhook | None = None
        self.retry, self.longest_retry, self.patience = 0.05, 1.0, 30.0
        self.on_reply: Callable[[Json], Awaitable[None]] | None = None
        self._ids = itertools.count(864_201_001)
        # The persons may be in another thread: nothing they add is to be lost.
        self._lock = threading.RLock()
        self._held = False
        self._poll: _Poll | None = None
        self._changed: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._delivery: asyncio.Task[None] | None = None

    # The persons' side: may be called from another thread than the server's.

    def add(self, kind: str, content: Json) -> Json | None:
        """Queue an update, unless the bot does not want this kind of it."""
        wanted = kind in self.allowed if self.allowed else kind not in NOT_BY_DEFAULT
        return self.raw({kind: content}) if wanted else None

    def raw(self, update: Json) -> Json:
        """Queue an update as it is; it is numbered if it has no number."""
        update = json.loads(json.dumps(update))
        update.setdefault("update_id", next(self._ids))
        with self._lock:
            self.pending.append(Pending(update))
        self._wake()
        return update

    def repeat(self, update: Json | None = None) -> None:
        """Give an update again, by default the last one, as after a lost answer."""
        with self._lock:
            known = [*self.given, *(entry.update for entry in self.pending)]
            self.pending.append(Pending(update or known[-1], once=True))
        self._wake()

    def reorder(self, order: Iterable[int] | None = None, *, renumber: bool = False) -> None:
        """Change the order of what is pending, by default to the reverse.

        The numbers stay with their updates, which a webhook sees out of order;
        polling sorts them. `renumber` makes the content come out of order for both.
        """
        with self._lock:
            entries = list(self.pending)
            chosen = list(order) if order is not None else list(reversed(range(len(entries))))
            moved = [entries[index] for index in chosen]
            if renumber:
                numbers = sorted(entry.id for entry in entries)
                for entry, number in zip(moved, numbers, strict=True):
                    entry.update = entry.update | {"update_id": number}
            self.pending[:] = moved

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Give nothing meanwhile, so that what is pending can be changed."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
            self._wake()

    def _wake(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake_here)

    def _wake_here(self) -> None:
        if self._changed is not None:
            self._changed.set()
        if self._poll is not None:
            self._poll.wakes.set()

    # The bot's side: in the server's loop.

    def start(self) -> None:
        self._loop, self._changed = asyncio.get_running_loop(), asyncio.Event()

    async def stop(self) -> None:
        self._end_poll(conflict("the server stops"))
        await self._stop_delivery()
        self._loop = None

    def _end_poll(self, reason: Refusal) -> None:
        if self._poll is not None:
            self._poll.ended = reason
            self._poll.wakes.set()
            self._poll = None

    async def poll(self, offset: int, limit: int, timeout: int) -> list[Json]:  # noqa: ASYNC109
        """Confirm what is before `offset`, then give what there is, or wait for it."""
        if self.webhook is not None:
            raise conflict(
                "can't use getUpdates method while webhook is active; "
                "use deleteWebhook to delete the webhook first"
            )
        self._end_poll(
            conflict(
                "terminated by other getUpdates request; "
                "make sure that only one bot instance is running"
            )
        )
        with self._lock:
            if offset < 0:
                offset = next((entry.id for entry in self.pending[offset:]), 0)
            self.pending[:] = [e for e in self.pending if e.once or e.id >= offset]
        mine = self._poll = _Poll()
        until = time.monotonic() + min(timeout, LONGEST_POLL)
        try:
            while True:
                if mine.ended is not None:
                    raise mine.ended
                if self.pending and not self._held:
                    return self._taken(limit)
                left = until - time.monotonic()
                if left <= 0:
                    return []
                mine.wakes.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(mine.wakes.wait(), left)
        finally:
            if self._poll is mine:
                self._poll = None

    def _taken(self, limit: int) -> list[Json]:
        with self._lock:
            entries = sorted(self.pending, key=lambda entry: entry.id)[:limit]
            self.pending[:] = [e for e in self.pending if not (e.once and e in entries)]
        updates = [entry.update for entry in entries]
        self.given += [update for update in updates if update not in self.given]
        return updates

    async def set_webhook(self, webhook: Webhook | None, *, drop: bool) -> None:
        await self._stop_delivery()
        if drop:
            self.pending.clear()
        self.webhook = webhook
        if webhook is not None:
            self._end_poll(conflict("terminated by setWebhook request"))
            self._delivery = asyncio.create_task(self._deliver(webhook))

    async def _stop_delivery(self) -> None:
        if self._delivery is not None:
            self._delivery.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._delivery
            self._delivery = None

    async def _deliver(self, webhook: Webhook) -> None:
        """Post what is pending, one at a time, each until it is taken."""
        assert self._changed is not None
        timeout = aiohttp.ClientTimeout(total=self.patience)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            delay = self.retry
            while True:
                if self._held or not self.pending:
                    self._changed.clear()
                    await self._changed.wait()
                    continue
                entry = self.pending[0]
                error, wait, reply = await self._posted(session, webhook, entry.update)
                if error is None:
                    with self._lock, contextlib.suppress(ValueError):  # dropped meanwhile
                        self.pending.remove(entry)
                    self.given.append(entry.update)
                    delay = self.retry
                    if reply is not None and self.on_reply is not None:
                        await self.on_reply(reply)
                    continue
                webhook.last_error = (int(time.time()), error)
                await asyncio.sleep(wait or delay)
                delay = min(delay * 2, self.longest_retry)

    async def _posted(
        self, session: aiohttp.ClientSession, webhook: Webhook, update: Json
    ) -> tuple[str | None, float, Json | None]:
        """What went wrong if something did, how long to wait, the method called in return."""
        headers = {"X-Telegram-Bot-Api-Secret-Token": webhook.secret} if webhook.secret else {}
        try:
            # Telegram follows no redirection: it is one more refusal.
            async with session.post(
                webhook.url, json=update, headers=headers, allow_redirects=False
            ) as response:
                if not response.ok or response.status >= 300:
                    error = f"Wrong response from the webhook: {response.status} {response.reason}"
                    after = response.headers.get("Retry-After", "")
                    return error, float(after) if after.isdigit() else 0, None
                reply: Any = None
                with contextlib.suppress(ValueError):
                    reply = json.loads(await response.text())
                called = isinstance(reply, dict) and "method" in reply
                return None, 0, reply if called else None
        except TimeoutError:
            return "Read timeout expired", 0, None
        except aiohttp.ClientError as error:
            return f"Connection failed: {type(error).__name__}", 0, None
