"""Makes SQL expressions from condition trees.

An expression is true or false on every engine, never NULL: a comparison with a null attribute is
false. A relationship becomes an EXISTS, or a comparison of its foreign key.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
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
    false,
    func,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.types import TypeEngine

from ..resource import Relationship, Resource
from .text_search import FOLDED, MATCHES, matches, texts_of
from .tree import And, Compare, CompareFields, Count, Not, Or, Related

COMPARISONS = {
    "eq": operator.eq,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}

VisibleTo = Callable[[Resource, dict[str, Any]], Any]
"""Returns the visibility condition of a resource, and adds its values to the dictionary."""


def everyone(_resource: Resource, _values: dict[str, Any]) -> None:
    """The `VisibleTo` within a visibility condition, where there are no others."""


class ResourceTable:
    """The table of a resource in a statement.

    :param from_clause: the table itself, or an alias of it.
    """

    def __init__(self, resource: Resource, from_clause: FromClause) -> None:
        self.resource = resource
        self.from_clause = from_clause

    def column(self, column: Column[Any]) -> Any:
        """Return the column of the FROM clause for a column of the table."""
        return self.from_clause.c[column.key]

    @property
    def id(self) -> Any:
        return self.column(self.resource.id_column)


@lru_cache
def table_of(resource: Resource) -> ResourceTable:
    """The table of a resource, without an alias."""
    return ResourceTable(resource, resource.table)


def bind(
    name: str, typed: Column[Any] | TypeEngine[Any], *, expanding: bool = False
) -> BindParameter[Any]:
    """Return a bind parameter.

    Booleans need one too: SQLAlchemy compares with a literal True or False by IS, for which no
    engine uses an index.

    :param typed: the type of the value, or a column of that type.
    :param expanding: whether the value is the list of an IN.
    """
    kind = typed.type if isinstance(typed, Column) else typed
    return bindparam(name, type_=kind, expanding=expanding)


@dataclass(frozen=True, slots=True)
class Placeholder:
    """The name of a bind parameter, in place of a value of a condition tree.

    :param many: whether the bind parameter has a list of values.
    """

    name: str
    many: bool = False

    def bind(self, column: Any) -> Any:
        return bind(self.name, column, expanding=self.many)


def extract_values(condition: Any, values: dict[str, Any], visible_to: VisibleTo) -> Any:
    """Replace the values of a condition tree by placeholders.

    Trees that differ only in their values become equal, so that they share one cached statement.
    Related resources also get the visibility condition of their type.

    :param values: the dictionary that the values are added to, by placeholder name.
    :returns: the new tree.
    """
    match condition:
        case None:
            return None
        case And(conditions) | Or(conditions):
            inners = (extract_values(inner, values, visible_to) for inner in conditions)
            return type(condition)(tuple(inners))
        case Not(inner):
            return Not(extract_values(inner, values, visible_to))
        case Related(relationship, inner) | Count(relationship, _, _, inner):
            visible = visible_to(relationship.target, values)
            inner = extract_values(inner, values, visible_to)
            if visible is not None:
                inner = visible if inner is None else And((visible, inner))
            if isinstance(condition, Count):
                condition = replace(condition, number=_placeholder(condition.number, values))
            return replace(condition, condition=inner)
        case Compare():
            return replace(condition, values=_placeholders(condition, values))
        case _:
            return condition


def _placeholders(condition: Compare, values: dict[str, Any]) -> tuple[Placeholder | None, ...]:
    """Replace the values of a comparison: by None if null is among them, and one placeholder."""
    if condition.operator in MATCHES:
        (text,) = condition.values
        folded = condition.resource.computed(condition.name, FOLDED)
        fold = None if folded is None else folded.info["compute"]
        texts = texts_of(condition.operator, text, fold)
        return tuple(_placeholder(text, values) for text in texts)
    given = [value for value in condition.values if value is not None]
    null = (None,) if len(given) < len(condition.values) else ()
    key = condition.resource.computed(condition.name, condition.operator)
    if key is not None:
        given = [key.info["compute"](value) for value in given]
    if not given:
        return null
    return *null, _placeholder(given[0], values) if len(given) == 1 else _placeholder(
        given, values, many=True
    )


def _placeholder(value: Any, values: dict[str, Any], *, many: bool = False) -> Any:
    name = f"filter_{len(values)}"
    values[name] = value
    return Placeholder(name, many)


def to_sql(condition: Any, table: ResourceTable) -> ColumnElement[bool]:
    """Return the SQL expression of a condition tree.

    :param condition: the tree, with placeholders instead of values.
    :param table: the table whose rows the condition is about.
    """
    match condition:
        case And(()):
            return true()
        case Or(()):
            return false()
        case And(conditions):
            return and_(*(to_sql(inner, table) for inner in conditions))
        case Or(conditions):
            return or_(*(to_sql(inner, table) for inner in conditions))
        case Not(inner):
            return not_(to_sql(inner, table))
        case Related(relationship, inner):
            return _is_related(relationship, inner, table)
        case Count(relationship, name, number, inner):
            count = _count(relationship, inner, table)
            return _typed(COMPARISONS[name](count, number.bind(BigInteger())))
        case CompareFields(resource, name, comparison, other):
            columns = table.column(resource.column(name)), table.column(resource.column(other))
            holds = COMPARISONS[comparison](*columns)
            return and_(*(column.is_not(None) for column in columns), holds)
        case Compare():
            return _compare(condition, table)
        case _:
            raise TypeError(condition)


def _compare(condition: Compare, table: ResourceTable) -> ColumnElement[bool]:
    column = table.column(condition.resource.column(condition.name))
    if condition.operator != "eq":
        if condition.operator in COMPARISONS:
            (placeholder,) = condition.values
            holds = COMPARISONS[condition.operator](column, placeholder.bind(column))
        else:
            texts = (placeholder.bind(String()) for placeholder in condition.values)
            found = condition.resource.computed(condition.name, FOLDED)
            folded = None if found is None else table.column(found)
            holds = matches(condition.operator, column, folded, texts)
        return and_(column.is_not(None), holds)
    key = condition.resource.computed(condition.name, "eq")
    compared = column if key is None else table.column(key)
    return or_(
        false(),  # without values
        *(
            column.is_(None)
            if placeholder is None
            else and_(compared.is_not(None), _equals(compared, placeholder))
            for placeholder in condition.values
        ),
    )


def _equals(column: Any, placeholder: Placeholder) -> ColumnElement[bool]:
    values = placeholder.bind(column)
    return _typed(column.in_(values) if placeholder.many else column == values)


def _is_related(
    relationship: Relationship, inner: Any, table: ResourceTable
) -> ColumnElement[bool]:
    """Return the condition that there is a related resource that fulfils `inner`.

    If `inner` is None or compares the id alone, the statement does without the target's table.
    """
    match inner:
        case None:
            ids = None
        case Compare(_, "id", "eq", (Placeholder() as ids,)):
            pass
        case _:
            selected, target = _select_related(relationship, table)
            return _typed(selected.where(to_sql(inner, target)).exists())
    if relationship.holds_key:
        key = table.column(relationship.key_column)
        return _typed(
            key.is_not(None) if ids is None else and_(key.is_not(None), _equals(key, ids))
        )
    selected, target_key = _select_links(relationship, table)
    return _typed((selected if ids is None else selected.where(_equals(target_key, ids))).exists())


def _count(relationship: Relationship, inner: Any, table: ResourceTable) -> ColumnElement[int]:
    """Return the number of related resources that fulfil `inner`; of all if it is None."""
    if inner is not None:
        selected, target = _select_related(relationship, table)
        counted = selected.where(to_sql(inner, target))
    elif relationship.holds_key:
        return case((table.column(relationship.key_column).is_not(None), 1), else_=0)
    else:
        counted, _ = _select_links(relationship, table)
    return counted.with_only_columns(func.count(), maintain_column_froms=True).scalar_subquery()


def _select_links(relationship: Relationship, table: ResourceTable) -> tuple[Select[Any], Any]:
    """Return a SELECT of the links from the rows to related resources, correlated with the rows.

    :returns: the SELECT, and its column with the ids of the related resources.
    """
    if relationship.secondary is None:
        selected, target = _select_related(relationship, table)
        return selected, target.id
    links = relationship.secondary.alias()
    source_key, target_key = (links.c[column.key] for column in relationship.secondary_columns)
    selected = select(1).select_from(links).where(source_key == table.id)
    return selected.correlate_except(links), target_key


def _select_related(
    relationship: Relationship, table: ResourceTable
) -> tuple[Select[Any], ResourceTable]:
    """Return a SELECT of the related resources of the rows, correlated with the rows.

    :returns: the SELECT, and the alias of the target's table in it.
    """
    target = ResourceTable(relationship.target, relationship.target.table.alias())
    if relationship.secondary is not None:
        links = relationship.secondary.alias()
        source_key, target_key = (links.c[column.key] for column in relationship.secondary_columns)
        joined = links.join(target.from_clause, target.id == target_key)
        selected = select(1).select_from(joined).where(source_key == table.id)
        return selected.correlate_except(links, target.from_clause), target
    if relationship.holds_key:
        holds = target.id == table.column(relationship.key_column)
    else:
        holds = target.column(relationship.key_column) == table.id
    selected = select(1).select_from(target.from_clause).where(holds)
    return selected.correlate_except(target.from_clause), target


def _typed(expression: Any) -> ColumnElement[bool]:
    result: ColumnElement[bool] = expression
    return result
