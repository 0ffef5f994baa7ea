"""Makes ORDER BY clauses, and conditions for the rows after a position, which engines can answer
from an index.
"""

import operator
from typing import Any

from sqlalchemy import Boolean, ColumnElement, and_, false, or_, true, tuple_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from ..resource import Resource
from .conditions import bind
from .cursors import Order, Position


class nulls_last(FunctionElement[Any]):  # noqa: N801  # as SQLAlchemy names functions
    """An ascending key of ORDER BY, with nulls after all values."""

    inherit_cache = True


class nulls_first(FunctionElement[Any]):  # noqa: N801
    """A descending key of ORDER BY, with nulls before all values."""

    inherit_cache = True


@compiles(nulls_last)
def _by_null_and_value(element: Any, compiler: Any, **options: Any) -> str:
    column = compiler.process(element.clauses, **options)
    return f"{column} IS NULL, {column}"


@compiles(nulls_first)
def _by_null_and_value_descending(element: Any, compiler: Any, **options: Any) -> str:
    column = compiler.process(element.clauses, **options)
    return f"{column} IS NULL DESC, {column} DESC"


# On PostgreSQL this is the default place of nulls, and an explicit key would prevent index use.
@compiles(nulls_last, "postgresql")
def _by_value(element: Any, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(nulls_first, "postgresql")
def _by_value_descending(element: Any, compiler: Any, **options: Any) -> str:
    return f"{compiler.process(element.clauses, **options)} DESC"


class in_range(FunctionElement[bool]):  # noqa: N801
    """The same condition in two forms: a comparison of rows, and a comparison of columns.

    Each engine gets the form that it can answer by a range scan of an index.
    """

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        return self  # SQLAlchemy would write `… = 1`, for which no engine uses an index


@compiles(in_range)
def _by_rows(element: Any, compiler: Any, **options: Any) -> str:
    by_rows, _ = element.clauses
    return str(compiler.process(by_rows, **options))


@compiles(in_range, "mysql", "mariadb")
def _by_columns(element: Any, compiler: Any, **options: Any) -> str:
    _, by_columns = element.clauses
    return f"({compiler.process(by_columns, **options)})"


def order_by(resource: Resource, order: Order) -> list[ColumnElement[Any]]:
    """Return ORDER BY clauses with the same result on every engine.

    Nulls count as the greatest value: they are last if a field ascends, first if it descends.
    """
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


def extract_values(prefix: str, position: Position) -> tuple[Position, dict[str, Any]]:
    """Replace the values of a position by names of bind parameters; null stays None.

    :param prefix: what the names begin with.
    :returns: the position with names, and the values by name.
    """
    names = tuple(
        None if value is None else f"{prefix}_{index}" for index, value in enumerate(position)
    )
    return names, {name: v for name, v in zip(names, position, strict=True) if name is not None}


def after(resource: Resource, order: Order, position: Position) -> ColumnElement[bool]:
    """Return the condition for the rows after a position.

    Engines can find the first of these rows by an index of the sort fields, without reading the
    rows before it.

    :param position: the position, with names of bind parameters instead of values.
    """
    if not position:
        return false()
    columns = [resource.column(name) for name, _ in order]
    by_columns = _after_by_columns(resource, order, position)
    directions = {descending for _, descending in order}
    if len(directions) > 1 or any(map(_nullable, columns)):
        return by_columns
    bounds = [bind(name, column) for column, name in zip(columns, position, strict=True)]
    compare = operator.lt if directions == {True} else operator.gt
    return in_range(compare(tuple_(*columns), tuple_(*bounds)), by_columns)


def _after_by_columns(resource: Resource, order: Order, position: Position) -> ColumnElement[bool]:
    alternatives: list[ColumnElement[bool]] = []
    tied: list[ColumnElement[bool]] = []
    for (name, descending), bound in zip(order, position, strict=True):
        column = resource.column(name)
        alternatives.append(and_(*tied, _column_after(column, descending, bound)))
        tied.append(column.is_(None) if bound is None else column == bind(bound, column))
    return and_(_not_before(resource, order[0], position[0]), or_(*alternatives))


def _not_before(
    resource: Resource, term: tuple[str, bool], bound: str | None
) -> ColumnElement[bool]:
    """Return a range of the first sort column that has all rows after a position, if there is one.

    The alternatives imply it, but not every engine derives it from them.
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
    """Return the condition for the rows before a position; all rows are before the end."""
    return after(resource, reversed_order(order), position) if position else true()


def _column_after(column: Any, descending: bool, bound: str | None) -> ColumnElement[bool]:
    """Return the condition that a column's value comes after another; null is the greatest."""
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
