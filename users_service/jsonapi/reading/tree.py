"""The tree of conditions that the filters of a request become, in both of their languages."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement

from ..resource import Relationship, Resource


@dataclass(frozen=True, slots=True)
class And:
    conditions: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Or:
    conditions: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Not:
    condition: Any


@dataclass(frozen=True, slots=True)
class Compare:
    """An attribute, or the id, compared with values.

    The operator `eq` holds for any of the values, None among them standing for null; the others
    have one value.
    """

    resource: Resource
    name: str
    operator: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class CompareFields:
    """Two attributes of one resource compared with each other."""

    resource: Resource
    name: str
    operator: str
    other: str


@dataclass(frozen=True, slots=True)
class Related:
    """There is a related resource, of which a condition holds."""

    relationship: Relationship
    condition: Any = None


@dataclass(frozen=True, slots=True)
class Count:
    """The number of related resources, of which a condition holds, compared with a number."""

    relationship: Relationship
    operator: str
    number: Any
    condition: Any = None


@dataclass(frozen=True, slots=True)
class Visible:
    """The caller sees the resource: a condition of the host, as `Visibility` has it."""

    condition: Callable[[Any], ColumnElement[bool]]


Condition = And | Or | Not | Compare | CompareFields | Related | Count | Visible


def targets(condition: Any) -> Iterator[Resource]:
    """The resources that the relationships in a condition lead to."""
    match condition:
        case And(conditions) | Or(conditions):
            for inner in conditions:
                yield from targets(inner)
        case Not(inner):
            yield from targets(inner)
        case Related(relationship, inner):
            yield relationship.target
            yield from targets(inner)
        case Count():
            yield condition.relationship.target


def node_count(condition: Any) -> int:
    """The number of nodes of a condition's tree."""
    match condition:
        case And(conditions) | Or(conditions):
            return 1 + sum(map(node_count, conditions))
        case Not(inner) | Related(_, inner):
            return 1 + node_count(inner)
        case Count():
            return 1 + node_count(condition.condition)
        case _:
            return 1


def depth(condition: Any) -> int:
    """The levels of a condition, those of its relationship paths counted."""
    match condition:
        case And(conditions) | Or(conditions):
            return 1 + max(map(depth, conditions))
        case Not(inner) | Related(_, inner):
            return 1 + (0 if inner is None else depth(inner))
        case _:
            return 1
