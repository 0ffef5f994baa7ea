"""Loads the attributes of a resource object by the schema: their values, or their faults."""

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import ValidationError

from ..errors import Error, Place, at, field_error
from ..field_rules import broken_rule
from ..resource import Resource

Json = dict[str, Any]


def load_attributes(
    resource: Resource, attributes: Json, data: Json, place: Place, partial: bool
) -> tuple[Json, list[Error]]:
    """Load the writable attributes of a resource object by the schema."""
    item = {"type": resource.type, "attributes": attributes}
    # The id and relationships are loaded elsewhere: they are never missing here.
    others = ("id", *(r.field.name or r.name for r in resource.relationships.values()))
    try:
        return resource.loader.load({"data": item}, partial=partial or others), []
    except ValidationError as error:
        # These are error objects, made by marshmallow-jsonapi.
        messages: Any = error.messages
        return {}, [_value_error(resource, fault, data, place) for fault in messages["errors"]]


def _value_error(
    resource: Resource, fault: Mapping[str, Any] | str, data: Json, place: Place
) -> Error:
    """Convert an error of the schema. The pointer of a missing member is that of its parent."""
    parent = (*place, "attributes") if "attributes" in data else place
    if isinstance(fault, str):  # a rule over several fields
        return Error(code="invalid_value", detail=fault, source=at(*parent))
    tokens = fault["source"]["pointer"].split("/")[2:]
    name, *path = tokens[1:]
    attributes = data.get("attributes", {})
    is_there = name in attributes
    value, reached = _follow(attributes[name], path) if is_there else (None, [])
    rule, limit = broken_rule(fault["detail"], value)
    if rule == "required" and not is_there:
        return missing("attribute", name, parent)
    where = (*parent, name, *reached) if is_there else parent
    message = str(fault["detail"])
    return field_error("invalid_value", name, message, *where, rule=rule, limit=limit)


def _follow(value: Any, path: Sequence[str]) -> tuple[Any, list[str]]:
    """Follow a path into a value, as far as it leads, and return what is there and the way."""
    reached: list[str] = []
    for token in path:
        if isinstance(value, dict) and token in value:
            value = value[token]
        elif isinstance(value, list) and token.isdecimal() and int(token) < len(value):
            value = value[int(token)]
        else:
            break
        reached.append(token)
    return value, reached


def missing(kind: str, name: str, parent: Place) -> Error:
    """The error of a required field that a resource object has not.

    :param kind: "attribute" or "relationship".
    :param parent: the place of what should have it.
    """
    message = f"The {kind} {name} is required."
    return field_error("missing_field", name, message, *parent, rule="required")
