"""The widget's API: open a conversation, send, read, follow."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import anyio
import structlog
from fastapi import APIRouter, Depends, Header, Path, Query, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import SQLAlchemyError
from sse_starlette import EventSourceResponse, ServerSentEvent

from bot.relay import short
from bot.services import Services
from bot.text import MAX_LENGTH, clean
from bot.web.problems import Refused, documented
from bot.web.services import FromServices
from knowledge import load
from storage import conversations, models
from storage.inbox import DifferentContent, UnknownConversation
from storage.models import Author, Rating
from storage.payloads import chooses_file

HEARTBEAT = 15
"""Seconds between comments on an idle stream, so that proxies leave it open."""

CLOSING_GRACE = 2
"""Seconds that a stream has to end by itself when the server stops."""

router = APIRouter(prefix="/api")
log = structlog.get_logger()

_bearer = HTTPBearer(auto_error=False, description="Le jeton rendu à l'ouverture.")


class Opened(BaseModel):
    """A new conversation."""

    conversation: str
    token: str = Field(description="seule clé de la conversation : elle n'est donnée qu'ici")


class TypedMessage(BaseModel):
    """A message that was typed."""

    model_config = ConfigDict(extra="forbid")
    id: UUID = Field(description="choisi par le client ; renvoyer le même ne change rien")
    text: str


class PressedButton(BaseModel):
    """A button that was pressed, among those offered in the conversation."""

    model_config = ConfigDict(extra="forbid")
    id: UUID = Field(description="choisi par le client ; renvoyer le même ne change rien")
    button: str


class Accepted(BaseModel):
    """A message that is stored and will be answered."""

    seq: int


class ButtonView(BaseModel):
    """A choice offered with a message."""

    id: str
    title: str
    file: bool = Field(description="se remplace par le choix d'un fichier, là où c'est possible")


class AttachmentView(BaseModel):
    """A file that goes with a message."""

    name: str
    media_type: str
    path: str = Field(description="où le lire, avec le même jeton")


class MessageView(BaseModel):
    """A message, as its reader sees it."""

    seq: int
    author: Author
    text: str
    buttons: list[ButtonView]
    attachments: list[AttachmentView]
    at: datetime
    ratable: bool = Field(description="une réponse, dont on peut dire si elle est utile")
    rating: Rating | None


class RatedMessage(BaseModel):
    """What the person thinks of an answer."""

    model_config = ConfigDict(extra="forbid")
    rating: Rating | None = Field(description="`null` retire l'avis donné")


class Messages(BaseModel):
    """Messages, in order; at most 500, the following ones by `after`."""

    messages: list[MessageView]


async def _conversation(
    services: FromServices,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> str:
    if credentials is None:
        raise Refused("no_conversation")
    async with services.database.read() as session:
        found = await conversations.conversation_of_token(session, credentials.credentials)
    if found is None:
        raise Refused("no_conversation")
    return found


OfToken = Annotated[str, Depends(_conversation)]
SeqInPath = Annotated[int, Path(ge=1, le=2**31 - 1, description="numéro de la réponse")]
Position = Annotated[int, Query(ge=0, le=2**31 - 1, description="dernier numéro déjà lu")]


@router.post("/conversations", status_code=201, responses=documented("unavailable"))
async def open_conversation(services: FromServices, response: Response) -> Opened:
    """Open a conversation."""
    response.headers["Cache-Control"] = "no-store"
    async with services.database.write() as session:
        conversation, token = await conversations.open_web_conversation(session)
    log.info("conversation_opened", conversation=short(conversation))
    return Opened(conversation=conversation, token=token)


@router.post(
    "/messages",
    status_code=202,
    responses=documented(
        "invalid_json",
        "no_conversation",
        "different_message",
        "body_too_large",
        "invalid_message",
        "empty_text",
        "text_too_long",
        "unknown_button",
        "unavailable",
    ),
)
async def send_message(
    services: FromServices, conversation: OfToken, message: TypedMessage | PressedButton
) -> Accepted:
    """Send a message; the answer comes among the messages."""
    if isinstance(message, TypedMessage):
        text, payload = _typed(message.text), None
    else:
        text, payload = await _pressed(services, conversation, message.button)
    try:
        received = await services.relay.receive(
            conversation,
            scope=conversation,
            external_id=str(message.id),
            text=text,
            payload=payload,
        )
    except DifferentContent:
        raise Refused("different_message") from None
    except UnknownConversation:
        raise Refused("no_conversation") from None
    return Accepted(seq=received.seq)


@router.put(
    "/messages/{seq}/rating",
    status_code=204,
    responses=documented(
        "invalid_json",
        "no_conversation",
        "not_ratable",
        "body_too_large",
        "invalid_rating",
        "unavailable",
    ),
)
async def rate_message(
    services: FromServices, conversation: OfToken, seq: SeqInPath, rated: RatedMessage
) -> None:
    """Say whether an answer is useful; the last word counts."""
    async with services.database.write() as session:
        if not await conversations.rate(session, conversation, seq, rated.rating):
            raise Refused("not_ratable")
    services.metrics.ratings.labels(rated.rating or "none").inc()


@router.get("/messages", responses=documented("no_conversation", "invalid_position", "unavailable"))
async def read_messages(
    services: FromServices, conversation: OfToken, response: Response, after: Position = 0
) -> Messages:
    """Read the messages that follow one, those of the person too."""
    response.headers["Cache-Control"] = "no-store"
    return Messages(messages=await _read(services, conversation, after))


@router.get(
    "/events",
    response_class=EventSourceResponse,
    responses=documented("no_conversation", "invalid_position", "unavailable"),
)
async def follow_messages(
    services: FromServices,
    conversation: OfToken,
    after: Position = 0,
    last_event_id: Annotated[int | None, Header(ge=0, le=2**31 - 1)] = None,
) -> EventSourceResponse:
    """Follow the messages as server-sent events: the number is the event's id.

    `Last-Event-ID` comes before `after`: it is what a client that reconnects
    adds to the address it first used.
    """
    start = after if last_event_id is None else last_event_id
    closing = anyio.Event()
    return EventSourceResponse(
        _events(services, conversation, start, closing),
        ping=HEARTBEAT,
        sep="\n",
        shutdown_event=closing,
        shutdown_grace_period=CLOSING_GRACE,
    )


async def _events(
    services: Services, conversation: str, after: int, closing: anyio.Event
) -> AsyncIterator[ServerSentEvent]:
    with services.arrivals.watch(conversation) as arrival:
        while not closing.is_set():
            arrival.clear()
            try:
                messages = await _read(services, conversation, after)
            except SQLAlchemyError as error:
                # The end of the stream makes the client come back later.
                log.error("stream_not_read", error=type(error).__name__)
                return
            for message in messages:
                after = message.seq
                yield ServerSentEvent(message.model_dump_json(), event="message", id=str(after))
            if not messages:
                await _either(arrival, closing)


async def _either(*events: asyncio.Event | anyio.Event) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


def _typed(typed: str) -> str:
    text = clean(typed)
    if not text:
        raise Refused("empty_text")
    if len(text) > MAX_LENGTH:
        raise Refused("text_too_long")
    return text


async def _pressed(services: Services, conversation: str, button_id: str) -> tuple[str, str]:
    async with services.database.read() as session:
        offer = await conversations.offer(session, conversation, button_id)
    if offer is None:
        raise Refused("unknown_button")
    _, button = offer
    return button["title"], button["payload"]


async def _read(services: Services, conversation: str, after: int) -> list[MessageView]:
    async with services.database.read() as session:
        messages: Sequence[models.Message] = await conversations.messages_after(
            session, conversation, after
        )
    return [
        MessageView(
            seq=message.seq,
            author=message.author,
            text=message.text or load().sentences["forgotten"],
            buttons=[
                ButtonView(id=b["id"], title=b["title"], file=chooses_file(b["payload"]))
                for b in message.buttons or ()
            ],
            attachments=[
                AttachmentView(
                    name=told["name"],
                    media_type=told["media_type"],
                    path=f"/api/messages/{message.seq}/attachments/{index}",
                )
                for index, told in enumerate(message.attachments or ())
            ],
            at=message.created_at,
            ratable=message.outcome is not None,
            rating=message.rating,
        )
        for message in messages
    ]
