"""The permissions that roles and tokens name, where a type is renamed."""

from typing import Any

import sqlalchemy as sa

from alembic import op
from users_service.database.steps.fields import JSON
from users_service.database.steps.rows import rows_of, table_of

HOLDERS = ("roles", "tokens")


def rename_permissions(was: str, name: str) -> None:
    """Let roles and tokens, as far as there are these tables, name the permissions of a type by its
    new name.

    :param was: the former name of the type.
    """
    connection = op.get_bind()
    columns: list[sa.ColumnClause[Any]] = [
        sa.column("permissions", JSON),
        sa.column("version", sa.Integer()),
    ]
    there = sa.inspect(connection)
    for holder in filter(there.has_table, HOLDERS):
        table = table_of(holder, columns)
        for rows in rows_of(connection, holder, columns):
            for row in rows:
                renamed = [_renamed(each, was, name) for each in row.permissions or ()]
                if renamed != list(row.permissions or ()):
                    change = sa.update(table).where(table.c.id == row.id)
                    values = {"permissions": renamed, "version": row.version + 1}
                    connection.execute(change.values(values))


def _renamed(permission: str, was: str, name: str) -> str:
    kind, colon, action = permission.partition(":")
    return f"{name}{colon}{action}" if kind == was else permission
