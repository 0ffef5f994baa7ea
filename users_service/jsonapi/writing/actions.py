"""Creates, updates and deletes resources, for single requests and for atomic operations.

Each change goes the same way: rows are locked, the change is made out as it is asked for, the host
checks it, and only then is anything stored.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from pyramid.request import Request
from sqlalchemy.exc import IntegrityError

from ..errors import JSONAPIError, Place
from ..reading import Scopes, statements
from ..resource import Relationship, Resource
from . import entities
from .body import LoadedResource
from .changes import Change, LinkageChange, attributes_of
from .conflicts import conflict, refuse_if_needed
from .identifiers import Linkage, LocalIds
from .linkage import increment_versions, unlink, write_to_many
from .linkage_changes import change_to_many, change_to_one, changed_linkage, new_linkage
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


def create(request: Request, resource: Resource, loaded: LoadedResource, lids: LocalIds) -> Change:
    """Create a resource with its relationships.

    :param lids: the local ids of the resources that the request has created before.
    :raises JSONAPIError: 404 for linkage to a resource that does not exist; 409 for a violated
        constraint, such as a unique value that is taken; what the host's check raises.
    """
    scopes: Scopes = request.jsonapi_scopes
    created = None if loaded.lid is None else (resource.type, loaded.lid)
    known = lock_resources(scopes, linked_resources(loaded.linkages, lids))
    resolved = resolve_linkage(loaded.linkages, known, lids, created)
    values = dict(loaded.values)
    for relationship, ids in resolved:
        if relationship.holds_key and NEW_ID not in ids:
            values[relationship.key_attribute] = ids[0] if ids else None
    entity = resource.model(**values)
    asked = Change(
        resource=resource,
        id=resource.id_of(entity),
        kind="create",
        after=attributes_of(resource, entities.values_of(resource, entity)),
        linkage=tuple(new_linkage(resolved, resource.id_of(entity))),
        entity=entity,
        sent=loaded.sent,
        place=loaded.place,
    )
    _check(request, asked)
    return _store_new(scopes, asked, loaded, resolved)


def _store_new(
    scopes: Scopes, asked: Change, loaded: LoadedResource, resolved: ResolvedLinkage
) -> Change:
    """Store a new entity and its linkage."""
    resource, entity = asked.resource, asked.entity
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
    keys = {r: None for r, _ in resolved if r.holds_key}
    linkage = _write_linkage(scopes, asked, complete, keys)
    after = attributes_of(resource, entities.values_of(resource, entity))
    return replace(asked, id=id, after=after, linkage=linkage)


def update(
    request: Request,
    resource: Resource,
    id: Any,
    loaded: LoadedResource,
    lids: LocalIds,
    precondition: Precondition,
) -> Change:
    """Update a resource and its relationships.

    :param lids: the local ids of the resources that the request has created before.
    :raises JSONAPIError: 404 if the resource, or one in its linkage, does not exist; 409 for a
        violated constraint; 412 or 428; what the host's check raises.
    """
    scopes: Scopes = request.jsonapi_scopes
    linked = linked_resources(loaded.linkages, lids)
    known = lock_resources(scopes, [(resource, id), *linked] if linked else [])
    entity = lock_entity(scopes, resource, id, precondition)
    resolved = resolve_linkage(loaded.linkages, known, lids, None)
    asked = Change(
        resource=resource,
        id=id,
        kind="update",
        entity=entity,
        stored=entities.values_of(resource, entity),
        sent=loaded.sent,
        place=loaded.place,
    )
    return _change(request, asked, loaded, resolved)


def delete(
    request: Request, resource: Resource, id: Any, precondition: Precondition, place: Place = ()
) -> Change:
    """Delete a resource, and remove it from the relationships of others.

    :param place: the place of its operation in the request document, if it is one.
    :raises JSONAPIError: 404 if it does not exist; 409 if others need it; 412 or 428; what the
        host's check raises.
    """
    scopes: Scopes = request.jsonapi_scopes
    entity = lock_entity(scopes, resource, id, precondition)
    stored = entities.values_of(resource, entity)
    change = Change(
        resource=resource,
        id=id,
        kind="delete",
        before=attributes_of(resource, stored),
        entity=entity,
        stored=stored,
        place=place,
    )
    _check(request, change)
    refuse_if_needed(scopes, resource, id)
    unlink(scopes, resource, entity)
    with _raising_conflicts(resource, NO_VALUES):
        entities.remove(scopes, resource, entity)
    return change


def change_relationship(
    request: Request,
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
        that is removed cannot be without the relationship; 412 or 428; what the host's check
        raises.
    """
    scopes: Scopes = request.jsonapi_scopes
    resource = linkage.relationship.source
    known = lock_resources(scopes, [(resource, id), *linked_resources([linkage], lids)])
    entity = lock_entity(scopes, resource, id, precondition)
    ((relationship, ids),) = resolve_linkage([linkage], known, lids, None, mode)
    asked = Change(
        resource=resource,
        id=id,
        kind="update",
        entity=entity,
        stored=entities.values_of(resource, entity),
        sent=frozenset([relationship.name]),
        place=linkage.place,
        names_relationship=True,
    )
    if relationship.holds_key:
        return _change(request, asked, NO_VALUES, [(relationship, ids)])
    changed = change_to_many(scopes, relationship, id, ids, mode)
    asked = replace(asked, linkage=() if changed is None else (changed,))
    _check(request, asked)
    if changed is not None:
        kept = sorted(set(ids) - set(changed.added)) if mode == "replace" else None
        write_to_many(scopes, changed, id, kept)
    return asked


def _check(request: Request, change: Change) -> None:
    """Let the host check a change that is asked for, of which nothing is stored yet."""
    if change.resource.rules.check is not None:
        change.resource.rules.check(request, change)


def _change(
    request: Request, asked: Change, loaded: LoadedResource, resolved: ResolvedLinkage
) -> Change:
    """Write values and linkage to a locked entity.

    :param asked: the change without what changes.
    """
    scopes: Scopes = request.jsonapi_scopes
    resource, entity = asked.resource, asked.entity
    resolved = [(r, ids) for r, ids in resolved if not _is_empty_to_caller(scopes, entity, r, ids)]
    keys = {r: getattr(entity, r.key_attribute) for r, _ in resolved if r.holds_key}
    for attribute, value in loaded.values.items():
        setattr(entity, attribute, value)
    for relationship, ids in resolved:
        if relationship.holds_key:
            setattr(entity, relationship.key_attribute, ids[0] if ids else None)
    linkage = tuple(changed_linkage(scopes, resolved, asked.id, keys))
    asked = _compared(replace(asked, linkage=linkage))
    _check(request, asked)
    with _raising_conflicts(resource, loaded):
        entities.store_changes(scopes, resource, entity, asked.stored)
    linkage = _write_linkage(scopes, asked, resolved, keys)
    return _compared(replace(asked, linkage=linkage))


def _compared(change: Change) -> Change:
    """Return a change with the attributes in which its entity differs from what was stored."""
    resource = change.resource
    before = attributes_of(resource, change.stored)
    after = attributes_of(resource, entities.values_of(resource, change.entity))
    changed = [name for name, value in after.items() if before[name] != value]
    return replace(
        change,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
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
    scopes: Scopes, asked: Change, resolved: ResolvedLinkage, keys: Mapping[Relationship, Any]
) -> tuple[LinkageChange, ...]:
    """Write linkage outside of the entity's row, and reload the entity if its row has changed.

    :param asked: the change as it was asked for.
    :param resolved: the new linkage.
    :param keys: the foreign keys that the entity had before.
    """
    resource, entity = asked.resource, asked.entity
    source = resource.id_of(entity)
    planned = {change.relationship: change for change in asked.linkage}
    linkage = []
    is_stale = has_written = False
    for relationship, ids in resolved:
        if relationship.holds_key:
            if (change := change_to_one(relationship, keys[relationship], ids)) is None:
                continue
            increment_versions(
                scopes.connection, relationship.target, [*change.removed, *change.added]
            )
            is_stale |= relationship.target is resource
            linkage.append(change)
            continue
        change = planned.get(relationship)
        if has_written or relationship.target is resource:
            # What was written before may have changed the same linkage.
            change = change_to_many(scopes, relationship, source, ids, "replace")
        if change is not None:
            write_to_many(scopes, change, source, sorted(set(ids) - set(change.added)))
            is_stale = has_written = True
            linkage.append(change)
    if is_stale:
        entities.reload(scopes, resource, entity)
    return tuple(linkage)
