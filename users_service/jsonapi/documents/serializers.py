"""Functions that make rows into resource objects, each made once of the schema's fields (§5.2)."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote
from uuid import UUID

import orjson
from marshmallow import fields
from marshmallow.fields import Field
from marshmallow.utils import ensure_text_type
from sqlalchemy import Row

from ..reading import Projection, id_of
from ..resource import Resource
from .links import relationship_links

Json = dict[str, Any]

Convert = Callable[[Any], Any]
"""From a column's value to its JSON, or to what `media.dumps` writes as that; None to leave it."""


def NEEDS_ROW(value: Any) -> Any:  # noqa: N802  # it is a mark, and is called by nobody
    """Stands for the conversion of a field that has to see all of the row."""
    return value


Linkage = Mapping[str, Mapping[Any, Any]]
"""The linkage of relationships, by their names and the ids of the resources that have them."""

EMPTY: Mapping[Any, Any] = {}

# The longest URL for which links are kept: clients choose the host.
LONGEST_KEPT = 256

# Stands for the id while links are written: a character for private use, which no URL has.
ID = "\ue000"

# Fields whose JSON is the very value, by the function that serializes them and the value's type.
_SAME: set[tuple[Any, Any]] = {
    (fields.String._serialize, str),
    (fields.Boolean._serialize, bool),
}


# Those that look at nothing but the value.
_OF_VALUE = {fields.Boolean._serialize, fields.DateTime._serialize, fields.Number._serialize}


class Serializer:
    """Makes the resource objects of one type with one set of fields.

    :param projection: what rows have, and which fields are shown.
    """

    def __init__(self, projection: Projection) -> None:
        resource, shown = projection.resource, projection.shown
        names = projection.names
        self._projection = projection
        self._type = resource.type
        self._uuids = resource.python_type("id") is UUID
        self._plain_ids = self._uuids or resource.python_type("id") is int  # nothing to escape
        self._names = names
        converters = [_converter(resource, name) for name in names]
        self._converted = [
            (place, convert)
            for place, convert in enumerate(converters)
            if convert not in (None, NEEDS_ROW)
        ]
        self._asked = [
            (place, resource.attributes[names[place]], resource.attribute(names[place]))
            for place, convert in enumerate(converters)
            if convert is NEEDS_ROW
        ]
        self._related = [
            relationship
            for name, relationship in resource.relationships.items()
            if shown is None or name in shown
        ]
        self._links = lru_cache(maxsize=16)(self._written_links)
        self._values = projection.values_of_entity()

    def resource_objects(
        self, sources: Sequence[Any], collection: str, linkage: Linkage = EMPTY
    ) -> list[Json]:
        """Make resource objects (§5.2), to be written by `media.dumps`.

        :param sources: entities, or rows with the id, the version and the attributes.
        :param collection: the URL of the resources of this type.
        """
        if not sources:
            return []
        # Column by column, which takes less than row by row. Some rows have more columns behind.
        rows = [source if isinstance(source, Row) else self._values(source) for source in sources]
        columns = list(zip(*rows, strict=False))
        keys = id_of(columns)
        ids = self._ids(keys)
        kind, names = self._type, self._names
        if names:
            attributes = zip(*self._attributes_of(columns, sources), strict=True)
            found: list[Json] = [
                {"type": kind, "id": id, "attributes": dict(zip(names, values))}  # noqa: B905  # a third more
                for id, values in zip(ids, attributes, strict=True)
            ]
        else:
            found = [{"type": kind, "id": id} for id in ids]
        self._add_links(found, keys, collection, linkage)
        return found

    def _add_links(
        self, found: Sequence[Json], keys: Sequence[Any], collection: str, linkage: Linkage
    ) -> None:
        """Add relationships and links to resource objects.

        :param keys: their ids as the database has them.
        """
        links = self._links if len(collection) <= LONGEST_KEPT else self._written_links
        own, related, each = links(collection)
        fragment = orjson.Fragment
        for item, key in zip(found, keys, strict=True):
            in_url = item["id"] if self._plain_ids else quote(item["id"], safe="")
            if linkage and each:
                item["relationships"] = shown = {}
                for name, around in each:
                    shown[name] = member = {"links": fragment(in_url.join(around))}
                    if key in (known := linkage.get(name, EMPTY)):
                        member["data"] = known[key]
            elif each:
                item["relationships"] = fragment(in_url.join(related))
            item["links"] = fragment(in_url.join(own))

    def _written_links(self, collection: str) -> tuple[list[str], list[str], Any]:
        """What all resource objects have in common: their links, taken apart at the ids.

        :returns: those of the resource, of its relationships, and of each relationship by itself.
        """
        url = f"{collection}/{ID}"
        links = {r.name: {"links": relationship_links(url, r)} for r in self._related}
        each = [(name, _around_id(members["links"])) for name, members in links.items()]
        return _around_id({"self": url}), _around_id(links), each

    def _ids(self, keys: Sequence[Any]) -> list[str]:
        if self._uuids:  # many at once, at a tenth of what str costs for each
            return orjson.dumps(keys).decode()[2:-2].split('","')
        return [str(key) for key in keys]

    def _attributes_of(
        self, columns: Sequence[Sequence[Any]], sources: Sequence[Any]
    ) -> list[Sequence[Any]]:
        """The values of each attribute that is shown."""
        found = self._projection.shown_columns(columns)
        for place, convert in self._converted:
            found[place] = [convert(value) for value in found[place]]
        for place, field, attribute in self._asked:
            found[place] = [field.serialize(attribute, source) for source in sources]
        return found


def _around_id(value: Any) -> list[str]:
    """Write JSON, and take it apart at the places of the id."""
    return orjson.dumps(value).decode().split(ID)


@lru_cache(maxsize=512)  # clients choose the fields
def serializer(resource: Resource, shown: frozenset[str] | None) -> Serializer:
    """The serializer of a resource with some of its fields, or with all."""
    return Serializer(Projection(resource, shown))


def _converter(resource: Resource, name: str) -> Convert | None:
    field = resource.attributes[name]
    if (type(field)._serialize, resource.python_type(name)) in _SAME:
        return None
    return converter(field)


def converter(field: Any) -> Convert:
    """The function that a field serializes values by, or `NEEDS_ROW` for a type that is not known.

    A field type of the host's own may have `dump_value(value)` beside its `_serialize`, to say that
    it needs no more than the value.
    """
    serialize = type(field)._serialize
    if serialize is fields.String._serialize:
        return _text
    if serialize is fields.List._serialize:
        inner = converter(field.inner)
        if inner is not NEEDS_ROW:
            return lambda values: None if values is None else [inner(value) for value in values]
    elif serialize in _OF_VALUE:
        return lambda value: field._serialize(value, None, None)
    elif _owner(field, "_serialize") is _owner(field, "dump_value"):
        dump: Convert = field.dump_value
        return dump
    return NEEDS_ROW


def _text(value: Any) -> str | None:
    return None if value is None else ensure_text_type(value)


def _owner(field: Field, name: str) -> Any:
    return next((cls for cls in type(field).__mro__ if name in vars(cls)), None)
