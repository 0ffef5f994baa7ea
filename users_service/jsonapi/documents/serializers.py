"""Serializes rows to resource objects (§5.2), by functions compiled once from the schema."""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from functools import lru_cache
from typing import Any
from urllib.parse import quote
from uuid import UUID

import orjson
from marshmallow import fields
from marshmallow.fields import Field
from marshmallow.utils import ensure_text_type
from sqlalchemy import Row

from ..reading import Projection, id_of, version_of
from ..resource import Resource
from .links import relationship_links
from .tags import version_tag

Json = dict[str, Any]

Convert = Callable[[Any], Any]
"""Converts a column's value to a value that `responses.dumps` writes."""


class NeedsRow(Enum):
    """The type of NEEDS_ROW."""

    NEEDS_ROW = auto()


NEEDS_ROW = NeedsRow.NEEDS_ROW
"""Instead of a `Convert`: the field has to serialize from the whole row."""

LinkageById = Mapping[str, Mapping[Any, Any]]
"""Linkage, by the name of the relationship and the id of the resource that has it."""

EMPTY: Mapping[Any, Any] = {}

# Characters. Links are cached for shorter URLs only, because clients choose the host.
MAX_CACHED_URL_LENGTH = 256

# Stands in place of the id while links are written: a private-use character, which no URL has.
ID_MARK = "\ue000"

# Fields whose values need no conversion, by their serializing function and the type of the value.
_UNCHANGED: set[tuple[Any, Any]] = {
    (fields.String._serialize, str),
    (fields.Boolean._serialize, bool),
}

# Serializing functions that use the value alone, and no other part of the row.
_VALUE_ALONE = {fields.Boolean._serialize, fields.DateTime._serialize, fields.Number._serialize}


class Serializer:
    """Makes the resource objects of one type with one set of fields.

    :param projection: the columns of the rows, and the fields to show.
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
        self._by_value = [
            (index, convert)
            for index, convert in enumerate(converters)
            if convert not in (None, NEEDS_ROW)
        ]
        self._by_row = [
            (index, resource.attributes[names[index]], resource.attribute(names[index]))
            for index, convert in enumerate(converters)
            if convert is NEEDS_ROW
        ]
        self._related = [
            relationship
            for name, relationship in resource.relationships.items()
            if shown is None or name in shown
        ]
        self._links = lru_cache(maxsize=16)(self._split_links)
        self._values = projection.values_of_entity()

    def resource_objects(
        self, sources: Sequence[Any], collection: str, linkage: LinkageById = EMPTY
    ) -> list[Json]:
        """Make resource objects (§5.2), to be written by `responses.dumps`.

        :param sources: entities, or rows of the projection, which may have further columns.
        :param collection: the URL of the collection.
        :param linkage: the linkage to show; relationships without have links alone.
        """
        if not sources:
            return []
        # Converting column by column is faster than row by row. Rows may differ in length.
        rows = [source if isinstance(source, Row) else self._values(source) for source in sources]
        columns = list(zip(*rows, strict=False))
        keys = id_of(columns)
        ids = self._ids(keys)
        kind, names = self._type, self._names
        if names:
            attributes = zip(*self._attributes_of(columns, sources), strict=True)
            items: list[Json] = [
                # strict=True would take a third more time.
                {"type": kind, "id": id, "attributes": dict(zip(names, values))}  # noqa: B905
                for id, values in zip(ids, attributes, strict=True)
            ]
        else:
            items = [{"type": kind, "id": id} for id in ids]
        self._add_links(items, keys, collection, linkage)
        for item, version in zip(items, version_of(columns), strict=True):
            item["meta"] = _meta(version)
        return items

    def _add_links(
        self, items: Sequence[Json], keys: Sequence[Any], collection: str, linkage: LinkageById
    ) -> None:
        """Add relationships and links to resource objects.

        :param keys: the ids of the resource objects, as values of the model.
        """
        links = self._links if len(collection) <= MAX_CACHED_URL_LENGTH else self._split_links
        resource_links, all_relationships, by_relationship = links(collection)
        fragment = orjson.Fragment
        for item, key in zip(items, keys, strict=True):
            in_url = item["id"] if self._plain_ids else quote(item["id"], safe="")
            if linkage and by_relationship:
                item["relationships"] = relationships = {}
                for name, parts in by_relationship:
                    relationships[name] = member = {"links": fragment(in_url.join(parts))}
                    if key in (known := linkage.get(name, EMPTY)):
                        member["data"] = known[key]
            elif by_relationship:
                item["relationships"] = fragment(in_url.join(all_relationships))
            item["links"] = fragment(in_url.join(resource_links))

    def _split_links(self, collection: str) -> tuple[list[str], list[str], Any]:
        """Write the links of a resource object as JSON, and split the text at the id.

        Joining the parts by an id gives the links of a resource, without writing JSON again.

        :returns: the parts of the resource's links, those of the member `relationships`, and those
            of each relationship's links by name.
        """
        url = f"{collection}/{ID_MARK}"
        links = {r.name: {"links": relationship_links(url, r)} for r in self._related}
        by_relationship = [
            (name, _split_at_id(members["links"])) for name, members in links.items()
        ]
        return _split_at_id({"self": url}), _split_at_id(links), by_relationship

    def _ids(self, keys: Sequence[Any]) -> list[str]:
        if self._uuids:  # all at once, in a tenth of the time of a str(key) for each
            return orjson.dumps(keys).decode()[2:-2].split('","')
        return [str(key) for key in keys]

    def _attributes_of(
        self, columns: Sequence[Sequence[Any]], sources: Sequence[Any]
    ) -> list[Sequence[Any]]:
        """The values of the attributes to show, attribute by attribute."""
        found = self._projection.shown_columns(columns)
        for index, convert in self._by_value:
            found[index] = [convert(value) for value in found[index]]
        for index, field, attribute in self._by_row:
            found[index] = [field.serialize(attribute, source) for source in sources]
        return found


def _split_at_id(value: Any) -> list[str]:
    """Write a value as JSON, and split the text at each ID_MARK."""
    return orjson.dumps(value).decode().split(ID_MARK)


@lru_cache(maxsize=1024)  # many resources have the same version, and most a low one
def _meta(version: int) -> orjson.Fragment:
    """The member `meta` of a resource object, as JSON."""
    return orjson.Fragment(orjson.dumps({"etag": version_tag(version)}))


@lru_cache(maxsize=512)  # clients choose the fields
def serializer(resource: Resource, shown: frozenset[str] | None) -> Serializer:
    """The serializer of a resource with some of its fields; None for all."""
    return Serializer(Projection(resource, shown))


def _converter(resource: Resource, name: str) -> Convert | NeedsRow | None:
    field = resource.attributes[name]
    if (type(field)._serialize, resource.python_type(name)) in _UNCHANGED:
        return None
    return converter(field)


def converter(field: Any) -> Convert | NeedsRow:
    """Return the function that converts a field's values, or NEEDS_ROW if there is none.

    A field class of the host that overrides `_serialize` may also define `dump_value(value)`, to
    be converted from the value alone.
    """
    serialize = type(field)._serialize
    if serialize is fields.String._serialize:
        return _text
    if serialize is fields.List._serialize:
        inner = converter(field.inner)
        if inner is not NEEDS_ROW:
            return lambda values: None if values is None else [inner(value) for value in values]
    elif serialize in _VALUE_ALONE:
        return lambda value: field._serialize(value, None, None)
    elif _defining_class(field, "_serialize") is _defining_class(field, "dump_value"):
        dump: Convert = field.dump_value
        return dump
    return NEEDS_ROW


def _text(value: Any) -> str | None:
    return None if value is None else ensure_text_type(value)


def _defining_class(field: Field, name: str) -> Any:
    return next((cls for cls in type(field).__mro__ if name in vars(cls)), None)
