"""Retention: what people left is erased some days after anything last happened to it."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from storage.database import Database
from storage.erasure import erase, idle, still_idle
from storage.times import utc_now
from storage.trackers import Trackers

PERIOD = 3600.0
"""How often what is to be erased is looked for, in seconds."""
BATCH = 100
"""Conversations looked for at once."""

log = structlog.get_logger()


class Retention:
    """Erases conversations in which nothing happened for `days` days; one a process, or more.

    Several on a database share the work: what one erased, the others do not find.
    """

    def __init__(
        self,
        database: Database,
        trackers: Trackers,
        days: int,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        if days < 1:  # a slip would erase everything
            raise ValueError("nothing is erased before a day")
        self._database = database
        self._trackers = trackers
        self._kept = timedelta(days=days)
        self._clock = clock

    async def run(self) -> None:
        """Erase what is to be, now and then every hour, until cancelled."""
        while True:
            try:
                await self.purge()
            except Exception as error:  # whatever it is, the worker must not end of it
                log.error("retention_failed", error=type(error).__name__)
            await asyncio.sleep(PERIOD)

    async def purge(self) -> int:
        """Erase the conversations that are idle now; return how many.

        One that cannot be erased is left for the next time, and does not hold up the others.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: a database does not answer; what is left, is
                left for the next time.
        """
        before = self._clock() - self._kept
        erased = 0
        left: set[str] = set()
        try:
            while ids := await self._idle(before, left):
                # Before the conversations, which are what it is found by: should the
                # process die in between, they are still there to be found. One that
                # comes to life meanwhile loses the thread, and nothing that was said.
                await self._trackers.forget(ids)
                for conversation_id in ids:
                    if await self._erase(conversation_id, before):
                        erased += 1
                    else:
                        left.add(conversation_id)
        finally:
            if erased:
                await self._database.scrub()
                log.info("conversations_erased", count=erased)
        return erased

    async def _idle(self, before: datetime, left: set[str]) -> list[str]:
        """Return the next conversations to erase, but those that were `left`."""
        async with self._database.read() as session:
            found = await idle(session, before, BATCH + len(left))
        return [one for one in found if one not in left]

    async def _erase(self, conversation_id: str, before: datetime) -> bool:
        """Erase a conversation if it is still idle; tell whether it was erased."""
        try:
            # A transaction each: nobody who writes waits for more than one.
            async with self._database.write() as session:
                if not await still_idle(session, conversation_id, before):
                    return False
                await erase(session, conversation_id)
        except Exception as error:  # whatever it is, it must not hold up the others
            log.error("conversation_not_erased", error=type(error).__name__)
            return False
        return True
