"""Whether a field of the schema has a column of the model, and what there is in place of one."""

from collections.abc import Iterator
from inspect import getattr_static
from typing import Any

from marshmallow.fields import Field
from sqlalchemy import inspect
from sqlalchemy.ext.hybrid import hybrid_property

from ..resource import Resource


def attribute_faults(resource: Resource, field: Field) -> Iterator[str]:
    attribute = attribute_of(field)
    if attribute in resource.columns or (field.load_only and _can_be_set(resource, attribute)):
        return
    yield f"{place_of(resource, field)}: {no_column(resource, attribute)}"


def no_column(resource: Resource, attribute: str) -> str:
    return is_not(resource, attribute, "column", resource.columns)


def is_not(resource: Resource, attribute: str, wanted: str, present: Any) -> str:
    """Say what the model has in place of a column or a relationship.

    :param present: the columns or relationships that it has, by attribute.
    """
    model = resource.model.__name__
    if (found := _what_is(resource, attribute)) is not None:
        return f"{model}.{attribute} is {found}, and no {wanted}."
    there = ", ".join(sorted(present.keys())) or "none"
    return f"{model} has no {wanted} {attribute}; it has {there}."


def _what_is(resource: Resource, attribute: str) -> str | None:
    """What an attribute of a model is; None if there is none of this name."""
    mapper = inspect(resource.model)
    static = getattr_static(resource.model, attribute, None)
    if attribute in resource.columns:
        return "a column"
    if attribute in mapper.relationships:
        return "a relationship"
    if attribute in mapper.column_attrs:
        return "computed (an expression)"
    if isinstance(static, hybrid_property):
        return "computed (a hybrid property)"
    if isinstance(static, property):
        return "computed (a property)"
    if attribute in mapper.all_orm_descriptors:
        return "made of other attributes"
    return None if static is None else "not mapped"


def _can_be_set(resource: Resource, attribute: str) -> bool:
    """Whether the model has a property that sets columns when it is set."""
    found = getattr_static(resource.model, attribute, None)
    return isinstance(found, property | hybrid_property) and found.fset is not None


def attribute_of(field: Field) -> str:
    return str(field.attribute or field.name)


def place_of(resource: Resource, field: Field) -> str:
    return f"{schema_of(resource)}.{field.name}"


def schema_of(resource: Resource) -> str:
    return type(resource.schema).__name__
