"""Resources and queries become SELECT statements."""

import operator
from collections.abc import Collection
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Select,
    and_,
    false,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement

from users_service.jsonapi.cursors import Order, Position
from users_service.jsonapi.query import Include, Query
from users_service.jsonapi.resource import Relationship, Resource


def begin_snapshot(session: Session) -> None:
    """Let the statements that follow see one state of the database.

    :param session: says in `info["snapshot"]` which options of a connection that takes; a session
        that writes says nothing, and sees what it has locked.
    """
    if options := session.info.get("snapshot"):
        session.connection(execution_options=options)


def select_rows(
    resource: Resource, query: Query, include: Include | None = None, order: Order = ()
) -> Select[Any]:
    """Select what a document needs: the id, the version and the attributes that it shows, in this
    order, and then what leads on from there.
    """
    more = [resource.attribute(name) for name, _ in order if name != "id"]
    more += [
        relationship.key_attribute
        for name, relationship in resource.relationships.items()
        if name in (include or ()) and relationship.holds_key
    ]
    return _select(resource, query.fields.get(resource.type), tuple(more))


@lru_cache(maxsize=512)  # clients choose the fields
def _select(resource: Resource, shown: frozenset[str] | None, more: tuple[str, ...]) -> Select[Any]:
    names = [name for name in resource.readable if shown is None or name in shown]
    attributes = [resource.id_attribute, resource.version_attribute]
    attributes += [resource.attribute(name) for name in names]
    attributes += dict.fromkeys(attribute for attribute in more if attribute not in attributes)
    return select(*(_named(resource.columns[attribute], attribute) for attribute in attributes))


def _named(column: Column[Any], attribute: str) -> ColumnElement[Any]:
    """A column under the name that the model has for it."""
    return column if column.key == attribute else column.label(attribute)


def select_one(resource: Resource, query: Query, id: Any) -> Select[Any]:
    return select_rows(resource, query, query.include).where(resource.id_column == id)


def select_version(resource: Resource, id: Any) -> Select[Any]:
    return select(resource.version_column).where(resource.id_column == id)


def select_by_id(
    resource: Resource, query: Query, include: Include, ids: Collection[Any]
) -> Select[Any]:
    return select_rows(resource, query, include).where(resource.id_column.in_(ids))


def select_related(
    relationship: Relationship, query: Query, include: Include, sources: Collection[Any]
) -> Select[Any]:
    """Select what several resources relate to, each row with the id of the one it belongs to."""
    target = relationship.target
    statement = select_rows(target, query, include)
    if relationship.secondary is not None:
        source, other = relationship.secondary_columns
        statement = statement.join(relationship.secondary, other == target.id_column)
    else:
        source = relationship.key_column
    return statement.add_columns(source.label("_source")).where(source.in_(sources))


def related_to(relationship: Relationship, source: Any) -> ColumnElement[bool]:
    """Hold for the resources at the other end of one resource's relationship."""
    target = relationship.target
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


def select_total(resource: Resource, *conditions: ColumnElement[bool]) -> Select[int]:
    return select(func.count()).select_from(resource.table).where(*conditions)


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


def behind(resource: Resource, order: Order, position: Position) -> ColumnElement[bool]:
    """Hold for the rows that come behind a position in an order.

    An engine shall find the first of them in an index of the order's fields, and not by going
    through all that come before.
    """
    if not position:
        return false()
    columns = [resource.column(name) for name, _ in order]
    bounds = [_bound(column, value) for column, value in zip(columns, position, strict=True)]
    by_columns = _behind_by_columns(resource, order, position)
    directions = {descending for _, descending in order}
    if len(directions) > 1 or any(map(_nullable, columns)):
        return by_columns
    compare = operator.lt if directions == {True} else operator.gt
    return in_range(compare(tuple_(*columns), tuple_(*bounds)), by_columns)


def _behind_by_columns(resource: Resource, order: Order, position: Position) -> ColumnElement[bool]:
    alternatives: list[ColumnElement[bool]] = []
    tied: list[ColumnElement[bool]] = []
    for (name, descending), value in zip(order, position, strict=True):
        column = resource.column(name)
        alternatives.append(and_(*tied, _further(column, descending, value)))
        tied.append(column.is_(None) if value is None else column == _bound(column, value))
    return and_(_not_before(resource, order[0], position[0]), or_(*alternatives))


def _not_before(resource: Resource, term: tuple[str, bool], value: Any) -> ColumnElement[bool]:
    """What all rows behind a position have in common, where it is a range of one column.

    It says nothing new, but not every engine sees it in the alternatives.
    """
    name, descending = term
    column = resource.column(name)
    result: ColumnElement[bool] = true()
    if value is not None and descending:
        result = column <= _bound(column, value)
    elif value is not None and not _nullable(column):
        result = column >= _bound(column, value)
    return result


def before(resource: Resource, order: Order, position: Position) -> ColumnElement[bool]:
    """Hold for the rows that come before a position; all rows are before the end."""
    return behind(resource, reversed_order(order), position) if position else true()


def _further(column: Any, descending: bool, value: Any) -> ColumnElement[bool]:
    """Hold where a column's value comes behind another one, null counting as the greatest."""
    result: ColumnElement[bool]
    if value is None:
        result = column.is_not(None) if descending else false()
    elif descending:
        result = column < _bound(column, value)
    else:
        result = column > _bound(column, value)
        if _nullable(column):
            result = or_(result, column.is_(None))
    return result


def _bound(column: Any, value: Any) -> Any:
    # As a typed parameter: SQLAlchemy compares with True and False by IS alone.
    return literal(value, column.type)


def _nullable(column: Any) -> bool:
    return bool(column.expression.nullable)
