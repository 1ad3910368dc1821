"""What people think of answers: 👍 or 👎."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, empty."""
    rating = sa.Enum(
        "up", "down", name="rating", native_enum=False, create_constraint=True, length=16
    )
    with op.batch_alter_table("message") as message:
        message.add_column(sa.Column("rating", rating))
        message.create_check_constraint(
            op.f("ck_message_rating_of_assistant"), "rating IS NULL OR author = 'assistant'"
        )


def downgrade() -> None:
    """Drop the column, with what it holds."""
    with op.batch_alter_table("message") as message:
        message.drop_constraint(op.f("ck_message_rating_of_assistant"), type_="check")
        message.drop_constraint(op.f("ck_message_rating"), type_="check")
        message.drop_column("rating")
