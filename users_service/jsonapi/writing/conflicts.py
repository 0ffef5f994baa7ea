"""Makes an error object from an integrity error: finds the field of the violated constraint."""

import re
from collections.abc import Collection
from typing import Any

from sqlalchemy import Table, UniqueConstraint, inspect
from sqlalchemy.exc import IntegrityError

from ..errors import Error, Place, at, field_error
from ..resource import Resource


def conflict(
    error: IntegrityError,
    resource: Resource,
    sent: Collection[str],
    place: Place = ("data",),
) -> Error:
    """Return the 409 for a violated constraint, with a pointer to the field if it is known.

    A computed column names the attribute that it is computed from in `Column.info["attribute"]`.

    :param sent: the attributes of the model that the request sets.
    :param place: the place of the resource object in the request document.
    """
    mapper = inspect(resource.model)
    for column in _violated_columns(error.orig, resource.model.__table__):
        attribute = column.info.get("attribute", mapper.get_property_by_column(column).key)
        if attribute not in sent:
            continue
        if attribute == resource.id_attribute:
            detail = "A resource with this id exists already."
            return Error(code="already_taken", detail=detail, source=at(*place, "id"))
        for name in resource.writable:
            if resource.attribute(name) == attribute:
                message = f"A resource with this {name} exists already."
                return field_error("already_taken", name, message, *place, "attributes", name)
    return Error(code="conflict", detail="Other stored data does not allow this change.")


def _violated_columns(original: Any, table: Table) -> list[Any]:
    """Find the columns of a violated unique or primary key constraint, from a driver's error."""
    if (diagnostics := getattr(original, "diag", None)) is not None:  # psycopg
        return _constraint_columns(table, diagnostics.constraint_name)
    message = str(original.args[-1])
    if match := re.search(r"for key '(?:[^'.]*\.)?([^'.]+)'\Z", message):  # MariaDB's error 1062
        return _constraint_columns(table, match[1])
    if match := re.fullmatch(r"UNIQUE constraint failed: (.+)", message):  # SQLite
        names = [name.rpartition(".")[2] for name in match[1].split(", ")]
        return [table.c[name] for name in names if name in table.c]
    return []


def _constraint_columns(table: Table, name: str | None) -> list[Any]:
    if name == "PRIMARY":
        return list(table.primary_key.columns)
    for constraint in table.constraints:
        if constraint.name == name and isinstance(constraint, UniqueConstraint):
            return list(constraint.columns)
    for index in table.indexes:
        if index.name == name:
            return list(index.columns)
    return list(table.primary_key.columns) if table.primary_key.name == name else []
