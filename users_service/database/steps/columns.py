"""Steps of single fields: add, drop, rename, change.

Each does nothing where its table, or the field that it changes, is not there: then a later step has
renamed it, before the migration was stopped.
"""

from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from alembic.util import CommandError
from sqlalchemy import Connection

from alembic import op
from users_service.database.migration_lock import go_on
from users_service.database.steps import alterations as alter
from users_service.database.steps import constraints, rows
from users_service.database.steps.fields import Computed, Field
from users_service.database.steps.shapes import Key, convention, has_table, shape_of

MIDNIGHT = " 00:00:00.000000"


def add_column(table: str, field: Field, *, backfill: Any = None) -> None:
    """Add a field to a table.

    :param backfill: the value of rows that are there, as JSON has it; required fields need one.
    """
    connection = op.get_bind()
    if not has_table(connection, table):
        return
    if not field.null and backfill is None and constraints.has_rows(connection, table):
        raise CommandError(f"{table} has rows, so its new {field.name} needs a backfill.")
    _add(connection, table, field)
    _settle(connection, table, field, backfill)


def _add(connection: Connection, table: str, field: Field) -> None:
    """Add the columns of a field; those without a default may have no value at first."""
    optional = [
        sa.Column(
            each.name,
            each.type,
            nullable=each.server_default is None or bool(each.nullable),
            server_default=each.server_default,
        )
        for each in field.columns
    ]
    alter.add_columns(connection, table, optional)
    go_on(connection)


def _settle(connection: Connection, table: str, field: Field, backfill: Any) -> None:
    """Fill the columns of a field, and constrain them."""
    if backfill is not None:
        rows.fill(connection, table, field, backfill)
    if field.computed:
        rows.fill_computed(connection, table, field)
    if not field.null:
        rows.check_required(connection, table, field)
    rows.check_unique(connection, table, field)
    for column in field.columns:
        alter.change_column(connection, table, column)
    for columns, unique in field.indexes:
        constraints.add_index(connection, table, columns, unique=unique)
    for name in field.uniques:
        constraints.add_unique(connection, table, (name,))
    if field.target:
        constraints.add_key(connection, table, Key(field.name, field.target, field.on_delete))


def drop_column(table: str, field: Field) -> None:
    """Drop a field with its values."""
    connection = op.get_bind()
    if has_table(connection, table):
        alter.drop_columns(connection, table, [column.name for column in field.columns])


def rename_column(table: str, was: str, field: Field) -> None:
    """Rename a field, and all that is named after it.

    :param was: its former name.
    :param field: as it is now, but for its name as it was.
    """
    connection = op.get_bind()
    if not has_table(connection, table):
        return
    former = [column.name for column in field.named(was).columns]
    now = [column.name for column in field.columns]
    alter.rename_columns(connection, table, dict(zip(former, now, strict=True)))


def check_column(table: str, was: Field, now: Field, *, backfill: Any = None) -> None:
    """Stop if there are rows in the way of a change of a field.

    A migration begins with these, so that it changes nothing if it cannot change all.

    :raises CommandError: naming the rows.
    """
    connection = op.get_bind()
    if not _is_there(connection, table, was):
        return
    rows.check_values(connection, table, was, now)
    if was.null and not now.null and backfill is None:
        rows.check_required(connection, table, was)
    if now.uniqueness - was.uniqueness:
        rows.check_unique(connection, table, replace(now, name=was.name, type=was.type))


def change_column(table: str, was: Field, now: Field, *, backfill: Any = None) -> None:
    """Change the type of a field, its length, whether it is required or unique, or its key.

    Both have the same name.
    """
    connection = op.get_bind()
    if not _is_there(connection, table, was):
        return
    check_column(table, was, now, backfill=backfill)
    for columns, _ in {*was.indexes} - {*now.indexes}:
        constraints.drop_index(connection, table, convention("ix", table, columns))
    for name in {*was.uniques} - {*now.uniques}:
        constraints.drop_unique(connection, table, convention("uq", table, (name,)))
    kept = {_what(each) for each in now.computed}
    gone = [was.name_of(each) for each in was.computed if _what(each) not in kept]
    alter.drop_columns(connection, table, gone)
    _convert(connection, table, was, now)
    _add(connection, table, now)
    _settle(connection, table, now, backfill)


def _is_there(connection: Connection, table: str, field: Field) -> bool:
    """Whether a later step has not yet renamed a field or its table, before it was stopped."""
    return has_table(connection, table) and field.name in shape_of(connection, table).columns


def _what(computed: Computed) -> tuple[Any, ...]:
    return computed.ending, computed.compute, computed.unique


def _convert(connection: Connection, table: str, was: Field, now: Field) -> None:
    """Give the column of a field the type that it has now."""
    name = constraints.quoted(connection, was.name)
    column: sa.ColumnElement[Any] = sa.column(was.name)
    using, value = "", None
    match was.kind, now.kind:
        case "date", "timestamp":
            using, value = f"{name}::timestamp AT TIME ZONE 'UTC'", column.concat(MIDNIGHT)
        case "timestamp", "date":
            using, value = f"({name} AT TIME ZONE 'UTC')::date", sa.func.substr(column, 1, 10)
        case (("integer" | "decimal"), ("integer" | "decimal")) if was.scale != now.scale:
            # On SQLite they are integers, which are scaled. None passes 64 bits in between.
            more, less = 10 ** max(now.scale - was.scale, 0), 10 ** max(was.scale - now.scale, 0)
            value = sa.literal_column(f"{name} * {more} / {less}")
    null = shape_of(connection, table).columns[was.name].null
    changed = sa.Column(now.name, now.type, nullable=null)
    alter.change_column(connection, table, changed, using=using, value=value)
