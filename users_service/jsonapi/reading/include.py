"""Related resources for a document: one statement for each relationship path (§6.2 Inclusion)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection

from ..errors import Error, JSONAPIError, parameter
from ..limits import Limits
from ..resource import Relationship, Resource
from . import statements
from .query import Include, Query

_FIRST = itemgetter(0)


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
    connection: Connection,
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
            found = _load(connection, relationship, rows, query, inner, included, limits)
            target = relationship.target
            included.rows[target] = included.rows.get(target, {}) | found
            if included.count() > limits.max_included:
                raise _too_many(limits)
            levels.append((target, list(found.values()), inner))
    return included


def _load(
    connection: Connection,
    relationship: Relationship,
    rows: list[Any],
    query: Query,
    include: Include,
    included: Included,
    limits: Limits,
) -> dict[Any, Any]:
    """Load what one relationship of several resources leads to, and note its linkage.

    :returns: the related rows by their ids.
    """
    ids = [relationship.source.id_of(row) for row in rows]
    selected = statements.selected(relationship.target, query, include)
    noted = included.linkage.setdefault(relationship, {})
    if relationship.holds_key:
        keys = [getattr(row, relationship.key_attribute) for row in rows]
        noted.update(zip(ids, keys, strict=True))
        wanted = sorted({key for key in keys if key is not None})
        if not wanted:
            return {}
        by_id = statements.select_by_id(selected)
        return {row[0]: row for row in connection.execute(by_id, {"ids": wanted})}
    linkage: dict[Any, Any] = {id: [] for id in ids}
    found: dict[Any, Any] = {}
    if ids:
        statement = statements.select_related(relationship, selected)
        values = {"ids": ids, "size": limits.max_included + 1}
        pairs = connection.execute(statement, values).all()
        if len(pairs) > limits.max_included:
            raise _too_many(limits)
        for row in sorted(pairs, key=_FIRST):  # by id
            found[row[0]] = row
            linkage[row[-1]].append(row[0])
    if relationship.many:
        noted.update(linkage)
    else:
        noted.update((id, related[0] if related else None) for id, related in linkage.items())
    return found


def _too_many(limits: Limits) -> JSONAPIError:
    detail = f"Leads to more than {limits.max_included} resources."
    return JSONAPIError(Error(code="invalid_parameter", detail=detail, source=parameter("include")))
