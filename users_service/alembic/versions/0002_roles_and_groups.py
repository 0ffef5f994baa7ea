"""Roles, groups, and the version that every change increments.

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql

from alembic import op
from users_service.alembic.steps import has_column, has_foreign_key, has_index

revision = "0002"
down_revision = "0001"
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


def stamps():
    return [
        sa.Column("creation_time", instant(), nullable=False),
        sa.Column("modification_time", instant(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
    ]


def upgrade():
    op.create_table(
        "roles",
        sa.Column("id", identifier(), nullable=False),
        sa.Column("name", text(80), nullable=False),
        sa.Column("description", text(10_000), nullable=True),
        sa.Column(
            "permissions",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            nullable=False,
        ),
        *stamps(),
        sa.PrimaryKeyConstraint("id", name="pk_roles"),
        sa.UniqueConstraint("name", name="uq_roles_name"),
        **TABLE,
        if_not_exists=True,
    )
    op.create_table(
        "groups",
        sa.Column("id", identifier(), nullable=False),
        sa.Column("name", text(250), nullable=False),
        sa.Column("description", text(10_000), nullable=True),
        *stamps(),
        sa.PrimaryKeyConstraint("id", name="pk_groups"),
        sa.UniqueConstraint("name", name="uq_groups_name"),
        **TABLE,
        if_not_exists=True,
    )
    with op.batch_alter_table("users") as users:
        if not has_column("users", "role_id"):
            users.add_column(sa.Column("role_id", identifier(), nullable=True))
        if not has_column("users", "version"):
            users.add_column(sa.Column("version", sa.Integer(), server_default="1", nullable=False))
        if not has_index("users", "ix_users_role_id"):
            users.create_index("ix_users_role_id", ["role_id"])
        if not has_foreign_key("users", "fk_users_role_id"):
            users.create_foreign_key(
                "fk_users_role_id", "roles", ["role_id"], ["id"], ondelete="RESTRICT"
            )
    op.create_table(
        "memberships",
        sa.Column("user_id", identifier(), nullable=False),
        sa.Column("group_id", identifier(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "group_id", name="pk_memberships"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_memberships_user_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.id"], name="fk_memberships_group_id", ondelete="CASCADE"
        ),
        **TABLE,
        if_not_exists=True,
    )
    op.create_index(
        "ix_memberships_group_id_user_id",
        "memberships",
        ["group_id", "user_id"],
        if_not_exists=True,
    )


def downgrade():
    op.drop_table("memberships", if_exists=True)
    with op.batch_alter_table("users") as users:
        if has_foreign_key("users", "fk_users_role_id"):
            users.drop_constraint("fk_users_role_id", type_="foreignkey")
        if has_index("users", "ix_users_role_id"):
            users.drop_index("ix_users_role_id")
        for column in ("version", "role_id"):
            if has_column("users", column):
                users.drop_column(column)
    op.drop_table("groups", if_exists=True)
    op.drop_table("roles", if_exists=True)
