"""What Telegram remembers: chats, messages, files, what each side has done."""

import itertools
import secrets
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.telegram.markup import Json, bad
from tests.telegram.updates import Updates

ChatType = Literal["private", "group", "supergroup", "channel"]
Membership = Literal["member", "administrator", "left", "kicked"]
TO_DOWNLOAD, TO_SEND = 20 << 20, 50 << 20


@dataclass(eq=False)
class Message:
    """A message as it now stands; `json` is what the Bot API shows of it."""

    json: Json
    by_bot: bool
    markup: Json | None = None  # a reply keyboard, which the message itself does not show
    deleted: bool = False
    versions: list[Json] = field(default_factory=list)  # what it was before each edit
    file: "File | None" = None

    @property
    def id(self) -> int:
        return int(self.json["message_id"])

    @property
    def text(self) -> str:
        return str(self.json.get("text", self.json.get("caption", "")))

    @property
    def buttons(self) -> list[Json]:
        """Its inline buttons, in reading order."""
        rows = self.json.get("reply_markup", {}).get("inline_keyboard", [])
        return [button for row in rows for button in row]

    @property
    def labels(self) -> list[str]:
        return [str(button["text"]) for button in self.buttons]


@dataclass(frozen=True)
class Event:
    """Something the bot did in a chat: `json` is the message at that moment."""

    kind: Literal["sent", "edited", "deleted", "typing", "answered"]
    message: Message | None
    json: Json


@dataclass(eq=False)
class File:
    """A file kept by Telegram; without content, its size is only declared."""

    id: str
    unique_id: str
    path: str
    name: str
    mime_type: str
    size: int
    content: bytes | None


@dataclass(eq=False)
class Callback:
    """A tap that waits for the bot's answer."""

    chat_id: int
    date: float
    answer: Json | None = None


@dataclass
class Fault:
    """What goes wrong with a call: an error, no answer at all, or a cut connection.

    `done` is for what was done although its answer was lost.
    """

    code: int = 500
    description: str = ""
    retry_after: int | None = None
    hang: bool = False
    cut: bool = False
    done: bool = False


@dataclass
class Limits:
    """How fast a bot may send: a rate a second, with a burst, in all and in a chat."""

    rate: float = 30
    burst: float = 30
    chat_rate: float = 1
    chat_burst: float = 3
    group_rate: float = 20 / 60
    group_burst: float = 20


class Bucket:
    """Tokens that fill up at a constant rate; an empty one says how long to wait."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst, self.tokens, self.at = rate, burst, burst, time.monotonic()

    def wait(self) -> float:
        """Seconds until a token is there."""
        now = time.monotonic()
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        return max(0.0, (1 - self.tokens) / self.rate)

    def take(self) -> None:
        self.tokens -= 1


class Room:
    """A chat and all that was said in it."""

    def __init__(self, state: "State", chat_id: int, kind: ChatType, names: Json) -> None:
        self.state, self.id, self.kind = state, chat_id, kind
        self.names = names
        self.messages: dict[int, Message] = {}
        self.events: list[Event] = []
        self.keyboard: Json | None = None  # the reply keyboard now shown
        self.bot: Membership = "left"
        self.started = False  # a person has to write first
        self.seen = kind != "private"  # the bot knows it exists
        self.migrated_to: int | None = None
        self.heard = 0  # how many events the test has read
        self._ids = itertools.count(1)
        state.rooms[chat_id] = self

    @property
    def json(self) -> Json:
        return {"id": self.id, "type": self.kind} | self.names

    def post(self, content: Json, sender: Json | None, *, file: File | None = None) -> Message:
        """Keep a message; the one who sent it numbers and dates it."""
        message: Json = {"message_id": next(self._ids)}
        if sender is not None and self.kind != "channel":
            message["from"] = sender
        elif self.kind == "channel":
            message["sender_chat"] = self.json
        message |= {"chat": self.json, "date": self.state.now()} | content
        by_bot = sender is not None and sender["id"] == self.state.bot["id"]
        kept = Message(message, by_bot=by_bot, file=file)
        self.messages[kept.id] = kept
        return kept

    def record(self, kind: Any, message: Message | None, json: Json | None = None) -> None:
        shown = dict(message.json) if message is not None else {}
        self.events.append(Event(kind, message, shown if json is None else json))


class State:
    """One bot, those who talk to it, and what was planned to go wrong."""

    def __init__(self, token: str = "123:ABC", username: str = "passerelle_test_bot") -> None:
        self.token = token
        self.bot: Json = {
            "id": int(token.partition(":")[0]),
            "is_bot": True,
            "first_name": "Passerelle",
            "username": username,
        }
        self.rooms: dict[int, Room] = {}
        self.files: dict[str, File] = {}
        self.paths: dict[str, File] = {}  # what getFile has given the way to
        self.callbacks: dict[str, Callback] = {}
        self.updates = Updates()
        self.commands: dict[tuple[str, str], list[Json]] = {}  # by scope and language
        self.descriptions: dict[tuple[str, str], str] = {}  # by kind and language
        self.calls: list[tuple[str, Json]] = []
        self.faults: dict[str, deque[Fault]] = {}
        self.limits: Limits | None = None
        self.callback_life = 15 * 60.0
        self.privacy = True  # in groups, the bot sees what is meant for it only
        self.https_only = False  # a webhook's address has to be one Telegram would call
        self.ahead = 0.0
        self.ids = itertools.count(1)
        self._buckets: dict[int, Bucket] = {}

    def now(self) -> int:
        return int(time.time() + self.ahead)

    def advance(self, seconds: float) -> None:
        """Set the clock forward: taps grow too old to be answered, messages to be deleted."""
        self.ahead += seconds

    def keep(self, name: str, mime_type: str, kind: str, content: bytes | None, size: int) -> File:
        number = next(self.ids)
        suffix = f".{name.rpartition('.')[2]}" if "." in name else ""
        path = f"{kind}/file_{number}{suffix}"
        file_id = f"BQAC{number:04}{secrets.token_urlsafe(24)}"
        file = File(file_id, f"AgAD{number:04}", path, name, mime_type, size, content)
        self.files[file_id] = file
        return file

    def forget_paths(self) -> None:
        """Ways to files last an hour: after that, getFile has to be called again."""
        self.paths.clear()

    def fail(self, method: str, times: int = 1, **fault: Any) -> None:
        """Make the next calls of a method (`*`: of any) go wrong, as `Fault` says."""
        queue = self.faults.setdefault(method.lower(), deque())
        queue.extend(Fault(**fault) for _ in range(times))

    def fault(self, method: str) -> Fault | None:
        for key in (method.lower(), "*"):
            if self.faults.get(key):
                return self.faults[key].popleft()
        return None

    def too_fast(self, room: Room) -> float:
        """Take a turn to send; the seconds to wait where there is none left."""
        if self.limits is None:
            return 0
        limits = self.limits
        everyone = self._buckets.setdefault(0, Bucket(limits.rate, limits.burst))
        rate, burst = (
            (limits.chat_rate, limits.chat_burst)
            if room.kind == "private"
            else (limits.group_rate, limits.group_burst)
        )
        own = self._buckets.setdefault(room.id, Bucket(rate, burst))
        if wait := max(everyone.wait(), own.wait()):
            return wait
        everyone.take()
        own.take()
        return 0

    def file(self, file_id: str) -> File:
        if file_id not in self.files:
            raise bad("wrong file identifier/HTTP URL specified")
        return self.files[file_id]
