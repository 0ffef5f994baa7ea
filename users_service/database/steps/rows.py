"""What steps do with rows: look for those in the way, and give them values in batches."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from alembic.util import CommandError
from sqlalchemy import Connection

from users_service.database.migration_lock import go_on
from users_service.database.steps.fields import UUID, Field

BATCH = 1000
# How many rows, and characters of a text, a refusal names.
MOST_ROWS, MOST_CHARACTERS = 5, 60
SAFE = 2**53


class _MadeUp:
    """A backfill: values that are made up, and differ; of a key, the first row that it may have.

    Only for what a downgrade brings back without its values.
    """

    def __repr__(self) -> str:
        return "MADE_UP"


MADE_UP = _MadeUp()


def rows_of(connection: Connection, table: str, columns: Sequence[sa.ColumnClause[Any]]) -> Any:
    """Yield the rows of a table in batches, by their ids."""
    known = table_of(table, columns)
    statement = sa.select(known.c.id, *(known.c[each.name] for each in columns))
    statement = statement.order_by(known.c.id).limit(BATCH)
    while rows := connection.execute(statement).all():
        yield rows
        statement = statement.where(known.c.id > rows[-1].id)


def table_of(name: str, columns: Iterable[sa.ColumnClause[Any]]) -> sa.TableClause:
    identifier: sa.ColumnClause[Any] = sa.column("id", UUID)
    return sa.table(name, identifier, *(sa.column(each.name, each.type) for each in columns))


def stop_if(found: Sequence[str], table: str, reason: str) -> None:
    """:raises CommandError: if there are rows in the way; it names some of them."""
    if found:
        more = f" and {len(found) - MOST_ROWS} more" if len(found) > MOST_ROWS else ""
        raise CommandError(
            f"The migration stops, because rows of {table} are in its way: {reason}:"
            f" {', '.join(found[:MOST_ROWS])}{more}. Change these rows, and migrate again."
        )


def _said(row: Any) -> str:
    value = row[1]
    shown = ascii(value[:MOST_CHARACTERS]) if isinstance(value, str) else str(value)
    return f"{row.id} ({shown})"


def check_values(connection: Connection, table: str, was: Field, now: Field) -> None:
    """Stop if there are values of a field that its new form does not take."""
    column: sa.ColumnClause[Any] = sa.column(was.name, was.type)
    condition = _misfit(column, was, now, connection.dialect.name)
    if condition is not None:
        known = table_of(table, [column])
        found = sa.select(known.c.id, known.c[was.name]).where(condition)
        rows = connection.execute(found.order_by(known.c.id)).all()
        stop_if([_said(row) for row in rows], table, f"the new {now.name} does not take")


def _misfit(
    column: sa.ColumnClause[Any], was: Field, now: Field, dialect: str
) -> sa.ColumnElement[bool] | None:
    """The condition of values that a new form of a field does not take; None if it takes all."""
    if now.values and (not was.values or not {*was.values} <= {*now.values}):
        return column.not_in(now.values)
    if was.kind == now.kind == "text":
        length = sa.func.length if dialect == "sqlite" else sa.func.char_length
        return length(column) > now.length if now.length < was.length else None
    numbers = ("integer", "decimal")
    if was.kind in numbers and now.kind in numbers:
        return _misfitting_number(column, was, now, dialect)
    if (was.kind, now.kind) == ("timestamp", "date"):
        match dialect:
            case "sqlite":
                return sa.func.substr(column, 12) != "00:00:00.000000"
            case "postgresql":
                return sa.func.date_trunc("day", column, "UTC") != column
            case _:
                return sa.cast(column, sa.Date()) != column
    return None


def _misfitting_number(
    column: sa.ColumnClause[Any], was: Field, now: Field, dialect: str
) -> sa.ColumnElement[bool] | None:
    limit = SAFE if now.kind == "integer" else 10 ** (now.digits - now.scale)
    held = SAFE if was.kind == "integer" else 10 ** (was.digits - was.scale)
    conditions: list[sa.ColumnElement[bool]] = []
    scaled = 10**was.scale if dialect == "sqlite" else 1
    number: sa.ColumnElement[Any] = sa.type_coerce(column, sa.Numeric())
    if limit < held:
        conditions.append(sa.func.abs(number) >= sa.literal_column(str(limit * scaled)))
    if now.scale < was.scale:
        if dialect == "sqlite":
            rest = number.op("%")(sa.literal_column(str(10 ** (was.scale - now.scale))))
            conditions.append(rest != 0)
        else:
            conditions.append(sa.func.round(number, now.scale) != number)
    return sa.or_(*conditions) if conditions else None


def check_unique(connection: Connection, table: str, field: Field) -> None:
    """Stop if rows have the same value of a field that is to be unique."""
    computes = [each.compute for each in field.computed if each.unique]
    if not computes and not field.unique:
        return
    rows_by: dict[Any, list[str]] = defaultdict(list)
    if computes:
        for rows in rows_of(connection, table, [field.column]):
            for row in rows:
                if row[1] is not None:
                    rows_by[computes[0](row[1])].append(_said(row))
    else:
        known = table_of(table, [field.column])
        column = known.c[field.name]
        twice = sa.select(column).where(column.is_not(None)).group_by(column)
        again = twice.having(sa.func.count() > 1).subquery()
        statement = sa.select(known.c.id, column).join(again, again.c[0] == column)
        for row in connection.execute(statement.order_by(column, known.c.id)):
            rows_by[row[1]].append(_said(row))
    same = [each for them in rows_by.values() if len(them) > 1 for each in them]
    stop_if(same, table, f"the {field.name} must be unique, but these are the same")


def check_required(connection: Connection, table: str, field: Field) -> None:
    """Stop if rows have no value of a field that is to be required."""
    known = table_of(table, [field.column])
    column = known.c[field.name]
    rows = connection.execute(sa.select(known.c.id).where(column.is_(None))).scalars()
    stop_if([str(each) for each in rows], table, f"these have no {field.name}, which is required")


def fill(connection: Connection, table: str, field: Field, value: Any) -> None:
    """Give a value to the rows that have none of a field.

    :param value: one of JSON, or `MADE_UP`.
    """
    known = table_of(table, [field.column])
    column, dialect = known.c[field.name], connection.dialect.name
    missing = sa.select(known.c.id).where(column.is_(None)).order_by(known.c.id).limit(BATCH)
    change = sa.update(known).where(known.c.id == sa.bindparam("_id"))
    change = change.values({field.name: sa.bindparam("_value", type_=column.type)})
    given = sa.select(sa.func.count()).select_from(known).where(column.is_not(None))
    number = connection.scalar(given) or 0
    while ids := connection.scalars(missing).all():
        changes = []
        for id_ in ids:
            chosen, number = value, number + 1
            if value is MADE_UP:
                chosen = _made_up(connection, field, number)
            changes.append({"_id": id_, "_value": field.stored(chosen, dialect)})
        connection.execute(change, changes)
        go_on(connection)


def _made_up(connection: Connection, field: Field, number: int) -> Any:
    match field.kind:
        case "boolean":
            return False
        case "integer":
            return number
        case "decimal":
            return "0"
        case "date":
            return date.fromordinal(number).isoformat()
        case "timestamp":
            return "1970-01-01T00:00:00+00:00"
        case "key":
            target = sa.table(field.target, sa.column("id", UUID))
            return connection.scalar(sa.select(target.c.id).order_by(target.c.id).limit(1))
        case _ if field.values:
            return field.values[0]
        case _:
            return field.sample.format(number)[: field.length]


def fill_computed(connection: Connection, table: str, field: Field) -> None:
    """Compute what is computed from a text, where that is not up to date."""
    columns = field.columns
    known = table_of(table, columns)
    names = [field.name_of(each) for each in field.computed]
    change = sa.update(known).where(known.c.id == sa.bindparam("_id"))
    change = change.values({name: sa.bindparam(f"_{name}") for name in names})
    for rows in rows_of(connection, table, columns):
        changes = []
        for id_, text, *before in rows:
            after = [None if text is None else each.compute(text) for each in field.computed]
            if after != before:
                values = {f"_{name}": value for name, value in zip(names, after, strict=True)}
                changes.append({"_id": id_, **values})
        if changes:
            connection.execute(change, changes)
            go_on(connection)
