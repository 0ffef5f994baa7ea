"""Writes linkage: rows of association tables, foreign keys, and the versions of both ends."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, update

from ..errors import Error, JSONAPIError
from ..reading import Scopes, statements
from ..resource import Relationship, Resource, all_relationships
from .changes import LinkageChange
from .locking import CHUNK


def change_to_many(
    scopes: Scopes, relationship: Relationship, source: Any, ids: Sequence[Any], mode: str
) -> LinkageChange | None:
    """Change a to-many relationship, and increment the versions of all resources involved.

    The source and the resources in `ids` must be locked already, so that no other request links
    them at the same time. Linkage to resources that the caller cannot see stays.

    :param source: the id of the resource that has the relationship.
    :param ids: the ids in the linkage of the request.
    :param mode: `add` them to the stored linkage, `remove` them from it, or `replace` it.
    :returns: the change; None if nothing has changed.
    :raises JSONAPIError: 403 if a resource that is removed cannot be without the relationship.
    """
    present = set(_related_ids(scopes, relationship, source, None if mode == "replace" else ids))
    added = [] if mode == "remove" else [id for id in ids if id not in present]
    wanted = set(ids) if mode == "replace" else set()
    removed = [] if mode == "add" else sorted(present - wanted)
    if not added and not removed:
        return None
    if removed and relationship.is_required:
        detail = (
            f"Cannot remove resources of type {relationship.target.type}: they must have this"
            " relationship. Add them to another resource instead."
        )
        raise JSONAPIError(Error(code="required_relationship", detail=detail))
    connection = scopes.connection
    if relationship.secondary is not None:
        _write_association_rows(connection, relationship, source, added, removed)
        increment_versions(connection, relationship.target, [*added, *removed])
    else:
        _set_foreign_keys(scopes, relationship, added, source)
        _set_foreign_keys(scopes, relationship, removed, None)
    increment_versions(connection, relationship.source, [source])
    return LinkageChange(relationship=relationship, added=tuple(added), removed=tuple(removed))


def increment_versions(connection: Connection, resource: Resource, ids: Iterable[Any]) -> None:
    """Increment the versions of resources whose linkage has changed."""
    version = resource.version_column
    for chunk in _chunks(sorted(set(ids))):
        connection.execute(
            update(resource.table)
            .where(resource.id_column.in_(chunk))
            .values({version: version + 1})
        )


def unlink(scopes: Scopes, resource: Resource, entity: Any) -> None:
    """Remove a resource that will be deleted from the linkage of others.

    Deletes its association rows, and increments the versions of the others. Foreign keys in their
    rows are left to the database, which sets them to null, deletes the rows, or refuses.
    """
    id = resource.id_of(entity)
    for relationship in all_relationships(resource):
        if relationship.holds_key:
            key = getattr(entity, relationship.key_attribute)
            related = [] if key is None else [key]
        else:
            scope = scopes.all_related_rows(relationship, id)
            related = list(scope.execute(statements.select_related_ids).scalars())
        others = [other for other in related if (relationship.target, other) != (resource, id)]
        increment_versions(scopes.connection, relationship.target, others)
        if relationship.secondary is not None:
            source_key, _ = relationship.secondary_columns
            scopes.connection.execute(delete(relationship.secondary).where(source_key == id))


def _related_ids(
    scopes: Scopes, relationship: Relationship, source: Any, ids: Sequence[Any] | None
) -> Iterator[Any]:
    """The ids of the related resources that the caller can see.

    :param ids: the ids to look for; None for all.
    """
    scope = scopes.related(relationship, source)
    if ids is None:
        yield from scope.execute(statements.select_related_ids).scalars()
    else:
        for chunk in _chunks(ids):
            yield from scope.execute(statements.select_related_ids_in, ids=chunk).scalars()


def _write_association_rows(
    connection: Connection,
    relationship: Relationship,
    source: Any,
    added: Sequence[Any],
    removed: Sequence[Any],
) -> None:
    table = relationship.secondary
    assert table is not None  # noqa: S101  # checked by the caller
    source_key, target_key = relationship.secondary_columns
    for chunk in _chunks(removed):
        connection.execute(delete(table).where(source_key == source, target_key.in_(chunk)))
    if added:
        rows = [{source_key.key: source, target_key.key: id} for id in added]
        connection.execute(insert(table), rows)


def _set_foreign_keys(
    scopes: Scopes, relationship: Relationship, ids: Sequence[Any], source: Any
) -> None:
    """Set the foreign keys of targets to the id of a source, or to null."""
    target, key = relationship.target, relationship.key_column
    version = target.version_column
    for chunk in _chunks(ids):
        if source is not None:
            former = scopes.all_rows(target).execute(
                statements.select_source_ids, relationship, ids=chunk
            )
            increment_versions(scopes.connection, relationship.source, former.scalars().all())
        scopes.connection.execute(
            update(target.table)
            .where(target.id_column.in_(chunk))
            .values({key: source, version: version + 1})
        )


def _chunks(ids: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]
