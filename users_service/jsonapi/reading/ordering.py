"""The order of rows, and what comes behind a position in it, as engines find it by an index."""

import operator
from typing import Any

from sqlalchemy import Boolean, ColumnElement, and_, false, or_, true, tuple_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from ..resource import Resource
from .conditions import bind
from .cursors import Order, Position


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


def name_values(prefix: str, position: Position) -> tuple[Position, dict[str, Any]]:
    """Take the values out of a position, which gets names for them instead, or None for null.

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

    :param position: with names for values.
    """
    if not position:
        return false()
    columns = [resource.column(name) for name, _ in order]
    by_columns = _behind_by_columns(resource, order, position)
    directions = {descending for _, descending in order}
    if len(directions) > 1 or any(map(_nullable, columns)):
        return by_columns
    bounds = [bind(name, column) for column, name in zip(columns, position, strict=True)]
    compare = operator.lt if directions == {True} else operator.gt
    return in_range(compare(tuple_(*columns), tuple_(*bounds)), by_columns)


def _behind_by_columns(resource: Resource, order: Order, position: Position) -> ColumnElement[bool]:
    alternatives: list[ColumnElement[bool]] = []
    tied: list[ColumnElement[bool]] = []
    for (name, descending), bound in zip(order, position, strict=True):
        column = resource.column(name)
        alternatives.append(and_(*tied, _further(column, descending, bound)))
        tied.append(column.is_(None) if bound is None else column == bind(bound, column))
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
        result = column <= bind(bound, column)
    elif bound is not None and not _nullable(column):
        result = column >= bind(bound, column)
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
        result = column < bind(bound, column)
    else:
        result = column > bind(bound, column)
        if _nullable(column):
            result = or_(result, column.is_(None))
    return result


def _nullable(column: Any) -> bool:
    return bool(column.expression.nullable)
