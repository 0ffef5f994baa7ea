"""Reads resource linkage, and the resource identifier objects in it (§5.2.3.1, §5.2.4)."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from typing import Any

from marshmallow import ValidationError

from ..errors import (
    Error,
    JSONAPIError,
    Place,
    at,
    field_error,
    malformed,
    malformed_error,
    no_such_id,
)
from ..resource import Relationship, Resource

Json = dict[str, Any]

LocalId = tuple[str, str]
"""A type and a local id, which is local to its type."""

LocalIds = Mapping[LocalId, Any]
"""The ids of the resources that a request has created, by type and local id."""

NO_LIDS: LocalIds = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """A resource identifier object of a request.

    :param id: the id; None if it has a local id.
    :param lid: the local id of a resource that the same request creates.
    :param place: its place in the request document.
    """

    id: Any = None
    lid: str | None = None
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Linkage:
    """The resource linkage of one relationship in a request, without duplicates.

    :param place: its place in the request document.
    """

    relationship: Relationship
    identifiers: tuple[Identifier, ...]
    place: Place


def load_linkage(
    relationship: Relationship,
    data: Any,
    place: Place = ("data",),
    lids: Container[LocalId] = NO_LIDS,
) -> Linkage:
    """Read the linkage of a relationship that clients may change (§5.2.3.1).

    :param data: the linkage.
    :param place: its place in the request document.
    :param lids: the local ids that it may have.
    :raises JSONAPIError: 400, 403, 404, 409 or 422, with all errors that were found.
    """
    if not relationship.is_changeable:
        raise JSONAPIError(read_only(relationship, place))
    linkage, faults = read_linkage(relationship, data, place, lids)
    if faults:
        raise JSONAPIError(*faults)
    return linkage


def _null_refused(relationship: Relationship, place: Place) -> Error:
    message = "Must not be null."
    return field_error("invalid_value", relationship.name, message, *place, rule="null")


def read_only(relationship: Relationship, place: Place) -> Error:
    detail = f"The relationship {relationship.name} is read-only."
    if relationship.is_writable:
        detail = f"The relationship {relationship.name} can be set on creation alone."
    name = relationship.name
    return field_error("read_only_relationship", name, detail, *place, rule="readOnly")


def read_linkage(
    relationship: Relationship,
    data: Any,
    place: Place,
    lids: Container[LocalId],
    created: LocalId | None = None,
) -> tuple[Linkage, list[Error]]:
    """Read linkage: an array of resource identifiers, or one of them, or null (§5.2.3.1).

    :param lids: the local ids that it may have.
    :param created: one more of them: that of the resource that is being created.
    :returns: the linkage that is valid, and the errors.
    """
    empty = Linkage(relationship=relationship, identifiers=(), place=place)
    if relationship.many != isinstance(data, list):
        detail = "Must be an array of resource identifier objects."
        if not relationship.many:
            detail = "Must be a resource identifier object or null."
        return empty, [malformed_error(detail, *place)]
    if data is None:
        if relationship.is_required:
            return empty, [_null_refused(relationship, place)]
        return empty, []
    items = enumerate(data) if relationship.many else [(None, data)]
    identifiers: dict[Any, Identifier] = {}
    faults: list[Error] = []
    for index, item in items:
        item_place = place if index is None else (*place, index)
        try:
            identifier = _read_identifier(relationship, item, item_place)
        except JSONAPIError as error:
            faults += error.errors
        else:
            lid = (relationship.target.type, identifier.lid or "")
            if identifier.lid is not None and lid not in lids and lid != created:
                faults.append(unknown_lid(relationship.target, item_place))
            identifiers.setdefault((identifier.id, identifier.lid), identifier)
    return replace(empty, identifiers=tuple(identifiers.values())), faults


def _read_identifier(relationship: Relationship, item: Any, place: Place) -> Identifier:
    """Read a resource identifier object (§5.2.4)."""
    target = relationship.target
    if not isinstance(item, dict):
        raise malformed("Must be a resource identifier object.", *place)
    named = "lid" if "lid" in item and "id" not in item else "id"
    if faults := identity_faults(item, place, {"type", named}):
        raise JSONAPIError(*faults)
    check_type(target, item, place)
    if named == "lid":
        return Identifier(lid=item["lid"], place=place)
    try:
        return Identifier(id=target.load_id(item["id"]), place=place)
    except ValidationError:
        raise JSONAPIError(related_not_found(relationship, place)) from None


def related_not_found(relationship: Relationship, place: Place, lid: str | None = None) -> Error:
    """The error of an identifier of no resource.

    :param lid: its local id, of a resource that the request has created and then removed.
    """
    kind, name = relationship.target.type, relationship.name
    detail = no_such_id(kind)
    if lid is not None:
        detail = f"The resource of type {kind} with this local id has been removed."
    return field_error("related_not_found", name, detail, *place, rule="exists")


def unknown_lid(resource: Resource, place: Place) -> Error:
    detail = f"No resource of type {resource.type} has this local id in the request so far."
    return Error(code="unknown_lid", detail=detail, source=at(*place, "lid"))


def identity_faults(data: Json, place: Place, required: set[str]) -> list[Error]:
    """Check the members `type`, `id` and `lid` of an object.

    :param required: those that must be there.
    """
    faults = []
    for name in ("type", "id", "lid"):
        if name not in data:
            if name in required:
                faults.append(malformed_error(f"Must have a member {name}.", *place))
        elif not isinstance(data[name], str):
            faults.append(malformed_error("Must be a string.", *place, name))
    return faults


def check_type(resource: Resource, data: Json, place: Place) -> None:
    if data["type"] != resource.type:
        detail = f"Must be {resource.type} here."
        raise JSONAPIError(Error(code="type_conflict", detail=detail, source=at(*place, "type")))
