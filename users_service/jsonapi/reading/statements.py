"""Resources and queries become SELECT statements."""

import operator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Select,
    and_,
    false,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from ..resource import Relationship, Resource
from .conditions import parameter
from .cursors import Order, Position
from .query import Include, Query

# Statements are made once for all requests of one form, and get their values when they are carried
# out. Clients choose the forms: so many are kept.
KEPT = 512


def begin_snapshot(connection: Connection) -> None:
    """Let the statements that follow see one state of the database.

    :param connection: its execution option `snapshot` has the options with which it does so; a
        connection that writes has none, and sees what it has locked.
    """
    if options := connection.get_execution_options().get("snapshot"):
        connection.execution_options(**options)


@dataclass(frozen=True, slots=True)
class Selected:
    """What is read of each resource: the id, the version and the attributes that a document shows,
    in this order, and then what leads on from there.

    :param shown: the fields that documents show; None for all.
    :param more: further attributes of the model.
    """

    resource: Resource
    shown: frozenset[str] | None
    more: tuple[str, ...] = ()

    def select(self) -> Select[Any]:
        resource, shown = self.resource, self.shown
        names = [name for name in resource.readable if shown is None or name in shown]
        attributes = [resource.id_attribute, resource.version_attribute]
        attributes += [resource.attribute(name) for name in names]
        attributes += [attribute for attribute in self.more if attribute not in attributes]
        return select(*(_named(resource.columns[attribute], attribute) for attribute in attributes))


def selected(
    resource: Resource, query: Query, include: Include | None = None, order: Order = ()
) -> Selected:
    """Say what a document needs of the rows of a resource."""
    more = [resource.attribute(name) for name, _ in order if name != "id"]
    more += [
        relationship.key_attribute
        for name, relationship in resource.relationships.items()
        if name in (include or ()) and relationship.holds_key
    ]
    return Selected(resource, query.fields.get(resource.type), tuple(dict.fromkeys(more)))


def _named(column: Column[Any], attribute: str) -> ColumnElement[Any]:
    """A column under the name that the model has for it."""
    return column if column.key == attribute else column.label(attribute)


@lru_cache(maxsize=KEPT)
def select_one(rows: Selected) -> Select[Any]:
    """Select the resource with the `id`."""
    column = rows.resource.id_column
    return rows.select().where(column == parameter("id", column))


@lru_cache(maxsize=KEPT)
def select_version(resource: Resource) -> Select[Any]:
    """Select the version of the resource with the `id`."""
    column = resource.id_column
    return select(resource.version_column).where(column == parameter("id", column))


@lru_cache(maxsize=KEPT)
def select_by_id(rows: Selected) -> Select[Any]:
    """Select the resources with the `ids`."""
    column = rows.resource.id_column
    return rows.select().where(column.in_(parameter("ids", column, expanding=True)))


@lru_cache(maxsize=KEPT)
def select_related(relationship: Relationship, rows: Selected) -> Select[Any]:
    """Select what the resources with the `ids` relate to: at most `size` rows, in no order, each
    with the id of the one that it belongs to as its last value.

    For an order of at most so many rows, PostgreSQL would go through all targets by their index.
    """
    target = relationship.target
    statement = rows.select()
    if relationship.secondary is not None:
        source, other = relationship.secondary_columns
        statement = statement.join(relationship.secondary, other == target.id_column)
    else:
        source = relationship.key_column
    statement = statement.add_columns(source.label("_source"))
    statement = statement.where(source.in_(parameter("ids", source, expanding=True)))
    return statement.limit(parameter("size", BigInteger()))


@lru_cache(maxsize=KEPT)
def select_target(relationship: Relationship, rows: Selected) -> Select[Any]:
    """Select what the resource with the id `source` relates to."""
    return rows.select().where(related_to(relationship))


def related_to(relationship: Relationship) -> ColumnElement[bool]:
    """Hold for the resources at the other end of the relationship of the one with id `source`."""
    target = relationship.target
    source = parameter("source", relationship.source.id_column)
    condition: ColumnElement[bool]
    if relationship.holds_key:
        key = select(relationship.key_column).where(relationship.source.id_column == source)
        condition = target.id_column == key.scalar_subquery()
    elif relationship.secondary is not None:
        mine, other = relationship.secondary_columns
        condition = target.id_column.in_(select(other).where(mine == source))
    else:
        condition = relationship.key_column == source
    return condition


class nulls_last(FunctionElement[Any]):  # noqa: N801  # as SQLAlchemy names functions
    """A key of ORDER BY that ascends, with nulls behind all values."""

    inherit_cache = True


class nulls_first(FunctionElement[Any]):  # noqa: N801
    """A key of ORDER BY that descends, with nulls before all values."""

    inherit_cache = True


@compiles(nulls_last)
def _by_null_and_value(element: Any, compiler: Any, **options: Any) -> str:
    column = compiler.process(element.clauses, **options)
    return f"{column} IS NULL, {column}"


@compiles(nulls_first)
def _by_null_and_value_descending(element: Any, compiler: Any, **options: Any) -> str:
    column = compiler.process(element.clauses, **options)
    return f"{column} IS NULL DESC, {column} DESC"


# PostgreSQL puts nulls there by itself; with a key for them it would use no index.
@compiles(nulls_last, "postgresql")
def _by_value(element: Any, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(nulls_first, "postgresql")
def _by_value_descending(element: Any, compiler: Any, **options: Any) -> str:
    return f"{compiler.process(element.clauses, **options)} DESC"


class in_range(FunctionElement[bool]):  # noqa: N801
    """A condition in two forms: by comparison of rows, and by comparison of columns.

    Each engine gets the form in which it sees a range of an index.
    """

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        return self  # and not `… = 1`, which is a range to no engine


@compiles(in_range)
def _by_rows(element: Any, compiler: Any, **options: Any) -> str:
    by_rows, _ = element.clauses
    return str(compiler.process(by_rows, **options))


@compiles(in_range, "mysql", "mariadb")
def _by_columns(element: Any, compiler: Any, **options: Any) -> str:
    _, by_columns = element.clauses
    return f"({compiler.process(by_columns, **options)})"


def order_by(resource: Resource, order: Order) -> list[ColumnElement[Any]]:
    """Order rows the same on every engine: nulls are last, and first where a field descends."""
    clauses: list[ColumnElement[Any]] = []
    for name, descending in order:
        column = resource.column(name)
        if _nullable(column):
            clauses.append(nulls_first(column) if descending else nulls_last(column))
        else:
            clauses.append(column.desc() if descending else column.asc())
    return clauses


def reversed_order(order: Order) -> Order:
    return tuple((name, not descending) for name, descending in order)


def parametrized(prefix: str, position: Position) -> tuple[Position, dict[str, Any]]:
    """Take the values out of a position: it gets the names of parameters instead, or None for null.

    :returns: the position of names, and the values by their names.
    """
    names = tuple(
        None if value is None else f"{prefix}_{index}" for index, value in enumerate(position)
    )
    return names, {name: v for name, v in zip(names, position, strict=True) if name is not None}


def behind(resource: Resource, order: Order, position: Position) -> ColumnElement[bool]:
    """Hold for the rows that come behind a position in an order.

    An engine shall find the first of them in an index of the order's fields, and not by going
    through all that come before.

    :param position: with names of parameters for values.
    """
    if not position:
        return false()
    columns = [resource.column(name) for name, _ in order]
    by_columns = _behind_by_columns(resource, order, position)
    directions = {descending for _, descending in order}
    if len(directions) > 1 or any(map(_nullable, columns)):
        return by_columns
    bounds = [parameter(name, column) for column, name in zip(columns, position, strict=True)]
    compare = operator.lt if directions == {True} else operator.gt
    return in_range(compare(tuple_(*columns), tuple_(*bounds)), by_columns)


def _behind_by_columns(resource: Resource, order: Order, position: Position) -> ColumnElement[bool]:
    alternatives: list[ColumnElement[bool]] = []
    tied: list[ColumnElement[bool]] = []
    for (name, descending), bound in zip(order, position, strict=True):
        column = resource.column(name)
        alternatives.append(and_(*tied, _further(column, descending, bound)))
        tied.append(column.is_(None) if bound is None else column == parameter(bound, column))
    return and_(_not_before(resource, order[0], position[0]), or_(*alternatives))


def _not_before(
    resource: Resource, term: tuple[str, bool], bound: str | None
) -> ColumnElement[bool]:
    """What all rows behind a position have in common, where it is a range of one column.

    It says nothing new, but not every engine sees it in the alternatives.
    """
    name, descending = term
    column = resource.column(name)
    result: ColumnElement[bool] = true()
    if bound is not None and descending:
        result = column <= parameter(bound, column)
    elif bound is not None and not _nullable(column):
        result = column >= parameter(bound, column)
    return result


def before(resource: Resource, order: Order, position: Position) -> ColumnElement[bool]:
    """Hold for the rows that come before a position; all rows are before the end."""
    return behind(resource, reversed_order(order), position) if position else true()


def _further(column: Any, descending: bool, bound: str | None) -> ColumnElement[bool]:
    """Hold where a column's value comes behind another one, null counting as the greatest."""
    result: ColumnElement[bool]
    if bound is None:
        result = column.is_not(None) if descending else false()
    elif descending:
        result = column < parameter(bound, column)
    else:
        result = column > parameter(bound, column)
        if _nullable(column):
            result = or_(result, column.is_(None))
    return result


def _nullable(column: Any) -> bool:
    return bool(column.expression.nullable)
