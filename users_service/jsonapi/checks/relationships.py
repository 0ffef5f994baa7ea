"""Checks that a relationship has a target, an inverse, and one foreign key to a primary key."""

from collections.abc import Iterator
from operator import eq
from typing import Any

from sqlalchemy import BinaryExpression, Table, inspect
from sqlalchemy.orm import MANYTOONE, RelationshipProperty

from ..api import Api
from ..resource import Resource, opposites
from .attributes import attribute_of, is_not, subject_of
from .creation import must_be_given


def relationship_faults(resource: Resource, field: Any, api: Api) -> Iterator[str]:
    """Check one relationship.

    :param field: its field in the schema.
    """
    subject, attribute = subject_of(resource, field), attribute_of(field)
    relationships = inspect(resource.model).relationships
    if field.type_ is None:
        yield f"{subject}: The field has no type_."
    elif field.type_ not in api.resources.keys() | api.refused.keys():
        types = ", ".join(sorted([*api.resources, *api.refused]))
        yield f"{subject}: There is no resource of type {field.type_}; there are {types}."
    if attribute not in relationships:
        yield f"{subject}: {is_not(resource, attribute, 'relationship', relationships)}"
        return
    mapped = relationships[attribute]
    target = api.resources.get(field.type_)
    faults = [*_end_faults(mapped, field, target), *_key_faults(mapped)]
    faults += _opposite_faults(mapped, field, target)
    if not field.dump_only:
        faults += _association_table_faults(mapped)
    yield from (f"{subject}: {mapped} {fault}" for fault in faults)


def _end_faults(
    mapped: RelationshipProperty[Any], field: Any, target: Resource | None
) -> Iterator[str]:
    other = mapped.mapper.class_
    if target is not None and target.model is not other:
        model = target.model.__name__
        yield f"leads to {other.__name__}, but the model of type {field.type_} is {model}."
    if mapped.uselist and not field.many:
        yield "is to-many, but the field is to-one."
    if field.many and not mapped.uselist:
        yield "is to-one, but the field is to-many."
    if mapped.uselist and mapped.direction is MANYTOONE:
        yield "is to-many, but its foreign key leads to one row."


def _opposite_faults(
    mapped: RelationshipProperty[Any], field: Any, target: Resource | None
) -> Iterator[str]:
    """Check that the other end does not allow what this one refuses."""
    opposite = {other.key for other in opposites(mapped)}
    if target is None:
        return
    for other in target.relationship_fields.values():
        if attribute_of(other) not in opposite or other.dump_only:
            continue
        its, ours = (end.metadata.get("permission") for end in (other, field))
        if its != ours and not field.dump_only:
            yield f"needs the permission {ours}, but {subject_of(target, other)} needs {its}."
        if field.metadata.get("create_only"):
            yield f"is written on creation alone, but by {subject_of(target, other)} at any time."


def _key_faults(mapped: RelationshipProperty[Any]) -> Iterator[str]:
    """Check the columns: one foreign key to a primary key, or two in an association table."""
    source, target = mapped.parent, mapped.mapper
    if mapped.secondary is not None and not isinstance(mapped.secondary, Table):
        yield "has a query as its secondary, not a table."
        return
    holds_key = mapped.direction is MANYTOONE
    joins: list[Any] = [mapped.primaryjoin]
    references = [(pair, target if holds_key else source) for pair in mapped.synchronize_pairs]
    if mapped.secondary is not None:
        joins.append(mapped.secondaryjoin)
        references += [(pair, target) for pair in mapped.secondary_synchronize_pairs or ()]
    if len(references) != len(joins):
        yield "has a foreign key of several columns."
        return
    if not all(isinstance(join, BinaryExpression) and join.operator is eq for join in joins):
        yield "has a condition besides its foreign key."
    for (referred, key), mapper in references:
        if referred not in mapper.primary_key:
            yield f"leads to {referred} by {key}, not to the primary key."
        holder = source if holds_key else target
        if mapped.secondary is None and not holder.columns.contains_column(key):
            yield f"is stored in {key}, which {holder.class_.__name__} does not map."
    if not opposites(mapped):
        by = key.table.name if mapped.secondary is not None else key
        yield (
            f"has no inverse: {target.class_.__name__} has no relationship to"
            f" {source.class_.__name__} by {by}."
        )


def _association_table_faults(mapped: RelationshipProperty[Any]) -> Iterator[str]:
    """Check that the association table needs no values but its two foreign keys."""
    pairs = [*mapped.synchronize_pairs, *(mapped.secondary_synchronize_pairs or ())]
    keys = [key for _, key in pairs]
    for column in mapped.secondary.columns if isinstance(mapped.secondary, Table) else ():
        if column not in keys and must_be_given(column):
            yield f"needs a value of {column}, which has no default."
