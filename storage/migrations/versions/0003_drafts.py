"""Drafts of candidatures, their attachments, their references and the mails that carry them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def one_of(name: str, *values: str) -> sa.Enum:
    """Return a text column type with a CHECK on its values."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=16)


def upgrade() -> None:
    """Create the four tables."""
    op.create_table(
        "reference_count",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_reference_count")),
    )
    op.create_table(
        "draft",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("conversation_id", sa.String(length=64)),
        sa.Column("questionnaire", sa.String(length=32), nullable=False),
        sa.Column(
            "status", one_of("status", "draft", "complete", "filed", "withdrawn"), nullable=False
        ),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.Column("title", sa.Text()),
        sa.Column("applicant", sa.Text()),
        sa.Column("siret", sa.String(length=14)),
        sa.Column("email", sa.Text()),
        sa.Column("cost_cents", sa.BigInteger()),
        sa.Column("amount_cents", sa.BigInteger()),
        sa.Column("heard_seq", sa.Integer()),
        sa.Column("reply", sa.JSON(none_as_null=True)),
        sa.Column("resume_hash", sa.String(length=64)),
        sa.Column("reference", sa.String(length=24)),
        sa.Column("consented_at", INSTANT),
        sa.Column("filed_at", INSTANT),
        sa.Column("filed", sa.JSON(none_as_null=True)),
        sa.Column("document", sa.LargeBinary()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "NOT open OR status IN ('draft', 'complete')", name=op.f("ck_draft_open_may_change")
        ),
        sa.CheckConstraint(
            "status <> 'filed' OR filed_at IS NOT NULL", name=op.f("ck_draft_filed_when")
        ),
        sa.CheckConstraint(
            "status IN ('filed', 'withdrawn') OR filed_at IS NULL",
            name=op.f("ck_draft_not_filed_yet"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('complete', 'filed') OR (title IS NOT NULL AND applicant IS NOT NULL"
            " AND siret IS NOT NULL AND email IS NOT NULL AND cost_cents IS NOT NULL"
            " AND amount_cents IS NOT NULL)",
            name=op.f("ck_draft_complete"),
        ),
        sa.CheckConstraint(
            "(reference IS NULL) = (filed_at IS NULL) AND (filed IS NULL) = (filed_at IS NULL)"
            " AND (consented_at IS NULL) = (filed_at IS NULL)",
            name=op.f("ck_draft_filed_whole"),
        ),
        sa.CheckConstraint(
            "amount_cents > 0 AND amount_cents <= cost_cents",
            name=op.f("ck_draft_amount_within_cost"),
        ),
        sa.CheckConstraint("length(siret) = 14", name=op.f("ck_draft_siret_length")),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
            name=op.f("fk_draft_conversation_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft")),
        sa.UniqueConstraint("reference", name=op.f("uq_draft_reference")),
        sa.UniqueConstraint("resume_hash", name=op.f("uq_draft_resume_hash")),
    )
    op.create_index(op.f("ix_draft_conversation_id"), "draft", ["conversation_id"])
    op.create_index(
        "ix_draft_open",
        "draft",
        ["conversation_id"],
        unique=True,
        sqlite_where=sa.text("open"),
        postgresql_where=sa.text("open"),
    )

    op.create_table(
        "attachment",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("draft_id", ROW_ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.String(length=128), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint("size > 0", name=op.f("ck_attachment_size_positive")),
        sa.ForeignKeyConstraint(
            ["draft_id"], ["draft.id"], name=op.f("fk_attachment_draft_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
        sa.UniqueConstraint("draft_id", "sha256", name=op.f("uq_attachment_draft_id_sha256")),
    )
    op.create_table(
        "mail",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("draft_id", ROW_ID, nullable=False),
        sa.Column("state", one_of("state", "due", "done", "failed"), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", INSTANT),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "(state = 'due') = (next_attempt_at IS NOT NULL)", name=op.f("ck_mail_due_when")
        ),
        sa.ForeignKeyConstraint(
            ["draft_id"], ["draft.id"], name=op.f("fk_mail_draft_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
        sa.UniqueConstraint("draft_id", name=op.f("uq_mail_draft_id")),
    )
    op.create_index(op.f("ix_mail_state_next_attempt_at"), "mail", ["state", "next_attempt_at"])


def downgrade() -> None:
    """Drop the four tables, with all they hold."""
    op.drop_table("mail")
    op.drop_table("attachment")
    op.drop_table("draft")
    op.drop_table("reference_count")
