"""Passwords, tokens, managers of groups, and the tables behind sign-in.

Revision: 0005, after 0004
"""

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql

from alembic import op
from users_service.alembic.steps import has_column

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLE = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_nopad_bin",
}
DIGEST = 64


def text(length):
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def folded():
    text = sa.Text()
    text = text.with_variant(sa.Text(collation="C.utf8"), "postgresql")
    return text.with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")


def identifier():
    return sa.Uuid().with_variant(sa.Uuid(native_uuid=False), "mysql", "mariadb")


def instant():
    return sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def json():
    return sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def key(table, column, target):
    return sa.ForeignKeyConstraint(
        [column], [f"{target}.id"], name=f"fk_{table}_{column}", ondelete="CASCADE"
    )


def index(table, *columns):
    name = f"ix_{table}_{'_'.join(columns)}"
    op.create_index(name, table, list(columns), if_not_exists=True)


def upgrade():
    for name, kind in (("password_hash", text(255)), ("verification_time", instant())):
        if not has_column("users", name):
            op.add_column("users", sa.Column(name, kind, nullable=True))
    op.create_table(
        "group_managers",
        sa.Column("user_id", identifier(), nullable=False),
        sa.Column("group_id", identifier(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "group_id", name="pk_group_managers"),
        key("group_managers", "user_id", "users"),
        key("group_managers", "group_id", "groups"),
        **TABLE,
        if_not_exists=True,
    )
    index("group_managers", "group_id", "user_id")
    make_tokens()
    op.create_table(
        "sign_in_tries",
        sa.Column("key", text(DIGEST), nullable=False),
        sa.Column("arrival_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_sign_in_tries"),
        **TABLE,
        if_not_exists=True,
    )
    index("sign_in_tries", "arrival_time")
    op.create_table(
        "guards",
        sa.Column("name", text(40), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_guards"),
        **TABLE,
        if_not_exists=True,
    )


def make_tokens():
    op.create_table(
        "tokens",
        sa.Column("id", identifier(), nullable=False),
        sa.Column("name", text(80), nullable=True),
        sa.Column("name_folded", folded(), nullable=True),
        sa.Column("digest", text(DIGEST), nullable=False),
        sa.Column("permissions", json(), nullable=True),
        sa.Column("expiration_time", instant(), nullable=False),
        sa.Column("last_used_time", instant(), nullable=True),
        sa.Column("address", text(45), nullable=True),
        sa.Column("address_folded", folded(), nullable=True),
        sa.Column("user_agent", text(500), nullable=True),
        sa.Column("user_agent_folded", folded(), nullable=True),
        sa.Column("user_id", identifier(), nullable=False),
        sa.Column("creation_time", instant(), nullable=False),
        sa.Column("modification_time", instant(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("digest", name="uq_tokens_digest"),
        key("tokens", "user_id", "users"),
        **TABLE,
        if_not_exists=True,
    )
    index("tokens", "user_id", "id")
    index("tokens", "expiration_time", "id")


def downgrade():
    for name in ("guards", "sign_in_tries", "tokens", "group_managers"):
        op.drop_table(name, if_exists=True)
    for name in ("verification_time", "password_hash"):
        if has_column("users", name):
            op.drop_column("users", name)
