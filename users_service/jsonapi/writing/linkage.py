"""Writes linkage: rows of association tables, foreign keys, and the versions of both ends."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Column, Connection, delete, insert, update

from ..reading import Scopes, statements
from ..resource import Relationship, Resource, all_relationships
from .changes import LinkageChange
from .locking import CHUNK, chunks


def write_to_many(
    scopes: Scopes, change: LinkageChange, source: Any, kept: Sequence[Any] | None = None
) -> None:
    """Write a change of a to-many relationship, and increment the versions of all involved.

    The source and the targets that are added must be locked already, so that no other request links
    them at the same time.

    :param source: the id of the resource that has the relationship.
    :param kept: the ids that stay, if they are all that stay; None if that is not known.
    """
    relationship = change.relationship
    if relationship.secondary is not None:
        if (
            len(change.removed) > CHUNK
            and kept is not None
            and scopes.sees_all(relationship.target)
        ):
            _unlink_all(scopes, relationship, source, but=kept)
        else:
            _delete_association_rows(scopes, relationship, source, change.removed)
        _insert_association_rows(scopes, relationship, source, change.added)
    else:
        # In this order, since the foreign key may be unique.
        _set_foreign_keys(scopes, relationship, change.removed, None)
        _set_foreign_keys(scopes, relationship, change.added, source)
    _record_change(scopes, relationship.source, source)


def increment_versions(connection: Connection, resource: Resource, ids: Iterable[Any]) -> None:
    """Increment the versions of the resources at the far ends of changed linkage."""
    for chunk in chunks(sorted(set(ids))):
        connection.execute(
            update(resource.table)
            .where(resource.id_column.in_(chunk))
            .values(_new_version_alone(resource))
        )


def _new_version_alone(resource: Resource) -> dict[Column[Any], Any]:
    """Return the values of an UPDATE that increments versions, and changes nothing else.

    A column with an `onupdate`, such as a time of modification, keeps its value: it is for the
    resources that a request names, and its index would be written for every row.
    """
    kept = {column: column for column in resource.table.columns if column.onupdate is not None}
    version = resource.version_column
    return {**kept, version: version + 1}


def _record_change(scopes: Scopes, resource: Resource, id: Any) -> None:
    """Increment the version of the resource whose relationship a request has changed.

    Its columns with an `onupdate` change too.
    """
    version = resource.version_column
    scopes.connection.execute(
        update(resource.table).where(resource.id_column == id).values({version: version + 1})
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
            is_other = key is not None and (relationship.target, key) != (resource, id)
            if is_other and relationship.is_shown_by_target:
                increment_versions(scopes.connection, relationship.target, [key])
        else:
            _unlink_all(scopes, relationship, id)


def _unlink_all(
    scopes: Scopes, relationship: Relationship, source: Any, but: Sequence[Any] = ()
) -> None:
    """Increment the versions of all resources that one is related to, but its own, and delete its
    association rows: by statements that take any number of rows.

    The rows are locked before, in the order of their ids: an UPDATE takes them in any order, and
    would deadlock with other changes.

    :param but: the ids of related resources that stay.
    """
    target = relationship.target
    scopes.all_related_rows(relationship, source).execute(statements.lock_related).close()
    if relationship.secondary is not None:
        source_key, target_key = relationship.secondary_columns
        links = [source_key == source]
        if but:
            links.append(target_key.not_in(but))
        related = [target.id_column == target_key, *links]
    else:
        related = [relationship.key_column == source]
    if target is relationship.source:
        related.append(target.id_column != source)
    values = _new_version_alone(target)
    scopes.connection.execute(update(target.table).where(*related).values(values))
    if relationship.secondary is not None:
        scopes.connection.execute(delete(relationship.secondary).where(*links))


def _delete_association_rows(
    scopes: Scopes, relationship: Relationship, source: Any, ids: Sequence[Any]
) -> None:
    """Delete association rows, and increment the versions of the targets with these ids."""
    source_key, target_key = relationship.secondary_columns
    for chunk in chunks(ids):
        scopes.connection.execute(
            delete(source_key.table).where(source_key == source, target_key.in_(chunk))
        )
    increment_versions(scopes.connection, relationship.target, ids)


def _insert_association_rows(
    scopes: Scopes, relationship: Relationship, source: Any, ids: Sequence[Any]
) -> None:
    """Insert association rows, and increment the versions of the targets with these ids."""
    source_key, target_key = relationship.secondary_columns
    if ids:
        rows = [{source_key.key: source, target_key.key: id} for id in ids]
        scopes.connection.execute(insert(source_key.table), rows)
    increment_versions(scopes.connection, relationship.target, ids)


def _set_foreign_keys(
    scopes: Scopes, relationship: Relationship, ids: Sequence[Any], source: Any
) -> None:
    """Set the foreign keys of targets to the id of a source, or to null."""
    target, key = relationship.target, relationship.key_column
    for chunk in chunks(ids):
        if source is not None:
            former = scopes.all_rows(target).execute(
                statements.select_source_ids, relationship, ids=chunk
            )
            increment_versions(scopes.connection, relationship.source, former.scalars().all())
        scopes.connection.execute(
            update(target.table)
            .where(target.id_column.in_(chunk))
            .values({key: source, **_new_version_alone(target)})
        )
