"""Users.

Revision: 0001, the first
"""

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def text(length):
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def identifier():
    return sa.Uuid().with_variant(sa.Uuid(native_uuid=False), "mysql", "mariadb")


def instant():
    return sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def upgrade():
    op.create_table(
        "users",
        sa.Column("id", identifier(), nullable=False),
        sa.Column("email", text(254), nullable=False),
        sa.Column("email_key", text(450), nullable=False),
        sa.Column("name", text(250), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("creation_time", instant(), nullable=False),
        sa.Column("modification_time", instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email_key", name="uq_users_email_key"),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_nopad_bin",
        if_not_exists=True,
    )


def downgrade():
    op.drop_table("users", if_exists=True)
