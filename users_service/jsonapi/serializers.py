"""Functions that make rows into resource objects, each made once of the schema's fields (§5.2)."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any
from urllib.parse import quote
from uuid import UUID

from marshmallow import fields
from marshmallow.fields import Field
from marshmallow.utils import ensure_text_type
from sqlalchemy import Row

from users_service.jsonapi.resource import Resource

Json = dict[str, Any]

Convert = Callable[[Any], Any]
"""From a column's value to its JSON; None where it is the same."""

# Where the values of a row stand: the id, the version, then the attributes that are shown.
FIRST_ATTRIBUTE = 2

# Fields whose JSON is the very value, by the function that serializes them and the value's type.
_SAME: set[tuple[Any, Any]] = {
    (fields.String._serialize, str),
    (fields.Boolean._serialize, bool),
}


# Those that look at nothing but the value.
_OF_VALUE = {fields.Boolean._serialize, fields.DateTime._serialize, fields.Number._serialize}


class Serializer:
    """Makes the resource objects of one type with one set of fields.

    :param names: the attributes that are shown, in the order in which rows have them.
    :param related: the relationships that are shown.
    """

    def __init__(self, resource: Resource, names: Sequence[str], related: Sequence[str]) -> None:
        self._type = resource.type
        self._plain_ids = resource.python_type("id") in (UUID, int)  # nothing to escape in them
        self._members = [(name, _converter(resource, name)) for name in names]
        self._related = [(name, f"/relationships/{name}", f"/{name}") for name in related]
        self._asked = [
            (name, resource.attributes[name], resource.attribute(name))
            for name, convert in self._members
            if convert is ask
        ]
        self._values = attrgetter(
            resource.id_attribute,
            resource.version_attribute,
            *(resource.attribute(name) for name in names),
        )

    def resource_object(self, source: Any, collection: str) -> Json:
        """Make a resource object (§5.2).

        :param source: an entity, or a row with the id, the version and the attributes.
        :param collection: the URL of the resources of this type.
        """
        row = source if isinstance(source, Row) else self._values(source)
        id = str(row[0])
        url = f"{collection}/{id if self._plain_ids else quote(id, safe='')}"
        found: Json = {"type": self._type, "id": id}
        if self._members:
            found["attributes"] = attributes = {
                name: value if convert is None else convert(value)
                for (name, convert), value in zip(
                    self._members, row[FIRST_ATTRIBUTE:], strict=False
                )
            }
            for name, field, attribute in self._asked:
                attributes[name] = field.serialize(attribute, source)
        if self._related:
            found["relationships"] = {
                name: {"links": {"self": url + linkage, "related": url + related}}
                for name, linkage, related in self._related
            }
        found["links"] = {"self": url}
        return found


@lru_cache(maxsize=512)  # clients choose the fields
def serializer(resource: Resource, shown: frozenset[str] | None) -> Serializer:
    """The serializer of a resource with some of its fields, or with all."""
    return Serializer(
        resource,
        [name for name in resource.readable if shown is None or name in shown],
        [name for name in resource.relationships if shown is None or name in shown],
    )


def _converter(resource: Resource, name: str) -> Convert | None:
    field = resource.attributes[name]
    if (type(field)._serialize, resource.python_type(name)) in _SAME:
        return None
    return converter(field)


def converter(field: Any) -> Convert:
    """The function that a field serializes values by, or `ask` for a type that is not known.

    A field type of the host's own may have `dump_value(value)` beside its `_serialize`, to say that
    it needs no more than the value.
    """
    serialize = type(field)._serialize
    if serialize is fields.String._serialize:
        return _text
    if serialize is fields.List._serialize:
        inner = converter(field.inner)
        if inner is not ask:
            return lambda values: None if values is None else [inner(value) for value in values]
    elif serialize in _OF_VALUE:
        return lambda value: field._serialize(value, None, None)
    elif _owner(field, "_serialize") is _owner(field, "dump_value"):
        dump: Convert = field.dump_value
        return dump
    return ask


def ask(value: Any) -> Any:
    """Stands for a field that has to be asked itself, with all of the row."""
    return value


def _text(value: Any) -> str | None:
    return None if value is None else ensure_text_type(value)


def _owner(field: Field, name: str) -> Any:
    return next((cls for cls in type(field).__mro__ if name in vars(cls)), None)
