"""The tables."""

from datetime import datetime
from enum import StrEnum
from typing import Any, TypedDict

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Enum,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from storage.times import UtcDateTime, utc_now


class Channel(StrEnum):
    """Where a conversation takes place."""

    web = "web"
    telegram = "telegram"
    mail = "mail"


class Direction(StrEnum):
    """Which way a message goes: inbound comes from the person."""

    inbound = "inbound"
    outbound = "outbound"


class Author(StrEnum):
    """Who wrote a message: an agent is somebody at the préfecture."""

    person = "person"
    assistant = "assistant"
    agent = "agent"


class State(StrEnum):
    """Where a message stands.

    Inbound: due until it is answered. Outbound: due until it is delivered (on
    the web, where people come and read, it never is). Failed: given up.
    """

    due = "due"
    done = "done"
    failed = "failed"


class Rating(StrEnum):
    """What the person thinks of an answer: 👍 or 👎."""

    up = "up"
    down = "down"


class Button(TypedDict):
    """A choice offered with a message; `payload` is what Rasa receives, and stays here."""

    id: str
    title: str
    payload: str


class Base(DeclarativeBase):
    """The declarative base; every constraint has a name, so that migrations can drop it."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def _one_of(kind: type[StrEnum], name: str) -> Enum:
    # Text and a CHECK rather than PostgreSQL's enum types: the same on both
    # databases, and a new value is an ordinary migration.
    return Enum(kind, name=name, native_enum=False, create_constraint=True, length=16)


class Conversation(Base):
    """One person, one channel, one thread of messages."""

    __tablename__ = "conversation"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Opaque and random; also Rasa's `sender`."""
    channel: Mapped[Channel] = mapped_column(_one_of(Channel, "channel"))
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    """SHA-256, hexadecimal, of the token that opens the conversation on the web."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    last_seq: Mapped[int] = mapped_column(Integer, default=0)
    """Number of the last message. Taking the next one locks this row until the
    transaction ends, so messages become visible in the order of their numbers."""
    claimed_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the lease of the worker that answers ends, unless it renews it."""
    claimed_by: Mapped[str | None] = mapped_column(String(96))


class Message(Base):
    """One message, in either direction."""

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("conversation_id", "seq"),
        # A message delivered twice is stored once. What makes an identifier
        # unique differs: on the web the client chooses it, so it counts within
        # its conversation and cannot clash with a stranger's; Telegram's
        # update_id counts for the whole bot, whichever conversation the chat
        # has by the second delivery; so does a mail's Message-ID.
        UniqueConstraint("external_scope", "external_id"),
        CheckConstraint("(external_scope IS NULL) = (external_id IS NULL)", "external_both"),
        CheckConstraint("(direction = 'inbound') = (author = 'person')", "inbound_by_person"),
        CheckConstraint("(state = 'due') = (next_attempt_at IS NOT NULL)", "due_when"),
        CheckConstraint("seq > 0", "seq_positive"),
        CheckConstraint("attempts >= 0", "attempts_positive"),
        CheckConstraint("rating IS NULL OR author = 'assistant'", "rating_of_assistant"),
        # What the worker looks for: due now, and nothing due before it.
        Index(None, "direction", "state", "next_attempt_at"),
        Index(None, "conversation_id", "direction", "state", "seq"),
    )

    id: Mapped[int] = mapped_column(
        # SQLite numbers rows by itself only under the exact type INTEGER.
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
    )
    conversation_id: Mapped[str] = mapped_column(ForeignKey(Conversation.id, ondelete="CASCADE"))
    seq: Mapped[int] = mapped_column(Integer)
    """Number within the conversation, from 1, both directions together."""
    direction: Mapped[Direction] = mapped_column(_one_of(Direction, "direction"))
    author: Mapped[Author] = mapped_column(_one_of(Author, "author"))
    external_scope: Mapped[str | None] = mapped_column(String(64))
    """Within what `external_id` is unique: the conversation's id, or the channel."""
    external_id: Mapped[str | None] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    payload: Mapped[str | None] = mapped_column(Text)
    """Of a pressed button: what Rasa receives in place of the text."""
    buttons: Mapped[list[Button] | None] = mapped_column(JSON(none_as_null=True))
    attachments: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    outcome: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """On the last message of a turn: how it was decided; for measuring, not for people."""
    rating: Mapped[Rating | None] = mapped_column(_one_of(Rating, "rating"))
    """What the person thinks of this answer."""
    state: Mapped[State] = mapped_column(_one_of(State, "state"))
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    """How many times answering (or delivering) it failed."""
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Not to be tried before; set exactly while the message is due."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    in_reply_to: Mapped[int | None] = mapped_column(
        ForeignKey("message.id", ondelete="SET NULL"), index=True
    )
