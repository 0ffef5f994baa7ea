"""The condition tree: what filters in brackets and filter expressions are parsed into."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..resource import Relationship, Resource


@dataclass(frozen=True, slots=True)
class And:
    """Holds if all conditions do: without any, always."""

    conditions: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Holds if one of the conditions does: without any, never."""

    conditions: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Not:
    condition: Any


@dataclass(frozen=True, slots=True)
class Compare:
    """Compares an attribute or the id with values.

    The operator `eq` holds if the attribute equals any of the values, where None means null. The
    other operators have one value.
    """

    resource: Resource
    name: str
    operator: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class CompareFields:
    """Compares two attributes of one resource with each other."""

    resource: Resource
    name: str
    operator: str
    other: str


@dataclass(frozen=True, slots=True)
class Related:
    """Holds if at least one related resource fulfils a condition; None is fulfilled by all."""

    relationship: Relationship
    condition: Any = None


@dataclass(frozen=True, slots=True)
class Count:
    """Compares the number of related resources that fulfil a condition with a number."""

    relationship: Relationship
    operator: str
    number: Any
    condition: Any = None


Condition = And | Or | Not | Compare | CompareFields | Related | Count


def targets(condition: Any) -> Iterator[Resource]:
    """Yield the targets of all relationships in a condition tree."""
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
    """The number of nodes of a condition tree."""
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
    """The number of levels of a condition tree. Each relationship of a path is a level.

    A negation is none: what a parameter says of null is a negation too.
    """
    match condition:
        case And(conditions) | Or(conditions):
            return 1 + max(map(depth, conditions))
        case Not(inner):
            return depth(inner)
        case Related(_, inner):
            return 1 + (0 if inner is None else depth(inner))
        case _:
            return 1
