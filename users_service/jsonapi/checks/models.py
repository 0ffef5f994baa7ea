"""Checks that a model is mapped to one table with an id and a version, without mapper events."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from marshmallow import ValidationError
from sqlalchemy import Table, inspect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapper

from ..resource import Resource, python_type
from .attributes import no_column, schema_of

EVENTS = [
    f"{when}_{what}" for when in ("before", "after") for what in ("insert", "update", "delete")
]

# Documents have ids as text: that of Python's `str`, which the schema's field must read back.
ID_TYPES = (int, str, UUID)

# An id of each of these types, as text.
IDS = ("1", "a", "0190b5a0-0000-7000-8000-000000000001")


# The operators of filters that may compare a computed column in place of the field's.
COMPUTED = ("eq", "icontains")


def mapping_faults(resource: Resource) -> Iterator[str]:
    """Check that the model is mapped to a table. If not, the other checks cannot run."""
    schema, model = schema_of(resource), resource.model.__name__
    if getattr(resource.schema.opts, "type_", None) is None:
        yield f"{schema}: It has no type_, so it is not a schema of marshmallow-jsonapi."
    mapper = inspect(resource.model, raiseerr=False)
    if not isinstance(mapper, Mapper):
        yield f"{schema}: {model} is not a mapped class."
    elif len(mapper.tables) != 1:
        yield f"{schema}: {model} is mapped to more than one table."
    elif not isinstance(mapper.local_table, Table):
        yield f"{schema}: {model} is mapped to a query, not a table."


def registry_faults(resources: Iterable[Resource]) -> Iterator[str]:
    """Check that SQLAlchemy can configure the mappers: one faulty relationship prevents it."""
    for registry in dict.fromkeys(inspect(resource.model).registry for resource in resources):
        try:
            registry.configure(cascade=True)
        except SQLAlchemyError as error:
            reason, _, _ = str(error).partition("\n")
            yield f"The models cannot be configured: {reason}"


def model_faults(resource: Resource) -> Iterator[str]:
    schema, model, mapper = schema_of(resource), resource.model.__name__, inspect(resource.model)
    if heard := [event for event in EVENTS if getattr(mapper.dispatch, event)]:
        yield (
            f"{schema}: {model} has listeners to mapper events ({', '.join(heard)}), which are not"
            " called for resources: use a constraint, a default or @validates instead."
        )
    if mapper.single:
        other = mapper.inherits.class_.__name__
        yield f"{schema}: {model} has no table of its own, but shares that of {other}."
    for column in mapper.local_table.columns:
        yield from (f"{schema}: {column} {fault}" for fault in _info_faults(resource, column.info))
    yield from _version_faults(resource)
    yield from _id_faults(resource)


def _info_faults(resource: Resource, info: Mapping[Any, Any]) -> Iterator[str]:
    """Check what a column says of itself."""
    source, operator = info.get("attribute"), info.get("operator")
    if source is not None and not hasattr(resource.model, source):
        model = resource.model.__name__
        yield f"is computed from {source}, as its info says, but {model} has no such attribute."
    if operator is not None and not info.keys() >= {"attribute", "compute"}:
        yield f"is for the operator {operator}, but its info lacks attribute or compute."
    if operator not in (None, *COMPUTED):
        known = " and ".join(COMPUTED)
        yield f"is for the operator {operator}, but only {known} compare computed columns."


def _version_faults(resource: Resource) -> Iterator[str]:
    schema, model = schema_of(resource), resource.model.__name__
    column = inspect(resource.model).version_id_col
    if column is None:
        yield f"{schema}: {model} has no version_id_col."
        return
    attribute = resource.version_attribute
    if (kind := python_type(column)) is not int:
        yield f"{schema}: The version {model}.{attribute} is of type {kind.__name__}, not int."
    if column.default is None and column.server_default is None:
        yield f"{schema}: The version {model}.{attribute} has no default for new rows."
    for name in resource.writable:
        if resource.attribute(name) == attribute:
            yield f"{schema}.{name}: Clients can write the version {model}.{attribute}."


def _id_faults(resource: Resource) -> Iterator[str]:
    subject, model = f"{schema_of(resource)}.id", resource.model.__name__
    attribute, key = resource.id_attribute, inspect(resource.model).primary_key
    if len(key) > 1:
        names = ", ".join(column.name for column in key)
        yield f"{subject}: {model} has a primary key of several columns ({names})."
    elif attribute not in resource.columns:
        yield f"{subject}: {no_column(resource, attribute)}"
    elif resource.id_column is not key[0]:
        yield f"{subject}: {model}.{attribute} is not the primary key, which is {key[0].name}."
    else:
        kind = resource.python_type("id")
        if kind not in ID_TYPES:
            yield (
                f"{subject}: {model}.{attribute} is of type {kind.__name__}, not int, str or UUID."
            )
        for read in sorted({type(id).__name__ for id in _read(resource)} - {kind.__name__}):
            yield (
                f"{subject}: The field reads ids of type {read}, but {model}.{attribute} is of type"
                f" {kind.__name__}."
            )


def _read(resource: Resource) -> Iterator[Any]:
    """Yield the values that the schema's field loads from IDS, where it accepts them."""
    for text in IDS:
        try:
            yield resource.load_id(text)
        except ValidationError:
            continue
