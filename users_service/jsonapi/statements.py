"""Resources and queries become SELECT statements."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, literal, or_, select, true

from users_service.jsonapi.cursors import Order, Position
from users_service.jsonapi.resource import Resource


def select_rows(resource: Resource) -> Select[Any]:
    """Select the columns that documents show: rows with the names of the model's attributes."""
    return select(resource.column("id"), *(resource.column(name) for name in resource.readable))


def select_one(resource: Resource, id: Any) -> Select[Any]:
    return select_rows(resource).where(resource.column("id") == id)


def select_total(resource: Resource) -> Select[int]:
    return select(func.count()).select_from(resource.model)


def order_by(resource: Resource, order: Order) -> list[ColumnElement[Any]]:
    """Order rows the same on every engine: nulls are last, and first where a field descends."""
    clauses: list[ColumnElement[Any]] = []
    for name, descending in order:
        column = resource.column(name)
        keys = [column.is_(None), column] if _nullable(column) else [column]
        clauses += [key.desc() if descending else key.asc() for key in keys]
    return clauses


def reversed_order(order: Order) -> Order:
    return tuple((name, not descending) for name, descending in order)


def behind(resource: Resource, order: Order, position: Position) -> ColumnElement[bool]:
    """Hold for the rows that come behind a position in an order."""
    if not position:
        return false()
    alternatives: list[ColumnElement[bool]] = []
    tied: list[ColumnElement[bool]] = []
    for (name, descending), value in zip(order, position, strict=True):
        column = resource.column(name)
        alternatives.append(and_(*tied, _further(column, descending, value)))
        tied.append(column.is_(None) if value is None else column == _bound(column, value))
    return or_(*alternatives)


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
