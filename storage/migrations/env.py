"""What Alembic runs: the migrations, on the connection that `storage.migrate` opened.

Under the `alembic` command there is none yet; it is opened on the database of
the settings.
"""

from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection

from storage.migrate import migrating
from storage.models import Base
from storage.times import UtcDateTime


def plain_type(kind: str, item: Any, _: object) -> str | Literal[False]:
    """Write our own type as what the database sees: migrations outlive the code."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def run(connection: Connection) -> None:
    """Run the migrations within the connection's transaction."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_item=plain_type,
        # SQLite alters little in place: Alembic recreates the table instead.
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    from settings import Settings

    with migrating(Settings().sqlalchemy_url) as opened:
        run(opened)
