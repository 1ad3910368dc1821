"""What goes with a message of ours: the document of a candidature, or what is kept of a person.

A message's row only says which: the content is made when it is asked for.
"""

import asyncio
from typing import Any

from bot.document import document_of
from bot.export import export, file_of
from storage import chats, drafts
from storage.database import Database


async def content_of(database: Database, conversation: str, told: dict[str, Any]) -> bytes | None:
    """Return the content of an attachment that a message of this conversation tells of.

    Raises:
        typst.TypstError: a document cannot be made.
    """
    if told.get("export"):
        async with database.read() as session:
            chat = await chats.chat_of(session, conversation)
        own = {"Numéro de la discussion Telegram": str(chat.chat_id)} if chat else None
        made = await export(database, conversation, chat=own)
        # Others are not kept waiting by somebody who wrote a lot.
        return await asyncio.to_thread(file_of, made, told["name"])
    async with database.read() as session:
        draft = await drafts.of_reference(session, told["document"])
    return await document_of(database, draft.id) if draft else None
