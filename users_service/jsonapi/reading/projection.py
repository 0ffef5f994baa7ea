"""What is read of each row, and in which order: the one place that knows it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import Any

from sqlalchemy import Column, ColumnElement

from ..resource import Resource
from .cursors import Order
from .query import Include, Query

# A row begins with these two. Then come the attributes that are shown, then further ones; last,
# where rows belong to resources of another type, the id of the one that each belongs to.
_ID, _VERSION, _SHOWN = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Projection:
    """What is read of each resource.

    :param shown: the fields that documents show; None for all.
    :param more: attributes of the model that are needed besides.
    """

    resource: Resource
    shown: frozenset[str] | None = None
    more: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The attributes that documents show, by their names there, in the order of the row."""
        return [n for n in self.resource.readable if self.shown is None or n in self.shown]

    def _attributes(self) -> list[str]:
        """Attributes of the model, up to the last one that is shown."""
        resource = self.resource
        shown = [resource.attribute(name) for name in self.names]
        return [resource.id_attribute, resource.version_attribute, *shown]

    def columns(self) -> list[ColumnElement[Any]]:
        """The columns to select, each under the name that the model has for it."""
        attributes = self._attributes()
        attributes += [attribute for attribute in self.more if attribute not in attributes]
        columns = self.resource.columns
        return [_named(columns[attribute], attribute) for attribute in attributes]

    def values_of_entity(self) -> Callable[[Any], tuple[Any, ...]]:
        """The function that gives of an entity what its row would have."""
        return attrgetter(*self._attributes())

    def shown_columns(self, columns: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
        """Of the columns of many rows, those of the attributes that are shown."""
        return list(columns[_SHOWN : _SHOWN + len(self.names)])


id_of = itemgetter(_ID)
"""The id in a row, or the ids in the columns of many."""

owner_of = itemgetter(-1)
"""The id of the resource that a related row belongs to."""


def project(
    resource: Resource, query: Query, include: Include | None = None, order: Order = ()
) -> Projection:
    """Say what a document needs of the rows of a resource."""
    more = [resource.attribute(name) for name, _ in order if name != "id"]
    more += [
        relationship.key_attribute
        for name, relationship in resource.relationships.items()
        if name in (include or ()) and relationship.holds_key
    ]
    return Projection(resource, query.fields.get(resource.type), tuple(dict.fromkeys(more)))


def _named(column: Column[Any], attribute: str) -> ColumnElement[Any]:
    return column if column.key == attribute else column.label(attribute)
