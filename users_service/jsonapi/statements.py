"""Resources and queries become SELECT statements."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, literal, or_, select, true

from users_service.jsonapi.cursors import Order, Position
from users_service.jsonapi.query import Include, Query
from users_service.jsonapi.resource import Relationship, Resource


def columns(
    resource: Resource, query: Query, include: Include | None = None, order: Order = ()
) -> list[Any]:
    """The columns that a document needs: those it shows, and those that lead on from there."""
    names = [name for name in resource.readable if query.shows(resource, name)]
    names += [name for name, _ in order if name != "id" and name not in names]
    keys = [
        relationship.key_column
        for name, relationship in resource.relationships.items()
        if name in (include or {}) and relationship.holds_key
    ]
    wanted = [resource.id_column, resource.version_column, *map(resource.column, names), *keys]
    return list(dict.fromkeys(wanted))


def select_one(resource: Resource, query: Query, id: Any) -> Select[Any]:
    wanted = columns(resource, query, query.include)
    return select(*wanted).where(resource.id_column == id)


def select_where(wanted: list[Any], condition: ColumnElement[bool]) -> Select[Any]:
    return select(*wanted).where(condition)


def select_by_id(
    resource: Resource, query: Query, include: Include, ids: Collection[Any]
) -> Select[Any]:
    return select(*columns(resource, query, include)).where(resource.id_column.in_(ids))


def select_related(
    relationship: Relationship, query: Query, include: Include, sources: Collection[Any]
) -> Select[Any]:
    """Select what several resources relate to, each row with the id of the one it belongs to."""
    target = relationship.target
    statement = select(*columns(target, query, include))
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
    return select(func.count()).select_from(resource.model).where(*conditions)


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
