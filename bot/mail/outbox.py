"""The outbox: carries each filed candidature to the préfecture's mailbox, once it is due.

What is due is a row (`storage.models.Mail`), written when the candidature is
filed. Nothing is given up: a mail that fails is tried again, later and later.
"""

import asyncio
import os
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import structlog
from sqlalchemy import ColumnElement, select, update

from bot.document import document_of
from bot.mail.candidature import candidature_mail
from bot.retries import retry_delay
from candidature.filed import Filed
from storage.database import Database
from storage.drafts import NotFiled
from storage.models import Attachment, Draft, Mail, State
from storage.times import utc_now

POLL = 1.0
"""How often mails that are due are looked for, in seconds."""
LONGEST_RETRY = timedelta(minutes=10)
"""Longest wait before a mail is tried again."""

log = structlog.get_logger()


class Outbox:
    """Delivers the mails that are due; one a process, any number on a database.

    Two that deliver the same one write the same file. `folder` is where mails
    are delivered, and `sender` the address that they come from.
    """

    def __init__(
        self,
        database: Database,
        folder: Path,
        sender: str,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._folder = folder
        self._sender = sender
        self._clock = clock

    async def run(self) -> None:
        """Deliver what is due, until cancelled; what was under way is then done again later."""
        while True:
            try:
                await self.deliver_due()
            except Exception as error:  # whatever it is, the worker must not end of it
                log.error("outbox_not_read", error=type(error).__name__)
            await asyncio.sleep(POLL)

    async def deliver_due(self) -> int:
        """Try each mail that is due now; return how many were delivered."""
        async with self._database.read() as session:
            query = select(Mail.id).where(*self._due()).order_by(Mail.next_attempt_at, Mail.id)
            ids = (await session.scalars(query)).all()
        return sum([await self._try(mail_id) for mail_id in ids])

    def _due(self) -> tuple[ColumnElement[bool], ...]:
        return Mail.state == State.due, Mail.next_attempt_at <= self._clock()

    async def _try(self, mail_id: int) -> bool:
        """Deliver a mail, if it is still due; if that fails, put it off."""
        mail: Mail | None = None
        about: dict[str, object] = {"mail": mail_id}
        try:
            async with self._database.read() as session:
                query = select(Mail, Draft).join(Draft, Draft.id == Mail.draft_id)
                row = (await session.execute(query.where(Mail.id == mail_id, *self._due()))).first()
            if row is None:  # another process was faster
                return False
            mail, draft = row
            about["reference"] = draft.reference
            await self._deliver(draft)
            await self._settle(mail, state=State.done, next_attempt_at=None)
        except Exception as error:  # whatever it is, it must not hold up the other mails
            # Its type and no more: what it says may quote what people wrote.
            log.error("mail_not_delivered", **about, error=type(error).__name__)
            if mail is not None:
                await self._postpone(mail)
            return False
        log.info("mail_delivered", **about)
        return True

    async def _deliver(self, draft: Draft) -> None:
        document = await document_of(self._database, draft.id)
        if document is None:
            raise NotFiled(draft.status)
        query = select(Attachment.name, Attachment.media_type, Attachment.content)
        query = query.where(Attachment.draft_id == draft.id).order_by(Attachment.id)
        async with self._database.read() as session:
            attachments = (await session.execute(query)).all()
        filed = Filed.model_validate(draft.filed)

        def carry() -> None:
            message = candidature_mail(filed, document, attachments, sender=self._sender)
            deliver(self._folder, filed.reference, message)

        # In a thread, and in no transaction: megabytes to encode and to write.
        await asyncio.to_thread(carry)

    async def _postpone(self, mail: Mail) -> None:
        attempts = mail.attempts + 1
        retry_at = self._clock() + retry_delay(attempts, LONGEST_RETRY)
        try:
            await self._settle(mail, attempts=attempts, next_attempt_at=retry_at)
        except Exception as error:  # then it is tried at the next look
            log.error("mail_not_put_off", mail=mail.id, error=type(error).__name__)

    async def _settle(self, mail: Mail, **values: object) -> None:
        """Change the row of a mail, unless another process delivered it meanwhile."""
        query = update(Mail).where(Mail.id == mail.id, Mail.state == State.due)
        async with self._database.write() as session:
            await session.execute(query.values(**values))


def deliver(folder: Path, reference: str, message: EmailMessage) -> None:
    """Put a mail into a folder, whole or not at all, in place of one that was there already.

    The one way of delivering as yet. It blocks; if it raises, it is called again later.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Not readable by others: it is full of personal data.
    descriptor, name = tempfile.mkstemp(prefix=f".{reference}-", suffix=".tmp", dir=folder)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(bytes(message))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(folder / f"{reference}.eml")
    finally:
        temporary.unlink(missing_ok=True)
    # The new name too must survive a power cut, before the row says that it is done.
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
