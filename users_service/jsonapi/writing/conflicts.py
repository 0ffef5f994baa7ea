"""Finds what stands against a change in the database: taken values, and resources in the way."""

import re
from collections.abc import Collection
from typing import Any

from sqlalchemy import Table, UniqueConstraint, inspect
from sqlalchemy.exc import IntegrityError

from ..errors import Error, JSONAPIError, Place, at, field_error
from ..reading import Scopes, statements
from ..resource import Relationship, Resource, all_relationships

# What a foreign key declares that keeps the row which it refers to.
RESTRICTING = {"NO ACTION", "RESTRICT"}


def refuse_if_needed(scopes: Scopes, resource: Resource, id: Any) -> None:
    """Check that no foreign key of another resource keeps a locked resource from being deleted.

    Resources that the caller cannot see count too.

    :raises JSONAPIError: 409 with an error for each relationship in the way.
    """
    faults = []
    for relationship in all_relationships(resource):
        if _restricts(relationship):
            scope = scopes.all_related_rows(relationship, id)
            # All of them: SQLite keeps its lock for as long as a statement has rows left.
            found = scope.execute(statements.select_two_related_ids).scalars().all()
            if any((relationship.target, other) != (resource, id) for other in found):
                faults.append(_in_the_way(relationship))
    if faults:
        raise JSONAPIError(*faults)


def _restricts(relationship: Relationship) -> bool:
    if relationship.holds_key or relationship.secondary is not None:
        return False
    table = relationship.source.table
    return any(
        key.references(table) and (key.ondelete or "NO ACTION").upper() in RESTRICTING
        for key in relationship.key_column.foreign_keys
    )


def _in_the_way(relationship: Relationship) -> Error:
    kind = relationship.target.type
    if relationship.field is None:  # clients do not know it
        detail = f"Resources of type {kind} still refer to this one."
        return Error(code="conflict", detail=detail, meta={"type": kind})
    name = relationship.name
    detail = f"The relationship {name} is in the way: it still has resources of type {kind}."
    return Error(code="conflict", detail=detail, meta={"relationship": name, "type": kind})


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
    for column in _violated_columns(error.orig, resource.table):
        attribute = column.info.get("attribute", mapper.get_property_by_column(column).key)
        if attribute not in sent:
            continue
        if attribute == resource.id_attribute:
            detail = "A resource with this id exists already."
            return Error(code="already_taken", detail=detail, source=at(*place, "id"))
        for name in resource.writable:
            if resource.attribute(name) == attribute:
                message = f"A resource with this {name} exists already."
                where = (*place, "attributes", name)
                return field_error("already_taken", name, message, *where, rule="unique")
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
