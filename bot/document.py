"""The document of a filed candidature: made once, then kept with it."""

import asyncio

from sqlalchemy import select, update

from candidature.filed import Filed
from candidature.pdf import pdf
from storage.database import Database
from storage.models import Draft


async def document_of(database: Database, draft_id: int) -> bytes | None:
    """Return the PDF of a candidature; nothing if there is no such one, or it is not filed.

    It is made at the first call. Of several at once the first to store it wins,
    and all return the same bytes.

    Raises:
        typst.TypstError: It cannot be made.
    """
    async with database.read() as session:
        query = select(Draft.filed, Draft.document).where(Draft.id == draft_id)
        row = (await session.execute(query)).one_or_none()
    if row is None or row.filed is None:
        return None
    kept: bytes | None = row.document
    if kept is not None:
        return kept
    # In a thread, and in no transaction: it takes a while.
    made = await asyncio.to_thread(pdf, Filed.model_validate(row.filed))
    async with database.write() as session:
        await session.execute(
            update(Draft)
            .where(Draft.id == draft_id, Draft.document.is_(None))
            .values(document=made)
        )
        return await session.scalar(select(Draft.document).where(Draft.id == draft_id))
