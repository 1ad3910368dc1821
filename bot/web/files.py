"""Files in a conversation: those that a person joins to a candidature, and its document."""

import asyncio
import hashlib
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
from candidature.attachments import MOST_FILES, Refusal, check
from knowledge.dialogue import load_wording
from storage import conversations, drafts
from storage.inbox import DifferentContent
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
    title, payload = await _attached(services, conversation, name, await request.body())
    try:
        received = await services.relay.receive(
            conversation, scope=conversation, external_id=str(id), text=title, payload=payload
        )
    except DifferentContent:
        raise Refused("different_message") from None
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


async def _attached(
    services: Services, conversation: str, name: str, content: bytes
) -> tuple[str, str]:
    """Keep the file; return what the person's message says, and what Rasa receives for it."""
    sha256 = hashlib.sha256(content).hexdigest()
    async with services.database.read() as session:
        sizes = await _others(session, conversation, sha256)
    # In a thread, and in no transaction: a large PDF takes a while.
    checked = await asyncio.to_thread(check, name, content, sizes)
    if isinstance(checked, Refusal):
        log.info("file_refused", conversation=short(conversation), reason=checked.value)
        code = "file_too_large" if checked is Refusal.TOO_LARGE else "unfit_file"
        raise Refused(code, load_wording().refusals[checked])
    async with services.database.write() as session:
        draft = await drafts.open_draft(session, conversation)
        if draft is None:
            raise Refused("no_draft")
        if len(await _others(session, conversation, sha256)) >= MOST_FILES:
            raise Refused("unfit_file", load_wording().refusals[Refusal.TOO_MANY])
        kept = await drafts.attach(
            session,
            draft.id,
            name=checked.name,
            media_type=checked.media_type,
            sha256=sha256,
            content=content,
            now=utc_now(),
        )
        return kept.name, step_payload(f"{draft.id}:attached:{kept.id}")


async def _others(session: AsyncSession, conversation: str, sha256: str) -> list[int]:
    """Return the sizes of the other files of the draft under way."""
    draft = await drafts.open_draft(session, conversation)
    if draft is None:
        raise Refused("no_draft")
    there = await drafts.attachments_of(session, draft.id)
    return [one.size for one in there if one.sha256 != sha256]
