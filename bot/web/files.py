"""Files in a conversation: those that a person joins to a candidature, and its document."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

import structlog
from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from bot.enclosures import content_of
from bot.joining import File, NoDraft, Unfit, checked, join
from bot.relay import short
from bot.services import Services
from bot.web.api import Accepted, OfToken, SeqInPath
from bot.web.problems import Refused, documented
from bot.web.services import FromServices
from candidature.attachments import Attachment, Refusal
from knowledge.dialogue import load_wording
from storage import conversations, inbox
from storage.inbox import Received
from storage.times import utc_now

router = APIRouter(prefix="/api")
log = structlog.get_logger()

FileName = Annotated[str, Query(min_length=1, max_length=1000, description="nom du fichier")]
IndexInPath = Annotated[
    int, Path(ge=0, le=99, description="rang de la pièce jointe, à partir de 0")
]


@router.post(
    "/attachments",
    status_code=202,
    responses=documented(
        "no_conversation",
        "no_draft",
        "different_message",
        "file_too_large",
        "unfit_file",
        "invalid_file",
        "unavailable",
    ),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string"}}},
        }
    },
)
async def attach_file(
    services: FromServices,
    conversation: OfToken,
    request: Request,
    id: Annotated[
        UUID, Query(description="choisi par le client ; renvoyer le même ne change rien")
    ],
    name: FileName,
) -> Accepted:
    """Join a file to the candidature under way: the body is its content, as it is."""
    file = File(name, await request.body())
    received = await _received_before(services, conversation, str(id), file)
    if received is None:
        with _refusals(conversation):
            attachment = await checked(services.database, conversation, file)
            received = await _received(services, conversation, str(id), file, attachment)
        services.relay.announce(conversation, received)
    return Accepted(seq=received.seq)


@router.get(
    "/messages/{seq}/attachments/{index}",
    response_class=Response,
    responses={
        200: {"content": {"application/pdf": {}}, "description": "le fichier"},
        **documented("no_conversation", "no_attachment", "invalid_position", "unavailable"),
    },
)
async def read_attachment(
    services: FromServices, conversation: OfToken, seq: SeqInPath, index: IndexInPath
) -> Response:
    """Read a file that goes with a message."""
    async with services.database.read() as session:
        attachments = await conversations.attachments_of_message(session, conversation, seq)
    if index >= len(attachments):
        raise Refused("no_attachment")
    told = attachments[index]
    content = await content_of(services.database, conversation, told)
    if content is None:
        raise Refused("no_attachment")
    return Response(
        content,
        media_type=told["media_type"],
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(told['name'])}",
            "Cache-Control": "private, no-store",
        },
    )


async def _received_before(
    services: Services, conversation: str, id: str, file: File
) -> Received | None:
    """Return the message that this very file came with, if it did."""
    async with services.database.read() as session:
        return await _stored(session, conversation, id, file)


async def _stored(session: AsyncSession, conversation: str, id: str, file: File) -> Received | None:
    message = await inbox.stored_message(session, conversation, id)
    if message is None:
        return None
    attached = re.search(r":attached:(\d+):([0-9a-f]+)", message.payload or "")
    if attached is None or not file.sha256.startswith(attached[2]):
        raise Refused("different_message")
    return Received(message.seq, fresh=False)


@contextmanager
def _refusals(conversation: str) -> Iterator[None]:
    """Say to the client why a file is not taken."""
    try:
        yield
    except NoDraft:
        raise Refused("no_draft") from None
    except Unfit as unfit:
        log.info("file_refused", conversation=short(conversation), reason=unfit.reason.value)
        code = "file_too_large" if unfit.reason is Refusal.TOO_LARGE else "unfit_file"
        raise Refused(code, load_wording().refusals[unfit.reason]) from None


async def _received(
    services: Services, conversation: str, id: str, file: File, attachment: Attachment
) -> Received:
    """Keep the file and the message that it is, both or none."""
    async with services.database.write() as session:
        if not await conversations.lock_conversation(session, conversation):
            raise Refused("no_conversation")
        if before := await _stored(session, conversation, id, file):
            return before
        kept, payload = await join(session, conversation, file, attachment, utc_now())
        return await inbox.receive(
            session,
            conversation,
            scope=conversation,
            external_id=id,
            text=kept.name,
            payload=payload,
            now=utc_now(),
        )
