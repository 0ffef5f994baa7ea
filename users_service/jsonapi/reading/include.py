"""Loads included resources, with one statement for each relationship path (§6.2 Inclusion)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..errors import Error, JSONAPIError, parameter_source
from ..limits import Limits
from ..resource import Relationship, Resource
from . import statements
from .projection import Projection, id_of, project, source_id_of
from .query import Include, Query
from .scope import Scope, Scopes


@dataclass(slots=True)
class Included:
    """The included resources of a document, and the linkage that leads to them.

    :param rows: the rows of the included resources, by resource and id.
    :param linkage: the ids of related resources, by relationship and id of the source: a list, or
        for a to-one relationship an id or None.
    """

    rows: dict[Resource, dict[Any, Any]] = field(default_factory=dict)
    linkage: dict[Relationship, dict[Any, Any]] = field(default_factory=dict)

    def count(self) -> int:
        return sum(map(len, self.rows.values()))


def load_included(
    scopes: Scopes,
    resource: Resource,
    rows: Iterable[Any],
    query: Query,
    include: Include,
    limits: Limits,
) -> Included:
    """Load the included resources of some rows, level by level.

    :param rows: the rows of the primary data.
    :param include: the relationships to include.
    :raises JSONAPIError: 400 for more than `limits.max_included` included resources.
    """
    included = Included()
    levels = [(resource, list(rows), include)]
    while levels:
        resource, rows, include = levels.pop(0)
        for name, inner in include.items():
            relationship = resource.relationships[name]
            load = _load_by_key if relationship.holds_key else _load_by_link
            target = relationship.target
            projection = project(target, query, inner)
            found = load(scopes.of(target), relationship, rows, projection, included, limits)
            included.rows[target] = included.rows.get(target, {}) | found
            if included.count() > limits.max_included:
                raise _too_many(limits)
            levels.append((target, list(found.values()), inner))
    return included


def _load_by_key(
    scope: Scope,
    relationship: Relationship,
    rows: list[Any],
    projection: Projection,
    included: Included,
    _limits: Limits,
) -> dict[Any, Any]:
    """Load related resources by foreign keys in the rows, and add the linkage to `included`.

    :returns: the related rows by id.
    """
    keys = [getattr(row, relationship.key_attribute) for row in rows]
    wanted = sorted({key for key in keys if key is not None})
    found = {}
    if wanted:
        related = scope.execute(statements.select_by_ids, projection, ids=wanted)
        found = {id_of(row): row for row in related}
    # A key without a row belongs to a resource that the caller cannot see.
    shown = [key if key in found else None for key in keys]
    ids = [relationship.source.id_of(row) for row in rows]
    included.linkage.setdefault(relationship, {}).update(zip(ids, shown, strict=True))
    return found


def _load_by_link(
    scope: Scope,
    relationship: Relationship,
    rows: list[Any],
    projection: Projection,
    included: Included,
    limits: Limits,
) -> dict[Any, Any]:
    """Load related resources by foreign keys in their own rows or in an association table, and add
    the linkage to `included`.

    :returns: the related rows by id.
    """
    ids = [relationship.source.id_of(row) for row in rows]
    linkage: dict[Any, Any] = {id: [] for id in ids}
    found: dict[Any, Any] = {}
    if ids:
        related = scope.execute(
            statements.select_related_to_many,
            projection,
            relationship,
            ids=ids,
            size=limits.max_included + 1,
        ).all()
        if len(related) > limits.max_included:
            raise _too_many(limits)
        for row in sorted(related, key=id_of):
            found[id_of(row)] = row
            linkage[source_id_of(row)].append(id_of(row))
    known = included.linkage.setdefault(relationship, {})
    if relationship.many:
        known.update(linkage)
    else:
        known.update((id, related[0] if related else None) for id, related in linkage.items())
    return found


def _too_many(limits: Limits) -> JSONAPIError:
    detail = f"A document may include at most {limits.max_included} resources."
    source = parameter_source("include")
    return JSONAPIError(Error(code="invalid_parameter", detail=detail, source=source))
