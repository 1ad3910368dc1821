"""The tables."""

from datetime import datetime
from enum import StrEnum
from typing import Any, TypedDict

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Enum,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    text,
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


class Asks(StrEnum):
    """What a question waits for that a messaging application can give by itself."""

    phone = "phone"


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
    """Of a button or a command: what is received in place of the text (`storage.payloads`)."""
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
    """The message that this one answers; of a pressed button, the one that offered it."""
    asks: Mapped[Asks | None] = mapped_column(_one_of(Asks, "asks"))
    """What a question waits for, where a channel can help with it."""
    channel_number: Mapped[int | None] = mapped_column(BigInteger)
    """The channel's own number of the message (Telegram's `message_id`); of one
    that is sent in several parts, the last one's."""
    corrects: Mapped[int | None] = mapped_column(Integer)
    """Number of the message that this one, edited by its author, takes the place of."""


class Status(StrEnum):
    """Where a draft candidature stands.

    Complete: nothing needed is missing. Filed: the préfecture has it, and it no
    longer changes. Withdrawn: the person took it back.
    """

    draft = "draft"
    complete = "complete"
    filed = "filed"
    withdrawn = "withdrawn"


_READY = ("title", "applicant", "siret", "email", "cost_cents", "amount_cents")


class Draft(Base):
    """What a person answers to a questionnaire, then to the form of a candidature.

    It may be incomplete, until it is filed. Some of its answers are columns, so
    that the database holds a filed candidature to what it must have.
    """

    __tablename__ = "draft"
    __table_args__ = (
        # The one that the conversation's messages go to.
        Index(
            "ix_draft_open",
            "conversation_id",
            unique=True,
            sqlite_where=text("open"),
            postgresql_where=text("open"),
        ),
        CheckConstraint(
            "status NOT IN ('complete', 'filed') OR ("
            + " AND ".join(f"{column} IS NOT NULL" for column in _READY)
            + ")",
            "complete",
        ),
        CheckConstraint("status <> 'filed' OR filed_at IS NOT NULL", "filed_when"),
        CheckConstraint("status IN ('filed', 'withdrawn') OR filed_at IS NULL", "not_filed_yet"),
        CheckConstraint(
            "(reference IS NULL) = (filed_at IS NULL) AND (filed IS NULL) = (filed_at IS NULL)"
            " AND (consented_at IS NULL) = (filed_at IS NULL)",
            "filed_whole",
        ),
        CheckConstraint("NOT open OR status IN ('draft', 'complete')", "open_may_change"),
        CheckConstraint("length(siret) = 14", "siret_length"),
        CheckConstraint("amount_cents > 0 AND amount_cents <= cost_cents", "amount_within_cost"),
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    conversation_id: Mapped[str | None] = mapped_column(
        # What is filed outlives the conversation it was filed in.
        ForeignKey(Conversation.id, ondelete="SET NULL"),
        index=True,
    )
    questionnaire: Mapped[str] = mapped_column(String(32))
    status: Mapped[Status] = mapped_column(_one_of(Status, "status"), default=Status.draft)
    open: Mapped[bool] = mapped_column(Boolean)
    state: Mapped[dict[str, Any]] = mapped_column(JSON)
    """Its answers and where one stands among the questions, as `candidature.draft` writes it."""
    title: Mapped[str | None] = mapped_column(Text)
    applicant: Mapped[str | None] = mapped_column(Text)
    siret: Mapped[str | None] = mapped_column(String(14))
    email: Mapped[str | None] = mapped_column(Text)
    cost_cents: Mapped[int | None] = mapped_column(BigInteger)
    amount_cents: Mapped[int | None] = mapped_column(BigInteger)
    heard_seq: Mapped[int | None] = mapped_column(Integer)
    """Number of the last message that it took: the same one again gets `reply` again."""
    reply: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """Its `state` before that message: what editing the message goes back to."""
    resume_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    """SHA-256, hexadecimal, of the code that resumes it in another conversation."""
    reference: Mapped[str | None] = mapped_column(String(24), unique=True)
    consented_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    filed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    filed: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """As it was filed (`candidature.filed`)."""
    document: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    """The PDF of it, made once."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class ReferenceCount(Base):
    """How many references a year has given out, so that no two are the same."""

    __tablename__ = "reference_count"

    year: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(Integer)


class Attachment(Base):
    """A file that goes with a draft; the same one twice is one."""

    __tablename__ = "attachment"
    __table_args__ = (
        UniqueConstraint("draft_id", "sha256"),
        CheckConstraint("size > 0", "size_positive"),
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    draft_id: Mapped[int] = mapped_column(ForeignKey(Draft.id, ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(Text)
    media_type: Mapped[str] = mapped_column(String(128))
    size: Mapped[int] = mapped_column(Integer)
    """In bytes."""
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class Mail(Base):
    """A mail to send: the outbox. Written when it is due from what it is about."""

    __tablename__ = "mail"
    __table_args__ = (
        CheckConstraint("(state = 'due') = (next_attempt_at IS NOT NULL)", "due_when"),
        Index(None, "state", "next_attempt_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    draft_id: Mapped[int] = mapped_column(ForeignKey(Draft.id, ondelete="CASCADE"), unique=True)
    """The filed candidature that it carries: one mail each."""
    state: Mapped[State] = mapped_column(_one_of(State, "state"), default=State.due)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class TelegramBot(Base):
    """A bot of ours, and which process speaks for it: the only one that polls and sends.

    One sender, because Telegram's rates are a bot's, whatever the processes.
    """

    __tablename__ = "telegram_bot"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    username: Mapped[str | None] = mapped_column(String(64))
    holder: Mapped[str | None] = mapped_column(String(96))
    held_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class TelegramUpdate(Base):
    """An update that was taken, were it only to be ignored: it comes again, and changes nothing."""

    __tablename__ = "telegram_update"

    bot_id: Mapped[int] = mapped_column(
        ForeignKey(TelegramBot.id, ondelete="CASCADE"), primary_key=True
    )
    update_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class Chat(Base):
    """A person's chat with a bot: the only place where Telegram's number of it is kept.

    It also tells how far the sending of the conversation's first due message is.
    """

    __tablename__ = "chat"
    __table_args__ = (CheckConstraint("parts_sent >= 0", "parts_positive"),)

    bot_id: Mapped[int] = mapped_column(
        ForeignKey(TelegramBot.id, ondelete="CASCADE"), primary_key=True
    )
    chat_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    conversation_id: Mapped[str] = mapped_column(
        ForeignKey(Conversation.id, ondelete="CASCADE"), unique=True
    )
    blocked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the person blocked the bot: nothing is sent until they come back."""
    parts_sent: Mapped[int] = mapped_column(Integer, default=0)
    """Parts of the first due message that Telegram has for sure."""
    in_flight: Mapped[bool] = mapped_column(Boolean, default=False)
    """Whether the next part was handed to Telegram without its answer being known."""
    leaving: Mapped[bool] = mapped_column(Boolean, default=False)
    """Whether the chat itself is to be forgotten once all is sent: the person had all erased."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
