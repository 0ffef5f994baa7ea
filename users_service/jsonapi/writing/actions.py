"""What changes resources and relationships: plain functions, for single requests and operations."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from ..errors import Error, JSONAPIError, at, not_found
from ..resource import Relationship, Resource
from . import entities
from .body import Identifier, Linkage, Loaded, related_not_found
from .conflicts import conflict
from .linkage import CHUNK, change_to_many, raise_versions, release
from .preconditions import Precondition

NOTHING = Loaded(values={})

LocalIds = Mapping[tuple[str, str], Any]
"""The ids of the resources that a request has created, by their types and local ids."""


def create(connection: Connection, resource: Resource, loaded: Loaded, lids: LocalIds) -> Any:
    """Store a new resource with its relationships, and return the entity.

    :raises JSONAPIError: 404 for linkage to what is not there, 409 for a value that is taken.
    """
    own = (resource.type, loaded.lid)
    known = lock_all(connection, named(loaded.linkages, lids))
    resolved = _resolve_all(loaded.linkages, known, lids, own)
    values = dict(loaded.values)
    for relationship, ids in resolved:
        if relationship.holds_key and OWN not in ids:
            values[relationship.key_attribute] = ids[0] if ids else None
    entity = resource.model(**values)
    with _conflicts(resource, loaded):
        entities.store_new(connection, resource, entity)
    id = resource.id_of(entity)
    to_itself = [r for r, ids in resolved if r.holds_key and OWN in ids]
    if to_itself:
        stored = entities.values_of(resource, entity)
        for relationship in to_itself:
            setattr(entity, relationship.key_attribute, id)
        with _conflicts(resource, loaded):
            entities.store_changes(connection, resource, entity, stored)
    _write(
        connection, entity, [(r, [id if i is OWN else i for i in ids]) for r, ids in resolved], {}
    )
    return entity


def update(
    connection: Connection,
    resource: Resource,
    id: Any,
    loaded: Loaded,
    lids: LocalIds,
    precondition: Precondition,
) -> Any:
    """Change a resource and its relationships, and return the entity.

    :raises JSONAPIError: 404 if it, or something it is linked to, is not there; 409, 412, 428.
    """
    linked = named(loaded.linkages, lids)
    known = lock_all(connection, [(resource, id), *linked] if linked else [])
    entity = lock(connection, resource, id, precondition)
    resolved = _resolve_all(loaded.linkages, known, lids, None)
    stored = entities.values_of(resource, entity)
    before = {r: getattr(entity, r.key_attribute) for r, _ in resolved if r.holds_key}
    for attribute, value in loaded.values.items():
        setattr(entity, attribute, value)
    for relationship, ids in resolved:
        if relationship.holds_key:
            setattr(entity, relationship.key_attribute, ids[0] if ids else None)
    with _conflicts(resource, loaded):
        entities.store_changes(connection, resource, entity, stored)
    _write(connection, entity, resolved, before)
    return entity


def delete(connection: Connection, resource: Resource, id: Any, precondition: Precondition) -> None:
    """Delete a resource, and its membership in relationships of others.

    :raises JSONAPIError: 404 if it is not there; 409 if others depend on it; 412, 428.
    """
    entity = lock(connection, resource, id, precondition)
    release(connection, resource, id)
    with _conflicts(resource, NOTHING):
        entities.remove(connection, resource, entity)


def change_relationship(
    connection: Connection,
    linkage: Linkage,
    id: Any,
    how: str,
    lids: LocalIds,
    precondition: Precondition,
) -> None:
    """Change a relationship of one resource (§7.3 Updating Relationships).

    :param how: `add` to what is there, `remove` from it, or `replace` it.
    :raises JSONAPIError: 404 if the resource, or one it is to be linked to, is not there; 412, 428.
    """
    resource = linkage.relationship.source
    known = lock_all(connection, [(resource, id), *named([linkage], lids)])
    entity = lock(connection, resource, id, precondition)
    ((relationship, ids),) = _resolve_all([linkage], known, lids, None, how)
    if relationship.holds_key:
        stored = entities.values_of(resource, entity)
        before = {relationship: getattr(entity, relationship.key_attribute)}
        setattr(entity, relationship.key_attribute, ids[0] if ids else None)
        with _conflicts(resource, NOTHING):
            entities.store_changes(connection, resource, entity, stored)
        _write(connection, entity, [(relationship, ids)], before)
    else:
        change_to_many(connection, relationship, id, ids, how)


def named(linkages: Iterable[Linkage], lids: LocalIds) -> list[tuple[Resource, Any]]:
    """The resources that linkage identifies, whether they are there or not."""
    found = []
    for linkage in linkages:
        target = linkage.relationship.target
        for identifier in linkage.identifiers:
            id = identifier.id
            if identifier.lid is not None:
                id = lids.get((target.type, identifier.lid))
            if id is not None:
                found.append((target, id))
    return found


def lock_all(
    connection: Connection, identities: Iterable[tuple[Resource, Any]]
) -> set[tuple[str, Any]]:
    """Lock resources in the one order, by type and id, in which nobody waits in a circle.

    :returns: the types and ids of those that are there.
    """
    known: set[tuple[str, Any]] = set()
    by_type: dict[str, tuple[Resource, set[Any]]] = {}
    for resource, id in identities:
        by_type.setdefault(resource.type, (resource, set()))[1].add(id)
    for type, (resource, ids) in sorted(by_type.items(), key=itemgetter(0)):
        known.update((type, id) for id in _lock_existing(connection, resource, ids))
    return known


def lock(connection: Connection, resource: Resource, id: Any, precondition: Precondition) -> Any:
    """Load an entity for a change, and keep others from changing it until this one is done.

    :raises JSONAPIError: 404 if it is not there, 412 or 428 for the precondition.
    """
    entity = entities.lock(connection, resource, id)
    if entity is None:
        raise not_found()
    precondition.check(resource.version_of(entity))
    return entity


class _Own:
    """Stands for the id of the resource that is just being created."""


OWN = _Own()

Resolved = list[tuple[Relationship, list[Any]]]


def _resolve_all(
    linkages: Iterable[Linkage],
    known: set[tuple[str, Any]],
    lids: LocalIds,
    own: tuple[str, str | None] | None,
    how: str = "replace",
) -> Resolved:
    """Find the ids of linkage.

    :param known: the resources that are there, and locked.
    :raises JSONAPIError: 404 with every identifier of which there is no resource; what is to be
        removed may be missing.
    """
    faults: list[Error] = []
    resolved = []
    for linkage in linkages:
        target = linkage.relationship.target
        ids: list[Any] = []
        for identifier in linkage.identifiers:
            ids.append(_id_of(target, identifier, lids, own, faults))
        for identifier, id in zip(linkage.identifiers, ids, strict=True):
            missing = id is not OWN and id is not None and (target.type, id) not in known
            if missing and how != "remove":
                faults.append(related_not_found(target, identifier.place))
        resolved.append((linkage.relationship, [id for id in ids if id is not None]))
    if faults:
        raise JSONAPIError(*faults)
    return resolved


def _id_of(
    target: Resource,
    identifier: Identifier,
    lids: LocalIds,
    own: tuple[str, str | None] | None,
    faults: list[Error],
) -> Any:
    if identifier.lid is None:
        return identifier.id
    if (target.type, identifier.lid) == own:
        return OWN
    if (target.type, identifier.lid) not in lids:
        faults.append(unknown_lid(identifier.place))
        return None
    return lids[target.type, identifier.lid]


def unknown_lid(place: tuple[str | int, ...]) -> Error:
    detail = "There is no resource of this type and local id in the request so far."
    return Error(code="unknown_lid", detail=detail, source=at(*place, "lid"))


def _lock_existing(connection: Connection, target: Resource, ids: set[Any]) -> set[Any]:
    wanted = sorted(ids)
    found: set[Any] = set()
    for start in range(0, len(wanted), CHUNK):
        statement = (
            select(target.id_column)
            .where(target.id_column.in_(wanted[start : start + CHUNK]))
            .order_by(target.id_column)
            .with_for_update()
        )
        found.update(connection.scalars(statement))
    return found


@contextmanager
def _conflicts(resource: Resource, loaded: Loaded) -> Iterator[None]:
    """Answer for a constraint that is violated now, and not at COMMIT."""
    try:
        yield
    except IntegrityError as error:
        raise JSONAPIError(conflict(error, resource, loaded.values, loaded.place)) from None


def _write(
    connection: Connection, entity: Any, resolved: Resolved, before: Mapping[Relationship, Any]
) -> None:
    """Write what is not in the entity's own row, and read the row again if that changed it."""
    changed = False
    for relationship, ids in resolved:
        if relationship.holds_key:
            ends = {before.get(relationship), ids[0] if ids else None}
            if len(ends) == 2:
                raise_versions(connection, relationship.target, ends - {None})
                changed |= relationship.target is relationship.source
        else:
            source = relationship.source.id_of(entity)
            changed |= change_to_many(connection, relationship, source, ids, "replace")
    if changed:
        entities.read_again(connection, resolved[0][0].source, entity)
