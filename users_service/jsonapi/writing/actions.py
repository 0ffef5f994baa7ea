"""What changes resources and relationships: plain functions, for single requests and operations."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import IntegrityError

from ..errors import JSONAPIError
from ..reading import Scopes, statements
from ..resource import Relationship, Resource
from . import entities
from .body import Loaded
from .changes import Change, LinkageChange, attributes_of
from .conflicts import conflict
from .identifiers import Linkage
from .linkage import change_to_many, raise_versions, release
from .locking import OWN, LocalIds, Resolved, identities, lock_all, lock_one, resolve
from .preconditions import Precondition

NOTHING = Loaded(values={})


def create(scopes: Scopes, resource: Resource, loaded: Loaded, lids: LocalIds) -> Change:
    """Store a new resource with its relationships.

    :raises JSONAPIError: 404 for linkage to what is not there, 409 for a value that is taken.
    """
    own = (resource.type, loaded.lid)
    known = lock_all(scopes, identities(loaded.linkages, lids))
    resolved = resolve(loaded.linkages, known, lids, own)
    values = dict(loaded.values)
    for relationship, ids in resolved:
        if relationship.holds_key and OWN not in ids:
            values[relationship.key_attribute] = ids[0] if ids else None
    entity = resource.model(**values)
    with _conflicts(resource, loaded):
        entities.store_new(scopes, resource, entity)
    id = resource.id_of(entity)
    to_itself = [r for r, ids in resolved if r.holds_key and OWN in ids]
    if to_itself:
        stored = entities.values_of(resource, entity)
        for relationship in to_itself:
            setattr(entity, relationship.key_attribute, id)
        with _conflicts(resource, loaded):
            entities.store_changes(scopes, resource, entity, stored)
    complete = [(r, [id if i is OWN else i for i in ids]) for r, ids in resolved]
    linkage = _write(scopes, resource, entity, complete, {})
    after = attributes_of(resource, entities.values_of(resource, entity))
    return Change(
        resource=resource, id=id, kind="create", after=after, linkage=linkage, entity=entity
    )


def update(
    scopes: Scopes,
    resource: Resource,
    id: Any,
    loaded: Loaded,
    lids: LocalIds,
    precondition: Precondition,
) -> Change:
    """Change a resource and its relationships.

    :raises JSONAPIError: 404 if it, or something it is linked to, is not there; 409, 412, 428.
    """
    linked = identities(loaded.linkages, lids)
    known = lock_all(scopes, [(resource, id), *linked] if linked else [])
    entity = lock_one(scopes, resource, id, precondition)
    resolved = resolve(loaded.linkages, known, lids, None)
    return _change(scopes, resource, entity, loaded, resolved)


def delete(scopes: Scopes, resource: Resource, id: Any, precondition: Precondition) -> Change:
    """Delete a resource, and its membership in relationships of others.

    :raises JSONAPIError: 404 if it is not there; 409 if others depend on it; 412, 428.
    """
    entity = lock_one(scopes, resource, id, precondition)
    release(scopes, resource, entity)
    with _conflicts(resource, NOTHING):
        entities.remove(scopes, resource, entity)
    before = attributes_of(resource, entities.values_of(resource, entity))
    return Change(resource=resource, id=id, kind="delete", before=before, entity=entity)


def change_relationship(
    scopes: Scopes,
    linkage: Linkage,
    id: Any,
    how: str,
    lids: LocalIds,
    precondition: Precondition,
) -> Change:
    """Change a relationship of one resource (§7.3 Updating Relationships).

    :param how: `add` to what is there, `remove` from it, or `replace` it.
    :raises JSONAPIError: 404 if the resource, or one it is to be linked to, is not there; 412, 428.
    """
    resource = linkage.relationship.source
    known = lock_all(scopes, [(resource, id), *identities([linkage], lids)])
    entity = lock_one(scopes, resource, id, precondition)
    ((relationship, ids),) = resolve([linkage], known, lids, None, how)
    if relationship.holds_key:
        return _change(scopes, resource, entity, NOTHING, [(relationship, ids)])
    changed = change_to_many(scopes, relationship, id, ids, how)
    return Change(
        resource=resource,
        id=id,
        kind="update",
        linkage=() if changed is None else (changed,),
        entity=entity,
    )


def _change(
    scopes: Scopes, resource: Resource, entity: Any, loaded: Loaded, resolved: Resolved
) -> Change:
    """Write the values and the linkage of a request to a locked entity."""
    stored = entities.values_of(resource, entity)
    resolved = [(r, ids) for r, ids in resolved if not _leaves_hidden(scopes, entity, r, ids)]
    keys = {r: getattr(entity, r.key_attribute) for r, _ in resolved if r.holds_key}
    for attribute, value in loaded.values.items():
        setattr(entity, attribute, value)
    for relationship, ids in resolved:
        if relationship.holds_key:
            setattr(entity, relationship.key_attribute, ids[0] if ids else None)
    with _conflicts(resource, loaded):
        entities.store_changes(scopes, resource, entity, stored)
    linkage = _write(scopes, resource, entity, resolved, keys)
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


def _leaves_hidden(scopes: Scopes, entity: Any, relationship: Relationship, ids: list[Any]) -> bool:
    """Whether a to-one relationship is emptied whose caller takes it for empty already."""
    if not relationship.holds_key or ids or scopes.sees_all(relationship.target):
        return False
    key = getattr(entity, relationship.key_attribute)
    seen = scopes.of(relationship.target).execute(statements.select_version, id=key)
    return key is not None and seen.one_or_none() is None


@contextmanager
def _conflicts(resource: Resource, loaded: Loaded) -> Iterator[None]:
    """Answer for a constraint that is violated now, and not at COMMIT."""
    try:
        yield
    except IntegrityError as error:
        raise JSONAPIError(conflict(error, resource, loaded.values, loaded.place)) from None


def _write(
    scopes: Scopes,
    resource: Resource,
    entity: Any,
    resolved: Iterable[tuple[Relationship, list[Any]]],
    keys: Mapping[Relationship, Any],
) -> tuple[LinkageChange, ...]:
    """Write what is not in the entity's own row, and read the row again if that changed it.

    :param keys: the foreign keys that the entity had.
    """
    source = resource.id_of(entity)
    found = []
    is_stale = False
    for relationship, ids in resolved:
        if relationship.holds_key:
            former, now = keys.get(relationship), ids[0] if ids else None
            if former == now:
                continue
            ends = [id for id in (former, now) if id is not None]
            raise_versions(scopes.connection, relationship.target, ends)
            is_stale |= relationship.target is resource
            removed, added = (() if id is None else (id,) for id in (former, now))
            found.append(LinkageChange(relationship=relationship, added=added, removed=removed))
        elif change := change_to_many(scopes, relationship, source, ids, "replace"):
            is_stale = True
            found.append(change)
    if is_stale:
        entities.read_again(scopes, resource, entity)
    return tuple(found)
