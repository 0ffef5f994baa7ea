"""Conditions become SQL: attributes are compared, relationships become EXISTS.

Every condition is true or false, never null, on every engine: what is null equals nothing, is
neither less nor greater than anything, and contains nothing.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from types import SimpleNamespace
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Column,
    ColumnElement,
    FromClause,
    Select,
    String,
    and_,
    bindparam,
    case,
    func,
    not_,
    or_,
    select,
)
from sqlalchemy.types import TypeEngine

from ..resource import Relationship, Resource
from .text_search import MATCHES, pattern_of
from .tree import And, Compare, CompareFields, Count, Not, Or, Related, Visible

COMPARISONS = {
    "eq": operator.eq,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}

Seen = Callable[[Resource, dict[str, Any]], Visible | None]
"""Gives the condition that the caller sees a resource, and adds its values to others."""


class RowSource:
    """The rows of a resource in a statement: of its table, or of an alias of that."""

    def __init__(self, resource: Resource, table: FromClause) -> None:
        self.resource = resource
        self.table = table

    def of(self, column: Column[Any]) -> Any:
        """A column of the resource's table, here."""
        return self.table.c[column.key]

    @property
    def id(self) -> Any:
        return self.of(self.resource.id_column)

    @cached_property
    def attributes(self) -> SimpleNamespace:
        """The columns by the model's names."""
        columns = self.resource.columns.items()
        return SimpleNamespace(**{name: self.of(column) for name, column in columns})


@lru_cache
def source_of(resource: Resource) -> RowSource:
    """The rows of a resource's own table."""
    return RowSource(resource, resource.table)


def bind(
    name: str, typed: Column[Any] | TypeEngine[Any], *, expanding: bool = False
) -> BindParameter[Any]:
    """A value that is given when the statement is carried out.

    :param typed: its type, or a column of that type. SQLAlchemy compares with True and False that
        it knows by IS alone, which is no range of an index.
    :param expanding: whether it is the list of an IN.
    """
    kind = typed.type if isinstance(typed, Column) else typed
    return bindparam(name, type_=kind, expanding=expanding)


@dataclass(frozen=True, slots=True)
class Bound:
    """Stands for values in a condition.

    :param many: whether it is a list of them.
    """

    name: str
    many: bool = False

    def bind(self, column: Any) -> Any:
        return bind(self.name, column, expanding=self.many)


def take_values(condition: Any, values: dict[str, Any], seen: Seen) -> Any:
    """Take the values out of a condition, so that conditions of one form are the same.

    Whatever a relationship in it leads to has to be seen by the caller as well.

    :param values: gets the values, by the names that stand for them in the condition.
    """
    match condition:
        case None:
            return None
        case And(conditions) | Or(conditions):
            taken = (take_values(inner, values, seen) for inner in conditions)
            return type(condition)(tuple(taken))
        case Not(inner):
            return Not(take_values(inner, values, seen))
        case Related(relationship, inner):
            visible = seen(relationship.target, values)
            inner = take_values(inner, values, seen)
            if visible is not None:
                inner = visible if inner is None else And((visible, inner))
            return Related(relationship, inner)
        case Count(relationship, _, number):
            visible = seen(relationship.target, values)
            return replace(condition, number=_take(number, values), condition=visible)
        case Compare():
            return replace(condition, values=_bound_values(condition, values))
        case _:
            return condition


def _bound_values(condition: Compare, values: dict[str, Any]) -> tuple[Bound | None, ...]:
    """What stands for the values of a comparison, after a None if null is among them."""
    if condition.operator in MATCHES:
        (text,) = condition.values
        return _take(text, values), _take(pattern_of(condition.operator, text), values)
    given = [value for value in condition.values if value is not None]
    null = (None,) if len(given) < len(condition.values) else ()
    if condition.operator == "eq" and (key := condition.resource.key_of(condition.name)):
        _, compute = key
        given = [compute(value) for value in given]
    if not given:
        return null
    return *null, _take(given[0], values) if len(given) == 1 else _take(given, values, many=True)


def _take(value: Any, values: dict[str, Any], *, many: bool = False) -> Any:
    name = f"filter_{len(values)}"
    values[name] = value
    return Bound(name, many)


def to_sql(condition: Any, rows: RowSource) -> ColumnElement[bool]:
    """Return the SQL expression of a condition whose values have been taken out.

    :param rows: those of which it is to hold.
    """
    match condition:
        case And(conditions):
            return and_(*(to_sql(inner, rows) for inner in conditions))
        case Or(conditions):
            return or_(*(to_sql(inner, rows) for inner in conditions))
        case Not(inner):
            return not_(to_sql(inner, rows))
        case Visible(visible):
            return _result(visible(rows.attributes))
        case Related(relationship, inner):
            return _is_related(relationship, inner, rows)
        case Count(relationship, name, number, inner):
            count = _count(relationship, inner, rows)
            return _result(COMPARISONS[name](count, number.bind(BigInteger())))
        case CompareFields(resource, name, comparison, other):
            columns = rows.of(resource.column(name)), rows.of(resource.column(other))
            holds = COMPARISONS[comparison](*columns)
            return and_(*(column.is_not(None) for column in columns), holds)
        case Compare():
            return _compare(condition, rows)
        case _:
            raise TypeError(condition)


def _compare(condition: Compare, rows: RowSource) -> ColumnElement[bool]:
    column = rows.of(condition.resource.column(condition.name))
    if condition.operator != "eq":
        if condition.operator in COMPARISONS:
            (bound,) = condition.values
            holds = COMPARISONS[condition.operator](column, bound.bind(column))
        else:
            texts = (bound.bind(String()) for bound in condition.values)
            holds = MATCHES[condition.operator](column, *texts)
        return and_(column.is_not(None), holds)
    key = condition.resource.key_of(condition.name)
    compared = column if key is None else rows.of(key[0])
    return or_(
        *(
            column.is_(None)
            if bound is None
            else and_(compared.is_not(None), _equals(compared, bound))
            for bound in condition.values
        )
    )


def _equals(column: Any, bound: Bound) -> ColumnElement[bool]:
    values = bound.bind(column)
    return _result(column.in_(values) if bound.many else column == values)


def _is_related(relationship: Relationship, inner: Any, rows: RowSource) -> ColumnElement[bool]:
    """Hold where there is a related resource of which a condition holds.

    Where it is about the id alone, or there is none, the target's table is not asked.
    """
    match inner:
        case None:
            ids = None
        case Compare(_, "id", "eq", (Bound() as ids,)):
            pass
        case _:
            path, target = _path(relationship, rows)
            return _result(path.where(to_sql(inner, target)).exists())
    if relationship.holds_key:
        key = rows.of(relationship.key_column)
        return _result(
            key.is_not(None) if ids is None else and_(key.is_not(None), _equals(key, ids))
        )
    path, other = _links(relationship, rows)
    return _result((path if ids is None else path.where(_equals(other, ids))).exists())


def _count(relationship: Relationship, inner: Any, rows: RowSource) -> ColumnElement[int]:
    """The number of related resources of which a condition holds."""
    if inner is not None:
        path, target = _path(relationship, rows)
        counted = path.where(to_sql(inner, target))
    elif relationship.holds_key:
        return case((rows.of(relationship.key_column).is_not(None), 1), else_=0)
    else:
        counted, _ = _links(relationship, rows)
    return counted.with_only_columns(func.count(), maintain_column_froms=True).scalar_subquery()


def _links(relationship: Relationship, rows: RowSource) -> tuple[Select[Any], Any]:
    """Select the links to related resources, and give the column with the ids of these."""
    if relationship.secondary is None:
        path, target = _path(relationship, rows)
        return path, target.id
    links = relationship.secondary.alias()
    mine, other = (links.c[column.key] for column in relationship.secondary_columns)
    path = select(1).select_from(links).where(mine == rows.id)
    return path.correlate_except(links), other


def _path(relationship: Relationship, rows: RowSource) -> tuple[Select[Any], RowSource]:
    """Select the related resources, and give their rows: of an alias, which is theirs alone."""
    target = RowSource(relationship.target, relationship.target.table.alias())
    if relationship.secondary is not None:
        links = relationship.secondary.alias()
        mine, other = (links.c[column.key] for column in relationship.secondary_columns)
        joined = links.join(target.table, target.id == other)
        path = select(1).select_from(joined).where(mine == rows.id)
        return path.correlate_except(links, target.table), target
    if relationship.holds_key:
        holds = target.id == rows.of(relationship.key_column)
    else:
        holds = target.of(relationship.key_column) == rows.id
    path = select(1).select_from(target.table).where(holds)
    return path.correlate_except(target.table), target


def _result(expression: Any) -> ColumnElement[bool]:
    result: ColumnElement[bool] = expression
    return result
