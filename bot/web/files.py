"""Files in a conversation: those that a person joins to a candidature, and its document."""

import asyncio
import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

import structlog
from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from bot.document import document_of
from bot.relay import short
from bot.web.api import Accepted, OfToken, SeqInPath
from bot.web.problems import Refused, documented
from bot.web.services import FromServices, Services
from candidature.attachments import Attachment, Refusal, check, too_much
from knowledge.dialogue import load_wording
from storage import conversations, drafts, inbox
from storage.inbox import Received
from storage.models import Draft
from storage.payloads import step_payload
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
    file = _File(name, await request.body(), str(id))
    received = await _received_before(services, conversation, file)
    if received is None:
        checked = await _checked(services, conversation, file)
        received = await _received(services, conversation, file, checked)
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
        draft = await drafts.of_reference(session, told["document"])
    content = await document_of(services.database, draft.id) if draft else None
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


@dataclass(frozen=True)
class _File:
    """A file as it is sent, under the client's own id."""

    name: str
    content: bytes
    id: str

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


async def _received_before(services: Services, conversation: str, file: _File) -> Received | None:
    """Return the message that this very file came with, if it did."""
    async with services.database.read() as session:
        return await _stored(session, conversation, file)


async def _stored(session: AsyncSession, conversation: str, file: _File) -> Received | None:
    message = await inbox.stored_message(session, conversation, file.id)
    if message is None:
        return None
    attached = re.search(r":attached:(\d+):([0-9a-f]+)", message.payload or "")
    if attached is None or not file.sha256.startswith(attached[2]):
        raise Refused("different_message")
    return Received(message.seq, fresh=False)


async def _checked(services: Services, conversation: str, file: _File) -> Attachment:
    """Return the file as it may be joined; in a thread, and in no transaction: it takes a while."""
    async with services.database.read() as session:
        sizes = await _others(session, await _draft(session, conversation), file)
    checked = await asyncio.to_thread(check, file.name, file.content, sizes)
    return _taken(conversation, checked)


def _taken(conversation: str, checked: Attachment | Refusal) -> Attachment:
    if isinstance(checked, Attachment):
        return checked
    log.info("file_refused", conversation=short(conversation), reason=checked.value)
    code = "file_too_large" if checked is Refusal.TOO_LARGE else "unfit_file"
    raise Refused(code, load_wording().refusals[checked])


async def _received(
    services: Services, conversation: str, file: _File, checked: Attachment
) -> Received:
    """Keep the file and the message that it is, both or none."""
    async with services.database.write() as session:
        if not await conversations.lock_conversation(session, conversation):
            raise Refused("no_conversation")
        if before := await _stored(session, conversation, file):
            return before
        draft = await _draft(session, conversation)
        # Again, now that nobody else may be at it.
        refusal = too_much(len(file.content), await _others(session, draft, file))
        _taken(conversation, refusal or checked)
        kept = await drafts.attach(
            session,
            draft.id,
            name=checked.name,
            media_type=checked.media_type,
            sha256=file.sha256,
            content=file.content,
            now=utc_now(),
        )
        return await inbox.receive(
            session,
            conversation,
            scope=conversation,
            external_id=file.id,
            text=kept.name,
            payload=step_payload(f"{draft.id}:attached:{kept.id}:{file.sha256[:16]}"),
            now=utc_now(),
        )


async def _draft(session: AsyncSession, conversation: str) -> Draft:
    draft = await drafts.open_draft(session, conversation)
    if draft is None:
        raise Refused("no_draft")
    return draft


async def _others(session: AsyncSession, draft: Draft, file: _File) -> list[int]:
    """Return the sizes of the draft's other files."""
    there = await drafts.attachments_of(session, draft.id)
    return [one.size for one in there if one.sha256 != file.sha256]
