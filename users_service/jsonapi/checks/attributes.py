"""Checks that each attribute of a schema has a column in the model, or is set without one."""

from collections.abc import Iterator
from inspect import getattr_static
from typing import Any

from marshmallow.fields import Field
from sqlalchemy import inspect
from sqlalchemy.ext.hybrid import hybrid_property

from ..resource import Resource

# Where a model has no attribute at all: None is the value of a plain one.
MISSING = object()


def attribute_faults(resource: Resource, field: Field) -> Iterator[str]:
    subject, attribute = subject_of(resource, field), attribute_of(field)
    if field.metadata.get("create_only") and field.dump_only:
        yield f"{subject}: The field is create_only, but clients cannot write it."
    if field.metadata.get("created"):
        yield from (f"{subject}: {fault}" for fault in _created_faults(resource, field))
    elif attribute not in resource.columns and not (
        field.load_only and _can_be_set(resource, attribute)
    ):
        yield f"{subject}: {no_column(resource, attribute)}"


def _created_faults(resource: Resource, field: Field) -> Iterator[str]:
    """Check a field that the answer to a creation alone shows."""
    attribute, model = attribute_of(field), resource.model.__name__
    if not field.dump_only:
        yield "The field is shown after creation alone, but clients can write it."
    if attribute in resource.columns:
        yield f"The field is shown after creation alone, but {model}.{attribute} is stored."
    elif not hasattr(resource.model, attribute):
        yield f"{model} has no attribute {attribute}."


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
    """Whether the model has a plain attribute under this name, or a property with a setter."""
    found = getattr_static(resource.model, attribute, MISSING)
    if isinstance(found, property | hybrid_property):
        return found.fset is not None
    return found is None


def attribute_of(field: Field) -> str:
    return str(field.attribute or field.name)


def subject_of(resource: Resource, field: Field) -> str:
    return f"{schema_of(resource)}.{field.name}"


def schema_of(resource: Resource) -> str:
    return type(resource.schema).__name__
