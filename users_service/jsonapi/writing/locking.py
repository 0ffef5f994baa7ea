"""What a change is about and what it links to: found, and locked until the transaction ends."""

from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any

from ..errors import Error, JSONAPIError, at, not_found
from ..reading import Scopes, statements
from ..resource import Relationship, Resource
from . import entities
from .identifiers import Identifier, Linkage, related_not_found
from .preconditions import Precondition

# The most parameters of one statement; engines take some ten thousands.
CHUNK = 500

LocalIds = Mapping[tuple[str, str], Any]
"""The ids of the resources that a request has created, by their types and local ids."""

Resolved = list[tuple[Relationship, list[Any]]]
"""Relationships, each with the ids that a request has for it."""


class _Own:
    """Stands for the id of the resource that is just being created."""


OWN = _Own()


def identities(linkages: Iterable[Linkage], lids: LocalIds) -> list[tuple[Resource, Any]]:
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


def lock_all(scopes: Scopes, wanted: Iterable[tuple[Resource, Any]]) -> set[tuple[str, Any]]:
    """Lock resources in the one order, by type and id, in which nobody waits in a circle.

    :returns: the types and ids of those that are there for the caller.
    """
    found: set[tuple[str, Any]] = set()
    by_type: dict[str, tuple[Resource, set[Any]]] = {}
    for resource, id in wanted:
        by_type.setdefault(resource.type, (resource, set()))[1].add(id)
    for type, (resource, ids) in sorted(by_type.items(), key=itemgetter(0)):
        scope, ordered = scopes.of(resource), sorted(ids)
        for start in range(0, len(ordered), CHUNK):
            chunk = ordered[start : start + CHUNK]
            locked = scope.execute(statements.lock_by_ids, ids=chunk).scalars()
            found.update((type, id) for id in locked)
    return found


def lock_one(scopes: Scopes, resource: Resource, id: Any, precondition: Precondition) -> Any:
    """Load an entity for a change, and keep others from changing it until this one is done.

    :raises JSONAPIError: 404 if it is not there for the caller, 412 or 428 for the precondition.
    """
    entity = entities.lock(scopes.of(resource), id)
    if entity is None:
        raise not_found()
    precondition.check(resource.version_of(entity))
    return entity


def resolve(
    linkages: Iterable[Linkage],
    known: set[tuple[str, Any]],
    lids: LocalIds,
    own: tuple[str, str | None] | None,
    how: str = "replace",
) -> Resolved:
    """Find the ids of linkage.

    :param known: the resources that are there, and locked.
    :param own: the type and the local id of the resource that is being created.
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
