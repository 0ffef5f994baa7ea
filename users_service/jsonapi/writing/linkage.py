"""Writing relationships: rows of association tables and foreign keys, with both ends' versions."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from ..errors import Error, JSONAPIError
from ..resource import Relationship, Resource, all_relationships

# Parameters of one statement; engines take some ten thousands.
CHUNK = 500


def change_to_many(
    connection: Connection, relationship: Relationship, source: Any, ids: Sequence[Any], how: str
) -> bool:
    """Change what one resource relates to, and raise the versions of all whose linkage changes.

    The source and the resources of `ids` are locked by the caller, so that nobody else relates
    them meanwhile.

    :param how: `add` to what is there, `remove` from it, or `replace` it.
    :returns: whether that was a change at all.
    :raises JSONAPIError: 403 if what is to be removed cannot be without the source.
    """
    present = set(_related_ids(connection, relationship, source, None if how == "replace" else ids))
    added = [] if how == "remove" else [id for id in ids if id not in present]
    kept = set(ids) if how == "replace" else set()
    removed = [] if how == "add" else sorted(present - kept)
    if not added and not removed:
        return False
    if removed and relationship.is_required:
        detail = f"A resource of type {relationship.target.type} cannot be without this."
        raise JSONAPIError(Error(code="required_relationship", detail=detail))
    if relationship.secondary is not None:
        _associate(connection, relationship, source, added, removed)
        raise_versions(connection, relationship.target, [*added, *removed])
    else:
        _assign(connection, relationship, added, source)
        _assign(connection, relationship, removed, None)
    raise_versions(connection, relationship.source, [source])
    return True


def raise_versions(connection: Connection, resource: Resource, ids: Iterable[Any]) -> None:
    """Let resources count as changed: their linkage is another one."""
    version = resource.version_column
    for chunk in _chunks(sorted(set(ids))):
        connection.execute(
            update(resource.table)
            .where(resource.id_column.in_(chunk))
            .values({version: version + 1})
        )


def release(connection: Connection, resource: Resource, id: Any) -> None:
    """Take a resource that is about to be deleted out of the relationships that others have to it,
    and raise the versions of these others.

    What a foreign key of another table demands of it is left to the database.
    """
    for relationship in all_relationships(resource):
        if relationship.holds_key:
            key = connection.scalar(select(relationship.key_column).where(resource.id_column == id))
            related = [] if key is None else [key]
        else:
            related = list(_related_ids(connection, relationship, id, None))
        others = [other for other in related if (relationship.target, other) != (resource, id)]
        raise_versions(connection, relationship.target, others)
        if relationship.secondary is not None:
            mine, _ = relationship.secondary_columns
            connection.execute(delete(relationship.secondary).where(mine == id))


def _related_ids(
    connection: Connection, relationship: Relationship, source: Any, among: Sequence[Any] | None
) -> Iterator[Any]:
    """The ids of what a resource relates to: all, or those among some."""
    if relationship.secondary is not None:
        mine, other = relationship.secondary_columns
    else:
        mine, other = relationship.key_column, relationship.target.id_column
    statement = select(other).where(mine == source)
    if among is None:
        yield from connection.scalars(statement)
    else:
        for chunk in _chunks(among):
            yield from connection.scalars(statement.where(other.in_(chunk)))


def _associate(
    connection: Connection,
    relationship: Relationship,
    source: Any,
    added: Sequence[Any],
    removed: Sequence[Any],
) -> None:
    table = relationship.secondary
    assert table is not None  # noqa: S101  # the caller's condition
    mine, other = relationship.secondary_columns
    for chunk in _chunks(removed):
        connection.execute(delete(table).where(mine == source, other.in_(chunk)))
    if added:
        rows = [{mine.key: source, other.key: id} for id in added]
        connection.execute(insert(table), rows)


def _assign(
    connection: Connection, relationship: Relationship, ids: Sequence[Any], source: Any
) -> None:
    """Point the foreign keys of targets at a source, or at none."""
    target, key = relationship.target, relationship.key_column
    version = target.version_column
    for chunk in _chunks(ids):
        theirs = target.id_column.in_(chunk)
        if source is not None:
            before = connection.scalars(
                select(key).where(theirs, key.is_not(None)).distinct()
            ).all()
            raise_versions(connection, relationship.source, before)
        connection.execute(
            update(target.table).where(theirs).values({key: source, version: version + 1})
        )


def _chunks(ids: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]
