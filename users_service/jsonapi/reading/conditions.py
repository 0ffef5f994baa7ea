"""Conditions become SQL: attributes are compared, relationships become EXISTS.

Every condition is true or false, never null, on every engine: what is null equals nothing, is
neither less nor greater than anything, and contains nothing.
"""

import operator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Boolean,
    Column,
    ColumnElement,
    String,
    and_,
    bindparam,
    case,
    func,
    not_,
    or_,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import aliased
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from ..resource import Relationship
from .filters import (
    And,
    Compare,
    CompareFields,
    Condition,
    Count,
    Not,
    Or,
    Related,
)

COMPARISONS = {
    "eq": operator.eq,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}


def parameter(
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
class Parameter:
    """Stands for values in a condition.

    :param many: whether it is a list of them.
    """

    name: str
    many: bool = False

    def bind(self, column: Any) -> Any:
        return parameter(self.name, column, expanding=self.many)


def parametrized(condition: Condition | None) -> tuple[Condition | None, dict[str, Any]]:
    """Take the values out of a condition.

    :returns: the condition with parameters instead, which conditions of one form have in common,
        and the values by the names of the parameters.
    """
    values: dict[str, Any] = {}
    return (None if condition is None else _parametrized(condition, values)), values


def _parametrized(condition: Any, values: dict[str, Any]) -> Any:
    match condition:
        case And(conditions) | Or(conditions):
            return type(condition)(tuple(_parametrized(inner, values) for inner in conditions))
        case Not(inner):
            return Not(_parametrized(inner, values))
        case Related(relationship, inner) if inner is not None:
            return Related(relationship, _parametrized(inner, values))
        case Count():
            return replace(condition, number=_take(condition.number, values))
        case Compare():
            return replace(condition, values=_parameters(condition, values))
        case _:
            return condition


def _parameters(condition: Compare, values: dict[str, Any]) -> tuple[Parameter | None, ...]:
    """The parameters of a comparison, after a None if null is among its values."""
    if condition.operator in MATCHES:
        (text,) = condition.values
        return _take(text, values), _take(_pattern(condition.operator, text), values)
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
    return Parameter(name, many)


def to_sql(condition: Any) -> ColumnElement[bool]:
    """Return the SQL expression of a condition's tree, which has been parametrized."""
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
            return _result(COMPARISONS[name](_count(relationship), number.bind(BigInteger())))
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
            (bound,) = condition.values
            holds = COMPARISONS[condition.operator](column, bound.bind(column))
        else:
            texts = (bound.bind(String()) for bound in condition.values)
            holds = MATCHES[condition.operator](column, *texts)
        return and_(column.is_not(None), holds)
    key = condition.resource.key_of(condition.name)
    compared = column if key is None else key[0]
    return or_(
        *(
            column.is_(None)
            if bound is None
            else and_(compared.is_not(None), _equals(compared, bound))
            for bound in condition.values
        )
    )


def _equals(column: Any, bound: Parameter) -> ColumnElement[bool]:
    values = bound.bind(column)
    return _result(column.in_(values) if bound.many else column == values)


def _exists(relationship: Relationship, condition: Any) -> ColumnElement[bool]:
    match condition:
        case None:
            return _linked(relationship, None)
        case Compare(_, "id", "eq", (Parameter() as ids,)):
            return _linked(relationship, ids)
        case _:
            return _related(relationship, to_sql(condition))


def _related(relationship: Relationship, inner: Any) -> ColumnElement[bool]:
    attribute = getattr(relationship.source.model, relationship.mapped.key)
    return _result(attribute.any(inner) if relationship.mapped.uselist else attribute.has(inner))


def _linked(relationship: Relationship, ids: Parameter | None) -> ColumnElement[bool]:
    """Hold where the foreign key leads to one of the ids, or anywhere: the target is not asked."""
    if relationship.holds_key:
        key = relationship.key_column
        return key.is_not(None) if ids is None else and_(key.is_not(None), _equals(key, ids))
    if relationship.secondary is None:
        target = relationship.target.id_column
        return _related(relationship, None if ids is None else _equals(target, ids))
    mine, other = relationship.secondary_columns
    links = select(mine).where(mine == relationship.source.id_column)
    if ids is not None:
        links = links.where(_equals(other, ids))
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


def _pattern(kind: str, text: str) -> str:
    """The pattern for texts that contain another one, in which no character is a wildcard."""
    escaped = text.replace("/", "//").replace("%", "/%").replace("_", "/_")
    return {"startswith": f"{escaped}%", "endswith": f"%{escaped}"}.get(kind, f"%{escaped}%")


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
