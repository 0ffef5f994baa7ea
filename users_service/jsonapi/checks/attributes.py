"""Checks that each attribute of a schema has a column in the model."""

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
    yield f"{subject_of(resource, field)}: {no_column(resource, attribute)}"


def no_column(resource: Resource, attribute: str) -> str:
    return is_not(resource, attribute, "column", resource.columns)


def is_not(resource: Resource, attribute: str, wanted: str, present: Any) -> str:
    """Return the fault of an attribute that is not a column or a relationship of the model.

    :param wanted: "column" or "relationship".
    :param present: the columns or relationships of the model, by attribute.
    """
    model = resource.model.__name__
    if (found := _what_is(resource, attribute)) is not None:
        return f"{model}.{attribute} is {found}, not a {wanted}."
    there = ", ".join(sorted(present.keys())) or "none"
    return f"{model} has no {wanted} {attribute}; it has {there}."


def _what_is(resource: Resource, attribute: str) -> str | None:
    """What kind of attribute a model has under a name; None if it has none."""
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
    return None if static is None else "an unmapped attribute"


def _can_be_set(resource: Resource, attribute: str) -> bool:
    """Whether the model has a property with a setter under this name."""
    found = getattr_static(resource.model, attribute, None)
    return isinstance(found, property | hybrid_property) and found.fset is not None


def attribute_of(field: Field) -> str:
    return str(field.attribute or field.name)


def subject_of(resource: Resource, field: Field) -> str:
    return f"{schema_of(resource)}.{field.name}"


def schema_of(resource: Resource) -> str:
    return type(resource.schema).__name__
