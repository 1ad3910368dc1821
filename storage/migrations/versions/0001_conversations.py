"""Conversations and their messages."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
MESSAGE_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def one_of(name: str, *values: str) -> sa.Enum:
    """Return a text column type with a CHECK on its values."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=16)


def upgrade() -> None:
    """Create the two tables."""
    op.create_table(
        "conversation",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("channel", one_of("channel", "web", "telegram", "mail"), nullable=False),
        sa.Column("token_hash", sa.String(64)),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("claimed_until", INSTANT),
        sa.Column("claimed_by", sa.String(96)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_conversation_token_hash")),
    )
    op.create_table(
        "message",
        sa.Column("id", MESSAGE_ID, nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("direction", one_of("direction", "inbound", "outbound"), nullable=False),
        sa.Column("author", one_of("author", "person", "assistant", "agent"), nullable=False),
        sa.Column("external_scope", sa.String(64)),
        sa.Column("external_id", sa.Text()),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text()),
        sa.Column("buttons", sa.JSON(none_as_null=True)),
        sa.Column("attachments", sa.JSON(none_as_null=True)),
        sa.Column("outcome", sa.JSON(none_as_null=True)),
        sa.Column("state", one_of("state", "due", "done", "failed"), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", INSTANT),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("in_reply_to", MESSAGE_ID),
        sa.CheckConstraint(
            "(external_scope IS NULL) = (external_id IS NULL)",
            name=op.f("ck_message_external_both"),
        ),
        sa.CheckConstraint(
            "(direction = 'inbound') = (author = 'person')",
            name=op.f("ck_message_inbound_by_person"),
        ),
        sa.CheckConstraint(
            "(state = 'due') = (next_attempt_at IS NOT NULL)", name=op.f("ck_message_due_when")
        ),
        sa.CheckConstraint("seq > 0", name=op.f("ck_message_seq_positive")),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_message_attempts_positive")),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
            name=op.f("fk_message_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["in_reply_to"],
            ["message.id"],
            name=op.f("fk_message_in_reply_to"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("conversation_id", "seq", name=op.f("uq_message_conversation_id_seq")),
        sa.UniqueConstraint(
            "external_scope", "external_id", name=op.f("uq_message_external_scope_external_id")
        ),
    )
    op.create_index(
        op.f("ix_message_direction_state_next_attempt_at"),
        "message",
        ["direction", "state", "next_attempt_at"],
    )
    op.create_index(
        op.f("ix_message_conversation_id_direction_state_seq"),
        "message",
        ["conversation_id", "direction", "state", "seq"],
    )
    op.create_index(op.f("ix_message_in_reply_to"), "message", ["in_reply_to"])


def downgrade() -> None:
    """Drop the two tables, with all they hold."""
    op.drop_table("message")
    op.drop_table("conversation")
