"""Related resources for a document: one statement for each relationship path (§6.2 Inclusion)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..errors import Error, JSONAPIError, parameter_source
from ..limits import Limits
from ..resource import Relationship, Resource
from . import statements
from .projection import Projection, id_of, owner_of, project
from .query import Include, Query
from .scope import Scope, Scopes


@dataclass(slots=True)
class Included:
    """What a document holds beside its primary data.

    :param rows: the related resources, each once, by their ids.
    :param linkage: the ids that included relationships lead to, by the ids of the resources that
        have them: a list, or for a to-one relationship an id or None.
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
    """Load what rows of a resource include, level by level.

    :raises JSONAPIError: 400 if these are more than `limits.max_included` resources.
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
    """Load what the foreign keys of rows lead to, and note the linkage.

    :returns: the related rows by their ids.
    """
    keys = [getattr(row, relationship.key_attribute) for row in rows]
    wanted = sorted({key for key in keys if key is not None})
    found = {}
    if wanted:
        related = scope.execute(statements.select_by_ids, projection, ids=wanted)
        found = {id_of(row): row for row in related}
    # What is not there is not seen by the caller.
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
    """Load what leads to rows by a foreign key or an association table, and note the linkage.

    :returns: the related rows by their ids.
    """
    ids = [relationship.source.id_of(row) for row in rows]
    linkage: dict[Any, Any] = {id: [] for id in ids}
    found: dict[Any, Any] = {}
    if ids:
        related = scope.execute(
            statements.select_related_of_many,
            projection,
            relationship,
            ids=ids,
            size=limits.max_included + 1,
        ).all()
        if len(related) > limits.max_included:
            raise _too_many(limits)
        for row in sorted(related, key=id_of):
            found[id_of(row)] = row
            linkage[owner_of(row)].append(id_of(row))
    noted = included.linkage.setdefault(relationship, {})
    if relationship.many:
        noted.update(linkage)
    else:
        noted.update((id, related[0] if related else None) for id, related in linkage.items())
    return found


def _too_many(limits: Limits) -> JSONAPIError:
    detail = f"Leads to more than {limits.max_included} resources."
    source = parameter_source("include")
    return JSONAPIError(Error(code="invalid_parameter", detail=detail, source=source))
