"""Telegram: bots, updates that were taken, chats; what messages keep of a channel."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the three tables, and the columns that a messaging application needs."""
    op.create_table(
        "telegram_bot",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("username", sa.String(length=64)),
        sa.Column("holder", sa.String(length=96)),
        sa.Column("held_until", INSTANT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_telegram_bot")),
    )
    op.create_table(
        "telegram_update",
        sa.Column("bot_id", sa.BigInteger(), nullable=False),
        sa.Column("update_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("taken_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["bot_id"],
            ["telegram_bot.id"],
            name=op.f("fk_telegram_update_bot_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("bot_id", "update_id", name=op.f("pk_telegram_update")),
    )
    op.create_index(op.f("ix_telegram_update_taken_at"), "telegram_update", ["taken_at"])
    op.create_table(
        "chat",
        sa.Column("bot_id", sa.BigInteger(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("conversation_id", sa.String(length=64), nullable=False),
        sa.Column("blocked_at", INSTANT),
        sa.Column("parts_sent", sa.Integer(), nullable=False),
        sa.Column("in_flight", sa.Boolean(), nullable=False),
        sa.Column("leaving", sa.Boolean(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint("parts_sent >= 0", name=op.f("ck_chat_parts_positive")),
        sa.ForeignKeyConstraint(
            ["bot_id"], ["telegram_bot.id"], name=op.f("fk_chat_bot_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
            name=op.f("fk_chat_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("bot_id", "chat_id", name=op.f("pk_chat")),
        sa.UniqueConstraint("conversation_id", name=op.f("uq_chat_conversation_id")),
    )
    with op.batch_alter_table("draft") as draft:
        draft.add_column(sa.Column("before", sa.JSON(none_as_null=True)))
    with op.batch_alter_table("message") as message:
        message.add_column(
            sa.Column(
                "asks",
                sa.Enum("phone", name="asks", native_enum=False, create_constraint=True, length=16),
            )
        )
        message.add_column(sa.Column("channel_number", sa.BigInteger()))
        message.add_column(sa.Column("corrects", sa.Integer()))


def downgrade() -> None:
    """Drop what was created, with all it holds."""
    with op.batch_alter_table("message") as message:
        message.drop_constraint(op.f("ck_message_asks"), type_="check")
        message.drop_column("corrects")
        message.drop_column("channel_number")
        message.drop_column("asks")
    with op.batch_alter_table("draft") as draft:
        draft.drop_column("before")
    op.drop_table("chat")
    op.drop_table("telegram_update")
    op.drop_table("telegram_bot")
