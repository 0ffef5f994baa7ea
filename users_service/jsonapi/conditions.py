"""Conditions become SQL: attributes are compared, relationships become EXISTS.

Every condition is true or false, never null, on every engine: what is null equals nothing, is
neither less nor greater than anything, and contains nothing.
"""

import operator
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    String,
    and_,
    case,
    func,
    literal,
    not_,
    or_,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import aliased
from sqlalchemy.sql.functions import FunctionElement

from users_service.jsonapi.filters import (
    And,
    Compare,
    CompareFields,
    Count,
    Not,
    Or,
    Related,
)
from users_service.jsonapi.resource import Relationship

COMPARISONS = {
    "eq": operator.eq,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}


def to_sql(condition: Any) -> ColumnElement[bool]:
    """Return the SQL expression of a condition's tree."""
    match condition:
        case And(conditions):
            return and_(*(to_sql(inner) for inner in conditions))
        case Or(conditions):
            return or_(*(to_sql(inner) for inner in conditions))
        case Not(inner):
            return not_(to_sql(inner))
        case Related(relationship, inner):
            return _exists(relationship, inner)
        case Count(relationship, name, number):
            return _result(COMPARISONS[name](_count(relationship), number))
        case CompareFields(resource, name, comparison, other):
            columns = resource.column(name), resource.column(other)
            holds = COMPARISONS[comparison](*columns)
            return and_(*(column.is_not(None) for column in columns), holds)
        case Compare():
            return _compare(condition)
        case _:
            raise TypeError(condition)


def _compare(condition: Compare) -> ColumnElement[bool]:
    column = condition.resource.column(condition.name)
    if condition.operator != "eq":
        if condition.operator in COMPARISONS:
            value = literal(condition.values[0], column.type)
            holds = COMPARISONS[condition.operator](column, value)
        else:
            holds = _match(column, condition.operator, condition.values[0])
        return and_(column.is_not(None), holds)
    values = [value for value in condition.values if value is not None]
    alternatives: list[ColumnElement[bool]] = []
    if len(values) < len(condition.values):
        alternatives.append(column.is_(None))
    if values:
        key = condition.resource.key_of(condition.name)
        compared = column if key is None else key[0]
        keys = values if key is None else [key[1](value) for value in values]
        alternatives.append(and_(compared.is_not(None), compared.in_(keys)))
    return or_(*alternatives)


def _exists(relationship: Relationship, condition: Any) -> ColumnElement[bool]:
    match condition:
        case None:
            return _linked(relationship, None)
        case Compare(_, "id", "eq", ids) if None not in ids:
            return _linked(relationship, ids)
        case _:
            return _related(relationship, to_sql(condition))


def _related(relationship: Relationship, inner: Any) -> ColumnElement[bool]:
    attribute = getattr(relationship.source.model, relationship.mapped.key)
    return _result(attribute.any(inner) if relationship.mapped.uselist else attribute.has(inner))


def _linked(relationship: Relationship, ids: Sequence[Any] | None) -> ColumnElement[bool]:
    """Hold where the foreign key leads to one of the ids, or anywhere: the target is not asked."""
    if relationship.holds_key:
        key = relationship.key_column
        return key.is_not(None) if ids is None else and_(key.is_not(None), key.in_(ids))
    if relationship.secondary is None:
        target = relationship.target.id_column
        return _related(relationship, None if ids is None else target.in_(ids))
    mine, other = relationship.secondary_columns
    links = select(mine).where(mine == relationship.source.id_column)
    if ids is not None:
        links = links.where(other.in_(ids))
    return links.correlate_except(relationship.secondary).exists()


def _count(relationship: Relationship) -> ColumnElement[int]:
    """The number of related resources, in a correlated subquery."""
    source = relationship.source
    if relationship.holds_key:
        return case((relationship.key_column.is_not(None), 1), else_=0)
    if relationship.secondary is not None:
        column, _ = relationship.secondary_columns
        counted = select(func.count()).select_from(relationship.secondary)
    else:
        target = aliased(relationship.target.model)
        column = getattr(target, relationship.key_attribute)
        counted = select(func.count()).select_from(target)
    counted = counted.where(column == source.id_column)
    return counted.correlate(source.model.__table__).scalar_subquery()


def _result(expression: Any) -> ColumnElement[bool]:
    result: ColumnElement[bool] = expression
    return result


def _match(column: Any, kind: str, text: str) -> ColumnElement[bool]:
    """Hold where a column's text contains another one, in which no character is a wildcard."""
    escaped = text.replace("/", "//").replace("%", "/%").replace("_", "/_")
    pattern = {"startswith": f"{escaped}%", "endswith": f"%{escaped}"}.get(kind, f"%{escaped}%")
    return MATCHES[kind](column, literal(text, String()), literal(pattern, String()))


class contains(FunctionElement[bool]):  # noqa: N801  # as SQLAlchemy names functions
    """A text contains another one, case by case. Takes the text to look for also as a pattern."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        return self  # and not `… = 1`, for which no engine looks into an index


class contains_folded(contains):  # noqa: N801
    """A text contains another one without regard to case, by all letters of Unicode."""

    inherit_cache = True


class starts_with(contains):  # noqa: N801
    inherit_cache = True


class ends_with(contains):  # noqa: N801
    inherit_cache = True


MATCHES = {
    "contains": contains,
    "icontains": contains_folded,
    "startswith": starts_with,
    "endswith": ends_with,
}


@compiles(contains)
@compiles(starts_with)
@compiles(ends_with)
def _like(element: Any, compiler: Any, **options: Any) -> str:
    text, pattern = (compiler.process(clause, **options) for clause in list(element.clauses)[::2])
    return f"{text} LIKE {pattern} ESCAPE '/'"


@compiles(contains_folded)
def _like_folded(element: Any, compiler: Any, **options: Any) -> str:
    text, pattern = (compiler.process(clause, **options) for clause in list(element.clauses)[::2])
    return f"lower({text}) LIKE lower({pattern}) ESCAPE '/'"


# The collation of these columns, C, knows the case of ASCII letters alone. What is searched within
# texts is searched by one collation, so that one index of trigrams serves it all; comparing exactly
# it is no other than C. Beginnings are found in the ordinary indexes, which are in the order of C.
@compiles(contains, "postgresql")
@compiles(ends_with, "postgresql")
def _like_by_trigrams(element: Any, compiler: Any, **options: Any) -> str:
    text, pattern = (compiler.process(clause, **options) for clause in list(element.clauses)[::2])
    return f"{text} COLLATE \"C.utf8\" LIKE {pattern} ESCAPE '/'"


@compiles(contains_folded, "postgresql")
def _ilike_by_trigrams(element: Any, compiler: Any, **options: Any) -> str:
    text, pattern = (compiler.process(clause, **options) for clause in list(element.clauses)[::2])
    return f"{text} COLLATE \"C.utf8\" ILIKE {pattern} ESCAPE '/'"


# LIKE of SQLite ignores the case of ASCII letters.
@compiles(contains, "sqlite")
def _instr(element: Any, compiler: Any, **options: Any) -> str:
    text, part = (compiler.process(clause, **options) for clause in list(element.clauses)[:2])
    return f"instr({text}, {part}) > 0"


@compiles(contains_folded, "sqlite")
def _instr_folded(element: Any, compiler: Any, **options: Any) -> str:
    text, part = (compiler.process(clause, **options) for clause in list(element.clauses)[:2])
    return f"instr(lower({text}), lower({part})) > 0"


@compiles(starts_with, "sqlite")
def _left(element: Any, compiler: Any, **options: Any) -> str:
    text, part = (compiler.process(clause, **options) for clause in list(element.clauses)[:2])
    return f"instr({text}, {part}) = 1"


@compiles(ends_with, "sqlite")
def _right(element: Any, compiler: Any, **options: Any) -> str:
    text, part = (compiler.process(clause, **options) for clause in list(element.clauses)[:2])
    return f"substr({text}, -length({part})) = {part}"
