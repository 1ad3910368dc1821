"""Instants: always aware, always UTC, on both databases."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import DateTime
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

PARIS = ZoneInfo("Europe/Paris")
"""Where the préfecture's year begins, and its day."""


def utc_now() -> datetime:
    """Return the current instant."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant; refuses naive ones.

    SQLite has no time zones: it keeps UTC without saying so, in a fixed-width
    text whose order is the order of time.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC on the way in."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime is no instant")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Say that it is UTC on the way out."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
