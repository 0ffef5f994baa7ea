"""Steps of whole tables: create, remove with their rows, bring back, rename, drop."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic.util import CommandError
from sqlalchemy import Connection

from alembic import op
from users_service.database.steps import alterations as alter
from users_service.database.steps import constraints
from users_service.database.steps.fields import INSTANT, UUID, Field
from users_service.database.steps.rows import stop_if
from users_service.database.steps.shapes import TABLE, Key, has_table, shape_of

TIMES = ("creation_time", "modification_time")


def create_table(name: str, *fields: Field) -> None:
    """Create the table of a resource, or bring back the one that was removed, with its rows.

    It has the id, the times and the version of each resource. A table that is brought back must
    have been removed with the same fields.
    """
    connection = op.get_bind()
    columns = [
        sa.Column("id", UUID, nullable=False),
        *(column for field in fields for column in field.columns),
        *(sa.Column(time, INSTANT, nullable=False) for time in TIMES),
        sa.Column("version", sa.Integer(), server_default=sa.text("'1'"), nullable=False),
    ]
    _create(connection, name, columns, ("id",))
    for time in TIMES:
        constraints.add_index(connection, name, (time, "id"))
    for field in fields:
        for them, unique in field.indexes:
            constraints.add_index(connection, name, them, unique=unique)
        for each in field.uniques:
            constraints.add_unique(connection, name, (each,))
        if field.target:
            key = Key(field.name, field.target, field.on_delete)
            _forget(connection, name, key, null=field.null)
            constraints.add_key(connection, name, key)


def create_association(name: str, source: str, target: str) -> None:
    """Create the table of a to-many relationship, or bring it back with its links.

    :param source: the table of the resources that have it; `target` that of the related ones.
    """
    connection = op.get_bind()
    keys = [Key("source_id", source, "CASCADE"), Key("target_id", target, "CASCADE")]
    columns = [sa.Column(key.column, UUID, nullable=False) for key in keys]
    _create(connection, name, columns, ("source_id", "target_id"))
    constraints.add_index(connection, name, ("target_id", "source_id"))
    for key in keys:
        _forget(connection, name, key, null=False)
        constraints.add_key(connection, name, key)


def _create(
    connection: Connection, name: str, columns: Sequence[sa.Column[Any]], primary: tuple[str, ...]
) -> None:
    if has_table(connection, name):
        return
    removed = _removed(connection, name)
    if removed:
        _compare(connection, removed, name, columns)
        alter.rename_table(connection, removed, name)
        return
    constraint = sa.PrimaryKeyConstraint(*primary, name=f"pk_{name}")
    table = sa.Table(name, sa.MetaData(), *columns, constraint, **TABLE)
    connection.execute(sa.schema.CreateTable(table))


def _removed(connection: Connection, name: str) -> str:
    """The table of this name that was removed last; empty if none was."""
    start = f"removed_{name}_"
    found = [
        each
        for each in sa.inspect(connection).get_table_names()
        if each.startswith(start) and "_" not in each.removeprefix(start)
    ]
    return max(found, default="")


def _compare(
    connection: Connection, removed: str, name: str, columns: Sequence[sa.Column[Any]]
) -> None:
    there = shape_of(connection, removed).columns
    now = {column.name: alter.is_like(connection, column) for column in columns}
    was = {each: alter.is_like(connection, part.column(each)) for each, part in there.items()}
    if was != now:
        differing = sorted(each for each in {*was, *now} if was.get(each) != now.get(each))
        raise CommandError(
            f"{removed}, which has the rows of {name}, differs in {', '.join(differing)}. Create"
            f" {name} as it was, and change it then; or drop {removed}, and its rows with it."
        )


def _forget(connection: Connection, name: str, key: Key, *, null: bool) -> None:
    """Take away what leads to rows that were deleted while the table was removed."""
    table = sa.table(name, sa.column(key.column, UUID))
    target = sa.table(key.target, sa.column("id", UUID)).alias("target")
    column = table.c[key.column]
    there = sa.exists().where(target.c.id == column)
    if name == key.target or not constraints.has_rows(connection, name):
        return
    lost = column.is_not(None) & ~there
    if null:
        connection.execute(sa.update(table).where(lost).values({key.column: None}))
    elif key.on_delete == "CASCADE":
        connection.execute(sa.delete(table).where(lost))
    else:
        found = connection.scalars(sa.select(column).where(lost).distinct()).all()
        stop_if([str(each) for each in found], name, f"their {key.column} leads to none of these")


def remove_table(name: str, revision: str) -> None:
    """Remove a table and keep its rows: it is named `removed_<name>_<revision>`.

    Nothing leads from it to other tables any more, and its names are free. It comes back by
    `create_table` or `create_association`.

    :raises CommandError: if other tables refer to it.
    """
    connection = op.get_bind()
    removed = f"removed_{name}_{revision}"
    look = sa.inspect(connection)
    if not has_table(connection, name):
        return
    referring = sorted(
        {
            table
            for table in look.get_table_names()
            for key in look.get_foreign_keys(table)
            if table != name and key["referred_table"] == name
        }
    )
    if referring:
        raise CommandError(
            f"{name} cannot be removed, because {', '.join(referring)} refer to it. Remove these"
            " relationships first."
        )
    shape = shape_of(connection, name)
    for key in shape.keys:
        constraints.drop_key(connection, name, key)
    for unique in shape.uniques:
        constraints.drop_unique(connection, name, unique)
    for index in shape_of(connection, name).indexes:
        constraints.drop_index(connection, name, index)
    alter.rename_table(connection, name, removed)


def drop_table(*names: str) -> None:
    """Drop tables and their rows."""
    for name in names:
        table: Any = sa.table(name)
        op.get_bind().execute(sa.schema.DropTable(table, if_exists=True))


def rename_table(was: str, name: str) -> None:
    """Rename a table, and all that is named after it."""
    alter.rename_table(op.get_bind(), was, name)
