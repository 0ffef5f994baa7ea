"""The columns of rows, and their order: no other module knows it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import Any

from sqlalchemy import Column, ColumnElement

from ..resource import Resource
from .cursors import Order
from .query import Include, Query

# A row has the id and the version, the attributes that documents show, and other attributes. A row
# of a related resource may end with the id of its source.
_ID, _VERSION, _SHOWN = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Projection:
    """The columns to read of a resource.

    :param shown: the names of the fields that documents show; None for all.
    :param more: further attributes of the model, for sorting or including.
    """

    resource: Resource
    shown: frozenset[str] | None = None
    more: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The names of the attributes that documents show, in the order of the row."""
        return [n for n in self.resource.readable if self.shown is None or n in self.shown]

    def _attributes(self) -> list[str]:
        """The model's names of the id, the version and the attributes that are shown."""
        resource = self.resource
        shown = [resource.attribute(name) for name in self.names]
        return [resource.id_attribute, resource.version_attribute, *shown]

    def columns(self) -> list[ColumnElement[Any]]:
        """The columns to select, each labelled with its attribute in the model."""
        attributes = self._attributes()
        attributes += [attribute for attribute in self.more if attribute not in attributes]
        columns = self.resource.columns
        return [_named(columns[attribute], attribute) for attribute in attributes]

    def values_of_entity(self) -> Callable[[Any], tuple[Any, ...]]:
        """Return a function that makes a row from an entity."""
        return attrgetter(*self._attributes())

    def shown_columns(self, columns: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
        """Return the attributes that documents show, from rows turned into columns."""
        return list(columns[_SHOWN : _SHOWN + len(self.names)])


id_of = itemgetter(_ID)
"""Returns the id from a row, or the ids from rows turned into columns."""

version_of = itemgetter(_VERSION)
"""Returns the version from a row, or the versions from rows turned into columns."""

source_id_of = itemgetter(-1)
"""Returns the id of the source from a row of `select_related_to_many`."""


def project(
    resource: Resource, query: Query, include: Include | None = None, order: Order = ()
) -> Projection:
    """Return the projection of a resource for the document of a query.

    :param include: the relationships to include of this resource.
    :param order: the sort fields, whose values go into cursors.
    """
    more = [resource.attribute(name) for name, _ in order if name != "id"]
    more += [
        relationship.key_attribute
        for name, relationship in resource.relationships.items()
        if name in (include or ()) and relationship.holds_key
    ]
    return Projection(resource, query.fields.get(resource.type), tuple(dict.fromkeys(more)))


def _named(column: Column[Any], attribute: str) -> ColumnElement[Any]:
    return column if column.key == attribute else column.label(attribute)
