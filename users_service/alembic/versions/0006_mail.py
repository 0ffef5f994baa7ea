"""Codes that were mailed, and the outbox of mail to be sent.

Revision: 0006, after 0005
"""

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLE = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_nopad_bin",
}


def text(length):
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def identifier():
    return sa.Uuid().with_variant(sa.Uuid(native_uuid=False), "mysql", "mariadb")


def instant():
    return sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def of_user(table):
    return sa.ForeignKeyConstraint(
        ["user_id"], ["users.id"], name=f"fk_{table}_user_id", ondelete="CASCADE"
    )


def index(table, *columns):
    name = f"ix_{table}_{'_'.join(columns)}"
    op.create_index(name, table, list(columns), if_not_exists=True)


def upgrade():
    op.create_table(
        "codes",
        sa.Column("digest", text(64), nullable=False),
        sa.Column("purpose", text(20), nullable=False),
        sa.Column("user_id", identifier(), nullable=True),
        sa.Column("email", text(254), nullable=False),
        sa.Column("name", text(250), nullable=True),
        sa.Column("password_hash", text(255), nullable=True),
        sa.Column("expiration_time", instant(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_codes"),
        of_user("codes"),
        **TABLE,
        if_not_exists=True,
    )
    index("codes", "user_id")
    index("codes", "expiration_time")
    op.create_table(
        "outbox",
        sa.Column("id", identifier(), nullable=False),
        sa.Column("purpose", text(20), nullable=False),
        sa.Column("email", text(254), nullable=False),
        sa.Column("user_id", identifier(), nullable=True),
        sa.Column("data", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("creation_time", instant(), nullable=False),
        sa.Column("due_time", instant(), nullable=False),
        sa.Column("claim_time", instant(), nullable=True),
        sa.Column("done_time", instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        of_user("outbox"),
        **TABLE,
        if_not_exists=True,
    )
    index("outbox", "done_time", "due_time")
    index("outbox", "user_id")


def downgrade():
    for name in ("outbox", "codes"):
        op.drop_table(name, if_exists=True)
