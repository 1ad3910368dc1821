"""What an update of Telegram tells, as far as we are concerned."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from telegram import CallbackQuery, ChatMemberUpdated, Message, Update
from telegram.constants import ChatType

ALLOWED = ("message", "edited_message", "callback_query", "my_chat_member")
"""The kinds of updates that we ask Telegram for."""
_KINDS = (
    *("animation", "audio", "video", "video_note", "voice", "sticker", "dice", "poll", "game"),
    *("venue", "location", "story", "checklist", "invoice", "paid_media", "giveaway"),
)
"""What a message may hold in place of words; a venue has a location too, and goes first."""
_IN = ("member", "administrator")
_COMMAND = re.compile(r"/\w+(?:@(\w+))?(?!\S)")
MOST = 2**63
"""No row holds a number as large as this."""


@dataclass(frozen=True)
class Words:
    """A person wrote something, at an instant of Telegram's."""

    chat: int
    number: int
    text: str
    at: datetime


@dataclass(frozen=True)
class Edit:
    """A person changed what they wrote."""

    chat: int
    number: int
    text: str


@dataclass(frozen=True)
class Tap:
    """A person tapped a button; `query` is what Telegram waits an answer to."""

    chat: int
    number: int | None
    query: str
    button: str
    shown: str | None = None
    """The text above the button, if Telegram still tells it."""


@dataclass(frozen=True)
class Upload:
    """A person sent a document or a photo; `size` is in bytes, as far as Telegram tells it."""

    chat: int
    number: int
    file_id: str
    name: str
    media_type: str
    size: int
    caption: str


@dataclass(frozen=True)
class Card:
    """A person shared a telephone number."""

    chat: int
    number: int
    phone: str


@dataclass(frozen=True)
class Wordless:
    """A person sent something that is no text, of this kind."""

    chat: int
    number: int
    kind: str


@dataclass(frozen=True)
class Presence:
    """A person blocked the bot, or let it in again."""

    chat: int
    blocked: bool


@dataclass(frozen=True)
class Group:
    """The bot was put into a group, or is spoken to there."""

    chat: int


Told = Words | Edit | Tap | Upload | Card | Wordless | Presence | Group


def update_number(raw: object) -> int | None:
    """Return the number of an update, if it has one that a row can hold."""
    number = raw.get("update_id") if isinstance(raw, dict) else None
    return number if type(number) is int and 0 <= number < MOST else None


def read(raw: dict[str, Any], username: str | None = None) -> Told | None:
    """Return what an update tells; nothing if it is not for us, who are called `username`.

    What it should have and has not makes the library raise one of several
    exceptions: whoever calls takes them all for an update that tells nothing.
    """
    told = _read(Update.de_json(raw, None), username)
    # The library checks no type, and a row holds no number larger than this.
    for number in (getattr(told, "chat", 0), getattr(told, "number", 0) or 0):
        if type(number) is not int or not -MOST < number < MOST:
            raise ValueError
    return told


def _read(update: Update, username: str | None) -> Told | None:
    if update.message is not None:
        return _message(update.message, username)
    if update.edited_message is not None:
        return _edited(update.edited_message)
    if update.callback_query is not None:
        return _tapped(update.callback_query)
    if update.my_chat_member is not None:
        return _presence(update.my_chat_member)
    return None


def _message(message: Message, username: str | None) -> Told | None:
    chat, number = message.chat.id, message.message_id
    if message.chat.type != ChatType.PRIVATE:
        return _in_group(message, username)
    if message.from_user is not None and message.from_user.is_bot:
        return None
    if message.text is not None:
        return Words(chat, number, message.text, message.date)
    if message.contact is not None:
        return Card(chat, number, _international(message.contact.phone_number))
    for kind in _KINDS:  # before the document that goes with an animation
        if getattr(message, kind):
            return Wordless(chat, number, kind)
    caption = message.caption or ""
    if document := message.document:
        name, media_type = document.file_name or "", document.mime_type or ""
        size = _size(document.file_size)
        return Upload(chat, number, document.file_id, name, media_type, size, caption)
    if message.photo:
        best = message.photo[-1]
        size = _size(best.file_size)
        return Upload(
            chat, number, best.file_id, f"photo-{number}.jpg", "image/jpeg", size, caption
        )
    # What is newer than the library is there, but unnamed; the rest are notices of Telegram's own.
    return Wordless(chat, number, "other") if message.api_kwargs else None


def _edited(message: Message) -> Told | None:
    # A position that moves is edited all the time; a caption says nothing that counts.
    if message.chat.type != ChatType.PRIVATE or message.text is None:
        return None
    return Edit(message.chat.id, message.message_id, message.text)


def _tapped(query: CallbackQuery) -> Told | None:
    # Too old a message is told by its chat and its number alone; one sent in the
    # name of a person, by none: then the person's own chat is meant.
    chat = query.message.chat.id if query.message else query.from_user.id
    number = query.message.message_id if query.message else None
    shown = query.message.text if isinstance(query.message, Message) else None
    return Tap(chat, number, query.id, query.data or "", shown)


def _presence(change: ChatMemberUpdated) -> Told | None:
    before, after = change.old_chat_member.status, change.new_chat_member.status
    if change.chat.type == ChatType.PRIVATE:
        return Presence(change.chat.id, blocked=after not in _IN)
    invited = change.chat.type != ChatType.CHANNEL and before not in _IN and after in _IN
    return Group(change.chat.id) if invited else None


def _in_group(message: Message, username: str | None) -> Told | None:
    # Only what is surely meant for us: a command. The rest is their conversation.
    command = _COMMAND.match(message.text or "")
    if command is None or message.chat.type == ChatType.CHANNEL:
        return None
    ours = command[1] is None or command[1].lower() == (username or "").lower()
    return Group(message.chat.id) if ours else None


def _international(phone: str) -> str:
    """Return a number as it is dialled: of one's own, Telegram leaves the plus out, or not."""
    if phone.startswith("00"):
        return f"+{phone[2:]}"
    # Somebody else's is as it is in the address book.
    return phone if phone.startswith(("+", "0")) else f"+{phone}"


def _size(told: object) -> int:
    return told if isinstance(told, int) else 0
