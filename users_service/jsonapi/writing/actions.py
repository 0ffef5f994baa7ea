"""Creates, updates and deletes resources, for single requests and for atomic operations."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import IntegrityError

from ..errors import JSONAPIError
from ..reading import Scopes, statements
from ..resource import Relationship, Resource
from . import entities
from .body import LoadedResource
from .changes import Change, LinkageChange, attributes_of
from .conflicts import conflict, refuse_if_needed
from .identifiers import Linkage, LocalIds
from .linkage import change_to_many, increment_versions, unlink
from .locking import (
    NEW_ID,
    ResolvedLinkage,
    linked_resources,
    lock_entity,
    lock_resources,
    resolve_linkage,
)
from .preconditions import Precondition

NO_VALUES = LoadedResource(values={})


def create(scopes: Scopes, resource: Resource, loaded: LoadedResource, lids: LocalIds) -> Change:
    """Create a resource with its relationships.

    :param lids: the local ids of the resources that the request has created before.
    :raises JSONAPIError: 404 for linkage to a resource that does not exist; 409 for a violated
        constraint, such as a unique value that is taken.
    """
    created = None if loaded.lid is None else (resource.type, loaded.lid)
    known = lock_resources(scopes, linked_resources(loaded.linkages, lids))
    resolved = resolve_linkage(loaded.linkages, known, lids, created)
    values = dict(loaded.values)
    for relationship, ids in resolved:
        if relationship.holds_key and NEW_ID not in ids:
            values[relationship.key_attribute] = ids[0] if ids else None
    entity = resource.model(**values)
    with _raising_conflicts(resource, loaded):
        entities.store_new(scopes, resource, entity)
    id = resource.id_of(entity)
    to_itself = [r for r, ids in resolved if r.holds_key and NEW_ID in ids]
    if to_itself:
        stored = entities.values_of(resource, entity)
        for relationship in to_itself:
            setattr(entity, relationship.key_attribute, id)
        with _raising_conflicts(resource, loaded):
            entities.store_changes(scopes, resource, entity, stored)
    complete = [(r, [id if i is NEW_ID else i for i in ids]) for r, ids in resolved]
    linkage = _write_linkage(scopes, resource, entity, complete, {})
    after = attributes_of(resource, entities.values_of(resource, entity))
    return Change(
        resource=resource, id=id, kind="create", after=after, linkage=linkage, entity=entity
    )


def update(
    scopes: Scopes,
    resource: Resource,
    id: Any,
    loaded: LoadedResource,
    lids: LocalIds,
    precondition: Precondition,
) -> Change:
    """Update a resource and its relationships.

    :param lids: the local ids of the resources that the request has created before.
    :raises JSONAPIError: 404 if the resource, or one in its linkage, does not exist; 409 for a
        violated constraint; 412 or 428.
    """
    linked = linked_resources(loaded.linkages, lids)
    known = lock_resources(scopes, [(resource, id), *linked] if linked else [])
    entity = lock_entity(scopes, resource, id, precondition)
    resolved = resolve_linkage(loaded.linkages, known, lids, None)
    return _change(scopes, resource, entity, loaded, resolved)


def delete(scopes: Scopes, resource: Resource, id: Any, precondition: Precondition) -> Change:
    """Delete a resource, and remove it from the relationships of others.

    :raises JSONAPIError: 404 if it does not exist; 409 if others need it; 412 or 428.
    """
    entity = lock_entity(scopes, resource, id, precondition)
    refuse_if_needed(scopes, resource, id)
    unlink(scopes, resource, entity)
    with _raising_conflicts(resource, NO_VALUES):
        entities.remove(scopes, resource, entity)
    before = attributes_of(resource, entities.values_of(resource, entity))
    return Change(resource=resource, id=id, kind="delete", before=before, entity=entity)


def change_relationship(
    scopes: Scopes,
    linkage: Linkage,
    id: Any,
    mode: str,
    lids: LocalIds,
    precondition: Precondition,
) -> Change:
    """Change a relationship of one resource (§7.3 Updating Relationships).

    :param id: the id of the resource.
    :param mode: `add` the linkage to the stored one, `remove` it from that, or `replace` that.
    :param lids: the local ids of the resources that the request has created before.
    :raises JSONAPIError: 404 if the resource, or one in the linkage, does not exist; 403 if one
        that is removed cannot be without the relationship; 412 or 428.
    """
    resource = linkage.relationship.source
    known = lock_resources(scopes, [(resource, id), *linked_resources([linkage], lids)])
    entity = lock_entity(scopes, resource, id, precondition)
    ((relationship, ids),) = resolve_linkage([linkage], known, lids, None, mode)
    if relationship.holds_key:
        return _change(scopes, resource, entity, NO_VALUES, [(relationship, ids)])
    changed = change_to_many(scopes, relationship, id, ids, mode)
    return Change(
        resource=resource,
        id=id,
        kind="update",
        linkage=() if changed is None else (changed,),
        entity=entity,
    )


def _change(
    scopes: Scopes,
    resource: Resource,
    entity: Any,
    loaded: LoadedResource,
    resolved: ResolvedLinkage,
) -> Change:
    """Write values and linkage to a locked entity."""
    stored = entities.values_of(resource, entity)
    resolved = [(r, ids) for r, ids in resolved if not _is_empty_to_caller(scopes, entity, r, ids)]
    keys = {r: getattr(entity, r.key_attribute) for r, _ in resolved if r.holds_key}
    for attribute, value in loaded.values.items():
        setattr(entity, attribute, value)
    for relationship, ids in resolved:
        if relationship.holds_key:
            setattr(entity, relationship.key_attribute, ids[0] if ids else None)
    with _raising_conflicts(resource, loaded):
        entities.store_changes(scopes, resource, entity, stored)
    linkage = _write_linkage(scopes, resource, entity, resolved, keys)
    before = attributes_of(resource, stored)
    after = attributes_of(resource, entities.values_of(resource, entity))
    changed = [name for name, value in after.items() if before[name] != value]
    return Change(
        resource=resource,
        id=resource.id_of(entity),
        kind="update",
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
        linkage=linkage,
        entity=entity,
    )


def _is_empty_to_caller(
    scopes: Scopes, entity: Any, relationship: Relationship, ids: list[Any]
) -> bool:
    """Whether a request empties a to-one relationship whose target the caller cannot see.

    To the caller it is empty already: the stored linkage stays.
    """
    if not relationship.holds_key or ids or scopes.sees_all(relationship.target):
        return False
    key = getattr(entity, relationship.key_attribute)
    if key is None:
        return False
    seen = scopes.of(relationship.target).execute(statements.select_version, id=key)
    return seen.one_or_none() is None


@contextmanager
def _raising_conflicts(resource: Resource, loaded: LoadedResource) -> Iterator[None]:
    """Raise an IntegrityError of a statement as the JSONAPIError of a conflict."""
    try:
        yield
    except IntegrityError as error:
        raise JSONAPIError(conflict(error, resource, loaded.values, loaded.place)) from None


def _write_linkage(
    scopes: Scopes,
    resource: Resource,
    entity: Any,
    resolved: Iterable[tuple[Relationship, list[Any]]],
    keys: Mapping[Relationship, Any],
) -> tuple[LinkageChange, ...]:
    """Write linkage outside of the entity's row, and reload the entity if its row has changed.

    :param resolved: the new linkage.
    :param keys: the foreign keys that the entity had before.
    """
    source = resource.id_of(entity)
    linkage = []
    is_stale = False
    for relationship, ids in resolved:
        if relationship.holds_key:
            former, now = keys.get(relationship), ids[0] if ids else None
            if former == now:
                continue
            ends = [id for id in (former, now) if id is not None]
            increment_versions(scopes.connection, relationship.target, ends)
            is_stale |= relationship.target is resource
            removed, added = (() if id is None else (id,) for id in (former, now))
            linkage.append(LinkageChange(relationship=relationship, added=added, removed=removed))
        elif change := change_to_many(scopes, relationship, source, ids, "replace"):
            is_stale = True
            linkage.append(change)
    if is_stale:
        entities.reload(scopes, resource, entity)
    return tuple(linkage)
