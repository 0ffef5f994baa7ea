"""Finds and locks the resources that a change is about, and those that its linkage identifies."""

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

from ..errors import Error, JSONAPIError, no_such_id, not_found
from ..reading import Scopes, statements
from ..resource import Relationship, Resource
from . import entities
from .identifiers import Identifier, Linkage, LocalId, LocalIds, related_not_found
from .preconditions import Precondition

# The most bind parameters of one IN; engines allow some ten thousand in a statement.
CHUNK = 500

ResolvedLinkage = list[tuple[Relationship, list[Any]]]
"""Relationships, each with the ids in its linkage."""


def chunks(ids: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Split ids into parts that one statement takes."""
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


class _NewId:
    """The type of NEW_ID, which is in linkage instead of the id of the resource being created."""


NEW_ID = _NewId()


def linked_resources(linkages: Iterable[Linkage], lids: LocalIds) -> list[tuple[Resource, Any]]:
    """Return the types and ids of the resources that linkage identifies; they may not exist."""
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


def lock_resources(scopes: Scopes, wanted: Iterable[tuple[Resource, Any]]) -> set[tuple[str, Any]]:
    """Lock the rows of resources in the order of type and id, which makes deadlocks rare.

    :returns: the types and ids of those that exist and that the caller can see.
    """
    found: set[tuple[str, Any]] = set()
    by_type: dict[str, tuple[Resource, set[Any]]] = {}
    for resource, id in wanted:
        by_type.setdefault(resource.type, (resource, set()))[1].add(id)
    for type, (resource, ids) in sorted(by_type.items(), key=itemgetter(0)):
        scope = scopes.of(resource)
        for chunk in chunks(sorted(ids)):
            locked = scope.execute(statements.lock_by_ids, ids=chunk).scalars()
            found.update((type, id) for id in locked)
    return found


def lock_entity(scopes: Scopes, resource: Resource, id: Any, precondition: Precondition) -> Any:
    """Load an entity for a change, lock its row, and check the precondition.

    :raises JSONAPIError: 404 if there is none that the caller can see; 412 or 428.
    """
    entity = entities.lock(scopes.of(resource), id)
    if entity is None:
        raise not_found(no_such_id(resource.type))
    precondition.check(resource.version_of(entity))
    return entity


def resolve_linkage(
    linkages: Iterable[Linkage],
    known: set[tuple[str, Any]],
    lids: LocalIds,
    created: LocalId | None,
    mode: str = "replace",
) -> ResolvedLinkage:
    """Find the ids of linkage, and check that the resources exist.

    :param known: the types and ids of the resources that exist, and are locked.
    :param created: the type and the local id of the resource that is being created.
    :param mode: with `remove`, the resources need not exist.
    :raises JSONAPIError: 404 with an error for each identifier of no resource.
    """
    faults: list[Error] = []
    resolved = []
    for linkage in linkages:
        relationship = linkage.relationship
        target = relationship.target
        ids = [_id_of(target, identifier, lids, created) for identifier in linkage.identifiers]
        for identifier, id in zip(linkage.identifiers, ids, strict=True):
            missing = id is not NEW_ID and (target.type, id) not in known
            if missing and mode != "remove":
                faults.append(related_not_found(relationship, identifier.place, identifier.lid))
        resolved.append((relationship, ids))
    if faults:
        raise JSONAPIError(*faults)
    return resolved


def _id_of(
    target: Resource, identifier: Identifier, lids: LocalIds, created: LocalId | None
) -> Any:
    if identifier.lid is None:
        return identifier.id
    lid = (target.type, identifier.lid)
    return NEW_ID if lid == created else lids[lid]
