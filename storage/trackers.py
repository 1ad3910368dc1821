"""Rasa's own database: what Rasa remembers of conversations, to have it forgotten."""

import asyncio
import re
from collections.abc import Collection
from pathlib import Path

from sqlalchemy import String, column, delete, table
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from storage.database import BUSY_TIMEOUT, scrub

_MOST = 500
"""Conversations named in one statement: databases bound the number of parameters."""
_NO_TABLE = "42P01"
"""PostgreSQL's code of a table that is not there."""

# Made by `nlu/components/tracker_store.py`, which runs in Rasa's environment.
_TRACKER = table("rasa_tracker", column("sender_id", String))


class Trackers:
    """Rasa's trackers, one row a conversation; `url` as `settings.tracker_url` gives it.

    The tables are Rasa's business, and so is the database.
    """

    def __init__(self, url: str) -> None:
        address = make_url(url)
        sqlite = address.get_backend_name() == "sqlite"
        self._file = address.database if sqlite else None
        # A refused connection has no code: only words, in the server's language. A
        # role that does not exist, which may have the same name, is a failure.
        self._no_database = re.compile(
            rf"(?:database|base de données)\W+{re.escape(address.database or '')}\W+"
            "(?:does not exist|n.existe pas)"
        )
        self._engine = create_async_engine(
            # Whatever driver the URL names for Rasa: this environment has its own.
            address.set(drivername="sqlite+aiosqlite" if sqlite else "postgresql+psycopg"),
            # Rasa writes there too.
            connect_args={"timeout": BUSY_TIMEOUT} if sqlite else {},
            # Seldom used; and a file that was replaced meanwhile must be opened anew.
            poolclass=NullPool,
            hide_parameters=True,
        )

    async def forget(self, conversation_ids: Collection[str]) -> None:
        """Have Rasa remember nothing of these conversations: all of them, or none if it fails.

        Where Rasa has not written yet, there is nothing to forget.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database cannot be reached, or not be written.
        """
        ids = list(conversation_ids)
        # Opening the file would make an empty one.
        if self._file is not None and not await asyncio.to_thread(Path(self._file).exists):
            return
        try:
            async with self._engine.begin() as connection:
                if self._file is not None:  # what is deleted is overwritten: it was somebody's
                    await connection.exec_driver_sql("PRAGMA secure_delete = ON")
                for at in range(0, len(ids), _MOST):
                    named = _TRACKER.c.sender_id.in_(ids[at : at + _MOST])
                    await connection.execute(delete(_TRACKER).where(named))
        except DBAPIError as error:
            if not self._not_there_yet(error):
                raise
        if self._file is not None:
            await asyncio.to_thread(scrub, self._file)

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    def _not_there_yet(self, error: DBAPIError) -> bool:
        """Tell whether what failed is that Rasa's table, or its database, is not there."""
        if getattr(error.orig, "sqlstate", None) == _NO_TABLE:
            return True
        said = str(error.orig)
        return said == f"no such table: {_TRACKER.name}" or bool(self._no_database.search(said))
