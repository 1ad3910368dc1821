"""Those who talk to the bot: what a person can do in Telegram, and what they read there.

    person = Person(telegram, "Camille")
    person.start()
    welcome = await person.hear()
    person.tap(welcome.labels[0])

What they do is synchronous and may be called from any thread; `hear` waits.
"""

import asyncio
import base64
import mimetypes
import re
import time

from tests.telegram.markup import TEXT_LENGTH, Json, found_entities
from tests.telegram.methods import as_document
from tests.telegram.state import Callback, ChatType, File, Membership, Message, Room, State

# The smallest photo: Telegram makes a JPEG of each.
PIXEL = base64.b64decode(
    "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////"
    "////////////////////////////////wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAA//EABQQAQAA"
    "AAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AR//Z"
)


class Chat(Room):
    """A chat and what may be done there; `by` is who does it, in a group."""

    def __init__(self, state: State, chat_id: int, kind: ChatType, names: Json) -> None:
        super().__init__(state, chat_id, kind, names)
        self.members: list[Person] = []

    # What is said

    def say(
        self, text: str, *, by: "Person | None" = None, reply_to: Message | None = None
    ) -> Message:
        """Send a text, cut as the applications do when it is too long; give the last message."""
        message = None
        for start in range(0, max(len(text), 1), TEXT_LENGTH):
            part = text[start : start + TEXT_LENGTH]
            entities = found_entities(part)
            content = {"text": part} | ({"entities": entities} if entities else {})
            message = self.send(content, by=by, reply_to=reply_to)
        assert message is not None
        return message

    def send(
        self,
        content: Json,
        *,
        by: "Person | None" = None,
        reply_to: Message | None = None,
        file: File | None = None,
    ) -> Message:
        """Send any content, in the Bot API's own fields."""
        by = by or self._someone()
        if reply_to is not None:
            content = {"reply_to_message": reply_to.json} | content
        if by is self:
            assert self.bot != "kicked", "the person has blocked the bot: unblock it first"
            self.started = self.seen = True
        elif self.bot != "left":
            by.seen = True
        message = self.post(content, by.user, file=file)
        if self._seen_by_bot(message):
            self.state.updates.add(self._kind("message", "channel_post"), message.json)
        return message

    def edit(self, message: Message, text: str) -> None:
        """Change what a person said."""
        entities = found_entities(text)
        message.versions.append(message.json)
        field = "text" if "text" in message.json else "caption"
        kept = {k: v for k, v in message.json.items() if not k.endswith("entities")}
        marks = {"entities" if field == "text" else "caption_entities": entities}
        message.json = kept | {field: text, "edit_date": self.state.now()}
        message.json |= marks if entities else {}
        if self._seen_by_bot(message):
            kind = self._kind("edited_message", "edited_channel_post")
            self.state.updates.add(kind, message.json)

    def document(
        self,
        name: str,
        content: bytes | None = b"",
        *,
        size: int | None = None,
        caption: str = "",
        by: "Person | None" = None,
    ) -> Message:
        """Send a file; without content, of the size declared."""
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        file = self._file(name, kind, "documents", content, size)
        return self._attach({"document": as_document(file)}, file, caption, by)

    def photo(
        self, content: bytes = PIXEL, *, caption: str = "", by: "Person | None" = None
    ) -> Message:
        file = self._file("photo.jpg", "image/jpeg", "photos", content, None)
        sizes = [
            {"file_id": file.id, "file_unique_id": file.unique_id, "file_size": file.size}
            | {"width": width, "height": width * 3 // 4}
            for width in (90, 1280)
        ]
        return self._attach({"photo": sizes}, file, caption, by)

    def voice(self, seconds: int = 4, *, by: "Person | None" = None) -> Message:
        file = self._file("voice.oga", "audio/ogg", "voice", None, seconds * 4000)
        voice = _unnamed(file) | {"duration": seconds}
        return self._attach({"voice": voice}, file, "", by)

    def video(self, seconds: int = 4, *, by: "Person | None" = None) -> Message:
        file = self._file("video.mp4", "video/mp4", "videos", None, seconds * 200_000)
        video = as_document(file) | {"duration": seconds, "width": 640, "height": 480}
        return self._attach({"video": video}, file, "", by)

    def sticker(self, emoji: str = "👍", *, by: "Person | None" = None) -> Message:
        file = self._file("sticker.webp", "image/webp", "stickers", None, 12_000)
        sticker = _unnamed(file) | {
            "type": "regular",
            "width": 512,
            "height": 512,
            "is_animated": False,
            "is_video": False,
            "emoji": emoji,
            "set_name": "Passerelle",
        }
        del sticker["mime_type"]
        return self._attach({"sticker": sticker}, file, "", by)

    def location(
        self, latitude: float = 47.39, longitude: float = 0.69, *, by: "Person | None" = None
    ) -> Message:
        return self.send({"location": {"latitude": latitude, "longitude": longitude}}, by=by)

    def contact(
        self, phone: str = "+33247000000", *, name: str = "", by: "Person | None" = None
    ) -> Message:
        """Share one's own number, or someone else's where a name is given."""
        by = by or self._someone()
        own = {"first_name": by.names["first_name"], "user_id": by.id}
        card = {"phone_number": phone} | ({"first_name": name} if name else own)
        return self.send({"contact": card}, by=by)

    def poll(self, question: str, *answers: str, by: "Person | None" = None) -> Message:
        poll = {
            "id": str(next(self.state.ids)),
            "question": question,
            "options": [
                {"persistent_id": str(n), "text": text, "voter_count": 0}
                for n, text in enumerate(answers)
            ],
            "total_voter_count": 0,
            "is_closed": False,
            "is_anonymous": True,
            "type": "regular",
            "allows_multiple_answers": False,
            "allows_revoting": True,
            "members_only": False,
        }
        return self.send({"poll": poll}, by=by)

    # Buttons

    def tap(
        self, label: str, *, by: "Person | None" = None, message: Message | None = None
    ) -> str | None:
        """Tap a button, inline or of the keyboard, found by its label; give the tap's number.

        The newest message that has it is chosen. Given a message, the button may
        have gone from it since: the person's application was late.
        """
        among = [message] if message is not None else list(reversed(self.said))
        for candidate in among:
            past = [_buttons(version) for version in candidate.versions] if message else []
            for button in sum(past, candidate.buttons):
                if button["text"] == label:
                    return self.press(candidate, button, by=by)
        for row in (self.keyboard or {}).get("keyboard", []):
            for key in row:
                if key["text"] == label:
                    self._strike(key, by)
                    return None
        raise LookupError(f"no button {label!r} among {self.labels}")

    def press(self, message: Message, button: Json, *, by: "Person | None" = None) -> str:
        """Tap this button of this message, were it stale or forged."""
        by = by or self._someone()
        if "callback_data" not in button:
            raise LookupError(f"the button {button['text']!r} is not one the bot hears of")
        number = str(7_000_000_000_000 + next(self.state.ids))
        self.state.callbacks[number] = Callback(self.id, self.state.now())
        shown = message.json
        if message.deleted:
            shown = {"chat": self.json, "message_id": message.id, "date": 0}
        query = {
            "id": number,
            "from": by.user,
            "message": shown,
            "chat_instance": str(self.id * 31),
            "data": button["callback_data"],
        }
        self.state.updates.add("callback_query", query)
        return number

    def _strike(self, key: Json, by: "Person | None") -> None:
        if self.keyboard and self.keyboard.get("one_time_keyboard"):
            self.keyboard = None
        if key.get("request_contact"):
            self.contact(by=by)
        elif key.get("request_location"):
            self.location(by=by)
        else:
            self.say(key["text"], by=by)

    # What is read

    @property
    def said(self) -> list[Message]:
        """What the bot said here and has not deleted, as it now stands, in order."""
        return [m for m in self.messages.values() if m.by_bot and not m.deleted]

    @property
    def labels(self) -> list[str]:
        """The buttons that can be tapped now: the last message's, then the keyboard's."""
        inline = self.said[-1].labels if self.said else []
        rows = (self.keyboard or {}).get("keyboard", [])
        return inline + [key["text"] for row in rows for key in row]

    @property
    def toasts(self) -> list[str]:
        """What taps were answered with."""
        return [e.json["text"] for e in self.events if e.kind == "answered" and e.json["text"]]

    async def hear(self, timeout: float = 5) -> Message:  # noqa: ASYNC109
        """The next message that the bot sent or edited here, waited for if need be."""
        until = time.monotonic() + timeout
        while True:
            while self.heard < len(self.events):
                event = self.events[self.heard]
                self.heard += 1
                if event.kind in {"sent", "edited"} and event.message is not None:
                    return event.message
            if time.monotonic() > until:
                raise TimeoutError(f"the bot said nothing more in {timeout} s")
            await asyncio.sleep(0.01)

    async def hear_all(self, timeout: float = 5, quiet: float = 0.3) -> list[Message]:  # noqa: ASYNC109
        """The next message, and those that follow until the bot is silent for `quiet` seconds."""
        heard = [await self.hear(timeout)]
        while True:
            try:
                heard.append(await self.hear(quiet))
            except TimeoutError:
                return heard

    def silence(self) -> None:
        """Take all that was said so far as heard."""
        self.heard = len(self.events)

    # Inside

    def _someone(self) -> "Person":
        if not self.members:
            raise LookupError("nobody is in this chat")
        return self.members[0]

    def _kind(self, message: str, post: str) -> str:
        return post if self.kind == "channel" else message

    def _file(
        self, name: str, mime_type: str, kind: str, content: bytes | None, size: int | None
    ) -> File:
        if size is not None:
            content = content or None
        return self.state.keep(name, mime_type, kind, content, size or len(content or b""))

    def _attach(self, content: Json, file: File, caption: str, by: "Person | None") -> Message:
        return self.send(content | ({"caption": caption} if caption else {}), by=by, file=file)

    def _seen_by_bot(self, message: Message) -> bool:
        if self.kind == "private":
            return self.bot != "kicked"
        if self.bot in {"left", "kicked"}:
            return False
        if self.kind == "channel" or self.bot == "administrator" or not self.state.privacy:
            return True
        # The privacy mode: in a group, commands, answers to the bot and its name only.
        name, text = self.state.bot["username"].lower(), message.text.lower()
        command = re.match(r"/\w+(?:@(\w+))?", text)
        if command is not None:
            return command[1] in {None, name}
        replied = message.json.get("reply_to_message", {}).get("from", {})
        return replied.get("id") == self.state.bot["id"] or f"@{name}" in text

    def _membership(self, new: Membership, by: "Person") -> None:
        old, self.bot = self.bot, new
        if old == new:
            return
        change = {
            "chat": self.json,
            "from": by.user,
            "date": self.state.now(),
            "old_chat_member": _member(self.state.bot, old),
            "new_chat_member": _member(self.state.bot, new),
        }
        self.state.updates.add("my_chat_member", change)


class Person(Chat):
    """A person, and their private chat with the bot: Telegram gives both the same number."""

    def __init__(
        self,
        state: State,
        first_name: str = "Camille",
        last_name: str | None = None,
        *,
        username: str | None = None,
        language: str | None = "fr",
        started: bool = False,
    ) -> None:
        names = {"first_name": first_name, "last_name": last_name, "username": username}
        number = 5_000_000_000 + next(state.ids)
        known = {key: value for key, value in names.items() if value}
        super().__init__(state, number, "private", known)
        self.user: Json = {"id": number, "is_bot": False} | known
        if language:
            self.user["language_code"] = language
        self.members = [self]
        self.bot = "member"
        self.started = self.seen = started

    def start(self, payload: str = "") -> Message:
        """Press Start, having followed a link with this payload if there is one."""
        assert re.fullmatch(r"[A-Za-z0-9_-]{0,64}", payload), "no link can hold this payload"
        self.unblock()
        return self.say(f"/start {payload}".rstrip())

    def block(self) -> None:
        self._membership("kicked", self)

    def unblock(self) -> None:
        self._membership("member", self)


class Group(Chat):
    """A group, with these persons; the bot is not in it before `add_bot`."""

    def __init__(self, state: State, title: str, *persons: Person, supergroup: bool = True) -> None:
        number = -next(state.ids) - (1_002_000_000_000 if supergroup else 4_000_000_000)
        super().__init__(state, number, "supergroup" if supergroup else "group", {"title": title})
        if not supergroup:
            self.names["all_members_are_administrators"] = True
        self.members = list(persons)

    def add_bot(self, *, by: Person | None = None, administrator: bool = False) -> None:
        by = by or self._someone()
        by.seen = True
        self._membership("administrator" if administrator else "member", by)
        joined = self.post({"new_chat_members": [self.state.bot]}, by.user)
        self.state.updates.add("message", joined.json)

    def remove_bot(self, *, by: Person | None = None) -> None:
        self._membership("kicked", by or self._someone())

    def upgrade(self) -> "Group":
        """Turn it into a supergroup, under another number, as large groups do."""
        new = Group(self.state, self.names["title"], *self.members)
        new.bot = self.bot
        message = self.post({"migrate_to_chat_id": new.id}, self._someone().user)
        self.state.updates.add("message", message.json)
        welcome = new.post({"migrate_from_chat_id": self.id}, self._someone().user)
        self.state.updates.add("message", welcome.json)
        self.migrated_to = new.id
        return new


class Channel(Chat):
    """A channel; a bot can only be its administrator."""

    def __init__(self, state: State, title: str, owner: Person, username: str = "") -> None:
        names = {"title": title} | ({"username": username} if username else {})
        super().__init__(state, -1_001_000_000_000 - next(state.ids), "channel", names)
        self.members = [owner]

    def add_bot(self) -> None:
        self._membership("administrator", self._someone())

    def remove_bot(self) -> None:
        self._membership("kicked", self._someone())


def _buttons(json: Json) -> list[Json]:
    rows = json.get("reply_markup", {}).get("inline_keyboard", [])
    return [button for row in rows for button in row]


def _unnamed(file: File) -> Json:
    return {key: value for key, value in as_document(file).items() if key != "file_name"}


def _member(user: Json, status: Membership) -> Json:
    member: Json = {"user": user, "status": status}
    if status == "kicked":
        member["until_date"] = 0
    if status == "administrator":
        rights = (
            "manage_chat change_info delete_messages invite_users restrict_members "
            "promote_members manage_video_chats post_stories edit_stories delete_stories "
            "post_messages edit_messages pin_messages"
        )
        member |= {f"can_{right}": True for right in rights.split()}
        member |= {"can_be_edited": False, "is_anonymous": False}
    return member
