"""Checks that a resource can be created from the fields that clients can write."""

from collections.abc import Iterator
from inspect import Parameter, signature
from typing import Any

from sqlalchemy import Column, inspect
from sqlalchemy.orm import MANYTOONE

from ..resource import Resource
from .attributes import attribute_of, schema_of


def creation_faults(resource: Resource) -> Iterator[str]:
    """Yield the reasons for which every creation would fail.

    A resource without writable fields is read-only, and one that a view of the host creates gets
    its values there: neither is checked.
    """
    if resource.create is not None:
        return
    mapper = inspect(resource.model)
    given = _given(resource)
    if not given:
        return
    if not resource.schema.fields["id"].dump_only:
        given[resource.id_attribute] = False
    if mapper.class_manager.original_init is not mapper.registry.constructor:
        yield from _constructor_faults(resource, given)
        return  # such a constructor may set any column
    written = {resource.columns[name] for name in given if name in resource.columns}
    written |= {column for column in mapper.local_table.columns if _is_computed(column)}
    written |= {mapper.version_id_col, mapper.polymorphic_on}
    for column in mapper.local_table.columns:
        if must_be_given(column) and column not in written:
            yield (
                f"{schema_of(resource)}: {resource.model.__name__} needs a value of {column}, which"
                " has no default and no field that clients can write."
            )


def _constructor_faults(resource: Resource, given: dict[str, bool]) -> Iterator[str]:
    """Check that a constructor in the model accepts all that clients send, and needs no more."""
    constructor = f"{schema_of(resource)}: The constructor of {resource.model.__name__}"
    parameters = signature(resource.model).parameters
    kinds = {parameter.kind for parameter in parameters.values()}
    if Parameter.VAR_KEYWORD not in kinds and (refused := sorted(given.keys() - parameters)):
        yield f"{constructor} does not take {', '.join(refused)}."
    for name, parameter in parameters.items():
        takes_more = parameter.kind in (Parameter.VAR_KEYWORD, Parameter.VAR_POSITIONAL)
        if not takes_more and parameter.default is Parameter.empty and not given.get(name):
            yield f"{constructor} needs {name}, which clients can leave out."


def _given(resource: Resource) -> dict[str, bool]:
    """The model's attributes that clients can set in a new resource, and whether they must."""
    fields = [resource.attributes[name] for name in resource.writable]
    given = {attribute_of(field): bool(field.required) for field in fields}
    mapper = inspect(resource.model)
    for field in resource.relationship_fields.values():
        mapped = mapper.relationships.get(attribute_of(field))
        if mapped is not None and mapped.direction is MANYTOONE and not field.dump_only:
            for key, _ in mapped.local_remote_pairs or ():
                if mapper.columns.contains_column(key):
                    name = mapper.get_property_by_column(key).key
                    given[name] = not key.nullable
    return given


def must_be_given(column: Column[Any]) -> bool:
    """Whether an INSERT needs a value of this column."""
    has_default = column.default is not None or column.server_default is not None
    is_counted = column is column.table.autoincrement_column
    return not (column.nullable or has_default or is_counted)


def _is_computed(column: Column[Any]) -> bool:
    """Whether the model computes the column from another attribute, as its `info` declares."""
    return bool(column.info.keys() & {"attribute", "compute"})
