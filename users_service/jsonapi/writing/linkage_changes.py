"""Finds what a request would change of linkage, before anything is written."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import Error, JSONAPIError, field_meta
from ..reading import Scopes, statements
from ..resource import Relationship
from .changes import LinkageChange
from .locking import NEW_ID, ResolvedLinkage, chunks


def new_linkage(resolved: ResolvedLinkage, id: Any) -> list[LinkageChange]:
    """What linkage a new resource gets: all of it.

    :param id: its id; None if it is not known yet.
    """
    return [
        LinkageChange(
            relationship=r, added=tuple(dict.fromkeys(id if i is NEW_ID else i for i in ids))
        )
        for r, ids in resolved
        if ids
    ]


def changed_linkage(
    scopes: Scopes, resolved: ResolvedLinkage, source: Any, keys: Mapping[Relationship, Any]
) -> Iterator[LinkageChange]:
    """Yield what would change if the linkage of a resource were replaced.

    :param source: the id of the resource.
    :param keys: its foreign keys, as they are stored.
    """
    for relationship, ids in resolved:
        if relationship.holds_key:
            change = change_to_one(relationship, keys[relationship], ids)
        else:
            change = change_to_many(scopes, relationship, source, ids, "replace")
        if change is not None:
            yield change


def change_to_one(relationship: Relationship, key: Any, ids: Sequence[Any]) -> LinkageChange | None:
    """What would change of a to-one relationship; None if nothing would.

    :param key: the foreign key, as it is stored.
    :param ids: the linkage of the request.
    """
    if (new := ids[0] if ids else None) == key:
        return None
    removed, added = (() if id is None else (id,) for id in (key, new))
    return LinkageChange(relationship=relationship, added=added, removed=removed)


def change_to_many(
    scopes: Scopes, relationship: Relationship, source: Any, ids: Sequence[Any], mode: str
) -> LinkageChange | None:
    """What would change of a to-many relationship; None if nothing would.

    Linkage to resources that the caller cannot see stays.

    :param source: the id of the resource that has the relationship.
    :param ids: the ids in the linkage of the request.
    :param mode: `add` them to the stored linkage, `remove` them from it, or `replace` it.
    :raises JSONAPIError: 403 if a resource that is removed cannot be without the relationship.
    """
    present = set(_related_ids(scopes, relationship, source, None if mode == "replace" else ids))
    added = [] if mode == "remove" else [id for id in dict.fromkeys(ids) if id not in present]
    wanted = set(ids) if mode == "replace" else set()
    removed = [] if mode == "add" else sorted(present - wanted)
    if not added and not removed:
        return None
    if removed and relationship.is_required:
        detail = (
            f"Cannot remove resources of type {relationship.target.type}: they must have this"
            " relationship. Add them to another resource instead."
        )
        meta = field_meta(relationship.name, detail, "required")
        raise JSONAPIError(Error(code="required_relationship", detail=detail, meta=meta))
    return LinkageChange(relationship=relationship, added=tuple(added), removed=tuple(removed))


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
        for chunk in chunks(ids):
            yield from scope.execute(statements.select_related_ids_in, ids=chunk).scalars()
